import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DAY, formatInstant, type Instant } from '@laurel/contract/instants'
import type { LadderTerms } from '@laurel/contract/tiers'
import { localDay } from '../base/calendar.ts'
import { bought, FIRST, hour, JOINED, published, terms, versions, zone } from './lives-for-tests.ts'
import { broughtUp } from './shown.rules.ts'
import { readStanding } from './standings.rules.ts'
import { type Bucket, type Course, MEASURES, type TierChange, type TierState } from './tiers.ts'
import { aCourse, type Climber, climber, THREE } from './tiers-for-tests.ts'

/**
 * What counts is known by the day only, so a hundred thousand lives may find a return on the very day of a publication that takes
 * less back than the instants would say.
 */

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

test('a version that promises to keep ends no tier earlier than members were told', () => {
  expect.hasAssertions()
  const times = (n: number) => fc.array(fc.nat(n * 24), { maxLength: 6 })
  fc.assert(
    fc.property(terms, bought, versions, times(900), (t, all, vs, looks) => {
      const one = climber(aCourse(t), '2023-11-20T00:00:00Z')
      let promised: [level: number, until: Instant] = [-1, 0]
      const level = () => THREE.findIndex(({ slug }) => slug === one.state.tier)
      const look = (n: number) => {
        one.at(formatInstant(hour(n)))
        if (promised[1] > hour(n)) expect(level()).toBeGreaterThanOrEqual(promised[0])
      }
      const buy = (amount: number, n: number) => {
        one.counts(amount, formatInstant(hour(n)))
        look(n)
      }
      const publish = (n: number, course: Course) => {
        look(n)
        const { until } = one.state
        const isLess = level() < promised[0] || promised[1] <= hour(n)
        if (isLess || level() > promised[0]) promised = [level(), until ?? Number.MAX_SAFE_INTEGER]
        one.course = course
        look(n)
        if (level() === promised[0])
          expect(one.state.until ?? Number.MAX_SAFE_INTEGER).toBeGreaterThanOrEqual(promised[1])
      }
      const told = vs.map((v) => ({ ...v, keep: true, differs: v.differs.tiers ? {} : v.differs }))
      const steps = [
        ...published(one.course, told).map(({ n, course }) => ({ n, do: () => publish(n, course) })),
        ...all.map(([amount, n]) => ({ n, do: () => buy(amount, n) })),
        ...looks.map((n) => ({ n, do: () => look(n) })),
      ]
      for (const step of steps.sort((a, b) => a.n - b.n)) step.do()
      const [, until] = promised
      if (until < Number.MAX_SAFE_INTEGER && until > hour(900 * 24)) look((until - FIRST) / (DAY / 24) - 1)
    }),
    { numRuns: 400 },
  )
})

/** What becomes of a life: every fall in it is looked at, of whatever any version told of whatever tier was held then. */
function keepsItsWord(
  first: Course,
  all: readonly [amount: number, n: number][],
  later: readonly { n: number; course: Course }[],
): void {
  const one = climber(first, '2023-11-20T00:00:00Z')
  const promises: { least: number; until: Instant; changes: number }[] = []
  const level = (tier: string | null) => THREE.findIndex(({ slug }) => slug === tier)
  const publish = (n: number, course: Course) => {
    one.at(formatInstant(hour(n)))
    const { tier, until } = one.state
    promises.push({ least: level(tier), until: until ?? Number.MAX_SAFE_INTEGER, changes: one.changes.length })
    one.course = course
    one.at(formatInstant(hour(n)))
    expect(one.state.standing.kept?.length ?? 0).toBeLessThanOrEqual(2 * promises.length) // of each version
  }
  const steps = [
    ...later.map(({ n, course }) => ({ n, do: () => publish(n, course) })),
    ...all.map(([amount, n]) => ({ n, do: () => one.counts(amount, formatInstant(hour(n))) })),
  ]
  for (const step of steps.sort((a, b) => a.n - b.n)) step.do()
  one.at(formatInstant(hour(1500 * 24)))
  for (const { least, until, changes } of promises) {
    const since = one.changes.slice(changes).filter(({ at }) => at < until)
    for (const { to } of since) expect(level(to)).toBeGreaterThanOrEqual(least)
  }
}

test('nor ends what any of them told of a lower tier, whatever more was reached and published meanwhile', () => {
  expect.hasAssertions()
  const inTime = versions.map((all) => all.map((v) => ({ ...v, n: v.n * 0.3 })))
  const early = bought.map((all) => all.map(([amount, n]): [number, number] => [amount, n * 0.25]))
  fc.assert(
    fc.property(terms, zone, early, inTime, inTime, (t, z, all, vs, more) => {
      const course = aCourse(t, {}, z)
      const told = [...vs, ...more].map((v) => ({ ...v, keep: true, differs: v.differs.tiers ? {} : v.differs }))
      keepsItsWord(course, all, published(course, told))
    }),
    { numRuns: 600 },
  )
})

test('nor where more that is reached begins a window of its own, be it on the day of a publication', () => {
  expect.hasAssertions()
  const windows = fc.constantFrom<LadderTerms['window']>(
    { kind: 'rolling', period: 'P90D' },
    { kind: 'rolling', period: 'P1Y' },
    { kind: 'tier_anniversary' },
    { kind: 'tier_anniversary' },
  )
  const n = fc.nat(20).map((i) => i * 240 + 12)
  const all = fc.array(fc.tuple(fc.constantFrom(50, 100, 150, 400), n), { minLength: 3, maxLength: 8 })
  const version = fc.record({
    n,
    keep: fc.constant(true),
    factor: fc.constantFrom(0.5, 1, 1.5),
    differs: fc.constant({}),
  })
  fc.assert(
    fc.property(
      windows,
      terms,
      zone,
      all,
      fc.array(version, { minLength: 1, maxLength: 3 }),
      (window, t, z, ...life) => {
        const course = aCourse({ ...t, window }, {}, z)
        keepsItsWord(course, life[0], published(course, life[1]))
      },
    ),
    { numRuns: 600 },
  )
})
