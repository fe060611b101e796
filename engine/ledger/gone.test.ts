import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY } from '@laurel/contract/instants'
import { NO_TERMS, type WalletTerms } from './books.ts'
import type { Clawed } from './clawback.rules.ts'
import { Life, type Step, WALLET } from './life-for-tests.ts'

const earn = (points: number, lives: number, pending: number | 'event' = 0, after = 0): Step => ({
  do: 'earn',
  points,
  pending,
  lives,
  after,
})
const back = (which: number, share = 100): Step => ({ do: 'return', which, share, after: 0 })
const wait = (days: number): Step => ({ do: 'wait', after: 24 * days })
const lived = (steps: Step[], terms: WalletTerms = NO_TERMS): Life => {
  const life = new Life(terms)
  for (const step of steps) life.step(step)
  expect(life.audit()).toBeUndefined()
  return life
}
/** What returns took so far of what the nth step's purchase gave. */
const taken = (life: Life, nth: number): Clawed | undefined =>
  life.clawed.get(life.entries.filter(({ kind }) => kind === 1)[nth]?.source ?? '')
const SLIDING: WalletTerms = {
  notice: 0,
  floor: 0,
  slideEnd: (last) => last + 3 * DAY,
  slidesOn: new Set(['earn', 'spend']),
}

describe('a return of what ended unused', () => {
  test('leaves the other points alone', () => {
    const life = lived([earn(10, 2), wait(3), earn(7, 0), back(0)])
    expect(life.standing().available).toBe(7)
    expect(taken(life, 0)).toEqual({ walletId: WALLET, lots: [], writtenOff: 0, gone: 10 })
  })

  test('counts what ends in the very decision', () => {
    const life = lived([earn(7, 0), earn(10, 2), { ...back(1), after: 24 * 3 }])
    expect(life.standing().available).toBe(7)
  })

  test('takes for what was spent of it, and only for that', () => {
    const life = lived([earn(10, 2), { do: 'spend', points: 4, after: 0 }, wait(3), earn(7, 0), back(0)])
    expect(life.standing().available).toBe(3)
    expect(taken(life, 0)).toMatchObject({ writtenOff: 0, gone: 6 })
  })

  test('owes nothing, and remembers nothing that was written off', () => {
    const life = lived([earn(10, 2), wait(3), back(0)], { notice: 0, floor: 100 })
    expect(life.state.wallets[0]).toMatchObject({ b: 0, n: [], k: [] })
  })

  test('counts what was cancelled by hand while pending, and what waited in vain', () => {
    const byHand = lived([earn(10, 5, 3), { do: 'cancel', which: 0, after: 0 }, earn(7, 0), back(0)])
    const inVain = lived([earn(10, 5, 'event'), wait(6), earn(7, 0), back(0)])
    for (const life of [byHand, inVain]) {
      expect(life.standing().available).toBe(7)
      expect(taken(life, 0)?.gone).toBe(10)
    }
  })

  test('follows what went on under another date, and what a refund brought back too late', () => {
    const moved = lived([earn(10, 2), { do: 'extend', which: 0, days: 2, after: 0 }, wait(5), earn(7, 0), back(0)])
    const refunded = lived([
      earn(10, 2),
      { do: 'spend', points: 10, after: 0 },
      wait(3),
      { do: 'refund', which: 0, points: 10, grace: false, after: 0 },
      earn(7, 0),
      back(0),
    ])
    for (const life of [moved, refunded]) {
      expect(life.standing().available).toBe(7)
      expect(taken(life, 0)?.gone).toBe(10)
    }
  })

  test('counts what ended by inactivity', () => {
    const life = lived([earn(10, 0), wait(4), earn(7, 0), back(0)], SLIDING)
    expect(life.standing().available).toBe(7)
  })

  test('counts nothing that is still held past its end: it may yet be spent', () => {
    const hold: Step = { do: 'hold', points: 6, hours: 24 * 9, after: 0 }
    const life = lived([earn(10, 2), hold, wait(3), earn(7, 0), back(0)])
    expect(taken(life, 0)).toMatchObject({ gone: 4, writtenOff: 0 })
    expect(life.standing().available).toBe(1)
  })

  test('takes what was reinstated, also where an earlier return had counted it', () => {
    const again: Step = { do: 'reinstate', which: 0, after: 0 }
    const before = lived([earn(10, 2), wait(3), again, earn(7, 0), back(0)])
    const between = lived([earn(10, 2), wait(3), earn(7, 0), back(0, 50), again])
    expect(between.standing().available).toBe(17)
    between.step(back(0))
    for (const life of [before, between]) {
      expect(life.standing().available).toBe(7)
      expect(taken(life, 0)?.gone).toBeUndefined()
      expect(life.audit()).toBeUndefined()
    }
  })

  test('is undone after what came from others, before its own, and gives nothing', () => {
    const life = lived([earn(10, 2), { do: 'spend', points: 4, after: 0 }])
    life.step(back(0, 30)) // 3 of its own; 3 are left
    for (const step of [wait(3), earn(7, 0)]) life.step(step)
    const seen = [100, 80, 60, 40, 20, 0].map((share) => {
      life.step(back(0, share))
      expect(life.audit()).toBeUndefined()
      return [life.standing().available, taken(life, 0)?.gone ?? 0]
    })
    expect(seen).toEqual([
      [3, 3],
      [5, 3],
      [7, 3],
      [7, 1],
      [7, 0], // one goes back to its own lot, which is over
      [7, 0],
    ])
  })
})

