import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DAY, formatInstant, type Instant } from '@laurel/contract/instants'
import type { LadderTerms } from '@laurel/contract/tiers'
import { dayStart, localDay } from '../base/calendar.ts'
import { nextVersion } from './ladder-terms.rules.ts'
import { broughtUp } from './shown.rules.ts'
import { readStanding } from './standings.rules.ts'
import { type Bucket, type Course, MEASURES, type TierChange, type TierState } from './tiers.ts'
import { aCourse, at, type Climber, climber, THREE } from './tiers-for-tests.ts'

const ZONES = ['UTC', 'Europe/London', 'America/Sao_Paulo', 'Africa/Cairo', 'Pacific/Apia', 'Asia/Kolkata'] as const
const zone = fc.constantFrom(...ZONES)
const FIRST = at('2023-11-20T00:00:00Z')

const terms = fc.record<Partial<LadderTerms>>({
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
const bought = fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 900 * 24 })), {
  maxLength: 12,
})
const JOINED = '2024-02-29T10:00:00Z'
const hour = (n: number): Instant => FIRST + Math.round(n * (DAY / 24))
const inOrder = (all: [number, number][]) => [...all].sort((a, b) => a[1] - b[1])

function live(one: Climber, all: readonly [number, number][], looks: readonly number[] = []): void {
  const steps = [
    ...all.map(([amount, n]) => ({ n, do: () => one.counts(amount, formatInstant(hour(n))) })),
    ...looks.map((n) => ({ n, do: () => void one.at(formatInstant(hour(n))) })),
  ]
  for (const step of steps.sort((a, b) => a.n - b.n)) step.do()
}

test('who looks, and when, changes nothing', () => {
  fc.assert(
    fc.property(
      terms,
      zone,
      bought,
      fc.array(fc.integer({ min: 0, max: 900 * 24 }), { maxLength: 20 }),
      (t, z, all, looks) => {
        const [alone, looked] = [climber(aCourse(t, {}, z), JOINED), climber(aCourse(t, {}, z), JOINED)]
        live(alone, all)
        live(looked, all, looks)
        const end = formatInstant(hour(1100 * 24))
        expect(looked.at(end)).toEqual(alone.at(end))
        expect(looked.changes).toEqual(alone.changes)
      },
    ),
    { numRuns: 400 },
  )
})

