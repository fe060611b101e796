import { refusal, type Refusal } from '@laurel/contract/refusals'
import { plainCode } from './base/codes.ts'
import { digestOf } from './base/keys.ts'
import { NOBODY } from './base/names.ts'
import { hasLapsed, STATUS } from './checkouts/checkouts.rules.ts'
import { programById } from './earning/configuration.ts'
import type { Facts, RedeemVouchersAsk } from './gate/asks.ts'
import { type Decision, isRefusal, type Verb } from './gate/decisions.ts'
import { voucherRedemptionKey } from './gate/names.ts'
import { findMember, type Named, type Slices } from './gate/slices.ts'
import { voucherRedemptionAnswer } from './gate/voucher-answers.ts'
import { redeemedEvent } from './gate/voucher-events.ts'
import { voucherNeeds } from './gate/voucher-slices.ts'
import { needVouchers, type Order, orderOf, quoteOf, redeemChanges, sharedCodes } from './gate/vouchers.ts'
import type { VoucherRedemption } from './vouchers/vouchers.rules.ts'

/**
 * What happens when vouchers are used on an order: each has one use less, a gift card what was taken of it, and the session's locks go.
 * Idempotent by its external id. Refusals: as of lockVouchers, and external_id_conflict (also of a checkout that is not settled).
 */
export const redeemVouchers: Verb<RedeemVouchersAsk> = {
  name: (ask) => voucherRedemptionKey(ask.externalId),

  shares: (ask) => sharedCodes(ask.codes),

  needs() {},

  furtherNeeds(ask, facts, slices, needs) {
    needVouchers(slices, needs, { ...ask, member: findMember(slices, facts.member) })
    voucherNeeds(needs).redemptions.add(voucherRedemptionKey(ask.externalId))
    const claimed = slices.names.get(facts.name ?? '')
    if (claimed?.object) needs.checkouts.push({ member: claimed.member, id: claimed.object })
  },

  decide(slices, ask, facts) {
    const key = voucherRedemptionKey(ask.externalId)
    const before = slices.vouchers.redemptions.get(key)
    const order = orderOf(slices, ask, facts, before !== undefined)
    if (isRefusal(order)) return order
    if (before) return repeat(slices, ask, order, before)
    const claimed = slices.names.get(key)
    if (claimed && !isFree(slices, claimed, facts))
      return refusal('external_id_conflict', `"${ask.externalId}" is a checkout: commit it, or void it first`)
    const { ours, member } = order
    const quoted = quoteOf(slices.vouchers, order, ask, ask.session, facts.now)
    if (quoted.no) return quoted.no
    const { changes, redemption } = redeemChanges(
      slices.vouchers,
      quoted,
      {
        key,
        id: facts.id,
        programId: ours.programId,
        member: member?.member ?? null,
        externalId: ask.externalId,
        session: ask.session ?? null,
        digest: contentOf(ask, order, member?.member ?? null),
      },
      facts.now,
    )
    return {
      status: 201,
      body: JSON.stringify(voucherRedemptionAnswer(ours, redemption)),
      kept: {
        vouchers: changes,
        names: claimed ? [] : [nameOf(redemption)],
        events: [redeemedEvent(ours, redemption)],
      },
    }
  },
}

function nameOf({ key, id, member }: VoucherRedemption): Named & { key: string } {
  return { key, member: member ?? NOBODY, object: id, seq: null }
}

/** A checkout that was voided or has lapsed redeems nothing any more: its name may be used without it. */
function isFree(slices: Slices, { object }: Named, { now }: Facts): boolean {
  const checkout = slices.checkouts.get(object ?? '')
  return checkout !== undefined && (checkout.status === STATUS.voided || hasLapsed(checkout, now))
}

/** All that was said, but for its external id. */
function contentOf(ask: RedeemVouchersAsk, { ours, items }: Order, member: string | null): string {
  const { policy, sequence, session, order } = ask
  const codes = ask.codes.map(plainCode)
  return digestOf(
    JSON.stringify([ours.programId, member, codes, order.currency, items, policy, sequence, session ?? null]),
  )
}

/** A member who was merged into another meanwhile is still the one who redeemed. */
function repeat(slices: Slices, ask: RedeemVouchersAsk, order: Order, before: VoucherRedemption): Decision | Refusal {
  const ours = programById(slices.configuration, before.programId)
  if (!ours) throw new Error(`program ${before.programId} is not in the configuration`)
  const { families } = slices.vouchers
  const who = order.member?.member ?? null
  const isSame = who === before.member || (families.get(who ?? '')?.has(before.member ?? '') ?? false)
  if (!isSame || contentOf(ask, order, before.member) !== before.digest)
    return refusal('external_id_conflict', `the external id "${ask.externalId}" names a redemption with other content`)
  return { status: 200, body: JSON.stringify(voucherRedemptionAnswer(ours, before)) }
}
