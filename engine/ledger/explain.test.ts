import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY, type Instant } from '@laurel/contract/instants'
import { type Clawed, claw } from './clawback.rules.ts'
import type { Draft, Entry, Hold, Lot, LotUse, MemberState, TermsOf } from './books.ts'
import type { Line, WalletBooks } from './explain-columns.rules.ts'
import { explainAt, type Explained, type LotThen, type Split } from './explain.rules.ts'
import { capture, place, release } from './holds.rules.ts'
import { burnOrder, credit, debit, draft } from './ledger.rules.ts'
import { cancelLot, moveLot } from './moves.rules.ts'
import { hasPassed, passTime, settleTime, standingOf } from './time.rules.ts'
import { debtOf, emptyWallet } from './wallets.rules.ts'
import { MADE_GOOD } from './written-off.rules.ts'

const WALLET = 7
const START: Instant = Date.UTC(2026, 0, 1) * 1000
const QUARTER = DAY / 4
const id = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`

type Step =
  | { do: 'earn'; points: number; after: number; pendingDays: number; livesDays: number }
  | { do: 'spend' | 'hold' | 'adjust'; points: number; after: number }
  | { do: 'return'; share: number; which: number; after: number }
  | { do: 'capture' | 'release' | 'move' | 'cancel'; which: number; after: number }
  | { do: 'wait'; after: number }

/** A member's life by the ledger's own rules, and what it stood at after every step. */
class Life {
  floor: number
  terms: TermsOf
  state: MemberState
  lots = new Map<number, Lot>()
  holds = new Map<string, Hold>()
  entries: Entry[] = []
  uses: LotUse[] = []
  given: { source: string; points: number; clawed: Clawed }[] = []
  seen: { at: Instant; split: Partial<Split> }[] = []
  now = START
  n = 0

  constructor(floor: number) {
    this.floor = floor
    this.terms = () => ({ notice: 0, floor })
    this.state = {
      member: id(1),
      status: 1,
      version: 1,
      entrySeq: 0,
      eventSeq: 0,
      chain: '0'.repeat(64),
      wallets: [],
      dueAt: 0,
      told: 0,
      mergedInto: null,
    }
  }

  step(step: Step): void {
    for (let i = 1; i < step.after; i++) this.look(this.now + i * QUARTER)
    this.now += step.after * QUARTER
    this.n += 1
    const d = this.open()
    if (hasPassed(this.state, this.terms, this.now)) passTime(d, this.now)
    this.act(d, step)
    settleTime(d, this.now)
    this.keep(d)
  }

  why() {
    return { source: id(100 + this.n), digest: id(0), occurredAt: this.now, now: this.now }
  }

  open(): Draft {
    const lots = [...this.lots.values()].filter((lot) => lot.remaining > 0)
    return draft(this.state, { lots, holds: [...this.holds.values()].filter((hold) => hold.status === 1) }, this.terms)
  }

  /** What readers are told at this instant, whatever of it is booked. */
  look(at: Instant): void {
    const d = this.open()
    const wallet = d.state.wallets.find((w) => w.w === WALLET) ?? emptyWallet(WALLET)
    const { available, pending, held, over, back } = standingOf(d, WALLET, at)
    const split = { balance: wallet.b, available, pending, held, due: over + back }
    const debt = debtOf(wallet)
    // what comes free beside what is owed pays it with a later booking: until then there are both, and what is
    // available is right
    const settled = at === this.now && debt === Math.max(0, -available)
    this.seen.push({ at, split: settled ? { ...split, debt } : split })
  }

  act(d: Draft, step: Step): void {
    const why = this.why()
    switch (step.do) {
      case 'earn': {
        const activatesAt = this.now + step.pendingDays * DAY
        const expiresAt = step.livesDays === 0 ? null : activatesAt + step.livesDays * DAY
        credit(d, WALLET, step.points, { ...why, kind: 'earn' }, { activatesAt, expiresAt })
        this.given.push({
          source: why.source,
          points: step.points,
          clawed: { walletId: WALLET, lots: [], writtenOff: 0 },
        })
        return
      }
      case 'adjust':
        credit(d, WALLET, step.points, { ...why, kind: 'adjustUp' })
        return
      case 'spend':
        debit(d, WALLET, step.points, { ...why, kind: 'spend' }) // refused where there is too little
        return
      case 'return':
        this.giveBack(d, step)
        return
      case 'hold':
        place(d, [{ walletId: WALLET, points: step.points }], {
          member: id(1),
          id: id(100 + this.n), // of the clock of returns
          programId: 1,
          deadline: this.now + 3 * DAY,
          placedAt: this.now,
          digest: id(0),
          reason: 'table',
          externalId: null,
        })
        return
      case 'capture':
      case 'release': {
        const hold = pick(
          d.holds.filter((h) => h.status === 1),
          step.which,
        )
        if (hold && step.do === 'release') release(d, hold, this.now)
        if (hold && step.do === 'capture') capture(d, hold, [Math.ceil((hold.parts[0]?.p ?? 0) / 2)], why)
        return
      }
      case 'wait':
        return
      case 'move':
      case 'cancel': {
        const lot = pick(
          d.lots.filter((l) => l.remaining > l.held && l.held === 0),
          step.which,
        )
        if (lot && step.do === 'cancel') cancelLot(d, lot, why)
        if (lot && step.do === 'move')
          moveLot(d, lot, { activatesAt: this.now, expiresAt: this.now + 9 * DAY }, { ...why })
      }
    }
  }

  giveBack(d: Draft, { share, which }: { share: number; which: number }): void {
    const given = pick(this.given, which)
    if (!given) return
    const due = Math.floor((given.points * share) / 4)
    const [after] = claw(d, given.source, given.clawed, due, this.why())
    given.clawed = after
  }

  keep(d: Draft): void {
    this.state = d.state
    for (const lot of d.lots) this.lots.set(lot.seq, lot)
    for (const hold of d.holds) this.holds.set(hold.id, hold)
    this.entries.push(...d.entries)
    this.uses.push(...d.uses)
    this.look(this.now)
  }

  lines(): Line[] {
    return this.entries.map((entry): Line => {
      const { activatesAt = null, expiresAt = null } = entry
      return { ...entry, activatesAt, expiresAt }
    })
  }

  /** As they are read from the database for that instant (views/explain.books.ts). */
  books(at: Instant, lines = this.lines()): WalletBooks {
    const holds = [...this.holds.values()].filter(({ settledAt }) => settledAt === null || at < settledAt)
    const late = this.entries.filter((e) => e.reason === MADE_GOOD && e.occurredAt <= at && e.bookedAt > at)
    const forgiven = this.state.wallets.find((w) => w.w === WALLET)?.k ?? []
    return { lines, uses: this.uses, holds, forgiven, late: new Set(late.map(({ seq }) => seq)) }
  }
}

function all(explained: Explained): LotThen[] {
  return explained.lots(undefined, 10_000)?.lots ?? []
}

function pick<T>(all: readonly T[], which: number): T | undefined {
  return all[which % Math.max(1, all.length)]
}

/** In quarters of a day, so that dates are met to the microsecond. */
const after = fc.integer({ min: 1, max: 6 })
const points = fc.integer({ min: 1, max: 20 })
const which = fc.nat(9)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('earn' as const),
      points,
      after,
      pendingDays: fc.constantFrom(0, 0, 1, 5),
      livesDays: fc.constantFrom(0, 2, 8, 30),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('spend', 'hold', 'adjust'), points, after }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('return' as const), share: fc.integer({ max: 4, min: 0 }), which, after }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('capture', 'release', 'move', 'cancel'), which, after }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), after }) },
)
const lives = fc
  .tuple(fc.array(step, { maxLength: 60, size: 'max' }), fc.constantFrom(0, 15, 1_000_000))
  .map(([steps, floor]) => {
    const life = new Life(floor)
    for (const one of steps) life.step(one)
    for (let i = 1; i < 60; i++) life.look(life.now + i * QUARTER) // ahead: by dates alone
    return life
  })

describe('what a wallet held', () => {
  test('is, at every instant of any history, what it was seen to hold then', () => {
    fc.assert(
      fc.property(lives, (life) => {
        const lines = life.lines()
        for (const { at, split } of life.seen) expect(explainAt(life.books(at, lines), at).split).toMatchObject(split)
      }),
      { numRuns: 400 },
    )
  })

  test('pays what is owed as a hold lapses, though the points end before anybody looks', () => {
    const life = new Life(15)
    life.step({ do: 'earn', points: 2, after: 1, pendingDays: 0, livesDays: 8 })
    life.step({ do: 'hold', points: 2, after: 1 })
    life.step({ do: 'return', which: 0, share: 2, after: 1 })
    const seen = (at: Instant) => explainAt(life.books(at), at)
    expect(seen(life.now).split).toMatchObject({ balance: 1, available: -1, held: 2, debt: 1 })
    const free = seen(life.now + 4 * DAY)
    expect(free.split).toMatchObject({ balance: 1, available: 1, held: 0, due: 0, debt: 0 })
    const over = seen(life.now + 9 * DAY)
    expect(over.split).toMatchObject({ balance: 1, available: 0, held: 0, due: 1, debt: 0 })
    expect(all(over)).toMatchObject([{ remaining: 1, state: 'expired', changes: [{ points: -1 }] }])
  })

  test('counts once what a return took early from a lot that it took from before', () => {
    const life = new Life(15)
    life.step({ do: 'earn', points: 7, after: 1, pendingDays: 0, livesDays: 0 })
    life.step({ do: 'hold', points: 5, after: 1 })
    life.step({ do: 'return', which: 0, share: 2, after: 1 }) // of 3, 2 are free
    const owing = life.now
    life.step({ do: 'capture', which: 0, after: 1 }) // of 3, and what it frees pays
    const lotAt = (at: Instant) => all(explainAt(life.books(at), at))
    const taken = { seq: 2, points: -2 }
    expect(lotAt(owing)).toMatchObject([{ points: 7, remaining: 5, held: 5, changes: [taken] }])
    const paid = { seq: 2, points: -3 }
    expect(lotAt(life.now)).toMatchObject([{ remaining: 1, changes: [paid, { seq: 3, points: -3 }] }])
  })

  test('is made of lots less what is owed, each of them whole before it is used', () => {
    fc.assert(
      fc.property(lives, fc.nat(100), (life, days) => {
        const at = START + days * DAY
        const explained = explainAt(life.books(at), at)
        const { split, debts } = explained
        const lots = all(explained)
        const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0)
        expect(split.balance).toBe(sum(lots.map((lot) => lot.remaining)) - sum(debts.map((debt) => debt.points)))
        expect(split.balance).toBe(split.available + split.pending + split.held + split.due)
        const open = lots.filter((lot) => lot.remaining > 0)
        expect(open).toEqual(open.toSorted((a, b) => burnOrder(a as unknown as Lot, b as unknown as Lot)))
        for (const lot of lots) {
          expect(lot.remaining).toBe(lot.points + sum(lot.changes.map((change) => change.points)))
          expect(lot.held).toBe(sum(lot.holds.map((hold) => hold.points)))
          expect(lot.remaining).toBeGreaterThanOrEqual(lot.held)
          expect(lot.remaining).toBeLessThanOrEqual(lot.points)
        }
      }),
    )
  })

  test('does not change with what is booked later', () => {
    fc.assert(
      fc.property(lives, fc.array(step, { minLength: 1, maxLength: 10 }), (life, more) => {
        const at = life.now
        const before = explainAt(life.books(at), at)
        for (const one of more) life.step(one)
        const after = explainAt(life.books(at), at)
        expect([after.split, after.lifetime, after.debts]).toEqual([before.split, before.lifetime, before.debts])
        const told = (lots: LotThen[]) => lots.map(({ seq, remaining, state }) => [seq, remaining, state])
        expect(told(all(after))).toEqual(told(all(before)))
      }),
    )
  })
})
