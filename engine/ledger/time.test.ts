import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY, FAR, type Instant } from '@laurel/contract/instants'
import type { WalletTerms } from './books.ts'
import { GRACE, Life, pick, START, type Step, WALLET } from './life-for-tests.ts'
import { hasPassed, standing } from './time.rules.ts'

/** `over`: its end by inactivity has passed while some of it was held. */
type Batch = { n: number; from: Instant; until: Instant | null; over?: Instant | undefined }
/** One single point. `at`: with the member, spent by the nth spend, or gone for good. */
type Point = { lot: Batch; at: 'here' | 'gone' | number; hold: Holding | undefined }
type Holding = { deadline: Instant; points: Point[]; open: boolean }

/** The same life told point by point, without sums, entries or caches. */
class Naive {
  now = START
  points: Point[] = []
  lots: Batch[] = []
  holds: Holding[] = []
  spends: Point[][] = []
  expired: { points: Point[]; again: boolean }[] = []
  last: Instant = 0
  slide: number

  constructor(slide: number) {
    this.slide = slide
  }

  step(step: Step): void {
    this.now += (step.after * DAY) / 24
    this.tick()
    this.act(step)
    this.expire()
  }

  end(lot: Batch): Instant {
    return lot.until ?? lot.over ?? (this.slide > 0 && this.last > 0 ? this.last + this.slide : Number.MAX_SAFE_INTEGER)
  }

  tick(): void {
    for (const hold of this.holds) if (hold.open && hold.deadline <= this.now) this.free(hold)
    this.expire()
    if (this.slide === 0 || this.last === 0 || this.last + this.slide > this.now) return
    for (const lot of this.lots) if (lot.until === null && this.kept(lot)) lot.over ??= this.last + this.slide
    this.last = 0
  }

  kept(lot: Batch): boolean {
    return this.points.some((point) => point.lot === lot && point.at === 'here')
  }

  free(hold: Holding): void {
    hold.open = false
    for (const point of hold.points) point.hold = undefined
  }

  expire(): void {
    const end = (lot: Batch) => this.end(lot)
    for (const lot of [...this.lots].sort((a, b) => end(a) - end(b) || a.n - b.n)) {
      if (end(lot) > this.now) continue
      const over = this.here(lot)
      for (const point of over) point.at = 'gone'
      if (over.length > 0 && lot.from !== FAR) this.expired.push({ points: over, again: false })
    }
    for (const lot of this.lots) if (!this.kept(lot)) lot.over = undefined
  }

  /** With the member and not held. */
  here(lot: Batch): Point[] {
    return this.points.filter((p) => p.lot === lot && p.at === 'here' && !p.hold)
  }

  open(points: number | Point[], from: Instant, until: Instant | null): void {
    const lot = { n: this.lots.length, from, until }
    this.lots.push(lot)
    if (typeof points !== 'number') for (const point of points) point.lot = lot
    else for (let i = 0; i < points; i++) this.points.push({ lot, at: 'here', hold: undefined })
  }

  spendable(): Point[] {
    return this.points
      .filter((p) => p.at === 'here' && !p.hold && p.lot.from <= this.now && this.end(p.lot) > this.now)
      .sort((a, b) => this.end(a.lot) - this.end(b.lot) || a.lot.from - b.lot.from || a.lot.n - b.lot.n)
  }

  spend(points: Point[]): void {
    for (const point of points) point.at = this.spends.length
    this.spends.push(points)
    if (this.slide > 0) this.last = this.now
  }

  act(step: Step): void {
    const { now } = this
    switch (step.do) {
      case 'earn': {
        if (this.slide > 0) this.last = now
        if (step.pending === 'event') this.open(step.points, FAR, now + step.lives * DAY)
        else {
          const from = now + step.pending * DAY
          this.open(step.points, from, step.lives === 0 ? null : from + step.lives * DAY)
        }
        break
      }
      case 'spend':
        if (this.spendable().length >= step.points) this.spend(this.spendable().slice(0, step.points))
        break
      case 'hold': {
        const points = this.spendable().slice(0, step.points)
        if (points.length < step.points) break
        const hold = { deadline: now + (step.hours * DAY) / 24, points, open: true }
        for (const point of points) point.hold = hold
        this.holds.push(hold)
        break
      }
      case 'release':
      case 'capture': {
        const hold = pick(
          this.holds.filter((one) => one.open),
          step.which,
        )
        if (!hold) break
        this.free(hold)
        if (step.do === 'capture') this.spend(hold.points.slice(0, step.points))
        break
      }
      default:
        this.change(step)
    }
  }

