import type { Instant } from '@laurel/contract/instants'
import type { LadderTerms } from '@laurel/contract/tiers'
import { dayStart, localDay, shiftDay } from '../base/calendar.ts'
import { baseOf, levelOf, nextLevel, reachedBy, slugOf, worthOf } from './levels.rules.ts'
import type { Cause, Course, Given, Standing, TierChange, TierState } from './tiers.ts'
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
  const until = graceEnd(localDay(at, course.timezone), terms.grace, course.timezone)
  const tier = slugOf(terms, held)
  if (tier !== null && until > at) standing.grace = { tier, until }
}

/**
 * What changed in a window that is over changes what was carried on from it: what came back was never bought. Within a
 * window this follows from counting it. What is older than the window before stands.
 */
export function recheck(run: Run, { days, back }: Cause): void {
  const { terms, state, course } = run
  const { standing } = state
  const { before } = standing
  if (course.sinks || terms.window.kind === 'lifetime') return
  if (terms.window.kind === 'rolling') {
    if (back) recheckRolling(run, terms.window.period)
    return
  }
  if (!before || !days?.some((one) => one < standing.from && one >= before.from)) return
  rederive(run, before)
}

/** What the window before hands on, again: with the grace that goes with it. */
export function rederive(run: Run, before: NonNullable<Standing['before']>): void {
  const { terms, state, course, given } = run
  const { standing } = state
  const held = levelOf(terms, before.floor)
  const next = nextLevel(terms, held, reachedIn(run, [before.from, standing.from]))
  standing.floor = slugOf(terms, next)
  delete standing.grace
  letStand(run, held, next, dayStart(standing.from, course.timezone))
  if (standing.grace && (standing.grace as { until: Instant }).until <= given.now) delete standing.grace
}

/** Whether what is kept was reached, by the days before it was, or is by those before now; else what it was before. */
export function recheckRolling(run: Run, period: string): void {
  const { terms, state } = run
  const { standing } = state
  const held = levelOf(terms, standing.floor)
  if (held <= baseOf(terms)) return
  const reached = Math.max(reachedIn(run, [shiftDay(standing.from, period, -1), standing.from]), reachedNow(run))
  if (reached >= held) return
  const { before } = standing
  const lasts = before !== undefined && before.to > day(run) && levelOf(terms, before.floor) > reached
  const tomorrow = day(run) + 1
  const [next, from, to] = lasts
    ? [levelOf(terms, before.floor), before.from, before.to]
    : [reached, tomorrow, shiftDay(tomorrow, period, 1)]
  standing.from = from
  standing.floor = slugOf(terms, next)
  standing.to = next <= baseOf(terms) ? null : to
  delete standing.before
}
