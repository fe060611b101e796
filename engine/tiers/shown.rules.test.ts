import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY, parseInstant } from '@laurel/contract/instants'
import type { LadderTerms, TierWindow } from '@laurel/contract/tiers'
import { localDay } from '../base/calendar.ts'
import { withChanges } from './levels.rules.ts'
import { shownTier, standingNow } from './shown.rules.ts'
import { advance } from './tiers.rules.ts'
import { type Bucket, type Counted, type Course, type Given, MEASURES, type TierState } from './tiers.ts'

const ZONE = 'Europe/London'
const ADA = '019aa000-0000-7000-8000-00000000000a'
const at = (text: string) => parseInstant(text) as number

function course(window: TierWindow, differs: Partial<LadderTerms> = {}, sinks = false): Course {
  const tiers = [
    { slug: 'green', name: 'Green', threshold: 0 },
    { slug: 'silver', name: 'Silver', threshold: 100, benefits: { multiplier: '1.25' } },
    { slug: 'gold', name: 'Gold', threshold: 300, benefits: { multiplier: '1.5' } },
  ]
  const terms: LadderTerms = {
    name: 'Status',
    metric: sinks ? { kind: 'balance', wallet: 'points' } : { kind: 'spend' },
    window,
    upgrade: 'at_once',
    downgrade: 'reassess',
    grace: null,
    noticeDays: null,
    tiers,
    ...differs,
  }
  const id = '019aa000-0000-7000-8000-000000000001'
  const ladder = { ladderId: 1, id, programId: 1, slug: 'status', version: 1, keeping: 1, firm: 1, terms, createdAt: 0 }
  const worth = ({ spend, balance }: Counted) => (sinks ? balance : spend)
  return { ladder, timezone: ZONE, sinks, worth, past: () => [] }
}

const YEAR: TierWindow = { kind: 'calendar', per: 'year' }
const member = { member: ADA, joined: at('2026-02-10T12:00:00Z') }
const spent = (day: string, amount: number): Bucket => ({
  measure: MEASURES.spend,
  day: localDay(at(`${day}T12:00:00Z`), ZONE),
  amount,
})
const given = (now: string, progress: Bucket[] = [], balance = 0): Given => ({ now: at(now), balance, progress })

/** Played through the days on which something counted, then looked at. */
function played(on: Course, known: Given): { state: TierState; shown: ReturnType<typeof shownTier> } {
  let state: TierState | undefined
  const bought: Bucket[] = []
  for (const bucket of known.progress.toSorted((a, b) => a.day - b.day)) {
    bought.push(bucket)
    const now = bucket.day * DAY + DAY / 2
    if (now > known.now) break
    const then = { ...known, now, progress: withChanges([], bought) }
    const cause = { at: now, why: 'reached' as const, days: [bucket.day] }
    state = advance(on, state ?? standingNow(on, member, undefined, { ...then, progress: [] }), then, cause).state
  }
  state = standingNow(on, member, state, known)
  return { state, shown: shownTier(on, 'coffee', state, known) }
}

describe('what a member sees', () => {
  test('of a calendar year, in which the tier was reached', () => {
    const { shown } = played(
      course(YEAR),
      given('2026-11-22T09:30:00Z', [spent('2026-05-01', 80), spent('2026-06-01', 70)]),
    )
    expect(shown).toMatchObject({
      tier: 'silver',
      name: 'Silver',
      until: '2028-01-01T00:00:00.000Z',
      benefits: { multiplier: '1.25' },
      counted: 150,
      window: { from: '2026-01-01T00:00:00.000Z', until: '2027-01-01T00:00:00.000Z' },
      next: { tier: 'gold', threshold: 300, missing: 150, percent: 50, deadline: '2027-01-01T00:00:00.000Z' },
      keep: { tier: 'silver', missing: 100, percent: 0, deadline: '2028-01-01T00:00:00.000Z' },
      assigned: null,
    })
  })

  test('of the year after: what is missing to keep it', () => {
    const bought = [spent('2026-05-01', 150), spent('2027-02-01', 40)]
    const { shown } = played(course(YEAR), given('2027-03-01T09:30:00Z', bought))
    expect(shown).toMatchObject({
      tier: 'silver',
      until: '2028-01-01T00:00:00.000Z',
      counted: 40,
      next: { tier: 'gold', missing: 260, percent: 13, deadline: '2028-01-01T00:00:00.000Z' },
      keep: { tier: 'silver', missing: 60, percent: 40, deadline: '2028-01-01T00:00:00.000Z' },
    })
  })

  test('of a grace: the tier stands a while, and can be kept until it ends', () => {
    const grace = { period: 'P1M', roundUp: 'month' as const }
    const { shown } = played(course(YEAR, { grace }), given('2028-01-15T09:30:00Z', [spent('2026-05-01', 150)]))
    expect(shown).toMatchObject({
      tier: 'silver',
      until: '2028-02-01T00:00:00.000Z',
      counted: 0,
      keep: { tier: 'silver', missing: 100, percent: 0, deadline: '2028-02-01T00:00:00.000Z' },
    })
  })

  test('of a balance: what is there now', () => {
    const { shown } = played(course({ kind: 'lifetime' }, {}, true), given('2026-11-22T09:30:00Z', [], 120))
    expect(shown).toMatchObject({ tier: 'silver', until: null, counted: 120, keep: null })
    expect(shown.window).toEqual({ from: null, until: null })
    expect(shown.next).toMatchObject({ tier: 'gold', missing: 180, percent: 40, deadline: null })
  })

  test('of an upgrade that waits: nothing is missing, and when it comes', () => {
    const waits = course(YEAR, { upgrade: 'period_end' })
    const { shown } = played(waits, given('2026-11-22T09:30:00Z', [spent('2026-05-01', 150)]))
    expect(shown).toMatchObject({ tier: 'green', until: null, counted: 150 })
    expect(shown.next).toMatchObject({ tier: 'silver', missing: 0, percent: 100, deadline: '2027-01-01T00:00:00.000Z' })
  })

  test('of an expression that comes to anything: whole numbers that every reader sees exactly', () => {
    for (const worth of [1e300, -1e300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 99.5]) {
      const { shown } = played({ ...course(YEAR), worth: () => worth }, given('2026-11-22T09:30:00Z'))
      const numbers = [shown.counted, shown.next?.missing ?? 0, shown.next?.percent ?? 0, shown.keep?.missing ?? 0]
      expect(numbers.every(Number.isSafeInteger), `${worth}: ${numbers.join(' ')}`).toBe(true)
    }
    const { shown } = played({ ...course(YEAR), worth: () => 99.5 }, given('2026-11-22T09:30:00Z'))
    expect(shown).toMatchObject({ tier: 'green', counted: 99, next: { missing: 1, percent: 99 } })
  })

  test('of a tier that was given by hand', () => {
    const known = given('2026-11-22T09:30:00Z', [spent('2026-05-01', 30)])
    const { state } = played(course(YEAR), known)
    const manual = { tier: 'gold', until: at('2027-07-01T00:00:00Z'), reason: 'Guest', by: ADA }
    const held = standingNow(course(YEAR), member, { ...state, manual }, known)
    expect(shownTier(course(YEAR), 'coffee', held, known)).toMatchObject({
      tier: 'gold',
      until: '2027-07-01T00:00:00.000Z',
      next: null,
      keep: { tier: 'gold', missing: 270, percent: 10, deadline: '2027-07-01T00:00:00.000Z' },
      assigned: { tier: 'gold', until: '2027-07-01T00:00:00.000Z', reason: 'Guest' },
    })
  })
})

