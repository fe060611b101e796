import { type Refusal, refusal } from '@laurel/contract/refusals'
import { NEVER_MAX, type VoucherCategory, VOUCHERS_MAX } from '@laurel/contract/vouchers'

/**
 * Whether two vouchers can be used on one order: common goes with common and always, never with never and always, always
 * with all. In short: only common and never do not go together.
 */
export function stacks(a: VoucherCategory, b: VoucherCategory): boolean {
  return !((a === 'common' && b === 'never') || (a === 'never' && b === 'common'))
}

type Stacked = { code: string; category: VoucherCategory }

/** Why one more voucher cannot join those that are used already. Refusals: vouchers_do_not_stack. */
export function refusesStack(used: readonly Stacked[], next: Stacked): Refusal | undefined {
  const no = (detail: string) => refusal('vouchers_do_not_stack', detail)
  const against = used.find((one) => !stacks(one.category, next.category))
  if (against) return no(`the voucher "${next.code}" cannot be used together with "${against.code}"`)
  if (used.length >= VOUCHERS_MAX) return no(`an order carries at most ${VOUCHERS_MAX} vouchers`)
  const nevers = used.filter(({ category }) => category === 'never').length
  if (next.category === 'never' && nevers >= NEVER_MAX)
    return no(`an order carries at most ${NEVER_MAX} vouchers of the category never`)
  return undefined
}
