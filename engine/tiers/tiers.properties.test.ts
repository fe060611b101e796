import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DAY, formatInstant, type Instant } from '@laurel/contract/instants'
import type { LadderTerms } from '@laurel/contract/tiers'
import { dayStart, localDay } from '../base/calendar.ts'
import { aCourse, at, type Climber, climber } from './tiers-for-tests.ts'

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
        expect(looked.changes.map(({ from, to, at: when }) => [from, to, when])).toEqual(
          alone.changes.map(({ from, to, at: when }) => [from, to, when]),
        )
      },
    ),
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
    fc.property(terms, all, fc.integer({ min: 1, max: 999 }), later, fc.nat(27 * 24), (t, others, amount, n, delay) => {
      fc.pre(t.window?.kind !== 'tier_anniversary') // what counts together depends on what was reached when
      const [a, b] = [climber(aCourse(t), JOINED), climber(aCourse(t), JOINED)]
      live(a, others)
      const [bought, back] = [formatInstant(hour(n)), formatInstant(hour(n + delay))]
      const steps = [
        ...others.map(([m, h]) => ({ h, do: () => b.counts(m, formatInstant(hour(h))) })),
        { h: n, do: () => b.counts(amount, bought) },
        { h: n + delay, do: () => b.counts(-amount, bought, back) },
      ]
      for (const step of steps.sort((x, y) => x.h - y.h)) step.do()
      for (const look of [hour(900 * 24), hour(1500 * 24)])
        expect(b.at(formatInstant(look))).toEqual(a.at(formatInstant(look)))
    }),
    { numRuns: 400 },
  )
})

test('tiers end where local days begin, whatever the clocks do', () => {
  fc.assert(
    fc.property(terms, zone, bought, (t, z, all) => {
      const one = climber(aCourse(t, {}, z), JOINED)
      live(one, all)
      const { until } = one.state
      const midnights = until === null || dayStart(localDay(until, z), z) === until
      // a grace without rounding keeps the time of day, which the clocks may skip
      expect(midnights || t.grace !== null).toBe(true)
      for (const change of one.changes.filter(({ why }) => why === 'period_ended' && t.grace === null))
        expect(dayStart(localDay(change.at, z), z)).toBe(change.at)
    }),
    { numRuns: 300 },
  )
})
