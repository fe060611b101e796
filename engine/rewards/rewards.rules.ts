import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Per } from '@laurel/contract/periods'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { RewardCost, RewardKind, RewardStatus, RewardTerms } from '@laurel/contract/rewards'
import { parseInstant } from '@laurel/contract/instants'
import { due, endOfDay, periodBounds, periodKey } from '../base/calendar.ts'

/** A reward as its newest version says it; as it is configured. */
export type Reward = {
  rewardId: number
  id: Uuid
  programId: number
  slug: string
  kind: RewardKind
  status: RewardStatus
  version: number
  name: string
  terms: RewardTerms
}

/** All that says whether one member may redeem it now. */
export type RewardFacts = {
  at: Instant
  /** the slug of the member's tier by the slug of a ladder, where it has one */
  tiers: Readonly<Record<string, string>>
  store: string | null
  /** what the reward's condition says of the member; `error`: why it says nothing */
  when: boolean | { error: string }
  /** spendable points by the slug of a wallet */
  spendable(wallet: string): number
  /** how often it can be redeemed still, of the whole stock and of this period's; what is not limited is absent */
  left: { total?: number | undefined; period?: number | undefined }
  /** codes that its pool has left; absent where it takes none from a pool */
  codes?: number | undefined
  /** how often the member redeemed it within what `memberLimit` counts, cancelled ones not among them */
  redeemed: number
  /** the one of its prices that is asked for; the first that can be paid unless told */
  price?: number | undefined
}

/** `price`: which of its prices is paid; `spent`: what that is. */
export type Redeemable = { price: number; spent: RewardCost }

/**
 * Whether the member may redeem the reward now, and at which price. What cannot be helped comes first, want of points last.
 * Refusals: reward_unknown (a draft), not_eligible, limit_reached, out_of_stock, insufficient_points.
 */
export function eligible(reward: Reward, facts: RewardFacts): Redeemable | Refusal {
  return (
    notOffered(reward, facts) ??
    notFor(reward, facts) ??
    limitReached(reward, facts) ??
    outOfStock(reward, facts) ??
    priceOf(reward, facts)
  )
}

/** A threshold redeems it, nobody asks for it. */
export function isAutomatic({ status, terms }: Pick<Reward, 'status' | 'terms'>): boolean {
  return status === 'active' && terms.auto !== undefined
}

/** Whether members see it at all: active, and neither before its beginning nor after its end. */
export function offered(reward: Reward, at: Instant): boolean {
  return notOffered(reward, { at }) === undefined
}

function notOffered({ slug, status, terms }: Reward, { at }: { at: Instant }): Refusal | undefined {
  if (status === 'draft') return refusal('reward_unknown', `the reward "${slug}" is a draft`)
  if (status === 'archived') return refusal('not_eligible', `the reward "${slug}" is not offered any more`)
  const { startsAt, endsAt } = terms.visibility ?? {}
  if (startsAt !== undefined && at < instantOf(startsAt))
    return refusal('not_eligible', `the reward "${slug}" is offered from ${startsAt} on`)
  if (endsAt !== undefined && at >= instantOf(endsAt))
    return refusal('not_eligible', `the reward "${slug}" was offered until ${endsAt}`)
  return undefined
}

function notFor({ slug, terms }: Reward, { tiers, store, when }: RewardFacts): Refusal | undefined {
  const seen = terms.visibility ?? {}
  for (const [ladder, slugs] of Object.entries(seen.tiers ?? {})) {
    if (Object.hasOwn(tiers, ladder) && slugs.includes(tiers[ladder] ?? '')) continue
    return refusal('not_eligible', `the reward "${slug}" is for members in ${slugs.join(' or ')} of "${ladder}"`)
  }
  if (seen.stores !== undefined && !seen.stores.includes(store ?? '')) {
    const where = store === null ? 'no store was told' : `not in "${store}"`
    return refusal('not_eligible', `the reward "${slug}" is redeemed in certain stores only: ${where}`)
  }
  if (seen.when === undefined || when === true) return undefined
  const why = when === false ? 'is not met by the member' : `says nothing: ${when.error}`
  return refusal('not_eligible', `the condition of the reward "${slug}" ${why}`)
}

function limitReached({ slug, terms }: Reward, { redeemed }: RewardFacts): Refusal | undefined {
  const limit = memberLimit(terms)
  if (limit === undefined || redeemed < limit.times) return undefined
  const span = limit.per === 'lifetime' ? '' : ` a ${limit.per}`
  return refusal('limit_reached', `a member redeems "${slug}" ${timesOf(limit.times)}${span}, and has`)
}

function timesOf(n: number): string {
  return n === 1 ? 'once' : `${n} times`
}

