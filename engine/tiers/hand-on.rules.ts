import type { Instant } from '@laurel/contract/instants'
import type { TierGrace, TierWhy } from '@laurel/contract/tiers'
import { dayStart, localDay, shiftDay } from '../base/calendar.ts'
import { baseOf, floorOf, levelOf, nextLevel, reachedBy, slugOf, worthOf } from './levels.rules.ts'
import { as, day, keptLevel, reachedIn, type Run, runThen, stillHeld, versionOf, versionsUntil } from './runs.rules.ts'
import type { Before, Grace, Kept, Standing } from './tiers.ts'
import { graceEnd, nextEnd } from './windows.rules.ts'

/** What a window hands on to the next, and what is let stand beyond its end. */

/** Grace for what falls: one a tier, as long as the latest of them. older: what versions let stand until then. */
function letStand(run: Run, held: number, next: HandedOn, at: Instant, older: readonly Kept[] = []): void {
  const { standing } = run.state
  const ended = localDay(at, run.course.timezone)
  const left = older.filter((one) => keptLevel(run, carriedOn(run, [one], ended)) < keptLevel(run, [one]))
  for (const grace of [...gracesOf(run, ended, held, next, older), ...promisedOf(run, ended, left)]) {
    const all = standing.graces ?? []
    const isLess = all.some(({ tier, until }) => tier === grace.tier && until >= grace.until)
    if (grace.until <= at || isLess) continue
    standing.graces = [...all.filter(({ tier }) => tier !== grace.tier), grace]
  }
}

/**
 * The graces of a level that falls, if it is kept until that day, and of those below it that a version lets stand for
 * longer; the highest first, which ends first.
 */
export function gracesOf(run: Run, day: number, held: number, next: HandedOn, older: readonly Kept[]): Grace[] {
  const all: Grace[] = []
  for (let level = held; level > next.level; level--) {
    const tier = slugOf(run.terms, level)
    const until = fallsAt(run, day, level, older, next.grace)
    if (tier !== null && until > (all.at(-1)?.until ?? Number.NEGATIVE_INFINITY)) all.push({ tier, until, day })
  }
  return all
}

/** What versions promised to let stand for longer than that day. */
function promisedOf(run: Run, day: number, older: readonly Kept[]): Grace[] {
  return older.flatMap((one) => {
    const tier = stillHeld(run, one)
    return tier === null || one.until == null ? [] : [{ tier, until: one.until, day }]
  })
}

/**
 * When that level falls, if it is kept until that day: after the grace of the version by which it falls, or that of one
 * that let it stand.
 */
function fallsAt(run: Run, day: number, level: number, older: readonly Kept[], own: TierGrace | null): Instant {
  const { timezone } = run.course
  const held = older.filter((one) => keptLevel(run, [one]) >= level)
  const versions = held.flatMap(({ version }) => versionOf(run.newest, version) ?? [])
  const graces = [own, ...versions.map(({ ladder }) => ladder.terms.grace)]
  return Math.max(...graces.map((grace) => graceEnd(day, grace, timezone)), ...held.map((one) => one.until ?? 0))
}

/**
 * What versions let stand beyond the end of a window: what lasts longer by themselves, and what their own window had
 * reached when the next one was published, through another of theirs.
 */
export function carriedOn(run: Run, older: readonly Kept[], to: number): Kept[] {
  return older.flatMap((one) => {
    const then = runThen(run, one)
    if (!then) return []
    if (lastsForEver(run, one)) return [one]
    const end = one.standing.to
    if (end === null) return []
    if (one.since === undefined && end > to) return [one]
    if (then.course.sinks || nextEnd(then.terms.window, one.standing.joined, end) <= to) return []
    if (one.since !== undefined) return [one]
    const since = firstOf(then, end)
    const tier = stillHeld(run, { ...one, since })
    return tier === null ? [] : [{ ...one, tier, since }]
  })
}

/** Whether a version lets it stand for ever. */
export function lastsForEver(run: Run, one: Kept): boolean {
  const then = runThen(run, one)
  return then !== undefined && (one.until === null || isForEver(then))
}

