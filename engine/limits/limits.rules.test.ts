import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DAY, type Instant, MINUTE } from '@laurel/contract/instants'
import type { Per } from '@laurel/contract/periods'
import type { Cap } from '@laurel/contract/wallets'
import { periodKey } from '../base/calendar.ts'
import { addTakes, budgetLimit, type BudgetTake, costOf } from './budgets.rules.ts'
import { type Counter, counterName, counting, emptyCounter, SCOPES } from './counters.rules.ts'
import { capsRoom, isCooling, limitsOf, type Rooms } from './limits.rules.ts'

const ZONE = 'America/New_York'
/** Around the day of 2026 on which New York's clocks go forward. */
const START = Date.UTC(2026, 2, 6) * 1000
const per = fc.constantFrom<Per>('day', 'week', 'month', 'year', 'lifetime')
const cap: fc.Arbitrary<Cap> = fc
  .record({
    per,
    points: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
    times: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    over: fc.constantFrom('clip' as const, 'refuse' as const, undefined),
  })
  .filter(({ points, times }) => points !== undefined || times !== undefined)
const asks = fc.array(
  fc.record({ after: fc.integer({ min: 0, max: 90 * 24 }), wanted: fc.integer({ min: 1, max: 40 }) }),
  { maxLength: 40 },
)
const hour = 60 * MINUTE

