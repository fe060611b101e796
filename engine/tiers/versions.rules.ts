import type { Instant } from '@laurel/contract/instants'
import { localDay } from '../base/calendar.ts'
import { heldOn } from './ends.rules.ts'
import type { Ladder } from './ladders.ts'
import { baseOf, floorOf, levelOf, reachedBy, slugOf, worthOf } from './levels.rules.ts'
import { handOnAgain, keptUntil, standsUntil } from './hand-on.rules.ts'
import { keepRolling, recheckRolling, recheckYears } from './replays.rules.ts'
import { as, keptLevel, ownLevel, type Run, runThen, versionOf } from './runs.rules.ts'
import type { Before, Course, Given, Kept, Standing, TierState } from './tiers.ts'
import { earliestDay, graceEnd, windowOf } from './windows.rules.ts'

/** The versions of a ladder in time: each holds from the instant at which it was published. */

/** The version that a standing goes by, and those that came after it, in order; of one that is not known, the newest. */
export function versionsSince(newest: Course, { version }: Pick<TierState, 'version'>): readonly Course[] {
  if (newest.ladder.version === version) return [newest]
  const all = [...newest.past(), newest]
  const from = all.findIndex(({ ladder }) => ladder.version === version)
  return from < 0 ? [newest] : all.slice(from)
}

/** The version that held at that instant. */
export function versionAt(newest: Course, at: Instant): Course {
  const all = newest.ladder.past?.length ? [...newest.past(), newest] : [newest]
  return all.findLast(({ ladder }) => (ladder.publishedAt ?? 0) <= at) ?? (all[0] as Course)
}

/** Where a window is under way: what was reached in the one before is held through it. */
export function standingFrom(course: Course, joined: number, given: Given): Standing {
  const { terms } = course.ladder
  const day = localDay(given.now, course.timezone)
  const { from, to, before } = windowOf(terms.window, joined, day)
  if (before === undefined || course.sinks) return { joined, from, to, floor: null }
  const reached = reachedBy(terms, worthOf(course, given, [before, from], from - joined))
  return { joined, from, to, floor: floorOf(terms, reached), before: { from: before, to: from, floor: null } }
}

/**
 * Another version of the ladder was published: everybody is held against it at once, or nobody falls by it before the
 * kept tier would end. old: the standing as the version before left it, then.
 */
export function relearn(old: Run, course: Course): Run {
  const run = as(old, course, old.given.now)
  const { terms, state } = run
  const { ladder } = course
  const { graces } = state.standing
  const firm = ladder.firm > state.version
  const kind = terms.window.kind
  const held = firm || (kind === 'lifetime' && course.sinks) ? [] : keptBy(old, course)
  delete state.standing.kept
  if (state.keeping !== ladder.keeping) {
    state.standing = standingFrom(course, state.standing.joined, run.given)
    if (graces && !firm) state.standing.graces = graces
  } else if (firm) holdAgainst(run)
  if (held.length > 0) state.standing.kept = held
  if (terms.window.kind === 'rolling') keepRolling(run, terms.window.period)
  state.version = ladder.version
  state.keeping = ladder.keeping
  return run
}

function holdAgainst(run: Run): void {
  const { course, terms, state } = run
  if (state.standing.before) state.standing.before = withoutKept(state.standing.before)
  const { before } = state.standing
  if (terms.window.kind === 'lifetime') state.standing.floor = null
  if (course.sinks) delete state.standing.peak
  else if (terms.window.kind === 'rolling') recheckRolling(run, terms.window.period)
  else if (terms.window.kind === 'tier_anniversary') recheckYears(run)
  else if (before) handOnAgain(run, before)
}