// ── whatever happened before ─────────────────────────────────────────────────────────────────────────────────────────

const [points, which, after] = [fc.integer({ min: 1, max: 12 }), fc.nat({ max: 20 }), fc.integer({ min: 0, max: 40 })]
const earns: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('earn' as const),
  points,
  pending: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3 }), fc.constant('event' as const)),
  lives: fc.integer({ min: 0, max: 4 }),
  after,
})
const share = fc.integer({ min: 0, max: 100 })
const anything = [
  { weight: 4, arbitrary: earns },
  fc.record({ do: fc.constant('spend' as const), points, after }),
  fc.record({ do: fc.constant('hold' as const), points, hours: fc.integer({ min: 1, max: 60 }), after }),
  fc.record({ do: fc.constant('capture' as const), which, points, after }),
  fc.record({ do: fc.constant('refund' as const), which, points, grace: fc.boolean(), after }),
  fc.record({ do: fc.constant('extend' as const), which, days: fc.integer({ min: 1, max: 4 }), after }),
  fc.record({ do: fc.constantFrom('release' as const, 'activate' as const, 'cancel' as const), which, after }),
  fc.record({ do: fc.constant('reinstate' as const), which, after }),
  fc.record({ do: fc.constant('wait' as const), after: fc.integer({ min: 1, max: 120 }) }),
]
const steps: fc.Arbitrary<Step[]> = fc.array(fc.oneof(...anything), { maxLength: 40 })
const returning: fc.Arbitrary<Step> = fc.record({ do: fc.constant('return' as const), which, share, after })
const withReturns: fc.Arbitrary<Step[]> = fc.array(fc.oneof(...anything, returning, returning), { maxLength: 40 })
const SPEND_LIKE = new Set([2, 3, 4, 8]) // spent, refunded, and what returns took and gave back

/** What of a source's own points somebody had: spent and not refunded, taken for another return, or set aside now. */
function used(life: Life, source: string): number {
  const own = new Set(life.entries.filter((e) => e.activatesAt !== undefined && e.source === source).map((e) => e.seq))
  const net = life.uses.reduce((sum, { seq, lotSeq, points: n }) => {
    const kind = life.entries[seq - 1]?.kind ?? 0
    return sum + (own.has(lotSeq) && SPEND_LIKE.has(kind) ? n : 0)
  }, 0)
  const lots = [...life.lots.values()].filter((lot) => lot.source === source)
  const back = (life.clawed.get(source)?.lots ?? []).filter((lot) => own.has(lot.seq))
  return net - back.reduce((sum, lot) => sum + lot.taken, 0) + lots.reduce((sum, lot) => sum + lot.held, 0)
}

/** How much a return counted of the purchase's own points (what goes back to them past their end is gone then), and of what is not. */
function shared(life: Life, nth: number): [own: number, others: number] {
  const { lots, writtenOff, owed = 0, gone = 0 } = taken(life, nth) as Clawed
  const source = life.entries.filter(({ kind }) => kind === 1)[nth]?.source
  const from = (mine: boolean) => lots.reduce((sum, lot) => sum + ((lot.source === source) === mine ? lot.taken : 0), 0)
  return [from(true) + gone, from(false) + writtenOff + owed]
}

describe('whatever happened before', () => {
  test('a return of everything takes from others, owes or writes off exactly what somebody had of it', () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(0, 5, 1000), fc.boolean(), (all, floor, slides) => {
        const life = lived(all, { ...(slides ? SLIDING : NO_TERMS), floor })
        for (const [nth, { source, points: given }] of life.entries.filter(({ kind }) => kind === 1).entries()) {
          life.step(back(nth))
          const [own, others] = shared(life, nth)
          expect(own + others).toBe(given)
          expect(taken(life, nth)?.gone ?? 0).toBe(life.ended(source))
          expect(others).toBe(used(life, source))
          expect(life.audit()).toBeUndefined()
        }
      }),
      { numRuns: 400 },
    )
  })

  test('returns count what is due, and as gone no more than ended unused; the books agree with themselves', () => {
    fc.assert(
      fc.property(withReturns, fc.constantFrom(0, 5, 1000), fc.boolean(), (all, floor, slides) => {
        const life = lived(all, { ...(slides ? SLIDING : NO_TERMS), floor })
        for (const [nth, { source, points: given }] of life.entries.filter(({ kind }) => kind === 1).entries()) {
          life.step(back(nth))
          const [own, others] = shared(life, nth)
          expect(own + others).toBe(given)
          const gone = taken(life, nth)?.gone ?? 0
          expect(gone >= 0 && gone <= life.ended(source)).toBe(true)
          expect(life.audit()).toBeUndefined()
        }
      }),
      { numRuns: 300 },
    )
  })

  test('what is counted and what is left depend on how much came back alone, up and down, in whatever steps', () => {
    fc.assert(
      fc.property(
        steps,
        fc.array(share, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(0, 5, 1000),
        (all, shares, floor) => {
          const [stepwise, straight] = [lived(all, { notice: 0, floor }), lived(all, { notice: 0, floor })]
          for (const nth of stepwise.entries.filter(({ kind }) => kind === 1).keys()) {
            for (const some of [100, ...shares]) stepwise.step(back(nth, some))
            for (const some of [100, shares.at(-1) ?? 0]) straight.step(back(nth, some))
            expect(stepwise.standing().available).toBe(straight.standing().available)
            expect(shared(stepwise, nth)).toEqual(shared(straight, nth))
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})