describe('caps', () => {
  it('are never gone over, in any period, in whatever order purchases come; and clipping gives all that is left', () => {
    fc.assert(
      fc.property(fc.array(cap, { minLength: 1, maxLength: 4 }), asks, (caps, steps) => {
        const given: { at: Instant; points: number }[] = []
        const counters = new Map<string, Counter>()
        const keyOf = (p: Per, at: Instant) => ({
          member: 'm',
          scope: SCOPES.rule,
          scopeId: 1,
          period: periodKey(p, at, ZONE),
        })
        for (const { after, wanted } of steps) {
          const at = START + after * hour
          const room = capsRoom(caps, (p) => counters.get(counterName(keyOf(p, at))))
          const limits = limitsOf({ rules: [{ rule: 1, ...room }], wallets: [] })
          const told = limits.room({ ruleId: 1, walletId: 1 }, wanted)
          const points = told === 'refuse' ? 0 : told
          expect(points).toBe(allowed(caps, given, at, wanted))
          if (points < wanted) expect(limits.why({ ruleId: 1, walletId: 1 }, wanted).cause).toBe('cap_reached')
          if (points === 0) continue
          given.push({ at, points })
          for (const p of new Set(caps.map((c) => c.per))) {
            const key = keyOf(p, at)
            const counter = counters.get(counterName(key)) ?? emptyCounter(key)
            counters.set(counterName(key), counting(counter, points, at, at))
          }
        }
        for (const { per: p, points, times } of caps) {
          for (const group of Map.groupBy(given, ({ at }) => periodKey(p, at, ZONE)).values()) {
            expect(group.reduce((sum, g) => sum + g.points, 0)).toBeLessThanOrEqual(points ?? Infinity)
            expect(group.length).toBeLessThanOrEqual(times ?? Infinity)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  /** The definition, from everything that was given so far. */
  function allowed(
    caps: readonly Cap[],
    given: readonly { at: Instant; points: number }[],
    at: Instant,
    wanted: number,
  ) {
    let points = wanted
    for (const { per: p, points: most, times, over } of caps) {
      const same = given.filter((g) => periodKey(p, g.at, ZONE) === periodKey(p, at, ZONE))
      const left = (most ?? Infinity) - same.reduce((sum, g) => sum + g.points, 0)
      if (same.length >= (times ?? Infinity)) return 0
      if (over === 'refuse' && wanted > left) return 0
      points = Math.min(points, left)
    }
    return points
  }

  it('of a wallet hold for all rules that give in it, one after the other', () => {
    fc.assert(
      fc.property(
        fc.nat(50),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 30 }))),
        (room, wants) => {
          const limits = limitsOf({ rules: [], wallets: [{ wallet: 7, clip: room }] })
          let sum = 0
          for (const [ruleId, wanted] of wants) {
            const points = limits.room({ ruleId, walletId: 7 }, wanted)
            expect(points).toBe(Math.min(wanted, room - sum))
            limits.take({ ruleId, walletId: 7 }, points as number)
            sum += points as number
            expect(limits.room({ ruleId, walletId: 8 }, wanted)).toBe(wanted)
          }
        },
      ),
    )
  })

  it('that refuse go by what was wanted, and the rooms that were given are left as they were', () => {
    const rooms: Rooms = { rules: [{ rule: 1, clip: 10, refuse: 20, budget: 8 }], wallets: [{ wallet: 1, clip: 9 }] }
    const before = structuredClone(rooms)
    const rule = { ruleId: 1, walletId: 1 }
    const limits = limitsOf(rooms)
    expect([limits.room(rule, 21), limits.room(rule, 20), limits.room(rule, 5)]).toEqual(['refuse', 8, 5])
    limits.take(rule, 8)
    expect(limits.room(rule, 5)).toBe(0)
    expect(limits.why(rule, 5)).toEqual({ cause: 'budget_spent', why: 'its budget is spent' })
    expect(rooms).toEqual(before)
  })

  it.each([
    [{ clip: 0 }, 'cap_reached', "the rule's cap is reached for this member"],
    [{ clip: 4 }, 'cap_reached', "the rule's cap leaves this member 4"],
    [{ refuse: 4 }, 'cap_reached', "the rule's cap leaves this member 4"],
    [{ refuse: 0 }, 'cap_reached', "the rule's cap is reached for this member"],
    [{ clip: 6, budget: 3 }, 'budget_spent', 'its budget leaves 3'],
    [{ clip: 3, budget: 3 }, 'cap_reached', "the rule's cap leaves this member 3"],
    [{ clip: 0, budget: 0 }, 'cap_reached', "the rule's cap is reached for this member"],
    [{ clip: 0, cooling: true }, 'cooling_down', 'it gave this member something too short a time ago'],
  ] as const)('say why: %j', (room, cause, why) => {
    const limits = limitsOf({ rules: [{ rule: 1, ...room }], wallets: [] })
    expect(limits.why({ ruleId: 1, walletId: 1 }, 10)).toEqual({ cause, why })
  })
})

describe('a cooldown', () => {
  it('keeps any two awards apart, whichever comes first', () => {
    const period = fc.constantFrom('P1D', 'PT90M', 'P1M', 'P1W', 'PT36H')
    fc.assert(
      fc.property(period, fc.array(fc.integer({ min: 0, max: 60 * 24 }), { maxLength: 40 }), (cooldown, hours) => {
        const awards: Instant[] = []
        for (const at of hours.map((h) => START + h * hour)) {
          const cooling = isCooling(awards, at, cooldown, ZONE)
          if (!cooling) awards.push(at)
        }
        const sorted = awards.toSorted((a, b) => a - b)
        const close = sorted.filter((award, n) => {
          const next = sorted[n + 1]
          return (
            next !== undefined && (isCooling([award], next, cooldown, ZONE) || isCooling([next], award, cooldown, ZONE))
          )
        })
        expect(close).toEqual([])
      }),
    )
  })

  it('of a day is a local day, also when the clocks change; its end is half-open', () => {
    const saturday = Date.UTC(2026, 2, 7, 17) * 1000 // noon in New York; the clocks go forward in the night
    const sundayNoon = saturday + 23 * hour
    expect(isCooling([saturday], sundayNoon - 1, 'P1D', ZONE)).toBe(true)
    expect(isCooling([saturday], sundayNoon, 'P1D', ZONE)).toBe(false)
    expect(isCooling([sundayNoon], saturday, 'P1D', ZONE)).toBe(false)
    expect(isCooling([sundayNoon - 1], saturday, 'P1D', ZONE)).toBe(true)
    expect(isCooling([saturday], saturday, 'PT1M', ZONE)).toBe(true)
  })
})

describe('a budget', () => {
  const positive = fc.integer({ min: 1, max: 1_000_000 })

  it('of money buys as many points as it pays for, and not one more', () => {
    fc.assert(
      fc.property(positive, positive, positive, (money, points, cost) => {
        const said = { money, pointCost: { points, money: cost } }
        const { points: limit } = budgetLimit(said)
        expect(costOf(limit, said)).toBeLessThanOrEqual(money)
        expect(costOf(limit + 1, said)).toBeGreaterThan(money)
      }),
    )
    expect(budgetLimit({ money: 500 })).toEqual({ per: 'lifetime', points: 500 })
    expect(budgetLimit({ money: Number.MAX_SAFE_INTEGER, pointCost: { points: 1000, money: 1 } }).points).toBe(
      Number.MAX_SAFE_INTEGER,
    )
    expect(budgetLimit({ points: 70, money: 50, pointCost: { points: 2, money: 1 }, per: 'week' })).toEqual({
      per: 'week',
      points: 70,
    })
  })

  it('is taken by a list as one: whatever was spent before, every step fits or none does', () => {
    const take = fc.record({ points: fc.integer({ min: 1, max: 20 }), limit: fc.integer({ min: 0, max: 200 }) })
    fc.assert(
      fc.property(fc.array(take, { minLength: 1, maxLength: 10 }), fc.nat(200), (steps, before) => {
        const takes = steps.map(
          ({ points, limit }): BudgetTake => ({ ruleId: 1, period: 'all', points, room: limit - points, limit }),
        )
        const [sum] = addTakes(takes)
        let spent = before
        let fits = true
        for (const { points, limit } of steps) {
          spent += points
          fits &&= spent <= limit
        }
        expect(sum && before <= sum.room).toBe(fits)
        expect(sum?.points).toBe(spent - before)
      }),
    )
  })

  it('is one of several, which are taken from in order', () => {
    const take = (ruleId: number, period: string) => ({ ruleId, period, points: 1, room: 9, limit: 10 })
    const sums = addTakes([take(10, 'all'), take(9, '2026-02'), take(9, '2026-01'), take(10, 'all')])
    expect(sums.map(({ ruleId, period, points }) => [ruleId, period, points])).toEqual([
      [9, '2026-01', 1],
      [9, '2026-02', 1],
      [10, 'all', 2],
    ])
  })
})

it('counts the latest instant, also when a purchase comes late', () => {
  const key = { member: 'm', scope: SCOPES.rule, scopeId: 1, period: 'all' }
  const first = counting(emptyCounter(key), 5, START + DAY, 1)
  expect(counting(first, 7, START, 2)).toEqual({ ...key, times: 2, points: 12, lastAt: START + DAY, keptAt: 2 })
})