/** What the version before let somebody hold that the next one may not, and what older ones do for longer, or for less. */
function keptBy(old: Run, next: Course): Kept[] {
  const { state, terms, course, given } = old
  const own = ownLevel(old)
  const promised = (state.standing.kept ?? []).map((one): Kept => {
    const until = standsUntil(old, one)
    const told = { version: state.version, to: state.standing.to }
    return until === undefined || until === one.until ? one : { ...one, until, told }
  })
  const stay = promised.filter((one) => {
    const level = keptLevel(old, [one])
    const then = byThen(old, one)
    return level > ownLevel(then) || (level >= 0 && (lastsLonger(then, one, level) || restsOnLess(old, one)))
  })
  if (isNoHarder(course, next)) return stay
  const base = baseOf(next.ladder.terms)
  const fixed = (level: number, more?: Pick<Kept, 'since'>): Kept[] => {
    const tier = slugOf(terms, level)
    if (tier === null || levelOf(next.ladder.terms, tier) <= base) return []
    return [{ version: state.version, at: given.now, tier, standing: frozen(old, tier), ...more }]
  }
  // what is held may end later by what was reached and waits
  const waiting = heldOn(old)
  const waits = waiting > own ? fixed(waiting, { since: state.standing.from }) : []
  return [...stay, ...waits, ...(stay.some((one) => saysAsMuch(old, one, own)) ? [] : fixed(own))]
}

/** Whether a version let that level stand as long, for as little, and nothing counted since. */
function saysAsMuch(old: Run, one: Kept, own: number): boolean {
  const { course, terms, given } = old
  const { timezone } = course
  const then = versionOf(old.newest, one.version)?.ladder
  if (one.since !== undefined || keptLevel(old, [one]) !== own || then?.keeping !== course.ladder.keeping) return false
  const end = keptUntil(old, own)
  const lasts = one.until === null || (end < Infinity && (one.until ?? 0) >= graceEnd(end, terms.grace, timezone))
  const last = localDay(one.at, timezone)
  return (
    lasts && asksOf(then, one.tier) <= asksOf(course.ladder, one.tier) && given.progress.every(({ day }) => day <= last)
  )
}

/** By what counted when that was kept: what was bought since may come back, which it does not rest on. */
function byThen(run: Run, { at }: Kept): Run {
  const last = localDay(at, run.course.timezone)
  return { ...run, given: { ...run.given, progress: run.given.progress.filter(({ day }) => day <= last) } }
}

/** Than the version does by itself, by which is looked: to a later day, or with more grace. */
function lastsLonger(run: Run, one: Kept, level: number): boolean {
  const then = runThen(run, one)
  if (!then) return false
  const own = keptUntil(run, level)
  if (own === Number.POSITIVE_INFINITY) return false
  const graced = ({ terms, course }: Run) => graceEnd(own, terms.grace, course.timezone)
  if (one.until === null || (one.until ?? 0) > graced(run)) return true
  return keptUntil(then, levelOf(then.terms, one.tier), one.since) > own || graced(then) > graced(run)
}

/** Than it does by the version by which is looked, or on something else: so what comes back may take that away only. */
function restsOnLess({ newest, course }: Run, one: Kept): boolean {
  const then = versionOf(newest, one.version)?.ladder
  return then?.keeping !== course.ladder.keeping || asksOf(then, one.tier) < asksOf(course.ladder, one.tier)
}

function asksOf({ terms }: Ladder, tier: string): number {
  return terms.tiers.find(({ slug }) => slug === tier)?.threshold ?? 0
}

/** Of a balance, the one of then is not known later: so it is kept, whatever became of it. */
function frozen(old: Run, tier: string): Standing {
  const { joined, from, to, floor, before, whole } = old.state.standing
  if (old.course.sinks) return { joined, from, to, floor: tier }
  const standing: Standing = { joined, from, to, floor }
  if (whole !== undefined) standing.whole = whole
  if (before) {
    const held = Math.max(levelOf(old.terms, before.floor), keptLevel(old, before.kept))
    standing.before = withoutKept({ ...before, floor: floorOf(old.terms, held) })
  }
  return standing
}