function outOfStock({ slug }: Reward, { left, codes }: RewardFacts): Refusal | undefined {
  if (left.total !== undefined && left.total <= 0) return refusal('out_of_stock', `nothing is left of "${slug}"`)
  if (codes !== undefined && codes <= 0) return refusal('out_of_stock', `no code is left for "${slug}"`)
  if (left.period !== undefined && left.period <= 0)
    return refusal('out_of_stock', `nothing is left of "${slug}" for this period`)
  return undefined
}

function priceOf(reward: Reward, { price, spendable }: RewardFacts): Redeemable | Refusal {
  const prices = reward.terms.price
  if (price !== undefined) {
    const asked = prices[price]
    if (!asked) return refusal('invalid_request', `"${reward.slug}" has ${prices.length} prices, counted from 0`)
    return Object.keys(missing(asked, spendable)).length === 0
      ? { price, spent: asked }
      : tooFew(reward, asked, spendable)
  }
  for (const [i, spent] of prices.entries()) {
    if (Object.keys(missing(spent, spendable)).length === 0) return { price: i, spent }
  }
  return tooFew(reward, prices[0] ?? {}, spendable)
}

function tooFew(reward: Reward, cost: RewardCost, spendable: (wallet: string) => number): Refusal {
  const lacks = Object.entries(missing(cost, spendable)).map(([wallet, points]) => `${points} in "${wallet}"`)
  return refusal('insufficient_points', `for "${reward.slug}" these points are missing: ${lacks.join(', ')}`)
}

/** What is missing to pay so much, by wallet: nothing where it can be paid. */
export function missing(cost: RewardCost, spendable: (wallet: string) => number): Record<string, number> {
  const lacks: Record<string, number> = {}
  for (const [wallet, points] of Object.entries(cost)) {
    const has = Math.max(0, spendable(wallet))
    if (has < points) lacks[wallet] = points - has
  }
  return lacks
}

/** How often one member may redeem it, in what time; undefined: as often as it likes. */
export function memberLimit({ stock }: RewardTerms): { per: Per; times: number } | undefined {
  const said = stock?.perMember
  return typeof said === 'number' ? { per: 'lifetime', times: said } : said
}

/** From when on a member's redemptions count against its limit: 0, from the beginning. */
export function countedSince({ per }: { per: Per }, at: Instant, timezone: string): Instant {
  return per === 'lifetime' ? 0 : periodBounds(per, at, timezone).from
}

/** What of a reward is shared by all members: the whole stock (period `all`) and that of one period. */
export type StockKey = { rewardId: number; period: string }
/** `limit`: how often it may be taken at most. */
export type StockLimit = StockKey & { limit: number }

/** What one redemption at `at` takes from, once of each; [] where the stock is without end. */
export function stockOf({ rewardId, terms }: Reward, at: Instant, timezone: string): StockLimit[] {
  const { total, perPeriod } = terms.stock ?? {}
  return [
    ...(total === undefined ? [] : [{ rewardId, period: 'all', limit: total }]),
    ...(perPeriod === undefined
      ? []
      : [{ rewardId, period: periodKey(perPeriod.per, at, timezone), limit: perPeriod.total }]),
  ]
}

/** Half-open; until null: it has no end. A redemption that would end before it begins ends as it begins. */
export function validityOf(
  { valid }: RewardTerms,
  at: Instant,
  timezone: string,
): { from: Instant; until: Instant | null; uses: number } {
  const from = valid?.activatesAfter === undefined ? at : due(at, valid.activatesAfter, undefined, timezone)
  const ends = [
    ...(valid?.for === undefined ? [] : [due(at, valid.for, valid.roundUp, timezone)]),
    ...(valid?.until === undefined ? [] : [endOfDay(valid.until, timezone)]),
  ]
  return { from, until: ends.length === 0 ? null : Math.max(from, Math.min(...ends)), uses: valid?.uses ?? 1 }
}

/** Its end would come no later than its beginning. */
export function isNeverUsable(terms: RewardTerms, at: Instant, timezone: string): boolean {
  const { from, until } = validityOf(terms, at, timezone)
  return until !== null && until <= from
}

/** Where its end would come no later than its beginning. */
export function neverUsable({ slug, terms }: Reward, at: Instant, timezone: string): Refusal | undefined {
  if (!isNeverUsable(terms, at, timezone)) return undefined
  return refusal('not_eligible', `what "${slug}" gives could never be used: its end has passed`)
}

/** The door took it as an instant. */
function instantOf(text: string): Instant {
  const at = parseInstant(text)
  if (at === undefined) throw new Error(`not an instant: ${text}`)
  return at
}
