import type { Instant } from '../../contract/instants.ts'
import type { PayAsked } from '../../contract/checkouts.ts'
import { available } from './model.ts'
import type { Totals, Used } from './vouchers.ts'
import { type Hold, type Line, type Member, settingsOf, sum, type World } from './world.ts'

/** Orders that are being paid, as docs/guides/till.md tells it: vouchers, then gift cards, then points. */
export type Checkout = {
  name: string
  content: string
  member: Member
  deadline: Instant
  status: 'reserved' | 'committed' | 'voided'
  parts: Used['parts']
  totals: Totals & { points: number }
  hold: Hold | undefined
  /** net of what earns nothing */
  lines: Line[]
}

export type Paid = { wallet: string; points: number; amount: number }

export const statusNow = (w: World, { status, deadline }: Checkout): string =>
  status === 'reserved' && deadline <= w.now ? 'lapsed' : status

/** As many points as are asked for at most, and no more than whole pence need; or why they cannot pay. */
export function paidWith(
  w: World,
  member: Member,
  { amount, discount, toPay }: Totals,
  asked: Record<string, PayAsked>,
): Paid[] | string {
  const paid: Paid[] = []
  for (const [wallet, how] of Object.entries(asked)) {
    const { pays } = settingsOf(w, wallet)
    const has = available(w, member, wallet) - (member.debts.get(wallet) ?? 0)
    if (!pays) return 'payment_refused'
    if (how !== 'max' && how > has) return 'insufficient_points'
    const least = pays.minPoints ?? 1
    if (how !== 'max' && how < least) return 'payment_refused'
    const most = Math.max(0, how === 'max' ? has : how)
    const left = toPay - sum(paid.map((one) => one.amount))
    const share = Math.floor(((amount - discount) * (pays.maxPercent ?? 100)) / 100)
    const pence = Math.min(left, share, pays.maxAmount ?? left, Math.floor((most * pays.amount) / pays.points))
    const points = Math.ceil((pence * pays.points) / pays.amount)
    if (points > 0 && points >= least) paid.push({ wallet, points, amount: pence })
  }
  return paid
}
