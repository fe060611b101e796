import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DAY, formatInstant } from '@laurel/contract/instants'
import type { LadderTerms } from '@laurel/contract/tiers'
import { dayStart, localDay } from '../base/calendar.ts'
import { bought, hour, inOrder, JOINED, live, terms, zone } from './lives-for-tests.ts'
import { aCourse, at, type Climber, climber } from './tiers-for-tests.ts'

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
