import { DAY, type Instant } from '@laurel/contract/instants'
import type { LadderTerms, TierWhy } from '@laurel/contract/tiers'
import { dayStart, localDay } from '../base/calendar.ts'
import { endOf, highestGrace } from './ends.rules.ts'
import { baseOf, levelOf, manualLevel, slugOf } from './levels.rules.ts'
import { keepFrom, keepGraces, roll } from './hand-on.rules.ts'
import { recheck, recheckKept } from './rechecks.rules.ts'
import { as, day, givenBy, isAtOnce, kept, reachedNow, type Run, runOf } from './runs.rules.ts'
import type { Bucket, Cause, Course, Given, Standing, TierChange, TierState, TierTold } from './tiers.ts'
import { relearn, standingFrom, versionAt, versionsSince } from './versions.rules.ts'

/**
 * What a member holds on a ladder, and when that changes. A tier is what is kept through the window (`floor`: what the
 * window before it came to), what the window has reached (where tiers change at once), what a grace lets stand, or what
 * somebody assigned: the highest. Everything that looks at a standing brings it up to its own now by the same function,
 * however late.
 */

export type Advanced = { state: TierState; changes: TierChange[]; told: TierTold[] }

/**
 * The standing of a member of whom nothing was written yet, by what counts so far. It holds nothing before `advance`.
 */
export function beginning(course: Course, member: { member: string; joined: Instant }, given: Given): TierState {
  const { ladder, timezone } = course
  const joined = localDay(member.joined, timezone)
  return {
    member: member.member,
    ladderId: ladder.ladderId,
    version: ladder.version,
    keeping: ladder.keeping,
    tier: null,
    since: null,
    until: null,
    standing: standingFrom(course, joined, given),
    manual: null,
    historySeq: 0,
    dueAt: 0,
  }
}

/**
 * The same, and what became of it since the ladder was made, or the member joined: whoever looks first sees what those
 * would have come to who looked every day. at: when the first happened that is known of the member, where that was before
 * both. Of a balance, only the one of now is known: so that begins now.
 */
export function begin(
  newest: Course,
  member: { member: string; joined: Instant },
  given: Given,
  at: Instant,
): Advanced {
  const since = Math.min(given.now, Math.max(newest.ladder.createdAt, member.joined))
  const start = newest.sinks ? given.now : since
  const first = newest.sinks ? newest : versionAt(newest, start)
  const state = beginning(first, member, givenBy({ newest, told: given }, first, start))
  const held = Math.min(at, since)
  return broughtTo(runOf(newest, state, given), state, start, { at: held, why: 'reached' }, held)
}

/**
 * Brings a standing up to now: windows that ended, graces and assignments that are over, new versions of the ladder,
 * and what counts now. Each change is given once, in order, with when it took effect.
 */
export function advance(course: Course, before: TierState, given: Given, cause?: Cause): Advanced {
  const state: TierState = { ...before, standing: { ...before.standing } }
  return broughtTo(runOf(course, state, given), before, given.now, cause)
}

/** start: of who is new, when it began. since: since when it holds what everyone does, where that is known. */
function broughtTo(now: Run, before: TierState, start: Instant, cause: Cause | undefined, since?: Instant): Advanced {
  const { state, changes, newest, told } = now
  const versions = versionsSince(newest, state)
  const known = versions[0]?.ladder.version === state.version
  let run = as(now, versions[0] ?? newest, start)
  if (run.isNew) settle(run, since ?? beginsAt(run, cause), 'reached', baseOf(run.terms))
  if (run.isNew && start < told.now) settle(run, Math.min(cause?.at ?? start, start), 'reached')
  for (const next of known ? versions.slice(1) : versions) run = pastVersion(run, next)
  run = as(now, newest, told.now)
  pass(run, told.now)
  if (cause?.days) recheckKept(run, cause)
  if (cause?.days) recheck(run, cause)
  settle(run, Math.min(cause?.at ?? told.now, told.now), cause?.why ?? 'reached')
  return { state, changes, told: conclude(run, before) }
}

/** What everyone holds is held from the beginning of the membership, or of what is known of the member. */
function beginsAt({ course, state, given }: Run, cause: Cause | undefined): Instant {
  return Math.min(dayStart(state.standing.joined, course.timezone), cause?.at ?? given.now, given.now)
}

/** Up to when the next version was published all goes by the one before; from then on by that. */
function pastVersion(before: Run, next: Course): Run {
  const { told, course } = before
  const at = Math.min(next.ladder.publishedAt ?? told.now, told.now)
  const old = as(before, course, at)
  pass(old, at)
  if (!old.course.sinks) settle(old, at, 'reached') // how long somebody is a member may have lifted it
  const run = relearn(old, next)
  settle(run, at, 'ladder_changed')
  return run
}

