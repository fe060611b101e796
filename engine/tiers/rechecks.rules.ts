import type { Instant } from '@laurel/contract/instants'
import type { LadderTerms } from '@laurel/contract/tiers'
import { dayStart, localDay, shiftDay } from '../base/calendar.ts'
import { baseOf, levelOf, nextLevel, reachedBy, slugOf, worthOf } from './levels.rules.ts'
import type { Before, Cause, Course, Given, Standing, TierChange, TierState } from './tiers.ts'
import { countedDays, graceEnd } from './windows.rules.ts'

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
function goOn(standing: Standing, { from, floor }: Before, to: number): void {
  standing.from = from
  standing.to = to
  standing.floor = floor
  delete standing.before
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
 * Whether what is kept was reached, by the days before it was, or was handed on when the kept one before it ended, or is
 * reached by the days before now; else what it was before, for as long as it would have been.
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
  const reached = reachedNow(run)
  if (Math.max(next, reached) >= held) return
  if (before && before.to > day(run) && levelOf(terms, before.floor) >= Math.max(next, reached)) {
    standing.from = before.from
    standing.floor = before.floor
    standing.to = levelOf(terms, before.floor) <= baseOf(terms) ? null : before.to
    delete standing.before
  } else if (next >= reached) {
    handOn(run, ended ?? next, next)
    if (next <= baseOf(terms)) standing.to = null
  } else {
    standing.from = day(run) + 1
    standing.floor = slugOf(terms, reached)
    standing.to = reached <= baseOf(terms) ? null : shiftDay(standing.from, period, 1)
    delete standing.before
  }
}