/**
 * Until when the version by which is looked lets something stand that an older one did; null: for ever, undefined: as long
 * as that one does.
 */
export function standsUntil(run: Run, one: Kept): Instant | null | undefined {
  const { terms, state } = run
  const { to, joined } = state.standing
  if (isForEver(run) || lastsForEver(run, one)) return null
  const promised = one.until ?? 0
  if (to === null) return one.until
  const level = keptLevel(run, [one])
  let last = to
  let left = [one]
  for (;;) {
    const next = carriedOn(run, left, last)
    if (next.length === 0 || keptLevel(run, next) < level)
      return Math.max(promised, fallsAt(run, last, level, left, terms.grace))
    last = nextEnd(terms.window, joined, last)
    left = next
  }
}

/** What came back is taken off what it rests on: so long it stands by what is left of that. */
export function standsOn(run: Run, one: Kept): Kept {
  const course = one.told && versionOf(run.newest, one.told.version)
  if (!one.told || !course) return one
  const { until: before, told, ...bare } = one
  const standing = { ...run.state.standing, to: told.to }
  const until = standsUntil(as({ ...run, state: { ...run.state, standing } }, course, one.at), bare)
  return until != null && (before == null || until < before) ? { ...one, until } : one
}

/** The first day of what is counted for the window after the one of a standing, which ends then. */
function firstOf({ terms: { window }, state: { standing } }: Run, end: number): number {
  return window.kind === 'rolling' ? shiftDay(end, window.period, -1) : standing.from
}

/** Until which day a version keeps that level by itself, with all that counts at the time of `run`. */
export function keptUntil(run: Run, level: number, since?: number): number {
  if (isForEver(run)) return Number.POSITIVE_INFINITY
  const { joined, to, floor } = run.state.standing
  const { window } = run.terms
  // where something else is kept as long, no days are kept for what is reached beside it
  if (window.kind === 'rolling' && since === undefined && levelOf(run.terms, floor) < level) return day(run)
  if (to === null || run.course.sinks) return to ?? day(run)
  const isReached = since !== undefined || reachedIn(run, [firstOf(run, to), day(run) + 1]) >= level
  return isReached ? nextEnd(window, joined, to) : to
}

/** Whether a tier never ends by that version, whatever counts. */
export function isForEver({ terms }: Pick<Run, 'terms'>): boolean {
  return terms.downgrade === 'none' || terms.window.kind === 'lifetime'
}

/** Those that are not over, or go by something else. */
export function keepGraces(standing: Standing, stays: (grace: Grace) => boolean): void {
  const graces = standing.graces?.filter(stays)
  if (graces?.length) standing.graces = graces
  else delete standing.graces
}

/** What was held through a window that is over, whatever counted in it. */
export function heldThrough(run: Run, { floor, kept: all }: Before): number {
  return Math.max(levelOf(run.terms, floor), keptLevel(run, all))
}

