import type { Instant } from '../../contract/instants.ts'
import type { TierMetric, TierWindow } from '../../contract/tiers.ts'
import type { LadderTerms } from '../../contract/tiers.ts'
import { balances } from './balances.ts'
import { dayOf, shift, windowAround } from './calendar.ts'
import { remaining } from './earning.ts'
import { living, type Member, type Purchase, sum, type World } from './world.ts'

/**
 * Ladders as docs/guides/tiers.md tells them: whatever counts is counted again, each time, from what was bought and done. What came
 * back was never bought.
 */
export type Ladder = {
  slug: string
  metric: Metric
  window: TierWindow
  upgrade: 'at_once' | 'period_end'
  downgrade: 'reassess' | 'one_level' | 'none'
  grace: { period: string; roundUp?: 'day' | 'month' } | null
  tiers: { slug: string; threshold: number; multiplier: string }[]
  /** when this version was published, and those before it */
  since?: Instant
  past?: Ladder[]
}

/** The versions that held from then on, the one of then too. */
export function versionsFrom(ladder: Ladder, at: Instant): Ladder[] {
  const all = [...(ladder.past ?? []), ladder]
  const first = all.findLastIndex(({ since }) => (since ?? at) <= at)
  return all.slice(Math.max(0, first))
}

export const MEASURES = ['spend', 'purchases', 'earned', 'activities', 'balance'] as const
type Measure = (typeof MEASURES)[number]
/** So much for each of what counts; with more than one, as a formula. earned and balance of the wallet, activities of the type. */
export type Metric = { of: Partial<Record<Measure, number>>; wallet: string; activity: string }

/** As it is told to the engine. */
export function termsOf({ slug, metric, window, upgrade, downgrade, grace, tiers }: Ladder): LadderTerms {
  return {
    name: slug,
    metric: metricOf(metric),
    window,
    upgrade,
    downgrade,
    grace: grace as LadderTerms['grace'],
    noticeDays: 5,
    tiers: tiers.map(({ slug, threshold, multiplier }) => ({ slug, name: slug, threshold, benefits: { multiplier } })),
  }
}

function metricOf({ of, wallet, activity }: Metric): TierMetric {
  const [[kind, times] = ['spend', 1], ...more] = Object.entries(of)
  if (more.length > 0 || times !== 1) {
    const expression = Object.entries(of).map(([measure, n]) => `${measure} * ${n}`)
    return { kind: 'expression', expression: expression.join(' + '), wallet, activity }
  }
  if (kind === 'earned' || kind === 'balance') return { kind, wallet }
  return kind === 'activities' ? { kind, activity } : { kind: kind as 'spend' | 'purchases' }
}

/** Whether some ladder looks at each day for itself: what was told late would have been known then in what is worked out again. */
export const goesByDays = (w: World): boolean =>
  [...w.ladders.values()].some(
    ({ window, metric }) =>
      window.kind === 'rolling' && (metric.of.activities === undefined || Object.keys(metric.of).length > 1),
  )

/** What counts for a member of the days from `from` to the one before `to`. */
export function worth(w: World, { metric }: Ladder, member: Member, [from, to]: readonly [number, number]): number {
  const { of, wallet, activity } = metric
  const { timezone } = w.setup
  const isIn = (at: Instant) => {
    const day = dayOf(at, timezone)
    return day >= from && day < to
  }
  const bought: Purchase[] = []
  if (of.spend !== undefined || of.purchases !== undefined || of.earned !== undefined)
    for (const one of w.purchases.values()) if (living(one.member) === member && isIn(one.occurredAt)) bought.push(one)
  const total = (measure: Measure): number => {
    switch (measure) {
      case 'spend':
        return sum(bought.flatMap((one) => leftOf(one).map((line) => line.amount)))
      case 'purchases':
        return bought.filter((one) => leftOf(one).length > 0).length
      case 'earned':
        return earned(w, member, wallet, isIn) - sum(bought.map((one) => takenBack(one, wallet)))
      case 'activities':
        return [...w.activities.values()].filter(({ said, member: whose }) => {
          const { type, occurredAt } = said as { type: string; occurredAt: Instant }
          return type === activity && living(whose) === member && isIn(occurredAt)
        }).length
      default:
        return balances(w, member, wallet).available
    }
  }
  return sum(Object.entries(of).map(([measure, n]) => n * total(measure as Measure)))
}

const lefts = new WeakMap<readonly number[], ReturnType<typeof remaining>>()
function leftOf({ lines, returned }: Purchase) {
  let left = lefts.get(returned) // another list with every return
  if (!left) lefts.set(returned, (left = remaining(lines, returned)))
  return left
}

function earned(w: World, member: Member, wallet: string, isIn: (at: Instant) => boolean): number {
  const whose = [...w.members.values()].filter((one) => living(one) === member).flatMap((one) => one.given)
  return sum(whose.filter((one) => one.wallet === wallet && isIn(one.at)).map((one) => one.points))
}

function takenBack({ taken }: Purchase, wallet: string): number {
  const one = taken.get(wallet)
  return one ? one.writtenOff + one.owed + one.gone + sum(one.lots.map((x) => x.points)) : 0
}

/** Tiers as numbers, from 0 on; −1 is none. */
export const levelOf = ({ tiers }: Ladder, slug: string | null | undefined): number =>
  tiers.findIndex((tier) => tier.slug === slug)
export const slugAt = ({ tiers }: Ladder, level: number): string | null => tiers[level]?.slug ?? null
/** What everyone holds. */
export const baseOf = ({ tiers }: Ladder): number => (tiers[0]?.threshold === 0 ? 0 : -1)

export function reachedIn(w: World, ladder: Ladder, member: Member, days: readonly [number, number]): number {
  const count = worth(w, ladder, member, days)
  return ladder.tiers.findLastIndex((tier) => tier.threshold <= count)
}

/** What is held on, of what was held and what was reached meanwhile. */
export function handedOn({ downgrade }: Ladder, held: number, reached: number): number {
  if (downgrade === 'reassess') return reached
  return Math.max(reached, downgrade === 'none' ? held : held - 1)
}

export const ALL: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]

/** The days that count now. */
export function countedDays(w: World, ladder: Ladder, member: Member): readonly [number, number] {
  const { window } = ladder
  const today = dayOf(w.now, w.setup.timezone)
  if (window.kind === 'lifetime') return ALL
  if (window.kind === 'rolling') return [shift(today + 1, window.period, -1), today + 1]
  const { from, to } = windowAround(window, dayOf(member.joined, w.setup.timezone), today)
  return [from, to]
}