/** What a version says differently, and whether nobody falls by it; published so many hours after the first instant. */
const versions = fc.array(
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
function published(first: Course, all: readonly Version[]): { n: number; course: Course }[] {
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

test('who looks, and when, changes nothing, whatever versions are published meanwhile', () => {
  const looking = fc.array(fc.integer({ min: 0, max: 900 * 24 }), { maxLength: 20 })
  fc.assert(
    fc.property(
      terms,
      zone,
      bought,
      versions,
      looking,
      fc.array(fc.nat(11), { maxLength: 4 }),
      (t, z, all, vs, looks, back) => {
        const [alone, looked] = [climber(aCourse(t, {}, z), JOINED), climber(aCourse(t, {}, z), JOINED)]
        const publishings = published(alone.course, vs)
        for (const [one, when] of [
          [alone, []],
          [looked, looks],
        ] as const) {
          const returns = all.filter((_, i) => back.includes(i)).map(([amount, n]) => ({ amount, n, at: n + 24 * 20 }))
          const steps = [
            ...publishings.map(({ n, course }) => ({ n, do: () => void (one.course = course) })),
            ...all.map(([amount, n]) => ({ n, do: () => one.counts(amount, formatInstant(hour(n))) })),
            ...returns.map(({ amount, n, at: m }) => ({
              n: m,
              do: () => one.counts(-amount, formatInstant(hour(n)), formatInstant(hour(m))),
            })),
            ...when.map((n) => ({ n, do: () => void one.at(formatInstant(hour(n))) })),
          ]
          for (const step of steps.sort((a, b) => a.n - b.n)) step.do()
        }
        const end = formatInstant(hour(1100 * 24))
        expect(looked.at(end)).toEqual(alone.at(end))
        expect(looked.changes).toEqual(alone.changes)
        expect(readStanding(JSON.stringify(looked.state.standing))).toEqual(looked.state.standing)
      },
    ),
    { numRuns: 600 },
  )
})

test('nor whether anybody ever looked, at who bought before there was a ladder', () => {
  const looking = fc.array(fc.integer({ min: 300 * 24, max: 900 * 24 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(terms, zone, bought, versions, looking, (t, z, all, vs, looks) => {
      const made = hour(300 * 24)
      const first = aCourse(t, { createdAt: made, publishedAt: made }, z)
      const later = vs.map((version) => ({ ...version, n: 300 * 24 + version.n / 2 }))
      const courses = [first, ...published(first, later).map(({ course }) => course)]
      const progress = all.flatMap(([amount, n]): Bucket[] => {
        const when = localDay(hour(n / 3), z)
        return [
          { measure: MEASURES.spend, day: when, amount },
          { measure: MEASURES.purchases, day: when, amount: 1 },
        ]
      })
      const member = { member: '01890a5d-ac96-774b-bcce-b302099a8058', joined: FIRST }
      const seen = (instants: readonly Instant[]) => {
        let state: TierState | undefined
        const changes: TierChange[] = []
        for (const now of instants.toSorted((a, b) => a - b)) {
          const known = courses.filter(({ ladder }) => (ladder.publishedAt ?? 0) <= now)
          const past = known.slice(0, -1)
          const newest = known.at(-1) ?? first
          const ladder = { ...newest.ladder, past: past.map((one) => one.ladder) }
          const given = { now, balance: 0, progress, by: () => ({ balance: 0, progress }) }
          const advanced = broughtUp({ ...newest, ladder, past: () => past }, member, state, given)
          state = advanced.state
          changes.push(...advanced.changes)
        }
        return { tier: state?.tier, until: state?.until, changes }
      }
      const end = hour(1100 * 24)
      expect(seen([...looks.map(hour), end])).toEqual(seen([end]))
    }),
    { numRuns: 400 },
  )
})

test('before it is due, nothing changes and nothing is told', () => {
  fc.assert(
    fc.property(terms, zone, bought, (t, z, all) => {
      const one = climber(aCourse(t, {}, z), JOINED)
      live(one, all)
      for (let i = 0; i < 20 && one.state.dueAt > 0; i++) {
        const { dueAt } = one.state
        const [changes, told] = [one.changes.length, one.told.length]
        one.at(formatInstant(dueAt - 1))
        expect([one.changes.length, one.told.length]).toEqual([changes, told])
        one.at(formatInstant(dueAt))
        expect(one.state.dueAt === 0 || one.state.dueAt > dueAt).toBe(true)
      }
      const [changes, told] = [one.changes.length, one.told.length]
      if (one.state.dueAt === 0) one.at('2040-01-01')
      expect([one.changes.length, one.told.length]).toEqual([changes, told])
    }),
    { numRuns: 400 },
  )
})

test('in what order things were bought in a period does not matter for where it ends', () => {
  const windows = fc.constantFrom<LadderTerms['window']>(
    { kind: 'calendar', per: 'year' },
    { kind: 'join_anniversary' },
    { kind: 'lifetime' },
  )
  const year = fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 364 * 24 - 1 })), {
    maxLength: 10,
  })
  fc.assert(
    fc.property(windows, terms, year, fc.infiniteStream(fc.nat()), (window, t, all, dice) => {
      const shuffled = all.map((one) => [one, dice.next().value] as const).sort((a, b) => a[1] - b[1])
      const amounts = shuffled.map(([[amount]]) => amount)
      const [a, b] = [0, 1].map(() => climber(aCourse({ ...t, window }), '2024-01-01T00:00:00Z')) as [Climber, Climber]
      const when = (n: number) => formatInstant(at('2024-01-01T00:00:00Z') + Math.round(n * (DAY / 24)))
      for (const [i, [, n]] of inOrder(all).entries()) {
        a.counts(all[i]?.[0] ?? 0, when(n))
        b.counts(amounts[i] ?? 0, when(n))
      }
      for (const look of ['2024-12-31T00:00:00Z', '2025-01-01T00:00:00Z', '2025-06-01', '2026-01-01T00:00:00Z'])
        expect(b.at(look)).toEqual(a.at(look))
    }),
    { numRuns: 300 },
  )
})

test('what all came back in its period was never bought', () => {
  fc.assert(
    fc.property(
      terms,
      bought,
      fc.integer({ min: 1, max: 999 }),
      fc.integer({ min: 0, max: 800 * 24 }),
      (t, all, amount, n) => {
        const [a, b] = [climber(aCourse(t), JOINED), climber(aCourse(t), JOINED)]
        live(
          a,
          all.filter(([, m]) => m <= n),
        )
        live(
          b,
          all.filter(([, m]) => m <= n),
        )
        b.counts(amount, formatInstant(hour(n)))
        b.counts(-amount, formatInstant(hour(n)))
        const rest = all.filter(([, m]) => m > n)
        live(a, rest)
        live(b, rest)
        for (const look of [hour(900 * 24), hour(1500 * 24)])
          expect(b.at(formatInstant(look))).toEqual(a.at(formatInstant(look)))
      },
    ),
    { numRuns: 300 },
  )
})

test('nor what came back within a month, whatever was bought meanwhile', () => {
  const later = fc.integer({ min: 2_500, max: 20_000 }) // when she has joined
  const all = fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), later), { maxLength: 12 })
  fc.assert(
    fc.property(
      terms,
      all,
      fc.integer({ min: 1, max: 999 }),
      later,
      fc.nat(27 * 24),
      versions,
      (t, others, amount, n, delay, vs) => {
        const [a, b] = [climber(aCourse(t), JOINED), climber(aCourse(t), JOINED)]
        const [bought, back] = [formatInstant(hour(n)), formatInstant(hour(n + delay))]
        const told = vs.map((v) => ({ ...v, n: 2_500 + v.n, differs: v.differs.window ? {} : v.differs }))
        const lives = (one: Climber) => [
          ...published(one.course, told).map((v) => ({ h: v.n, do: () => void (one.course = v.course) })),
          ...others.map(([m, h]) => ({ h, do: () => one.counts(m, formatInstant(hour(h))) })),
        ]
        const more = [
          { h: n, do: () => b.counts(amount, bought) },
          { h: n + delay, do: () => b.counts(-amount, bought, back) },
        ]
        for (const step of lives(a).sort((x, y) => x.h - y.h)) step.do()
        for (const step of [...lives(b), ...more].sort((x, y) => x.h - y.h)) step.do()
        for (const look of [hour(900 * 24), hour(1500 * 24)])
          expect(b.at(formatInstant(look))).toEqual(a.at(formatInstant(look)))
      },
    ),
    { numRuns: 400 },
  )
})