  change(step: Step): void {
    const { now } = this
    const free = this.lots.filter((lot) => this.here(lot).length > 0)
    const pending = free.filter((lot) => lot.from > now)
    const of = (lots: Batch[]) => ('which' in step ? pick(lots, step.which) : undefined)
    if (step.do === 'refund') this.refund(step.which, step.points, step.grace)
    if (step.do === 'activate') {
      const lot = of(pending)
      if (lot) this.open(this.here(lot), now, lot.from === FAR ? now + 5 * DAY : lot.until)
    }
    if (step.do === 'cancel') {
      const lot = of(pending)
      for (const point of lot ? this.here(lot) : []) point.at = 'gone'
    }
    if (step.do === 'extend') {
      const lot = of(free.filter((one) => this.end(one) < Number.MAX_SAFE_INTEGER))
      if (lot) this.open(this.here(lot), Math.max(lot.from, now), this.end(lot) + step.days * DAY)
    }
    if (step.do === 'reinstate') {
      const one = pick(
        this.expired.filter(({ again }) => !again),
        step.which,
      )
      if (one) this.open(one.points.length, now, now + 4 * DAY)
      if (one) one.again = true
    }
  }

  refund(which: number, wanted: number, grace: boolean): void {
    const points = (pick(this.spends, which) ?? []).filter((p) => p.at === which % Math.max(1, this.spends.length))
    if (points.length === 0) return
    if (this.slide > 0 && this.last === 0) this.last = this.now
    const until = (lot: Batch) => lot.until ?? Number.MAX_SAFE_INTEGER
    points.sort((a, b) => until(b.lot) - until(a.lot) || b.lot.from - a.lot.from || b.lot.n - a.lot.n)
    const back = points.slice(0, wanted)
    for (const point of back) point.at = 'here'
    for (const lot of new Set(back.map((point) => point.lot))) {
      if (grace && this.end(lot) <= this.now) this.open(this.here(lot), this.now, this.now + GRACE)
    }
  }

  standing(at: Instant) {
    const counts = { available: 0, pending: 0, held: 0, over: 0, back: 0 }
    for (const { at: where, hold, lot } of this.points) {
      if (where !== 'here') continue
      if (hold && hold.deadline > at) counts.held += 1
      else if (this.end(lot) <= at) counts[lot.from === FAR ? 'back' : 'over'] += 1
      else if (lot.from > at) counts.pending += 1
      else counts.available += 1
    }
    return counts
  }

  left() {
    return this.lots.flatMap((lot) => {
      const remaining = this.points.filter((p) => p.lot === lot && p.at === 'here').length
      return remaining > 0 ? [{ activatesAt: lot.from, expiresAt: lot.until, remaining }] : []
    })
  }
}

const points = fc.integer({ min: 1, max: 12 })
const which = fc.nat({ max: 20 })
const days = fc.integer({ min: 1, max: 6 })
const after = fc.integer({ min: 0, max: 30 })
const steps = (more: fc.Arbitrary<Step>[] = []): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: earn },
      fc.record({ do: fc.constant('spend' as const), points, after }),
      fc.record({ do: fc.constant('hold' as const), points, hours: fc.integer({ min: 1, max: 60 }), after }),
      fc.record({ do: fc.constant('capture' as const), which, points, after }),
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('refund' as const), which, points, grace: fc.boolean(), after }),
      },
      fc.record({ do: fc.constant('extend' as const), which, days, after }),
      fc.record({ do: fc.constantFrom('release' as const, 'activate' as const, 'cancel' as const), which, after }),
      fc.record({ do: fc.constant('reinstate' as const), which, after }),
      fc.record({ do: fc.constant('wait' as const), after: fc.integer({ min: 1, max: 300 }) }),
      ...more,
    ),
    { maxLength: 40 },
  )
const earn: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('earn' as const),
  points,
  pending: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4 }), fc.constant('event' as const)),
  lives: fc.integer({ min: 1, max: 8 }),
  after,
})
/** Without ends of their own: they end by inactivity. */
const sliding = (step: Step): Step =>
  step.do === 'earn' && step.pending !== 'event' && step.points % 3 > 0 ? { ...step, lives: 0 } : step
const DATED: WalletTerms = { notice: 0, floor: 0 }
const SLIDING: WalletTerms = {
  ...DATED,
  slideEnd: (last) => last + 3 * DAY,
  slidesOn: new Set(['earn', 'spend']),
}

function compare(life: Life, naive: Naive): void {
  for (const ahead of [0, 1, DAY / 24, DAY, 5 * DAY, 30 * DAY])
    expect([ahead, life.standing(life.now + ahead)]).toEqual([ahead, naive.standing(life.now + ahead)])
  const open = [...life.lots.values()].filter((lot) => lot.remaining > 0)
  expect(open.map(({ activatesAt, expiresAt, remaining }) => ({ activatesAt, expiresAt, remaining }))).toEqual(
    naive.left(),
  )
  const wallet = life.state.wallets.find((one) => one.w === WALLET)
  if (wallet && !hasPassed(life.state, life.terms, life.now)) expect(standing(wallet)).toEqual(life.standing())
}

