import type { PayAsked } from '@laurel/contract/checkouts'
import type { Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { Db } from './base/db.ts'
import { payWithPoints, type Sums } from './checkouts/checkouts.rules.ts'
import type { Configuration, Program } from './earning/configuration.ts'
import type { VouchersOnOrder } from './gate/asks.ts'
import { netItems, payingOf, sumsOf } from './gate/checkouts.ts'
import { isRefusal } from './gate/decisions.ts'
import type { FurtherNeeds } from './gate/slices.ts'
import { loadVoucherSlices, noVouchers } from './gate/voucher-slices.ts'
import { needVouchers, orderOf, quoteOf } from './gate/vouchers.ts'
import type { MemberState } from './ledger/books.ts'
import { loadStates } from './ledger/states.sql.ts'
import { existingMember } from './members/members.ts'
import type { Item } from './purchases/purchases.rules.ts'

/** available: points that the member can spend now, by wallet slug; what is not there is none. */
export type PreviewAsk = VouchersOnOrder & {
  points: Readonly<Record<string, PayAsked>>
  available: ReadonlyMap<string, number>
}

/** valid: reserving it so would succeed. items: what would be recorded. */
export type Previewed = {
  valid: boolean
  ours: Program
  member: MemberState | undefined
  sums: Sums
  items: Item[]
}

/**
 * What reserving this would come to right now; nothing is stored. What is wrong with a voucher is in the answer. Refusals: of the
 * order as a whole (orderOf), wallet_unknown, payment_refused, insufficient_points, member_unknown.
 */
export async function previewCheckout(
  db: Db,
  configuration: Configuration,
  ask: PreviewAsk,
  now: Instant,
): Promise<Previewed | Refusal> {
  const id = ask.member === undefined ? undefined : await existingMember(db, ask.member)
  const states = id === undefined ? [] : await loadStates(db, [id])
  const slices = { configuration, names: new Map(), states: new Map(states.map((state) => [state.member, state])) }
  const order = orderOf(slices, ask, { member: id === undefined ? undefined : { id } })
  if (isRefusal(order)) return order
  const { ours, member, items } = order
  const needs: Pick<FurtherNeeds, 'vouchers'> = {}
  needVouchers(slices, needs, { ...ask, member })
  const vouchers = needs.vouchers ? await loadVoucherSlices(db, needs.vouchers) : noVouchers()
  const quoted = quoteOf(vouchers, order, ask, undefined, now)
  const paying = payingOf(configuration, ours, ask.points, (walletId) => {
    const slug = ours.wallets.find((wallet) => wallet.walletId === walletId)?.slug
    return ask.available.get(slug ?? '') ?? 0
  })
  if ('detail' in paying) return paying
  if (paying.length > 0 && !member) return refusal('member_unknown', 'points are those of a member: say whose')
  const { amount, discount, toPay } = quoted.totals
  const paid = payWithPoints(amount - discount, toPay, paying)
  if ('detail' in paid) return paid
  const sums = sumsOf(quoted, paid)
  return { valid: quoted.no === undefined, ours, member, sums, items: netItems(items, sums) }
}