/** The tier that began the year was never reached: so the year did not begin, and what counted before it still does. */
export function goOn(standing: Standing, { from, floor, before, kept: older = [] }: Before, to: number): void {
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

/** What the window before hands on, worked out again, with the grace that goes with it. An older grace stands. */
export function handOnAgain(run: Run, before: Before): void {
  const held = heldThrough(run, before)
  const { from } = run.state.standing
  handOn(run, held, handedOn(run, held, [before.from, from], dayStart(from, run.course.timezone)))
}

export function handOn(run: Run, held: number, next: HandedOn): void {
  const { terms, state, course, given } = run
  const { standing } = state
  standing.floor = floorOf(terms, next.level)
  keepGraces(standing, (grace) => grace.day !== standing.from)
  const end = dayStart(standing.from, course.timezone)
  const carried = keptLevel(
    run,
    standing.kept?.filter(({ at }) => at < end),
  )
  letStand(run, held, { ...next, level: Math.max(next.level, carried) }, end, standing.before?.kept)
  keepGraces(standing, (grace) => grace.until > given.now)
}

/** What was reached on a rolling ladder is kept for as long again, from that day on. */
export function keepFrom(run: Run, reached: number, from: number, period: string): void {
  const { course, terms, state } = run
  const { standing } = state
  const { before } = standing
  const older = takeKept(standing, dayStart(from, course.timezone))
  standing.before = {
    from: standing.from,
    to: standing.to ?? standing.from,
    floor: standing.floor,
    ...(older ? { kept: older } : {}),
    ...(before && standing.to !== null ? { before } : {}),
  }
  standing.floor = slugOf(terms, reached)
  standing.from = from
  standing.to = shiftDay(from, period, 1)
  addKept(standing, carriedOn(run, older ?? [], from))
  letStand(run, reached, { level: reached, grace: null }, dayStart(from, course.timezone), older)
}

function addKept(standing: Standing, more: readonly Kept[]): void {
  if (more.length > 0) standing.kept = [...(standing.kept ?? []), ...more]
}

/** What was let stand before then is taken out: it ends with its window. */
function takeKept(standing: Standing, end: Instant): Kept[] | undefined {
  const { kept: all = [] } = standing
  const later = all.filter(({ at }) => at >= end)
  if (later.length > 0) standing.kept = later
  else delete standing.kept
  return later.length < all.length ? all.filter(({ at }) => at < end) : undefined
}

/** A window ends: what it came to is held through the next. */
export function roll(run: Run, to: number): TierWhy {
  const { course, terms, state } = run
  const { standing } = state
  const end = dayStart(to, course.timezone)
  // a grace that ends here no longer keeps the next one from standing
  keepGraces(standing, (grace) => grace.until > end)
  const stood = Math.max(levelOf(terms, standing.floor), levelOf(terms, standing.peak))
  const older = takeKept(standing, end)
  const held = Math.max(stood, keptLevel(run, older))
  const from = terms.window.kind === 'rolling' ? shiftDay(to, terms.window.period, -1) : standing.from
  const next = handedOn(run, held, [from, to], end)
  const before: Before = { from: standing.from, to, floor: floorOf(terms, stood) }
  if (older) before.kept = older
  if (standing.whole !== undefined) {
    before.whole = standing.whole
    if (standing.before) before.before = standing.before // a year that was cut short leaves the one before within reach
  }
  standing.before = before
  delete standing.whole
  standing.from = to
  standing.to = nextEnd(terms.window, standing.joined, to)
  standing.floor = floorOf(terms, next.level)
  delete standing.peak
  addKept(standing, carriedOn(run, older ?? [], to))
  const stays = Math.max(next.level, keptLevel(run, standing.kept))
  if (terms.window.kind === 'rolling' && stays <= baseOf(terms)) standing.to = null
  letStand(run, held, { ...next, level: stays }, end, older)
  return 'period_ended'
}

/** What a window hands on, and the grace of what falls: that of the version which said so. */
export type HandedOn = { level: number; grace: TierGrace | null }

/**
 * What a window that ended then hands on of what was held through it: by the version that held at its end, or the last one
 * since that everybody was held against; rolling, the least by all of those: what is kept from a day of its own on is only
 * ever taken away by them.
 */
export function handedOn(run: Run, held: number, days: readonly [number, number], end: Instant): HandedOn {
  const { course, terms, given, state } = run
  const versions = versionsUntil(run)
  // what ended before there was a version that counts so goes by the first that did
  const first = Math.max(
    0,
    versions.findLastIndex(({ ladder: { publishedAt = 0 } }) => publishedAt < end),
  )
  const since = versions.filter(({ ladder: { firm, version } }, i) => i === first || (i > first && firm === version))
  const by = terms.window.kind === 'rolling' ? since : since.slice(-1)
  const worth = worthOf(course, given, days, Math.min(days[1], day(run)) - state.standing.joined)
  const said = by.map(({ ladder: { terms: then } }): HandedOn => {
    const next = nextLevel(then, levelOf(then, slugOf(terms, held)), reachedBy(then, worth))
    return { level: levelOf(terms, slugOf(then, next)), grace: then.grace }
  })
  return said.reduce((least, one) => (one.level < least.level ? one : least))
}