// ── time ──

/** Everything that ended by then, in the order in which it did; each end is seen as of itself. */
function pass(run: Run, until: Instant): void {
  const { course, state } = run
  for (;;) {
    const { to, graces } = state.standing
    const ends: [Instant, (then: Run) => TierWhy][] = []
    if (to !== null) ends.push([dayStart(to, course.timezone), (then) => roll(then, to)])
    for (const grace of graces ?? []) ends.push([grace.until, () => dropGraces(state.standing, grace.until)])
    if (state.manual && state.manual.until !== null) ends.push([state.manual.until, () => release(state)])
    const [at, end] = ends.sort((a, b) => a[0] - b[0])[0] ?? [Number.POSITIVE_INFINITY, () => 'period_ended']
    if (at > until) return
    const then = as(run, course, at)
    settle(then, at, end(then))
  }
}

function dropGraces(standing: Standing, over: Instant): TierWhy {
  keepGraces(standing, ({ until }) => until > over)
  return 'period_ended'
}

function release(state: TierState): TierWhy {
  state.manual = null
  return 'assignment_ended'
}

// ── what counts ──

/** What is held by all of it. */
function holds(run: Run): number {
  const { terms, state } = run
  const graced = levelOf(terms, highestGrace(terms, state.standing.graces)?.tier)
  const reached = isAtOnce(run) ? reachedNow(run) : -1
  return Math.max(kept(run), graced, reached, manualLevel(terms, state))
}

/** What was reached is kept: for as long again from tomorrow on, or as what the metric once came to. */
function keepReached(run: Run): void {
  const { course, terms, state } = run
  const { standing } = state
  if (!isAtOnce(run)) return
  const reached = reachedNow(run)
  const tomorrow = day(run) + 1
  const more = reached > kept(run)
  const { kind } = terms.window
  if (course.sinks && (kind !== 'lifetime' || terms.downgrade === 'none') && kind !== 'rolling') {
    if (more) standing.peak = slugOf(terms, reached) ?? ''
  }
  if (!more) return
  if (kind === 'tier_anniversary' && standing.to !== null && standing.to > tomorrow) {
    standing.whole = standing.to
    standing.to = tomorrow
  }
  if (terms.window.kind === 'rolling') keepFrom(run, reached, tomorrow, terms.window.period)
}

// ── changes ──

/**
 * Notes what is held now, where that differs; never before the change before it. `level`: what is held, where that is
 * known.
 */
function settle(run: Run, at: Instant, why: TierWhy, level?: number): void {
  const { terms, state, changes } = run
  if (level === undefined) keepReached(run)
  const held = level ?? holds(run)
  const to = slugOf(terms, held)
  if (to === state.tier) return
  const from = state.tier
  const takenBack = why === 'reached' && held < levelOf(terms, from)
  const since = Math.max(takenBack ? run.given.now : at, state.since ?? at)
  state.tier = to
  state.since = since
  state.historySeq += 1
  changes.push({ from, to, at: since, until: endOf(run).until, why: takenBack ? 'taken_back' : why })
}

/** When it ends if nothing more counts, and what is to be told of that. */
function conclude(run: Run, before: TierState): TierTold[] {
  const { course, terms, state, given, changes } = run
  const told: TierTold[] = []
  const end = endOf(run)
  state.until = end.until
  if (changes.length === 0 && !run.isNew && state.tier !== null && isLater(end.until, before.until))
    told.push({ kind: 'prolonged', until: end.until })
  const due = end.looks.filter((at) => at > given.now)
  if (end.until !== null && terms.noticeDays !== null) {
    const notice = end.until - terms.noticeDays * DAY
    if (notice > given.now) due.push(notice)
    else if (state.standing.noticed !== end.until) {
      state.standing.noticed = end.until
      told.push({ kind: 'ending', until: end.until, to: slugOf(terms, end.next) })
    }
  }
  const today = day(run)
  if (given.progress.some((bucket) => bucket.day > today)) due.push(dayStart(today + 1, course.timezone)) // dated ahead
  state.dueAt = due.length === 0 ? 0 : Math.min(...due)
  return told
}

function isLater(a: Instant | null, b: Instant | null): boolean {
  if (b === null) return false
  return a === null || a > b
}

/** The tier that was held at an instant, of changes in order; before the first, what everyone holds. */
export function heldAt(
  terms: LadderTerms,
  changes: readonly Pick<TierChange, 'to' | 'at'>[],
  at: Instant,
): string | null {
  const last = changes.findLast((change) => change.at <= at)
  return last ? last.to : slugOf(terms, baseOf(terms))
}

/** Days of which the counts changed, for a cause. */
export function daysOf(changes: readonly Bucket[]): number[] {
  return [...new Set(changes.map(({ day }) => day))]
}