test('when it is told does not matter for where it ends, nor in what order, where windows are years', () => {
  const windows = fc.constantFrom<LadderTerms['window']>(
    { kind: 'tier_anniversary' },
    { kind: 'tier_anniversary' },
    { kind: 'calendar', per: 'year' },
    { kind: 'join_anniversary' },
    { kind: 'lifetime' },
  )
  const purchase = fc.record({
    amount: fc.integer({ min: 1, max: 600 }),
    day: fc.nat(14).map((n) => 120 + n * 30),
    late: fc.constantFrom(0, 0, 1, 20, 30, 60),
    back: fc.option(fc.constantFrom(60, 90, 120, 150)),
  })
  fc.assert(
    fc.property(windows, terms, fc.array(purchase, { maxLength: 7 }), (window, t, all) => {
      const on = (day: number) => formatInstant(hour(day * 24 + 12))
      const [a, b] = [0, 1].map((isLate) => {
        const one = climber(aCourse({ ...t, window }), JOINED)
        const told = all.flatMap(({ amount, day, late, back }) => [
          { amount, day, at: day + late * isLate },
          ...(back === null ? [] : [{ amount: -amount, day, at: day + back }]),
        ])
        for (const { amount, day, at: when } of told.toSorted((x, y) => x.at - y.at))
          one.counts(amount, on(day), on(when))
        return [720, 800, 1100].map((day) => one.at(on(day)))
      })
      expect(b).toEqual(a)
    }),
    { numRuns: 500 },
  )
})

test('nothing that comes back raises a tier, whatever was told late and published meanwhile', () => {
  const purchase = fc.record({
    amount: fc.integer({ min: 1, max: 600 }),
    n: fc.nat(150 * 24),
    late: fc.constantFrom(0, 0, 240, 480, 1_200),
    back: fc.option(fc.tuple(fc.integer({ min: 1, max: 600 }), fc.nat(60 * 24))),
  })
  const windows = fc.constantFrom<LadderTerms['window']>(
    { kind: 'rolling', period: 'P30D' },
    { kind: 'rolling', period: 'P30D' },
    { kind: 'rolling', period: 'P90D' },
    { kind: 'calendar', per: 'month' },
    { kind: 'calendar', per: 'year' },
    { kind: 'join_anniversary' },
    { kind: 'lifetime' },
  )
  fc.assert(
    fc.property(windows, terms, fc.array(purchase, { maxLength: 12 }), versions, (window, t, all, vs) => {
      const one = climber(aCourse({ ...t, window, upgrade: 'at_once' }), '2023-11-20T00:00:00Z')
      const told = vs.map((v) => ({ ...v, n: v.n % (200 * 24), differs: v.differs.window ? {} : v.differs }))
      const level = (n: number) => {
        const [tier] = one.at(formatInstant(hour(n)))
        return one.course.ladder.terms.tiers.findIndex(({ slug }) => slug === tier)
      }
      const comesBack = (amount: number, n: number, m: number) => {
        const before = level(m)
        one.counts(-amount, formatInstant(hour(n)), formatInstant(hour(m)))
        expect(level(m)).toBeLessThanOrEqual(before)
      }
      const steps = [
        ...published(one.course, told).map(({ n, course }) => ({ n, do: () => void (one.course = course) })),
        ...all.flatMap(({ amount, n, late, back }) => [
          { n: n + late, do: () => one.counts(amount, formatInstant(hour(n)), formatInstant(hour(n + late))) },
          ...(back ?? []).slice(0, 1).map((less) => {
            const m = n + late + (back?.[1] ?? 0)
            return { n: m, do: () => comesBack(Math.min(less, amount), n, m) }
          }),
        ]),
      ]
      for (const step of steps.sort((a, b) => a.n - b.n)) step.do()
    }),
    { numRuns: 600 },
  )
})

test('tiers end where local days begin, whatever the clocks do', () => {
  fc.assert(
    fc.property(terms, zone, bought, (t, z, all) => {
      const one = climber(aCourse(t, {}, z), JOINED)
      live(one, all)
      const { until } = one.state
      if (until !== null) expect(dayStart(localDay(until, z), z)).toBe(until)
      for (const change of one.changes.filter(({ why }) => why === 'period_ended'))
        expect(dayStart(localDay(change.at, z), z)).toBe(change.at)
    }),
    { numRuns: 300 },
  )
})
