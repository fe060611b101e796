import type { LadderTerms } from '@laurel/contract/tiers'
import { floorOf, levelOf, withChanges } from '../tiers/levels.rules.ts'
import { advance, beginning, daysOf } from '../tiers/tiers.rules.ts'
import type { Course, Given, Manual, Standing, TierState } from '../tiers/tiers.ts'
import type { KeptBucket } from '../tiers/tiers.sql.ts'
import { keepBoth, olderKeepings } from '../tiers/versions.rules.ts'
import type { Merge } from '../members/merges.sql.ts'
import type { Facts } from './asks.ts'
import type { Changes } from './decisions.ts'
import type { Slices } from './slices.ts'
import { difference } from './tier-counts.ts'
import type { LadderCourse } from './tier-courses.ts'
import { countKey, tierKey } from './tier-keys.ts'
import { givenOf, type Step } from './tier-steps.ts'

/** Beyond every version: nothing is done for who lives on as another. */
const NO_VERSION = 2_147_483_647

/**
 * Two members become one: all that counts for either counts for the one who lives on, and of what both held on a ladder the higher is
 * kept, as long as it would have been. Undone: each has what its own purchases and activities count for; what that reaches, it
 * holds. Undefined where that is no matter of a merge: the ladder knows neither of them; null where nothing is to be written.
 */
export function joinTiers(
  slices: Slices,
  merge: Merge,
  one: Changes,
  course: LadderCourse,
  facts: Facts,
): Step | null | undefined {
  const key = tierKey(one.member, course.ladder.ladderId)
  const own = slices.tiers.states.get(key)
  const together = merge.undoneAt === null
  if (one.member === merge.other && together) return own ? closed(own) : null
  const given = givenThen(slices, one, course, facts)
  if (!given) return undefined
  const joined = slices.tiers.joined.get(one.member) ?? facts.now
  const fresh = beginning(course, { member: one.member, joined }, given)
  const other = otherNow(slices, merge, course, facts)
  // time comes first: what has ended since anybody looked is not weighed against what the other holds
  const before = givenOf(slices, one.books.state, course, facts.now) ?? { ...given, progress: [] }
  const passed = together && own ? advance(course, own, before) : undefined
  const start = together ? higher(course, passed?.state ?? fresh, other) : again(own ?? fresh, fresh)
  const why = together ? 'merged' : 'unmerged'
  // what is kept from the window before is what both came to there, whoever was looked at when
  const days = together && course.ladder.terms.window.kind === 'calendar' ? daysOf(given.progress) : []
  const advanced = advance(course, start, given, { at: facts.now, why, days })
  const buckets = [course, ...olderKeepings(course, advanced.state)].flatMap(({ ladder: { keeping } }) =>
    changesOf(slices, one, course, keeping, own),
  )
  const changes = [...(passed?.changes ?? []), ...advanced.changes]
  return { ...advanced, changes, told: [...(passed?.told ?? []), ...advanced.told], buckets, changed: true }
}

/** All that counts from now on, in whichever way; undefined where the ladder knows neither of them. */
function givenThen(slices: Slices, one: Changes, course: LadderCourse, facts: Facts): Given | undefined {
  const { recounted } = slices.tiers
  const progress = recounted.get(countKey(course, one.member))
  const now = givenOf(slices, one.books.state, course, facts.now)
  const by = (older: Course) => ({
    balance: now?.by?.(older).balance ?? 0,
    progress: recounted.get(countKey(course, one.member, older.ladder.keeping)) ?? [],
  })
  return progress && { now: facts.now, progress, balance: now?.balance ?? 0, by }
}

/** What is to be written of one way of counting: what differs, where it was kept with the standing before. */
function changesOf(
  slices: Slices,
  { member }: Changes,
  course: LadderCourse,
  keeping: number,
  own: TierState | undefined,
): KeptBucket[] {
  const key = countKey(course, member, keeping)
  const counted = slices.tiers.recounted.get(key) ?? []
  const ways = own ? [own.keeping, ...olderKeepings(course, own).map(({ ladder }) => ladder.keeping)] : []
  const isKept = ways.includes(keeping) && !slices.tiers.unsaved.has(key)
  const changed = isKept ? difference(slices.tiers.progress.get(key) ?? [], counted) : withChanges([], counted)
  return changed.map((bucket) => ({ ...bucket, keeping }))
}

/** What the other holds by now: time may have passed since its row was written. */
function otherNow(slices: Slices, merge: Merge, course: LadderCourse, facts: Facts): TierState | undefined {
  const stored = slices.tiers.states.get(tierKey(merge.other, course.ladder.ladderId))
  const state = slices.states.get(merge.other)
  const given = state && givenOf(slices, state, course, facts.now)
  return stored && given && merge.undoneAt === null ? advance(course, stored, given).state : stored
}

/** Its row stays as it was: the worker and the clock leave it alone. */
function closed(own: TierState): Step {
  const state: TierState = { ...own, version: NO_VERSION, dueAt: 0 }
  return { state, changes: [], told: [], buckets: [], changed: true }
}

/** As it stands by its own counts alone; what was assigned to it stays. */
function again(own: TierState, fresh: TierState): TierState {
  const { tier, since, until, manual, historySeq } = own
  return { ...fresh, tier, since, until, manual, historySeq }
}

function higher({ ladder }: LadderCourse, own: TierState, other: TierState | undefined): TierState {
  if (!other || other.keeping !== own.keeping) return own
  const { terms } = ladder
  const more = (a: string | null | undefined, b: string | null | undefined) =>
    (levelOf(terms, b) > levelOf(terms, a) ? b : a) ?? null
  const assigned = levelOf(terms, other.manual?.tier)
  const { kind } = terms.window
  // in one and the same window, what either reached is reached by both together: so it moves back with what comes back
  const same = kind === 'calendar' || kind === 'lifetime'
  const { before, graces = [], peak } = other.standing
  const graced = graces.some((grace) => grace.tier === other.tier && grace.until === other.until) // ends by itself
  const isAssigned = assigned >= levelOf(terms, other.tier)
  const earned = same || graced || isAssigned ? other.standing.floor : floorOf(terms, levelOf(terms, other.tier))
  const standing: Standing = { ...own.standing, floor: more(own.standing.floor, earned) }
  if (standing.before) {
    standing.before = { ...standing.before, floor: more(standing.before.floor, same ? before?.floor : earned) }
    if (same) keepBoth(standing.before, before?.kept)
  }
  if (same) keepBoth(standing, other.standing.kept)
  if (peak !== undefined) standing.peak = more(standing.peak, peak) ?? ''
  const longer = graces.filter(({ tier, until }) => !standing.graces?.some((g) => g.tier === tier && g.until >= until))
  if (longer.length > 0) {
    const others = standing.graces?.filter(({ tier }) => !longer.some((grace) => grace.tier === tier)) ?? []
    standing.graces = [...others, ...longer]
  }
  if (kind === 'rolling' && lastsLonger(terms, other.standing, own.standing)) {
    standing.from = other.standing.from
    standing.to = other.standing.to
    if (before) standing.before = before
    else delete standing.before
  }
  const manual: Manual | null = assigned > levelOf(terms, own.manual?.tier) ? other.manual : own.manual
  return { ...own, standing, manual }
}

/** Of two that are kept from days of their own on: the higher, or the same for longer. */
function lastsLonger(terms: LadderTerms, a: Standing, b: Standing): boolean {
  const more = levelOf(terms, a.floor) - levelOf(terms, b.floor)
  return a.to !== null && (b.to === null || more > 0 || (more === 0 && a.to > b.to))
}
