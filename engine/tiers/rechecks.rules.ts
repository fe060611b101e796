import type { Instant } from '@laurel/contract/instants'
import type { LadderTerms, TierWhy } from '@laurel/contract/tiers'
import { dayStart, localDay, shiftDay } from '../base/calendar.ts'
import { baseOf, levelOf, nextLevel, reachedBy, slugOf, worthOf } from './levels.rules.ts'
import type { Before, Cause, Course, Given, Standing, TierChange, TierState } from './tiers.ts'
import { countedDays, graceEnd, nextEnd } from './windows.rules.ts'

/** A standing while it is looked at. */
export type Run = {
  course: Course
  terms: LadderTerms
  given: Given
  state: TierState
  changes: TierChange[]
  isNew: boolean
}

/** The local day of now. */
export function day({ course, given }: Run): number {
  return localDay(given.now, course.timezone)
}

function worth(run: Run, days: readonly [number, number]): number {
  return worthOf(run.course, run.given, days, day(run) - run.state.standing.joined)
}

/** The level that what counts on these days reaches. */
export function reachedIn(run: Run, days: readonly [number, number]): number {
  return reachedBy(run.terms, worth(run, days))
}

/** The level that the window under way has reached. */
export function reachedNow(run: Run): number {
  return reachedIn(run, countedDays(run.terms.window, run.state.standing, day(run)))
}

/** Whether tiers change as soon as they are reached: what never ends cannot wait for its end. */
export function isAtOnce({ terms }: Run): boolean {
  return terms.upgrade === 'at_once' || terms.window.kind === 'lifetime' || terms.window.kind === 'rolling'
}

/** Grace for what falls: unless more is let stand already. */
export function letStand({ course, terms, state }: Run, held: number, next: number, at: Instant): void {
  const { standing } = state
  if (terms.grace === null || next >= held || levelOf(terms, standing.grace?.tier) >= held) return
  const ended = localDay(at, course.timezone)
  const until = graceEnd(ended, terms.grace, course.timezone)
  const tier = slugOf(terms, held)
  if (tier !== null && until > at) standing.grace = { tier, until, day: ended }
}

/**
 * What changed in a window that is over changes what was carried on from it: what came back was never bought. Within a
 * window this follows from counting it. What is older than the window before stands.
 */
export function recheck(run: Run, { days, back }: Cause): void {
  const { terms, state, course } = run
  const { standing } = state
  if (course.sinks || terms.window.kind === 'lifetime') return
  if (terms.window.kind === 'rolling') {
    if (back) recheckRolling(run, terms.window.period)
    return
  }
  if (back && standing.whole !== undefined && reachedNow(run) <= kept(run)) unreach(standing)
  const { before } = standing
  if (!before || !days?.some((one) => one < standing.from && one >= before.from)) return
  rederive(run, before)
}

/** What is held through the window under way, whatever counts in it. */
export function kept({ terms, state }: Run): number {
  const { floor, peak } = state.standing
  return Math.max(baseOf(terms), levelOf(terms, floor), levelOf(terms, peak))
}

/** A tier was to begin a year tomorrow, and is not reached any more: the window goes on as if it never had been. */
function unreach(standing: Standing): void {
  standing.to = standing.whole ?? standing.to
  delete standing.whole
}

/** What the window before hands on, again: with the grace that goes with it. An older grace stands. */
export function rederive(run: Run, before: Before): void {
  const { terms, state } = run
  const { standing } = state
  const held = levelOf(terms, before.floor)
  const reached = reachedIn(run, [before.from, standing.from])
  if (before.whole !== undefined && before.whole > day(run) && reached <= Math.max(held, baseOf(terms))) {
    goOn(standing, before, before.whole)
    return
  }
  handOn(run, held, nextLevel(terms, held, reached))
}

/** The tier that began the year was never reached: so the year did not begin, and what counted before it still does. */
function goOn(standing: Standing, { from, floor, before }: Before, to: number): void {
  standing.from = from
  standing.to = to
  standing.floor = floor
  if (before) standing.before = before
  else delete standing.before
}

