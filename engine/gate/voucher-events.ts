import { encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { NewEvent } from '../base/outbox.ts'
import type { Program } from '../earning/configuration.ts'
import { sum } from '../vouchers/discount.rules.ts'
import type { Quote } from '../vouchers/quote.rules.ts'
import type { Lock, RollBack, Voucher, VoucherRedemption } from '../vouchers/vouchers.rules.ts'

/**
 * Events of vouchers are told in full, but for their codes, and of nobody: a voucher may have no member, and its row is shared. Whoever
 * knows a code can use it, and who reads events need not.
 */
const memberOf = (member: Uuid | null) => (member === null ? null : encodeId('mem', member))

export function lockedEvent(
  ours: Program,
  { applied }: Quote,
  by: { session: string; member: Uuid | null; until: Instant },
): NewEvent {
  const { session, member, until } = by
  const vouchers = applied.map(({ voucher, discounts }) => ({
    voucher: encodeId('vch', voucher.id),
    discount: sum(discounts),
  }))
  const data = { program: ours.slug, member: memberOf(member), session, until: formatInstant(until), vouchers }
  return { type: 'voucher.locked', data }
}

export function unlockedEvent(
  ours: Program,
  session: string,
  freed: readonly Lock[],
  vouchers: ReadonlyMap<Uuid, Voucher>,
): NewEvent {
  const told = freed.flatMap(({ key }) => {
    const voucher = vouchers.get(key)
    return voucher ? [{ voucher: encodeId('vch', voucher.id) }] : []
  })
  const data = { program: ours.slug, member: memberOf(freed[0]?.member ?? null), session, vouchers: told }
  return { type: 'voucher.unlocked', data }
}

export function redeemedEvent(ours: Program, redemption: VoucherRedemption): NewEvent {
  const { discount, gift, total } = redemption
  const vouchers = redemption.parts.map(({ id, amount }) => ({ voucher: encodeId('vch', id), discount: amount }))
  return { type: 'voucher.redeemed', data: { ...about(ours, redemption), total, discount, gift, vouchers } }
}

/** `made`: what was rolled back now. */
export function rolledBackEvent(ours: Program, redemption: VoucherRedemption, made: RollBack): NewEvent {
  const vouchers = made.parts.flatMap(([key, amount]) => {
    const part = redemption.parts.find((one) => one.key === key)
    if (!part) return []
    const undone = part.givenBack === part.amount
    return [{ voucher: encodeId('vch', part.id), amount, undone }]
  })
  const data = { ...about(ours, redemption), amount: made.amount, reason: made.reason ?? null, vouchers }
  return { type: 'voucher.rolled_back', data }
}

function about(ours: Program, { id, externalId, member, session }: VoucherRedemption) {
  return {
    redemption: encodeId('vrd', id),
    program: ours.slug,
    member: memberOf(member),
    externalId,
    session,
  }
}