describe('points over time', () => {
  test('are what a point-by-point telling of the same life says, now and ahead, and the books agree with themselves', () => {
    fc.assert(
      fc.property(steps(), (all) => {
        const [life, naive] = [new Life(DATED), new Naive(0)]
        for (const step of all) {
          life.step(step)
          naive.step(step)
          expect(life.audit()).toBeUndefined()
          compare(life, naive)
        }
      }),
      { numRuns: 400 },
    )
  })

  test('so are those that end by inactivity', () => {
    fc.assert(
      fc.property(steps(), (all) => {
        const [life, naive] = [new Life(SLIDING), new Naive(3 * DAY)]
        for (const step of all.map(sliding)) {
          life.step(step)
          naive.step(step)
          expect(life.audit()).toBeUndefined()
          compare(life, naive)
        }
      }),
      { numRuns: 400 },
    )
  })

  test('what comes back to a lot whose held points ended meanwhile lives as it would had somebody looked before', () => {
    const [life, naive] = [new Life(SLIDING), new Naive(3 * DAY)]
    const all: Step[] = [
      { do: 'earn', points: 10, pending: 0, lives: 0, after: 0 },
      { do: 'spend', points: 1, after: 0 },
      { do: 'hold', points: 1, hours: 15, after: 58 },
      { do: 'wait', after: 14 }, // all ends but what is held
      { do: 'refund', which: 0, points: 1, grace: false, after: 1 }, // as the hold lapses
    ]
    for (const step of all) {
      life.step(step)
      naive.step(step)
      compare(life, naive)
    }
    expect(life.standing()).toMatchObject({ available: 1, held: 0 })
  })

  test('agree with themselves when returns take more than there is, whatever is held, refunded or moved meanwhile', () => {
    const back: fc.Arbitrary<Step> = fc.record({
      do: fc.constant('return' as const),
      which,
      share: fc.constantFrom(0, 30, 60, 100),
      after,
    })
    fc.assert(
      fc.property(steps([back, back]), fc.constantFrom(0, 10, 1000), fc.boolean(), (all, floor, slides) => {
        const life = new Life({ ...(slides ? SLIDING : DATED), floor })
        for (const step of slides ? all.map(sliding) : all) {
          life.step(step)
          expect(life.audit()).toBeUndefined()
          const wallet = life.state.wallets.find((one) => one.w === WALLET)
          const owed = wallet?.n.reduce((sum, [, points]) => sum + points, 0) ?? 0
          const kept = [...life.lots.values()].reduce((sum, lot) => sum + lot.remaining, 0)
          expect(wallet?.b ?? 0).toBe(kept - owed)
        }
      }),
      { numRuns: 400 },
    )
  })

  test('that went on under other dates, came back or came again are still those of their purchase: a return finds them first', () => {
    fc.assert(
      fc.property(steps(), (all) => {
        const life = new Life(DATED)
        for (const step of all) life.step(step)
        const earned = life.entries.filter((entry) => entry.kind === 1)
        for (const [which, { source }] of earned.entries()) {
          life.step({ do: 'return', which, share: 100, after: 0 })
          const own = life.open().lots.filter((lot) => lot.source === source)
          expect(own.map((lot) => lot.remaining - lot.held)).toEqual(own.map(() => 0))
          expect(life.audit()).toBeUndefined()
        }
      }),
      { numRuns: 200 },
    )
  })

  test('are the same however late, and in however many steps, time is booked; each thing is told once', () => {
    fc.assert(
      fc.property(steps(), fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 6 }), (all, waits) => {
        const [often, late] = [new Life(DATED), new Life(DATED)]
        for (const step of all) {
          often.step(step)
          late.step(step)
        }
        for (const hours of waits) {
          often.now += (hours * DAY) / 24
          often.passTime()
          often.passTime()
        }
        late.now = often.now
        late.passTime()
        expect(often.standing()).toEqual(late.standing())
        expect([often.audit(), late.audit()]).toEqual([undefined, undefined])
        const activated = (life: Life) =>
          life.told.filter(({ type }) => type === 'points.activated').map(({ data }) => data.entry)
        expect(new Set(activated(often)).size).toBe(activated(often).length)
        expect(often.told.filter(({ type }) => type === 'points.released')).toEqual(
          late.told.filter(({ type }) => type === 'points.released'),
        )
      }),
      { numRuns: 200 },
    )
  })

  test('that end are told of once before they do, all of one end together', () => {
    const life = new Life({ notice: 2 * DAY, floor: 0 })
    const earn = (points: number, lives: number): Step => ({ do: 'earn', points, pending: 0, lives, after: 0 })
    life.step(earn(10, 5))
    life.step(earn(20, 5))
    life.step(earn(5, 1)) // ends sooner than it could be told of: told of at once
    const told = () => life.told.filter(({ type }) => type === 'points.will_expire').map(({ data }) => data.points)
    for (let hour = 0; hour < 24 * 6; hour++) {
      life.now += DAY / 24
      expect(life.state.dueAt === 0 || life.state.dueAt > life.now - DAY / 24).toBe(true)
      if (life.state.dueAt > 0 && life.state.dueAt <= life.now) life.passTime()
      if (hour === 1) expect(told()).toEqual([5])
    }
    expect(told()).toEqual([5, 30])
  })
})
