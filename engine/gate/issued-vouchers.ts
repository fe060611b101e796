import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { VoucherValue } from '@laurel/contract/vouchers'
import { codeKey, readableCode } from '../base/codes.ts'
import { STATUS, touched, type Voucher, type VoucherChanges } from '../vouchers/vouchers.rules.ts'
import { issueChanges } from './vouchers.ts'
import type { VoucherSlices } from './voucher-slices.ts'

/** What a voucher is issued for: a reward that a member redeemed. key: of the code; id: of the redemption, which the voucher shares. */
export type Issued = {
  id: Uuid
  key?: Uuid | undefined
  code: string
  programId: number
  member: Uuid
  value: VoucherValue
  uses: number | null
  createdAt: Instant
  startsAt: Instant | null
  endsAt: Instant | null
  /** the withdrawn voucher of the redemption whose code this is again */
  replaces?: Voucher | undefined
}

/**
 * The voucher that goes with a redemption, to be saved in the same decision (`Changes.vouchers`, by issueChanges). Without `key`
 * its code is one that we made. A gift card has no count of uses but its balance.
 */
export function voucherOf(issued: Issued): Voucher {
  const { id, code, value, uses } = issued
  const balance = value.kind === 'gift' ? value.balance : null
  return {
    key: issued.key ?? codeKey(readableCode(code)),
    id,
    version: (issued.replaces?.version ?? 0) + 1,
    programId: issued.programId,
    code,
    terms: { value, category: 'common', priority: 100, perMember: null, minAmount: null, appliesTo: null },
    status: STATUS.active,
    reason: null,
    member: issued.member,
    source: id,
    createdAt: issued.createdAt,
    startsAt: issued.startsAt !== null && issued.startsAt > issued.createdAt ? issued.startsAt : null,
    endsAt: issued.endsAt,
    usesTotal: balance === null ? uses : null,
    used: 0,
    initialBalance: balance,
    balance,
  }
}

/**
 * The voucher is not to be used any more, since its redemption was cancelled. Refusals: voucher_used_up where something of it was used,
 * voucher_locked while a checkout has locked it.
 */
export function withdrawChanges(slices: VoucherSlices, key: Uuid, now: Instant): VoucherChanges | Refusal {
  const voucher = slices.vouchers.get(key)
  if (!voucher) throw new Error(`voucher ${key} was not read`)
  if (voucher.used > 0) return refusal('voucher_used_up', `the voucher "${voucher.code}" was used`)
  if (isLocked(slices, key, now))
    return refusal('voucher_locked', `a checkout has locked the voucher "${voucher.code}"`)
  return issueChanges({ ...touched(voucher), status: STATUS.withdrawn })
}

/**
 * The operator used it by hand, where no till was: one use less is left, and none at last. A gift card is used up so, where no till has
 * taken of it: what that gives back must have a card to go to. Refusals: voucher_used_up, voucher_locked.
 */
export function useByHandChanges(slices: VoucherSlices, key: Uuid, now: Instant): VoucherChanges | Refusal {
  const voucher = slices.vouchers.get(key)
  if (!voucher) throw new Error(`voucher ${key} was not read`)
  const { usesTotal, used, balance } = voucher
  if (balance !== null && used > 0)
    return refusal('voucher_used_up', `a till has taken of the gift card "${voucher.code}": the rest is taken at tills`)
  if (voucher.status !== STATUS.active || (usesTotal !== null && used >= usesTotal))
    return refusal('voucher_used_up', `nothing is left of the voucher "${voucher.code}"`)
  if (isLocked(slices, key, now))
    return refusal('voucher_locked', `a checkout has locked the voucher "${voucher.code}"`)
  const isLast = usesTotal === null || usesTotal === 1
  return issueChanges({
    ...touched(voucher),
    ...(isLast ? { status: STATUS.withdrawn } : { usesTotal: usesTotal - 1 }),
  })
}

function isLocked(slices: VoucherSlices, key: Uuid, now: Instant): boolean {
  return (slices.locks.get(key) ?? []).some((lock) => lock.until > now)
}
