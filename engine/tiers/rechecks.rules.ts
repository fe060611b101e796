import type { Instant } from '@laurel/contract/instants'
import type { TierWhy } from '@laurel/contract/tiers'
import { dayStart, localDay, shiftDay } from '../base/calendar.ts'
import type { Ladder } from './ladders.ts'
import { baseOf, levelOf, nextLevel, slugOf, worthOf } from './levels.rules.ts'
import { day, kept, keptLevel, reachedIn, reachedNow, type Run, runThen } from './runs.rules.ts'
import type { Before, Cause, Course, Grace, Kept, Standing } from './tiers.ts'
import { graceEnd, nextEnd } from './windows.rules.ts'

/** Grace for what falls: one a tier, as long as the latest of them. */
export function letStand({ course, terms, state }: Run, held: number, next: number, at: Instant): void {
  const { standing } = state
  const tier = slugOf(terms, held)
  if (terms.grace === null || next >= held || tier === null) return
  const ended = localDay(at, course.timezone)
  const until = graceEnd(ended, terms.grace, course.timezone)
  const all = standing.graces ?? []
  if (until <= at || all.some((one) => one.tier === tier && one.until >= until)) return
  standing.graces = [...all.filter((one) => one.tier !== tier), { tier, until, day: ended }]
}