function handOn(run: Run, held: number, next: number): void {
  const { terms, state, course, given } = run
  const { standing } = state
  standing.floor = slugOf(terms, next)
  if (standing.grace?.day === standing.from) delete standing.grace
  letStand(run, held, next, dayStart(standing.from, course.timezone))
  if (standing.grace && standing.grace.until <= given.now) delete standing.grace
}

/**
 * Where what is kept was not reached by the days before it was, nor handed on when the kept one before it ended: it is
 * worked out again from what was held before, day by day.
 */
export function recheckRolling(run: Run, period: string): void {
  const { terms, state } = run
  const { standing } = state
  const held = levelOf(terms, standing.floor)
  if (held <= baseOf(terms)) return
  const { before } = standing
  const ended = before !== undefined && before.to === standing.from ? levelOf(terms, before.floor) : undefined
  const then = reachedIn(run, [shiftDay(standing.from, period, -1), standing.from])
  const next = ended === undefined ? then : nextLevel(terms, ended, then)
  if (next >= held) return
  const fallsBack = before !== undefined && ended === undefined
  if (fallsBack) goOn(standing, before, before.to)
  else handOn(run, ended ?? next, next)
  if (levelOf(terms, standing.floor) <= baseOf(terms)) standing.to = null
  if (fallsBack) recheckRolling(run, period)
  replay(run, period)
}

/** What was reached since, and what ended, as if somebody had looked every day. */
function replay(run: Run, period: string): void {
  const { terms, state, given } = run
  const { standing } = state
  const today = day(run)
  const rollUntil = (last: number) => {
    while (standing.to !== null && standing.to <= last) roll(run, standing.to)
  }
  const days = new Set(given.progress.map((bucket) => bucket.day))
  const since = standing.from - 1
  for (const one of [...days].filter((d) => d >= since && d <= today).sort((x, y) => x - y)) {
    rollUntil(one)
    const reached = reachedIn(run, [shiftDay(one + 1, period, -1), one + 1])
    if (reached > Math.max(baseOf(terms), levelOf(terms, standing.floor))) keepFrom(run, reached, one + 1, period)
  }
  rollUntil(today)
  if (standing.grace && standing.grace.until <= given.now) delete standing.grace
}

/** What was reached on a rolling ladder is kept for as long again, from that day on. */
export function keepFrom({ terms, state }: Run, reached: number, from: number, period: string): void {
  const { standing } = state
  const { before } = standing
  standing.before = {
    from: standing.from,
    to: standing.to ?? standing.from,
    floor: standing.floor,
    ...(before && standing.to !== null ? { before } : {}),
  }
  standing.floor = slugOf(terms, reached)
  standing.from = from
  standing.to = shiftDay(from, period, 1)
}

/** A window ends: what it came to is held through the next. */
export function roll(run: Run, to: number): TierWhy {
  const { course, terms, state } = run
  const { standing } = state
  // a grace that ends here no longer keeps the next one from standing
  if (standing.grace && standing.grace.until <= dayStart(to, course.timezone)) delete standing.grace
  const held = Math.max(levelOf(terms, standing.floor), levelOf(terms, standing.peak))
  const from = terms.window.kind === 'rolling' ? shiftDay(to, terms.window.period, -1) : standing.from
  const reached = reachedIn(run, [from, to])
  const next = nextLevel(terms, held, reached)
  standing.before = { from: standing.from, to, floor: slugOf(terms, held) }
  if (standing.whole !== undefined) standing.before.whole = standing.whole
  delete standing.whole
  standing.from = to
  standing.to = nextEnd(terms.window, standing.joined, to)
  standing.floor = slugOf(terms, next)
  delete standing.peak
  if (terms.window.kind === 'rolling' && next <= baseOf(terms)) standing.to = null
  letStand(run, held, next, dayStart(to, course.timezone))
  return 'period_ended'
}
