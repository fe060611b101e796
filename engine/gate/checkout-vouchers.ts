import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { Checkout } from '../checkouts/checkouts.rules.ts'
import { sum } from '../vouchers/discount.rules.ts'
import type { Quote } from '../vouchers/quote.rules.ts'
import { STATUS as VOUCHER } from '../vouchers/vouchers.rules.ts'
import type { VoucherSlices } from './voucher-slices.ts'

/**
 * What a checkout has locked, as it was worked out when it was reserved: whatever was changed of the vouchers since, what is locked
 * stays so until the deadline, unless it was blocked. Refuses checkout_closed where one was, or where something was let go by itself
 * or locked anew for another amount, since others may have taken the rest.
 */
export function lockedQuote(
  { vouchers, locks }: VoucherSlices,
  { sums }: Pick<Checkout, 'sums'>,
  sessionKey: Uuid,
  now: Instant,
): Quote | Refusal {
  const applied: Quote['applied'] = []
  for (const { key, discounts } of sums.applied) {
    const voucher = vouchers.get(key)
    const own = locks.get(key)?.find((lock) => lock.sessionKey === sessionKey && lock.until > now)
    if (!voucher || !own || (own.amount !== null && own.amount !== sum(discounts)))
      return refusal('checkout_closed', 'its vouchers were unlocked by themselves: reserve it again')
    if (voucher.status === VOUCHER.blocked)
      return refusal('checkout_closed', `the voucher "${voucher.code}" was blocked since: void it and reserve again`)
    applied.push({ code: voucher.code, voucher, discounts })
  }
  const lines = sums.lines.map(({ line, sku, amount, discount, gift }) => ({ line, sku, amount, discount, gift }))
  const [amount, discount, gift] = (['amount', 'discount', 'gift'] as const).map((of) => sum(lines.map((l) => l[of])))
  const totals = { amount: amount ?? 0, discount: discount ?? 0, gift: gift ?? 0 }
  return {
    verdicts: applied,
    applied,
    lines,
    totals: { ...totals, toPay: totals.amount - totals.discount - totals.gift },
  }
}
