import { dayStart, localDay, shiftDay } from '../base/calendar.ts'
import { goOn, handedOn, handOn, handOnAgain, heldThrough, keepFrom, keepGraces, roll } from './hand-on.rules.ts'
import type { Ladder } from './ladders.ts'
import { baseOf, levelOf, worthOf } from './levels.rules.ts'
import type { Standing } from './tiers.ts'
import { day, isAtOnce, kept, keptLevel, type Run, versionsUntil } from './runs.rules.ts'

/** Windows that begin when something is reached, worked out again by the day: as if all had been told on its own. */

/**
 * Where what is kept was not reached by the days before it was, nor handed on when the kept one before it ended: it is
 * worked out again from what was held before, day by day.
 */
export function recheckRolling(run: Run, period: string): void {
  const { course, terms, state } = run
  const { standing } = state
  const held = Math.max(baseOf(terms), levelOf(terms, standing.floor))
  const { before } = standing
  // what was reached on the last day of the one before begins when that ends, which has not ended today
  const isOver = before !== undefined && before.to === standing.from && standing.from <= day(run)
  const ended = isOver ? heldThrough(run, before) : undefined
  const days = [shiftDay(standing.from, period, -1), standing.from] as const
  const next =
    ended === undefined
      ? { level: reachedOn(run, standing.from - 1, period), grace: terms.grace }
      : handedOn(run, ended, days, dayStart(standing.from, course.timezone))
  if (next.level >= held) {
    // what versions let stand in it may go on no more, and has its grace
    if (ended !== undefined && before?.kept) handOn(run, ended, { ...next, level: held })
    return
  }
  const fallsBack = before !== undefined && ended === undefined
  if (fallsBack) goOn(standing, before, before.to)
  else handOn(run, ended ?? next.level, next)
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
  const days = daysToLook(run)
  const since = standing.from - 1
  for (const one of [...days].filter((d) => d >= since && d <= today).sort((x, y) => x - y)) {
    rollUntil(one)
    const reached = reachedOn(run, one, period)
    if (reached > keptOn(run, one)) keepFrom(run, reached, one + 1, period)
  }
  rollUntil(today)
  keepGraces(standing, (grace) => grace.until > given.now)
}

/** The days on which something may have been reached: something counts of them, or a version was published. */
function daysToLook(run: Run): Set<number> {
  const published = versionsUntil(run).map(({ ladder }) => localDay(ladder.publishedAt ?? 0, run.course.timezone))
  return new Set([...run.given.progress.map((bucket) => bucket.day), ...published])
}

/**
 * What the days up to and with that one reached: by a version that held on it, and those after it that everybody was
 * held against.
 */
function reachedOn(run: Run, last: number, period: string): number {
  return reachedSince(run, shiftDay(last + 1, period, -1), last)
}

function reachedSince(run: Run, first: number, last: number): number {
  const { course, terms, state, given } = run
  const [start, end] = [dayStart(last, course.timezone), dayStart(last + 1, course.timezone)]
  const days = [first, last + 1] as const
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

/**
 * What was held through that day, whatever counted in its window: what was let stand later does not count; nor what was let
 * stand on it that counts the same way, since what reached that before is reached by the day, too.
 */
function keptOn(run: Run, one: number): number {
  const { course, terms, state } = run
  const { floor, peak, kept: all } = state.standing
  const [start, end] = [dayStart(one, course.timezone), dayStart(one + 1, course.timezone)]
  const own = versionsUntil(run).map(({ ladder }) => ladder.version)
  const older = all?.filter(({ at, version }) => at < (own.includes(version) ? start : end))
  return Math.max(baseOf(terms), levelOf(terms, floor), levelOf(terms, peak), keptLevel(run, older))
}

/**
 * Years of a tier, where what counts on these days changed: they begin on the day after that on which it was reached, in
 * whatever order that was told. What belongs to a window older than the one before changes none. Unless told: all that can be.
 */
export function recheckYears(run: Run, days: readonly number[] = [reach(run.state.standing)]): void {
  const { standing } = run.state
  const today = day(run)
  const first = Math.min(...days.filter((one) => one >= reach(standing) && one <= today))
  if (first === Number.POSITIVE_INFINITY) return
  if (first >= standing.from && standing.whole !== undefined) standing.to = standing.whole
  let isAgain = false
  for (let { before } = standing; before && first < standing.from; before = before.before) {
    keepGraces(standing, (grace) => grace.day !== standing.from)
    goOn(standing, before, before.whole ?? before.to)
    isAgain = true
  }
  // another version may have been published since it began
  if (isAgain && standing.before) handOnAgain(run, standing.before)
  delete standing.whole
  replayYears(run, first)
}

/** The first day of which it matters what counts. */
function reach({ from, before }: Pick<Standing, 'from' | 'before'>): number {
  return before ? reach(before) : from
}

function replayYears(run: Run, first: number): void {
  const { course, given } = run
  const { standing } = run.state
  const today = day(run)
  const days = isAtOnce(run)
    ? [...daysToLook(run)].filter((one) => one >= first && one <= today).sort((a, b) => a - b)
    : []
  while (standing.to !== null) {
    const { from, to } = standing
    const reached = days.find((one) => one >= from && one < to - 1 && reachedSince(run, from, one) > keptOn(run, one))
    if (reached !== undefined) {
      standing.whole = to
      standing.to = reached + 1
    }
    if (standing.to > today) break
    roll({ ...run, given: { ...given, now: dayStart(standing.to, course.timezone) } }, standing.to)
  }
  keepGraces(standing, (grace) => grace.until > given.now)
}
