import type { Instant } from '../../contract/instants.ts'
import type { RewardKind, RewardStock } from '../../contract/rewards.ts'
import { later, periodOf } from './calendar.ts'
import type { Ladder } from './ladders.ts'
import { available } from './model.ts'
import { tierNow } from './tiers.ts'
import { type Voucher, voucherShown } from './vouchers.ts'
import { living, type Member, type Spend, type World } from './world.ts'

/** Rewards as the model has them: what is left, and how often a member redeemed one, is counted again among all redemptions. */
export type Terms = {
  price: Record<string, number>[]
  stock?: RewardStock
  code?: { pool: string }
  valid?: { activatesAfter?: string; for?: string; uses?: number }
  value?: Value
  stepUp?: boolean
  auto?: { wallet: string; threshold: number }
  visibility?: { endsAt?: string; startsAt?: string; tiers?: Record<string, string[]> }
}
type Value =
  | { kind: 'points'; wallet: string; points: number }
  | { kind: 'amount'; amount: number }
  | { kind: 'percent'; percent: number; maxAmount?: number }
  | { kind: 'product'; sku: string; quantity?: number }
export type Reward = {
  slug: string
  kind: RewardKind
  status: 'draft' | 'active' | 'archived'
  terms: Terms
}

/** A pool's codes in their order, and those of them that nobody has yet. */
export type Pool = { reusable: boolean; ever: Set<string>; left: string[] }

export type Redemption = {
  name: string
  reward: Reward
  member: Member
  content: string
  at: Instant
  from: Instant
  until: Instant | null
  uses: number
  used: number
  /** ids of uses */
  usedAs: Set<string>
  status: 'issued' | 'ordered' | 'shipped' | 'delivered' | 'used' | 'cancelled'
  cost: Record<string, number>
  spends: Spend[]
  code: string | undefined
  /** what a till takes for it */
  voucher: Voucher | undefined
  pool: Pool | undefined
  /** the limits that it was counted against: the stock in all, that of a period */
  counted: string[]
}

export function statusNow(w: World, one: Redemption): string {
  if (one.status !== 'issued') return one.status
  if (one.voucher && timesUsed(w, one) >= one.uses) return 'used'
  return one.until !== null && one.until <= w.now ? 'expired' : one.status
}

/** By hand and at tills; a gift card is used when nothing is left on it. */
export function timesUsed(w: World, { voucher, used, uses, status }: Redemption): number {
  if (!voucher || status === 'cancelled') return used
  const shown = voucherShown(w, voucher)
  if (shown.balance !== null) return shown.balance === 0 ? uses : used
  return Math.min(uses, used + shown.used)
}

/** The voucher that goes with it, under a name that the history knows it by. */
export function issued(w: World, member: Member, reward: Reward, name: string, one: Validity): Voucher | undefined {
  const { value, valid } = reward.terms
  if (!value || value.kind === 'points' || !['coupon', 'product', 'gift_card'].includes(reward.kind)) return undefined
  const isCard = reward.kind === 'gift_card'
  return {
    code: name,
    value:
      value.kind !== 'amount'
        ? value.kind === 'percent'
          ? { ...value, base: 'remaining' }
          : value
        : isCard
          ? { kind: 'gift', balance: value.amount }
          : value,
    category: 'common',
    priority: 100,
    total: isCard ? null : (valid?.uses ?? 1),
    perMember: null,
    minAmount: null,
    sku: null,
    member,
    startsAt: one.from > w.now ? one.from : null,
    endsAt: one.until,
    blocked: false,
    issued: true,
    withdrawn: false,
    locks: [],
  }
}

/** The stocks that a redemption now is taken from. */
export function stocksOf(w: World, { stock }: Terms): { name: string; most: number }[] {
  const { total, perPeriod } = stock ?? {}
  const period = perPeriod && `${perPeriod.per} ${periodOf(perPeriod.per, w.now, w.setup.timezone)}`
  return [
    ...(total === undefined ? [] : [{ name: 'all', most: total }]),
    ...(perPeriod && period ? [{ name: period, most: perPeriod.total }] : []),
  ]
}

/** Why the member may not redeem it now; else what it costs, by the first price that can be paid or the one that is asked for. */
export function redeemable(
  w: World,
  member: Member,
  reward: Reward,
  asked: { price?: number; confirmed?: true },
): { cost: Record<string, number> } | string {
  const { terms } = reward
  const counting = [...w.redemptions.values()].filter((one) => one.reward === reward && one.status !== 'cancelled')
  if (reward.status === 'draft') return 'reward_unknown'
  if (reward.status === 'archived') return 'not_eligible'
  const { startsAt, endsAt, tiers = {} } = terms.visibility ?? {}
  for (const [ladder, some] of Object.entries(tiers)) {
    const held = tierNow(w, member, w.ladders.get(ladder) as Ladder)
    if (!some.includes(held ?? '')) return 'not_eligible'
  }
  if (startsAt !== undefined && w.now < Date.parse(startsAt) * 1000) return 'not_eligible'
  if (endsAt !== undefined && w.now >= Date.parse(endsAt) * 1000) return 'not_eligible'
  const limit = terms.stock?.perMember
  if (limit !== undefined) {
    const { per, times } = typeof limit === 'number' ? { per: 'lifetime' as const, times: limit } : limit
    const period = (at: Instant) => periodOf(per, at, w.setup.timezone)
    const own = counting.filter((one) => living(one.member) === member && period(one.at) === period(w.now))
    if (own.length >= times) return 'limit_reached'
  }
  for (const { name, most } of stocksOf(w, terms))
    if (counting.filter((one) => one.counted.includes(name)).length >= most) return 'out_of_stock'
  if (terms.code && w.pools.get(terms.code.pool)?.left.length === 0) return 'out_of_stock'
  const prices = asked.price === undefined ? terms.price : terms.price.slice(asked.price, asked.price + 1)
  if (prices.length === 0) return 'invalid_request'
  const payable = prices.find((cost) => Object.entries(cost).every(([wallet, n]) => available(w, member, wallet) >= n))
  if (!payable) return 'insufficient_points'
  if (terms.stepUp && !asked.confirmed) return 'confirmation_required'
  return { cost: payable }
}

/** Whether a threshold redeems it for the member still; where it takes nothing of that wallet, it did not before. */
export function isReached(w: World, member: Member, reward: Reward): boolean {
  const { auto, price } = reward.terms
  if (!auto || available(w, member, auto.wallet) < auto.threshold) return false
  const had = [...w.redemptions.values()].some(
    (one) => one.reward === reward && one.status !== 'cancelled' && living(one.member) === member,
  )
  return !had || price.every((cost) => cost[auto.wallet] !== undefined)
}

/** From when and until when it can be used. */
export type Validity = { from: Instant; until: Instant | null }
export function validity(w: World, { valid }: Terms): Validity {
  const from = valid?.activatesAfter === undefined ? w.now : later(w.now, valid.activatesAfter, w.setup.timezone)
  const until = valid?.for === undefined ? null : later(w.now, valid.for, w.setup.timezone)
  return { from, until: until === null ? null : Math.max(from, until) }
}
