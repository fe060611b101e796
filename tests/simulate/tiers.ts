import type { Instant } from '../../contract/instants.ts'
import type { LadderTerms } from '../../contract/tiers.ts'
import { nextPeriod, periodOf } from './calendar.ts'
import { remaining } from './earning.ts'
import { living, type Member, sum, type World } from './world.ts'

/**
 * One ladder as docs/guides/tiers.md tells it: whatever counts is counted again from what was bought and done. What is reached in a
 * month or a year is held through the next one; what came back was never bought.
 */
export type Ladder = {
  metric: 'spend' | 'purchases' | 'earned' | 'activities'
  per: 'month' | 'year' | 'lifetime'
  upgrade: 'at_once' | 'period_end'
  tiers: { slug: string; threshold: number; multiplier: string }[]
}

/** As it is told to the engine. */
export function termsOf({ metric, per, upgrade, tiers }: Ladder): LadderTerms {
  const counted = {
    spend: { kind: 'spend' },
    purchases: { kind: 'purchases' },
    earned: { kind: 'earned', wallet: 'points' },
    activities: { kind: 'activities', activity: 'visit' },
  } as const
  return {
    name: 'Status',
    metric: counted[metric],
    window: per === 'lifetime' ? { kind: 'lifetime' } : { kind: 'calendar', per },
    upgrade,
    downgrade: 'reassess',
    grace: null,
    noticeDays: 5,
    tiers: tiers.map(({ slug, threshold, multiplier }) => ({ slug, name: slug, threshold, benefits: { multiplier } })),
  }
}

/** What counts of what happened in a period. */
function counted(w: World, { metric }: Ladder, member: Member, isIn: (at: Instant) => boolean): number {
  const own = <T extends { member: Member }>(all: Iterable<T>) =>
    [...all].filter((one) => living(one.member) === member)
  if (metric === 'activities')
    return own(w.activities.values()).filter(({ said }) => {
      const { type, occurredAt } = said as { type: string; occurredAt: Instant }
      return type === 'visit' && isIn(occurredAt)
    }).length
  const bought = own(w.purchases.values()).filter((one) => isIn(one.occurredAt))
  if (metric === 'earned') {
    const whose = [...w.members.values()].filter((one) => living(one) === member).flatMap((one) => one.given)
    const given = whose.filter((one) => one.wallet === 'points' && isIn(one.at))
    const taken = bought.map((one) => one.taken.get('points'))
    return (
      sum(given.map((one) => one.points)) -
      sum(taken.map((one) => (one ? one.writtenOff + one.owed + one.gone + sum(one.lots.map((x) => x.points)) : 0)))
    )
  }
  const left = bought.map((one) => remaining(one.lines, one.returned))
  if (metric === 'purchases') return left.filter((lines) => lines.length > 0).length
  return sum(left.flatMap((lines) => lines.map((line) => line.amount)))
}

const level = ({ tiers }: Ladder, slug: string | undefined) => tiers.findIndex((tier) => tier.slug === slug)

/** The tier that the member holds now; null: none. */
export function tierNow(w: World, member: Member): string | null {
  const { ladder } = w
  if (!ladder) return null
  const { per, upgrade, tiers } = ladder
  const reached = (period: string) => {
    const count = counted(w, ladder, member, (at) => periodOf(per, at, w.setup.timezone) === period)
    return tiers.findLastIndex((tier) => tier.threshold <= count)
  }
  const now = periodOf(per, w.now, w.setup.timezone)
  const levels = per === 'lifetime' ? [] : [reached(before(now))]
  if (per === 'lifetime' || upgrade === 'at_once') levels.push(reached(now))
  const { assigned } = member
  if (assigned && (assigned.until ?? Number.POSITIVE_INFINITY) > w.now) levels.push(level(ladder, assigned.tier))
  return tiers[Math.max(...levels)]?.slug ?? null
}

/** The month or year before. */
function before(period: string): string {
  const [year = 0, month] = period.split('-').map(Number)
  if (month === undefined) return String(year - 1)
  return month === 1 ? `${year - 1}-12` : `${year}-${String(month - 1).padStart(2, '0')}`
}

/** Notes a change, with when it took effect: a rise when what caused it occurred, a fall now; never before the one before. */
export function noteTier(w: World, member: Member, occurredAt = w.now): void {
  if (!w.ladder || member.mergedInto) return
  const to = tierNow(w, member)
  const last = member.tiers.at(-1)
  const from = last?.to ?? null
  if (to === from) return
  const rises = level(w.ladder, to ?? '') > level(w.ladder, from ?? '')
  const at = rises ? Math.min(occurredAt, w.now) : w.now
  member.tiers.push({ at: Math.max(at, last?.at ?? at), to })
}

/** The instants up to now at which time alone may change what somebody holds. */
export function tierInstants(w: World, until: Instant): Instant[] {
  if (!w.ladder) return []
  const found: Instant[] = []
  for (let at = w.passed; w.ladder.per !== 'lifetime'; ) {
    at = nextPeriod(w.ladder.per, at, w.setup.timezone)
    if (at > until) break
    found.push(at)
  }
  for (const { assigned } of w.members.values()) if (assigned?.until) found.push(assigned.until)
  return found.filter((at) => at > w.passed && at <= until)
}

/** By what a purchase of then is multiplied: by the tier that was held then, before it. */
export function multiplierAt({ ladder }: World, member: Member, at: Instant): string {
  const held = member.tiers.findLast((one) => one.at <= at)?.to
  return ladder?.tiers.find((tier) => tier.slug === held)?.multiplier ?? '1'
}

/** Who lives on keeps the higher of what was assigned. */
export function inheritTier(w: World, into: Member, from: Member): void {
  const [own, other] = [into, from].map(({ assigned }) =>
    assigned && (assigned.until ?? Number.POSITIVE_INFINITY) > w.now ? assigned : null,
  )
  if (w.ladder && other && level(w.ladder, other.tier) > level(w.ladder, own?.tier)) into.assigned = other
}
