import type { Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { RewardKind, RewardValue } from '@laurel/contract/rewards'
import type { VoucherValue } from '@laurel/contract/vouchers'
import type { Redemption } from '../redemptions/redemptions.rules.ts'
import { STATUS, type Voucher, type VoucherChanges } from '../vouchers/vouchers.rules.ts'
import { isRefusal } from './decisions.ts'
import { MovedError } from './faults.ts'
import { useByHandChanges, voucherOf, withdrawChanges } from './issued-vouchers.ts'
import { issueChanges } from './vouchers.ts'
import type { FurtherNeeds, Slices } from './slices.ts'
import { voucherNeeds } from './voucher-slices.ts'

/** What its code takes off an order at a till; undefined where it is nothing for a till. */
export function tillValue(kind: RewardKind, value: RewardValue | undefined): VoucherValue | undefined {
  if (value === undefined || (kind !== 'coupon' && kind !== 'product' && kind !== 'gift_card')) return undefined
  switch (value.kind) {
    case 'amount':
      return kind === 'gift_card' ? { kind: 'gift', balance: value.amount } : { kind: 'amount', amount: value.amount }
    case 'percent':
    case 'product':
      return value
    default:
      return undefined
  }
}

/**
 * The voucher that is issued with a redemption (`said.voucher`), bound to its member. It takes the place of the withdrawn one of a
 * redemption that was cancelled, whose code came back to its pool and is handed out again.
 */
export function issueVoucher(slices: Slices, kind: RewardKind, one: Redemption): VoucherChanges | undefined {
  const value = tillValue(kind, one.said.value)
  if (one.said.voucher === undefined || one.code === null || !value) return undefined
  const replaces = slices.vouchers.vouchers.get(one.said.voucher)
  if (replaces && replaces.status !== STATUS.withdrawn)
    throw new Error(`the code of redemption ${one.id} is another voucher's`)
  return issueChanges(issuedVoucher(one, one.code, value, replaces))
}

/** As it is issued. */
export function issuedVoucher(one: Redemption, code: string, value: VoucherValue, replaces?: Voucher): Voucher {
  return voucherOf({
    id: one.id,
    key: one.said.voucher,
    code,
    programId: one.programId,
    member: one.member,
    value,
    uses: one.uses,
    createdAt: one.issuedAt,
    startsAt: one.validFrom,
    endsAt: one.validUntil,
    replaces,
  })
}

/** Its own: of a redemption that was cancelled the code may be another's by now. */
export function voucherOfRedemption(slices: Slices, one: Redemption): Voucher | undefined {
  const voucher = one.said.voucher === undefined ? undefined : slices.vouchers.vouchers.get(one.said.voucher)
  return voucher?.source === one.id ? voucher : undefined
}

/** Codes of pools that may be handed out for a second time: what is left of their vouchers is to be known. */
export function needReissued(
  { configuration, redemptions }: Pick<Slices, 'configuration' | 'redemptions'>,
  needs: Pick<FurtherNeeds, 'vouchers'>,
): void {
  for (const { poolId, reusable } of configuration.pools) {
    if (!reusable) continue
    for (const { key } of redemptions.pools.get(poolId)?.codes.values() ?? []) voucherNeeds(needs).keys.add(key)
  }
}

/** How often it was used by hand and at tills; a gift card counts as used when nothing is left on it. */
export function timesUsed(one: Pick<Redemption, 'used' | 'uses'>, voucher: Voucher | undefined): number {
  if (!voucher) return one.used
  if (voucher.balance !== null) return voucher.balance === 0 ? one.uses : one.used
  return Math.min(one.uses, one.used + voucher.used)
}

/** Its voucher is not to be used any more, or once less. Refuses redemption_not_open: a till has used or locked it. */
export function settleVoucher(
  slices: Slices,
  one: Redemption,
  way: 'withdraw' | 'use',
  now: Instant,
): VoucherChanges | undefined | Refusal {
  if (one.said.voucher === undefined) return undefined
  if (slices.vouchers.vouchers.get(one.said.voucher)?.source !== one.id)
    throw new MovedError(`the code of redemption ${one.id} was handed out again`)
  const change = way === 'withdraw' ? withdrawChanges : useByHandChanges
  const changes = change(slices.vouchers, one.said.voucher, now)
  return isRefusal(changes) ? refusal('redemption_not_open', changes.detail) : changes
}
