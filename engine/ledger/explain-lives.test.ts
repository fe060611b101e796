import fc from 'fast-check'
import { DAY, type Instant } from '@laurel/contract/instants'
import { describe, expect, test } from 'vitest'
import { KINDS } from './accounts.ts'
import type { WalletTerms } from './books.ts'
import type { Line } from './explain-columns.rules.ts'
import { explainAt } from './explain.rules.ts'
import { slideOf } from './explain-slides.rules.ts'
import { Life, type Step, WALLET } from './life-for-tests.ts'
import { MADE_GOOD } from './written-off.rules.ts'

/** What is told later of an instant of a life with refunds, reinstated points and points that end by inactivity. */
const SLIDING = { slideEnd: (last: Instant) => last + 5 * DAY, slidesOn: new Set(['earn', 'spend']) }

/** As the books are read for an instant (views/explain.books.ts). */
function explained(life: Life, terms: WalletTerms, at: Instant) {
  const { entries, uses } = life
  const wallet = life.state.wallets.find(({ w }) => w === WALLET)
  const lines = entries.map((entry): Line => ({ activatesAt: null, expiresAt: null, ...entry }))
  const since = entries.filter((entry) => entry.occurredAt <= at && entry.bookedAt > at)
  const late = since.filter(({ reason }) => reason === MADE_GOOD)
  const expired = since.filter(({ kind }) => kind === KINDS.expire.code)
  const ended = expired.flatMap((entry) =>
    uses.filter(({ seq }) => seq === entry.seq).map(({ lotSeq }): [number, Instant] => [lotSeq, entry.occurredAt]),
  )
  const books = {
    lines,
    uses,
    holds: life.holds
      .filter(({ settledAt }) => settledAt === null || at < settledAt)
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    forgiven: wallet?.k ?? [],
    late: new Set(late.map(({ seq }) => seq)),
  }
  const { lots, ...told } = explainAt(
    books,
    at,
    slideOf(terms, wallet, at, { uses, joined: [], ended: new Map(ended) }),
  )
  const all = lots(undefined, 10_000)?.lots ?? []
  const seen = all.map(({ holds, state, expiresAt, ...lot }) => ({
    ...lot,
    state,
    expiresAt: state === 'used' ? null : expiresAt, // would have ended by the activities of whenever one asks
    holds: holds.map(({ hold, points: of }) => [hold.id, of]),
  }))
  return { ...told, lots: seen }
}

/**
 * But for one thing that the books do not say later: that a lot of which all is held was over by inactivity, where all of that is captured in
 * the end. No number is another by it, but perhaps its place among the others.
 */
function known({ lots, ...told }: ReturnType<typeof explained>) {
  const unknown = { state: 'held', expiresAt: null }
  return {
    ...told,
    lots: lots
      .map((lot) => (lot.held > 0 && lot.held === lot.remaining ? { ...lot, ...unknown } : lot))
      .sort((a, b) => a.seq - b.seq),
  }
}

const hours = (n: number) => (n * DAY) / 24
const owing = (floor: number): WalletTerms => ({ notice: 0, floor })
const earn = (points: number, after = 0): Step => ({ do: 'earn', points, pending: 0, lives: 0, after })

