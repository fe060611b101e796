import type { Instant } from '@laurel/contract/instants'
import type { LadderTerms } from '@laurel/contract/tiers'
import { localDay } from '../base/calendar.ts'
import { baseOf, levelOf, reachedBy, slugOf, worthOf } from './levels.rules.ts'
import type { Course, Given, Kept, TierChange, TierState } from './tiers.ts'
import { countedDays } from './windows.rules.ts'

/**
 * A standing while it is looked at: by one version of its ladder, as of one instant (`given.now`). told: all that is
 * known, as the newest version counts; given: the same as this one does.
 */
export type Run = {
  newest: Course
  told: Given
  course: Course
  terms: LadderTerms
  given: Given
  state: TierState
  changes: TierChange[]
  isNew: boolean
}

export function runOf(newest: Course, state: TierState, told: Given): Run {
  const { terms } = newest.ladder
  return { newest, told, course: newest, terms, given: told, state, changes: [], isNew: state.historySeq === 0 }
}

/** The same by that version, as of that instant. */
export function as(run: Run, course: Course, now: Instant): Run {
  return { ...run, course, terms: course.ladder.terms, given: givenBy(run, course, now) }
}

/** What is known, as that version counts it, as of that instant. */
export function givenBy({ newest, told }: Pick<Run, 'newest' | 'told'>, course: Course, now: Instant): Given {
  const same = course.ladder.keeping === newest.ladder.keeping
  const { balance, progress } = same ? told : (told.by?.(course) ?? { balance: 0, progress: [] })
  return { ...told, balance, progress, now }
}

/** The local day of now. */
export function day({ course, given }: Run): number {
  return localDay(given.now, course.timezone)
}

/** The level that what counts on these days reaches. */
export function reachedIn(run: Run, days: readonly [number, number]): number {
  return reachedBy(run.terms, worthOf(run.course, run.given, days, day(run) - run.state.standing.joined))
}

/** The level that the window under way has reached. */
export function reachedNow(run: Run): number {
  return reachedIn(run, countedDays(run.terms.window, run.state.standing, day(run)))
}

/** Whether tiers change as soon as they are reached: what never ends cannot wait for its end. */
export function isAtOnce({ terms }: Pick<Run, 'terms'>): boolean {
  return terms.upgrade === 'at_once' || terms.window.kind === 'lifetime' || terms.window.kind === 'rolling'
}

/** What is held through the window under way, whatever counts in it. */
export function kept(run: Run): number {
  const { terms, state } = run
  const { floor, peak, kept: all } = state.standing
  return Math.max(baseOf(terms), levelOf(terms, floor), levelOf(terms, peak), keptLevel(run, all))
}

/** What a version says of its own: neither what others let stand, nor graces, nor what was assigned. */
export function ownLevel(run: Run): number {
  const { terms, state } = run
  const { floor, peak } = state.standing
  const reached = isAtOnce(run) ? reachedNow(run) : -1
  return Math.max(baseOf(terms), levelOf(terms, floor), levelOf(terms, peak), reached)
}

/** What older versions let stand, as far as what it rests on still counts. */
export function keptLevel(run: Run, all: readonly Kept[] | undefined): number {
  return Math.max(-1, ...(all ?? []).map((one) => levelOf(run.terms, stillHeld(run, one))))
}

/** The tier that one of them lets stand, by the version that it is of. */
export function stillHeld(run: Run, one: Kept): string | null {
  const then = runThen(run, one)
  if (!then) return one.tier
  const rests = one.since === undefined ? ownLevel(then) : reachedIn(then, [one.since, day(then) + 1])
  return slugOf(then.terms, Math.min(levelOf(then.terms, one.tier), rests))
}

/** The standing of then, as it was when the next version was published; of what counted by then, what is left of it. */
export function runThen(run: Run, { version, at, standing }: Kept): Run | undefined {
  const course = versionOf(run.newest, version)
  if (!course) return undefined
  const then = as({ ...run, state: { ...run.state, standing } }, course, at)
  const last = day(then) // what is bought later on that day cannot be told from it
  then.given = { ...then.given, progress: then.given.progress.filter((bucket) => bucket.day <= last) }
  return then
}

export function versionOf(newest: Course, version: number): Course | undefined {
  return newest.ladder.version === version ? newest : newest.past().find(({ ladder }) => ladder.version === version)
}

/** The versions that count in the same way, up to the one by which is looked. */
export function versionsUntil({ newest, course }: Run): Course[] {
  const { version, keeping } = course.ladder
  const past = newest.ladder.past?.length ? newest.past() : []
  return [...past.filter(({ ladder }) => ladder.keeping === keeping && ladder.version < version), course]
}
