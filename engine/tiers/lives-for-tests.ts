import fc from 'fast-check'
import { DAY, formatInstant, type Instant } from '@laurel/contract/instants'
import type { LadderTerms } from '@laurel/contract/tiers'
import { nextVersion } from './ladder-terms.rules.ts'
import type { Course } from './tiers.ts'
import { aCourse, at, type Climber, THREE } from './tiers-for-tests.ts'

/** Random terms, purchases and versions of ladders, for properties. */

const ZONES = ['UTC', 'Europe/London', 'America/Sao_Paulo', 'Africa/Cairo', 'Pacific/Apia', 'Asia/Kolkata'] as const
export const zone = fc.constantFrom(...ZONES)
export const FIRST = at('2023-11-20T00:00:00Z')

export const terms = fc.record<Partial<LadderTerms>>({
  window: fc.oneof(
    fc.constantFrom<LadderTerms['window']>(
      { kind: 'lifetime' },
      { kind: 'join_anniversary' },
      { kind: 'tier_anniversary' },
      { kind: 'rolling', period: 'P90D' },
      { kind: 'rolling', period: 'P1Y' },
    ),
    fc.record({
      kind: fc.constant('calendar' as const),
      per: fc.constantFrom('month', 'quarter', 'half_year', 'year'),
    }),
  ) as fc.Arbitrary<LadderTerms['window']>,
  upgrade: fc.constantFrom('at_once', 'period_end'),
  downgrade: fc.constantFrom('none', 'one_level', 'reassess'),
  grace: fc.constantFrom(null, { period: 'P10D' }, { period: 'P5D', roundUp: 'month' as const }),
  noticeDays: fc.constantFrom(null, 7, 30),
})

/** What is bought: how much, how many hours after the first instant. */
export const bought = fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 900 * 24 })), {
  maxLength: 12,
})
export const JOINED = '2024-02-29T10:00:00Z'
export const hour = (n: number): Instant => FIRST + Math.round(n * (DAY / 24))
export const inOrder = (all: [number, number][]) => [...all].sort((a, b) => a[1] - b[1])

export function live(one: Climber, all: readonly [number, number][], looks: readonly number[] = []): void {
  const steps = [
    ...all.map(([amount, n]) => ({ n, do: () => one.counts(amount, formatInstant(hour(n))) })),
    ...looks.map((n) => ({ n, do: () => void one.at(formatInstant(hour(n))) })),
  ]
  for (const step of steps.sort((a, b) => a.n - b.n)) step.do()
}

/** What a version says differently, and whether nobody falls by it; published so many hours after the first instant. */
export const versions = fc.array(
  fc.record({
    n: fc.integer({ min: 0, max: 900 * 24 }),
    keep: fc.boolean(),
    factor: fc.constantFrom(0.2, 0.5, 1, 1.5, 3),
    differs: fc.oneof(
      { weight: 3, arbitrary: fc.constant<Partial<LadderTerms>>({}) },
      fc.constantFrom<Partial<LadderTerms>>(
        { metric: { kind: 'purchases' } },
        { metric: { kind: 'spend' } },
        { window: { kind: 'calendar', per: 'month' } },
        { window: { kind: 'rolling', period: 'P30D' } },
        { window: { kind: 'lifetime' }, upgrade: 'at_once' },
        { window: { kind: 'join_anniversary' } },
        { tiers: THREE.slice(1) },
        { tiers: THREE.filter(({ slug }) => slug !== 'silver') },
        { downgrade: 'none' },
        { grace: { period: 'P20D' } },
      ),
    ),
  }),
  { maxLength: 4 },
)
type Version = typeof versions extends fc.Arbitrary<(infer V)[]> ? V : never

/** The courses that versions come to, one after another. */
export function published(first: Course, all: readonly Version[]): { n: number; course: Course }[] {
  let before = first.ladder
  return all
    .toSorted((a, b) => a.n - b.n)
    .map(({ n, keep, factor, differs }) => {
      const whole = { ...before.terms, ...differs }
      const scaled = whole.tiers.map((tier) => ({ ...tier, threshold: Math.round(tier.threshold * factor) }))
      const { version, keeping, firm, terms: said } = nextVersion(before, { ...whole, tiers: scaled, keep })
      before = { ...before, version, keeping, firm, terms: said, publishedAt: hour(n) }
      return { n, course: aCourse(said, before, first.timezone) }
    })
}