const window = fc.constantFrom<TierWindow>(
  YEAR,
  { kind: 'calendar', per: 'month' },
  { kind: 'rolling', period: 'P90D' },
  { kind: 'join_anniversary' },
  { kind: 'tier_anniversary' },
  { kind: 'lifetime' },
)
const START = localDay(member.joined, ZONE)
const purchases = fc.array(
  fc.record({ day: fc.integer({ min: 0, max: 900 }), amount: fc.integer({ min: 1, max: 200 }) }),
  {
    maxLength: 12,
  },
)
const life = fc
  .record({ window, purchases, today: fc.integer({ min: 0, max: 1000 }) })
  .map(({ window: how, purchases: all, today }) => {
    const on = course(how)
    const bought = all.map(({ day, amount }) => ({ measure: MEASURES.spend, day: START + day, amount }))
    const now = (START + today) * DAY + DAY / 2 + DAY / 4
    const before = withChanges(
      [],
      bought.filter(({ day }) => day <= START + today),
    )
    return { on, known: { now, balance: 0, progress: before } }
  })
/** What buys for so much right now come to. */
function bought(on: Course, state: TierState, known: Given, amount: number): TierState {
  const bucket = { measure: MEASURES.spend, day: localDay(known.now, ZONE), amount }
  const then = { ...known, progress: withChanges(known.progress, [bucket]) }
  return advance(on, state, then, { at: known.now, why: 'reached', days: [bucket.day] }).state
}

describe('for any life on any window', () => {
  test('what is missing for the next tier is just what it takes: a unit less does not do', () => {
    fc.assert(
      fc.property(life, ({ on, known }) => {
        const { state, shown } = played(on, known)
        if (!shown.next) return
        expect(shown.next.missing).toBeGreaterThan(0)
        expect(bought(on, state, known, shown.next.missing).tier).toBe(shown.next.tier)
        expect(bought(on, state, known, shown.next.missing - 1).tier).toBe(shown.tier)
      }),
      { numRuns: 500 },
    )
  })

  test('what is missing to keep a tier, bought today, makes it end later; a unit less does not', () => {
    fc.assert(
      fc.property(life, ({ on, known }) => {
        const { state, shown } = played(on, known)
        if (!shown.keep || shown.until === null) return
        expect(at(shown.keep.deadline as string)).toBeGreaterThan(known.now)
        expect(shown.keep.deadline).toBe(shown.until)
        const decides = shown.counted < shown.keep.threshold
        if (!decides || shown.keep.missing === 0) return // the window that decides has not begun
        const end = (one: TierState) => one.until ?? Number.POSITIVE_INFINITY
        expect(end(bought(on, state, known, shown.keep.missing))).toBeGreaterThan(end(state))
        expect(end(bought(on, state, known, shown.keep.missing - 1))).toBe(end(state))
      }),
      { numRuns: 500 },
    )
  })

  test('numbers are whole, and percent is never 100 while something is missing', () => {
    fc.assert(
      fc.property(life, ({ on, known }) => {
        const { shown } = played(on, known)
        for (const goal of [shown.next, shown.keep]) {
          if (!goal) continue
          expect([goal.missing, goal.percent, shown.counted].every(Number.isInteger)).toBe(true)
          expect(goal.percent === 100).toBe(goal.missing === 0)
          expect(goal.percent).toBeGreaterThanOrEqual(0)
        }
      }),
    )
  })
})