/** Those that are not over, or go by something else. */
export function keepGraces(standing: Standing, stays: (grace: Grace) => boolean): void {
  const graces = standing.graces?.filter(stays)
  if (graces?.length) standing.graces = graces
  else delete standing.graces
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

/** The same of what older versions let stand: it rests on what they counted. */
export function recheckKept(run: Run, cause: Cause): void {
  const { standing } = run.state
  if (standing.kept) standing.kept = recheckedKept(run, standing.kept, cause)
  if (standing.before) standing.before = recheckedBefore(run, standing.before, cause)
}

function recheckedBefore(run: Run, before: Before, cause: Cause): Before {
  const again = { ...before }
  if (before.kept) again.kept = recheckedKept(run, before.kept, cause)
  if (before.before) again.before = recheckedBefore(run, before.before, cause)
  return again
}

function recheckedKept(run: Run, all: readonly Kept[], cause: Cause): Kept[] {
  return all.map((one) => {
    const then = runThen(run, { ...one, standing: { ...one.standing } })
    if (!then) return one
    recheck(then, cause)
    const { graces: _, ...standing } = then.state.standing
    return { ...one, standing }
  })
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
  const held = heldThrough(run, before)
  const reached = reachedIn(run, [before.from, standing.from])
  if (before.whole !== undefined && before.whole > day(run) && reached <= Math.max(held, baseOf(terms))) {
    goOn(standing, before, before.whole)
    return
  }
  handOn(run, held, nextLevel(terms, held, reached))
}

/** What was held through a window that is over, whatever counted in it. */
function heldThrough(run: Run, { floor, kept: all }: Before): number {
  return Math.max(levelOf(run.terms, floor), keptLevel(run, all))
}

/** The tier that began the year was never reached: so the year did not begin, and what counted before it still does. */
function goOn(standing: Standing, { from, floor, before, kept: older = [] }: Before, to: number): void {
  standing.from = from
  standing.to = to
  standing.floor = floor
  // what was let stand since is let stand on
  const since = standing.kept ?? []
  const all = [...since, ...older.filter(({ tier }) => !since.some((one) => one.tier === tier))]
  if (all.length > 0) standing.kept = all
  if (before) standing.before = before
  else delete standing.before
}

function handOn(run: Run, held: number, next: number): void {
  const { terms, state, course, given } = run
  const { standing } = state
  standing.floor = slugOf(terms, next)
  keepGraces(standing, (grace) => grace.day !== standing.from)
  letStand(run, held, next, dayStart(standing.from, course.timezone))
  keepGraces(standing, (grace) => grace.until > given.now)
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
  const ended = before !== undefined && before.to === standing.from ? heldThrough(run, before) : undefined
  const then = reachedOn(run, standing.from - 1, period)
  const next = ended === undefined ? then : nextLevel(terms, ended, then)
  if (next >= held) return
  const fallsBack = before !== undefined && ended === undefined
  if (fallsBack) goOn(standing, before, before.to)
  else handOn(run, ended ?? next, next)
  if (levelOf(terms, standing.floor) <= baseOf(terms)) standing.to = null
  if (fallsBack) recheckRolling(run, period)
  replay(run, period)
  keepRolling(run, period)
}

/** What older versions let stand on a rolling ladder is kept as long as it was to be, or for as long again. */
export function keepRolling(run: Run, period: string): void {
  const { terms, state } = run
  const { standing } = state
  if (standing.to !== null || kept(run) <= baseOf(terms)) return
  const ends = (standing.kept ?? []).map((one) => one.standing.to ?? 0).filter((to) => to > day(run))
  standing.to = ends.length > 0 ? Math.max(...ends) : shiftDay(standing.from, period, 1)
}

/** What was reached since, and what ended, as if somebody had looked every day. */
function replay(run: Run, period: string): void {
  const { state, given } = run
  const { standing } = state
  const today = day(run)
  const rollUntil = (last: number) => {
    while (standing.to !== null && standing.to <= last) roll(run, standing.to)
  }
  const published = versionsUntil(run).map(({ ladder }) => localDay(ladder.publishedAt ?? 0, run.course.timezone))
  const days = new Set([...given.progress.map((bucket) => bucket.day), ...published])
  const since = standing.from - 1
  for (const one of [...days].filter((d) => d >= since && d <= today).sort((x, y) => x - y)) {
    rollUntil(one)
    const reached = reachedOn(run, one, period)
    if (reached > kept(run)) keepFrom(run, reached, one + 1, period)
  }
  rollUntil(today)
  keepGraces(standing, (grace) => grace.until > given.now)
}

/** The versions that count in the same way, up to the one by which is looked. */
function versionsUntil({ newest, course }: Run): Course[] {
  const { version, keeping } = course.ladder
  const past = newest.ladder.past?.length ? newest.past() : []
  return [...past.filter(({ ladder }) => ladder.keeping === keeping && ladder.version < version), course]
}

/**
 * What the days up to and with that one reached: by a version that held on it, and those after it that everybody was held
 * against.
 */
function reachedOn(run: Run, last: number, period: string): number {
  const { course, terms, state, given } = run
  const [start, end] = [dayStart(last, course.timezone), dayStart(last + 1, course.timezone)]
  const days = [shiftDay(last + 1, period, -1), last + 1] as const
  const worth = worthOf(course, given, days, Math.min(last, day(run)) - state.standing.joined)
  const versions = versionsUntil(run).map(({ ladder }) => ladder)
  const reach = ({ terms: { tiers } }: Ladder, slug: string) =>
    tiers.some((tier) => tier.slug === slug && tier.threshold <= worth)
  const held = versions.filter(
    ({ publishedAt = 0 }, i) =>
      publishedAt < end && (versions[i + 1]?.publishedAt ?? Number.POSITIVE_INFINITY) >= start,
  )
  return terms.tiers.findLastIndex(({ slug }) =>
    held.some(
      (one) =>
        reach(one, slug) &&
        versions.every((after) => after.version <= one.version || after.firm < after.version || reach(after, slug)),
    ),
  )
}

/** What was reached on a rolling ladder is kept for as long again, from that day on. */
export function keepFrom({ terms, state }: Run, reached: number, from: number, period: string): void {
  const { standing } = state
  const { before, kept: all } = standing
  standing.before = {
    from: standing.from,
    to: standing.to ?? standing.from,
    floor: standing.floor,
    ...(all ? { kept: all } : {}),
    ...(before && standing.to !== null ? { before } : {}),
  }
  delete standing.kept
  standing.floor = slugOf(terms, reached)
  standing.from = from
  standing.to = shiftDay(from, period, 1)
}

/** A window ends: what it came to is held through the next. */
export function roll(run: Run, to: number): TierWhy {
  const { course, terms, state } = run
  const { standing } = state
  // a grace that ends here no longer keeps the next one from standing
  keepGraces(standing, (grace) => grace.until > dayStart(to, course.timezone))
  const stood = Math.max(levelOf(terms, standing.floor), levelOf(terms, standing.peak))
  const held = Math.max(stood, keptLevel(run, standing.kept))
  const from = terms.window.kind === 'rolling' ? shiftDay(to, terms.window.period, -1) : standing.from
  const reached = reachedIn(run, [from, to])
  const next = nextLevel(terms, held, reached)
  standing.before = { from: standing.from, to, floor: slugOf(terms, stood) }
  if (standing.kept) standing.before.kept = standing.kept
  delete standing.kept
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