describe('of an instant that has passed', () => {
  test('a debt that is paid later is told as owed by the return that owed it, not by what made good what was written off', () => {
    const terms = owing(6)
    const life = new Life(terms)
    const refund = (points: number): Step => ({ do: 'refund', which: 0, points, grace: false, after: 1 })
    for (const step of [earn(8), { do: 'spend', points: 8, after: 1 } as const]) life.step(step)
    life.step({ do: 'return', which: 0, share: 100, after: 1 }) // 6 are owed, 2 written off
    life.step(refund(5)) // 2 of it make that good, 3 pay
    const at = life.now
    const told = explained(life, terms, at)
    expect(told.debts).toEqual([{ seq: 3, points: 3 }])
    expect(told.lots).toMatchObject([
      { remaining: 0, changes: [{ seq: 2 }, { seq: 3, points: -3 }, { seq: 4 }, { seq: 5 }] },
    ])
    life.step(refund(3))
    expect(explained(life, terms, at)).toEqual(told)
  })

  test('what was held past its end by inactivity is over, whatever was done after that, before and after the hold lapses', () => {
    const terms = { ...owing(0), ...SLIDING }
    const life = new Life(terms)
    life.step(earn(10))
    life.step({ do: 'hold', points: 6, hours: 100, after: 60 })
    life.step(earn(5, 70)) // 4 have ended, and 6 that are held
    const at = life.now
    const [held, free] = [at, at + hours(40)].map((then) => explained(life, terms, then))
    expect(held?.lots[0]).toMatchObject({ state: 'expired', remaining: 6, held: 6, expiresAt: at - hours(10) })
    expect(free?.split).toMatchObject({ available: 5, due: 6 })
    life.step({ do: 'wait', after: 60 })
    expect(explained(life, terms, at)).toEqual(held)
    expect(explained(life, terms, at + hours(40))).toEqual(free)
  })

  test('what a return gave back after all had ended by inactivity has no end before the next activity', () => {
    const terms = { ...owing(0), ...SLIDING }
    const life = new Life(terms)
    life.step(earn(4))
    life.step({ do: 'return', which: 0, share: 60, after: 1 })
    life.step({ do: 'return', which: 0, share: 0, after: 180 })
    expect(life.standing()).toMatchObject({ available: 2, over: 0 })
    expect(explained(life, terms, life.now).split).toMatchObject({ available: 2, due: 0 })
  })

  const after = fc.oneof(fc.nat(30), fc.nat(200))
  const points = fc.integer({ min: 1, max: 12 })
  const which = fc.nat(9)
  const given = fc.record({
    do: fc.constant('earn' as const),
    points,
    pending: fc.constantFrom<(number | 'event')[]>(0, 0, 0, 2, 'event'),
    lives: fc.constantFrom(0, 3, 10),
    after,
  })
  const share = fc.constantFrom(0, 30, 60, 100, 100)
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 5, arbitrary: given },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('spend' as const), points, after }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('hold' as const),
        points,
        hours: fc.integer({ min: 1, max: 120 }),
        after,
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('capture' as const), which, points, after }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('refund' as const), which, points, grace: fc.boolean(), after }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('return' as const), which, share, after }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('extend' as const), which, days: fc.integer({ min: 1, max: 9 }), after }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constantFrom('release', 'activate', 'cancel', 'reinstate'), which, after }),
    },
  )

  test('the same is told as at it', () => {
    const lives = fc.tuple(
      fc.array(step, { maxLength: 40, size: 'max' }),
      fc.constantFrom(0, 6, 1_000_000),
      fc.boolean(),
    )
    fc.assert(
      fc.property(lives, ([steps, floor, slides]) => {
        const terms = { ...owing(floor), ...(slides ? SLIDING : {}) }
        const life = new Life(terms)
        const told = new Map<Instant, ReturnType<typeof explained>>()
        for (const one of steps) {
          const dates = [...life.lots.values()].flatMap(({ activatesAt, expiresAt }) => [activatesAt, expiresAt ?? 0])
          for (const at of [...dates, ...life.holds.map(({ deadline }) => deadline)])
            if (at > life.now && at <= life.now + hours(one.after)) told.set(at, explained(life, terms, at))
          life.step(one)
          const now = explained(life, terms, life.now)
          const { available, pending, held, over, back } = life.standing()
          expect(now.split).toMatchObject({ available, pending, held, due: over + back })
          told.set(life.now, now)
        }
        for (const [at, then] of told) expect(known(explained(life, terms, at))).toEqual(known(then))
      }),
      { numRuns: 200 },
    )
  })
})
