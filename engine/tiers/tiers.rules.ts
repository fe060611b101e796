import { DAY, type Instant } from '@laurel/contract/instants'
import type { LadderTerms, TierWhy } from '@laurel/contract/tiers'
import { dayStart, localDay, shiftDay } from '../base/calendar.ts'
import { endOf } from './ends.rules.ts'
import { baseOf, levelOf, manualLevel, reachedBy, slugOf, worthOf } from './levels.rules.ts'
import {
  day,
  isAtOnce,
  keepFrom,
  kept,
  reachedNow,
  recheck,
  recheckRolling,
  rederive,
  roll,
  type Run,
} from './rechecks.rules.ts'
import type { Bucket, Cause, Course, Given, Standing, TierChange, TierState, TierTold } from './tiers.ts'
import { windowOf } from './windows.rules.ts'

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
export function beginning(
  course: Course,
  member: { member: string; joined: Instant },
  { now, balance, progress }: Given,
): TierState {
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
    standing: standingFrom(course, joined, { now, balance, progress }),
    manual: null,
    historySeq: 0,
    dueAt: 0,
  }
}

/** Where a window is under way: what was reached in the one before is held through it. */
function standingFrom(course: Course, joined: number, given: Given): Standing {
  const { terms } = course.ladder
  const day = localDay(given.now, course.timezone)
  const { from, to, before } = windowOf(terms.window, joined, day)
  if (before === undefined || course.sinks) return { joined, from, to, floor: null }
  const reached = reachedBy(terms, worthOf(course, given, [before, from], from - joined))
  return { joined, from, to, floor: slugOf(terms, reached), before: { from: before, to: from, floor: null } }
}

/**
 * Brings a standing up to now: windows that ended, graces and assignments that are over, a new version of the ladder,
 * and what counts now. Each change is given once, in order, with when it took effect.
 */
export function advance(course: Course, before: TierState, given: Given, cause?: Cause): Advanced {
  const state: TierState = { ...before, standing: { ...before.standing } }
  const run: Run = { course, terms: course.ladder.terms, given, state, changes: [], isNew: before.historySeq === 0 }
  if (run.isNew) settle(run, beginsAt(run, cause), 'reached', baseOf(run.terms))
  if (state.version !== course.ladder.version || state.keeping !== course.ladder.keeping) relearn(run)
  pass(run)
  if (cause?.days) recheck(run, cause)
  settle(run, Math.min(cause?.at ?? given.now, given.now), cause?.why ?? 'reached')
  return { state, changes: run.changes, told: conclude(run, before) }
}

/** What everyone holds is held from the beginning of the membership, or of what is known of the member. */
function beginsAt({ course, state, given }: Run, cause: Cause | undefined): Instant {
  return Math.min(dayStart(state.standing.joined, course.timezone), cause?.at ?? given.now, given.now)
}

// ── time ──

/** Everything that ended by now, in the order in which it did. */
function pass(run: Run): void {
  const { course, given, state } = run
  for (;;) {
    const { to, grace } = state.standing
    const ends: [Instant, () => TierWhy][] = []
    if (to !== null) ends.push([dayStart(to, course.timezone), () => roll(run, to)])
    if (grace) ends.push([grace.until, () => dropGrace(state.standing)])
    if (state.manual && state.manual.until !== null) ends.push([state.manual.until, () => release(state)])
    const [at, end] = ends.sort((a, b) => a[0] - b[0])[0] ?? [Number.POSITIVE_INFINITY, () => 'period_ended']
    if (at > given.now) return
    const why = end()
    settle(run, at, why)
  }
}

function dropGrace(standing: Standing): TierWhy {
  delete standing.grace
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
  const { floor, peak, grace } = state.standing
  const earned = [baseOf(terms), levelOf(terms, floor), levelOf(terms, peak), levelOf(terms, grace?.tier)]
  if (isAtOnce(run)) earned.push(reachedNow(run))
  return Math.max(...earned, manualLevel(terms, state))
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

/**
 * A new version of the ladder: everybody is held against it at once, or nobody falls by it before the kept tier would
 * end.
 */
function relearn(run: Run): void {
  const { course, terms, state, given } = run
  const { ladder } = course
  const { grace } = state.standing
  const firm = ladder.firm > state.version
  const held = heldToEnd(run)
  if (state.keeping !== ladder.keeping) {
    state.standing = standingFrom(course, state.standing.joined, given)
    if (grace && !firm) state.standing.grace = grace
  } else if (firm && !course.sinks && terms.window.kind === 'rolling') recheckRolling(run, terms.window.period)
  else if (firm && !course.sinks && state.standing.before) rederive(run, state.standing.before)
  if (firm && course.sinks) delete state.standing.peak
  const { kind } = terms.window
  if (firm && kind === 'lifetime') state.standing.floor = null
  if (!firm && (kind !== 'lifetime' || !course.sinks)) keepHeld(run, held)
  state.version = ladder.version
  state.keeping = ladder.keeping
  settle(run, given.now, 'ladder_changed')
}

/** What is held to the end of its window: neither what was assigned, nor what a grace lets stand, which end by themselves. */
function heldToEnd({ terms, state }: Run): number {
  const { tier, until, standing, manual } = state
  const graced = standing.grace?.tier === tier && standing.grace?.until === until
  const held = levelOf(terms, tier)
  return !graced && held > levelOf(terms, manual?.tier) ? held : levelOf(terms, standing.floor)
}

function keepHeld(run: Run, held: number): void {
  const { terms, state } = run
  const { standing } = state
  if (held <= levelOf(terms, standing.floor)) return
  standing.floor = slugOf(terms, held)
  if (terms.window.kind === 'rolling' && standing.to === null && held > baseOf(terms))
    standing.to = shiftDay(standing.from, terms.window.period, 1)
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
  changes.push({ from, to, at: since, until: null, why: takenBack ? 'taken_back' : why })
}

/** When it ends if nothing more counts, and what is to be told of that. */
function conclude(run: Run, before: TierState): TierTold[] {
  const { course, terms, state, given, changes } = run
  const told: TierTold[] = []
  const end = endOf(course, state, given)
  state.until = end.until
  for (const change of changes) change.until = end.until
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