function withoutKept(one: Before): Before {
  const bare = { ...one }
  delete bare.kept
  if (bare.before) bare.before = withoutKept(bare.before)
  return bare
}

/**
 * Whether whatever is held by the one is held by the other, too, and for as long: nobody knows that where more that is
 * reached begins a window of its own.
 */
function isNoHarder({ ladder: a }: Course, { ladder: b }: Course): boolean {
  if (a.terms.window.kind === 'rolling' || a.terms.window.kind === 'tier_anniversary') return false
  const same = a.keeping === b.keeping && a.terms.upgrade === b.terms.upgrade && a.terms.downgrade === b.terms.downgrade
  return (
    same &&
    (a.terms.grace === null || JSON.stringify(a.terms.grace) === JSON.stringify(b.terms.grace)) &&
    a.terms.tiers.every(({ slug, threshold }) =>
      b.terms.tiers.some((tier) => tier.slug === slug && tier.threshold <= threshold),
    )
  )
}

// ── what has to be known ──

/**
 * What counts for a standing: of ways of counting that are kept with it (`keeping`), since which day (undefined: all days,
 * together), and of those that were not kept yet, by a version each.
 */
export type Needs = { kept: Map<number, number | undefined>; anew: Course[] }

export function needsOf(newest: Course, state: TierState, now: Instant): Needs {
  const own = versionsSince(newest, state)
  const needs: Needs = { kept: new Map(), anew: [] }
  const [first = newest] = own
  if (first.ladder.keeping === state.keeping) since(needs, first, firstDay(first, state.standing, now))
  for (const one of allKept(state.standing)) {
    const course = versionOf(newest, one.version)
    // day by day, since what counted later does not hold it
    if (course) since(needs, course, firstDay(course, one.standing, one.at) ?? Number.MIN_SAFE_INTEGER)
  }
  for (const course of own) {
    const { keeping } = course.ladder
    if (!needs.kept.has(keeping) && !needs.anew.some(({ ladder }) => ladder.keeping === keeping))
      needs.anew.push(course)
  }
  return needs
}

function firstDay({ ladder, timezone }: Course, standing: Standing, now: Instant): number | undefined {
  return earliestDay(ladder.terms.window, standing, localDay(now, timezone))
}

function since({ kept: all }: Needs, { ladder }: Course, first: number | undefined): void {
  const days = [first, all.get(ladder.keeping)].filter((one) => one !== undefined)
  all.set(ladder.keeping, days.length > 0 ? Math.min(...days) : undefined)
}

/** All that versions let stand, in the window and in those before. */
export function allKept({ kept: all = [], before }: Pick<Standing, 'kept' | 'before'>): Kept[] {
  return before ? [...all, ...allKept(before)] : all
}

/** The ways of counting, besides its own, by which something of a standing is held. */
export function olderKeepings(newest: Course, state: TierState): Course[] {
  const found = new Map<number, Course>()
  for (const { version } of allKept(state.standing)) {
    const course = versionOf(newest, version)
    if (course && course.ladder.keeping !== state.keeping) found.set(course.ladder.keeping, course)
  }
  return [...found.values()]
}

/** What versions let either of two hold who become one: where one of them lets both hold a tier, for as long as it does longer. */
export function keepBoth(one: Pick<Standing, 'kept'>, others: readonly Kept[] = []): void {
  const { kept: own = [] } = one
  const isSame = (a: Kept, b: Kept) => a.version === b.version && a.tier === b.tier && a.since === b.since
  const isLonger = (a: Kept, b: Kept) => b.until !== null && (a.until === null || (a.until ?? 0) > (b.until ?? 0))
  const more = others.filter((other) => !own.some((mine) => isSame(mine, other) && !isLonger(other, mine)))
  const all = [...own.filter((mine) => !more.some((other) => isSame(mine, other))), ...more]
  if (all.length > 0) one.kept = all
}
