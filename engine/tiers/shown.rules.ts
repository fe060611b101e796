import { encodeId } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { MemberTier, TierGoal } from '@laurel/contract/member-tiers'
import type { LadderTerms } from '@laurel/contract/tiers'
import { dayStart, localDay, shiftDay } from '../base/calendar.ts'
import { levelOf, worthOf } from './levels.rules.ts'
import { advance, type Advanced, begin } from './tiers.rules.ts'
import type { Course, Given, StoredChange, TierState } from './tiers.ts'
import { ALWAYS, countedDays, nextEnd } from './windows.rules.ts'
import type { TierChangeAnswer } from '@laurel/contract/tiers'

/** What a member holds as of now, and what changed that nobody booked yet, however long ago it was written; who has no standing yet begins with what counts so far. */
export function broughtUp(
  course: Course,
  member: { member: string; joined: Instant },
  stored: TierState | undefined,
  given: Given,
): Advanced {
  if (stored) return advance(course, stored, given)
  return begin(course, member, given, given.now)
}

/** What a member holds as of now. */
export function standingNow(...what: Parameters<typeof broughtUp>): TierState {
  return broughtUp(...what).state
}

/** A standing that was brought up to `given.now`, as clients see it: what is held, and what is missing for more and for as much. */
export function shownTier(course: Course, program: string, state: TierState, given: Given): MemberTier {
  const { ladder } = course
  const { terms } = ladder
  const level = levelOf(terms, state.tier)
  const held = terms.tiers[level]
  const counted = countedNow(course, state, given)
  return {
    member: encodeId('mem', state.member),
    program,
    ladder: ladder.slug,
    ladderId: encodeId('ldr', ladder.id),
    ladderName: terms.name,
    tier: held?.slug ?? null,
    name: held?.name ?? null,
    since: textOf(state.since),
    until: textOf(state.until),
    benefits: held?.benefits ?? {},
    counted: whole(counted),
    window: windowShown(course, state, given),
    next: nextGoal(course, state, level, counted),
    keep: keepGoal(course, state, level, given, counted),
    assigned: assignedShown(state),
  }
}

/** What counts now, in the window that runs. */
export function countedNow(course: Course, { standing }: TierState, given: Given): number {
  const day = localDay(given.now, course.timezone)
  return worthOf(course, given, countedDays(course.ladder.terms.window, standing, day), day - standing.joined)
}

function windowShown({ ladder, timezone }: Course, { standing }: TierState, { now }: Given): MemberTier['window'] {
  const { window } = ladder.terms
  const [from] = countedDays(window, standing, localDay(now, timezone))
  const moves = window.kind === 'rolling' || window.kind === 'lifetime'
  return {
    from: from === ALWAYS ? null : formatInstant(dayStart(from, timezone)),
    until: moves || standing.to === null ? null : formatInstant(dayStart(standing.to, timezone)),
  }
}

/** For the tier above: until the counting begins anew. */
function nextGoal(course: Course, { standing }: TierState, level: number, counted: number): TierGoal | null {
  const { terms } = course.ladder
  const ends = terms.window.kind !== 'rolling' && terms.window.kind !== 'lifetime' && standing.to !== null
  return goal(terms, level + 1, counted, ends ? dayStart(standing.to as number, course.timezone) : null)
}

/**
 * For the tier that is held, where it will end: in the window that decides about it. That is the one under way; or the next, where
 * the one under way has reached it again.
 */
function keepGoal(course: Course, state: TierState, level: number, given: Given, counted: number): TierGoal | null {
  const { ladder, timezone, sinks } = course
  const { terms } = ladder
  const { standing, until, manual } = state
  const threshold = terms.tiers[level]?.threshold
  if (until === null || threshold === undefined) return null
  const graced = standing.graces?.some((one) => levelOf(terms, one.tier) === level && one.until === until) ?? false
  const assigned = manual !== null && levelOf(terms, manual.tier) === level
  if (standing.to === null || graced || (assigned && manual.until === until)) return goal(terms, level, counted, until)
  const { kind } = terms.window
  const days: [number, number] =
    kind === 'rolling' ? [shiftDay(standing.to, terms.window.period, -1), standing.to] : [standing.from, standing.to]
  const safe = worthOf(course, given, days, standing.to - standing.joined)
  if (sinks || safe < threshold) return goal(terms, level, sinks ? counted : safe, dayStart(standing.to, timezone))
  return goal(terms, level, 0, dayStart(nextEnd(terms.window, standing.joined, standing.to), timezone))
}

function goal({ tiers }: LadderTerms, level: number, counted: number, deadline: Instant | null): TierGoal | null {
  const tier = tiers[level]
  if (!tier) return null
  const { slug, name, threshold } = tier
  const missing = Math.max(0, -whole(counted - threshold))
  const percent = missing === 0 ? 100 : Math.max(0, Math.floor((counted / threshold) * 100))
  return {
    tier: slug,
    name,
    threshold,
    missing,
    percent: Math.min(percent, missing === 0 ? 100 : 99),
    deadline: textOf(deadline),
  }
}

/** Rounded down, and as large as every JSON reader sees exactly: what an expression comes to may be anything. */
export function whole(counted: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Math.floor(counted), Number.MAX_SAFE_INTEGER))
}

function assignedShown({ manual }: TierState): MemberTier['assigned'] {
  if (!manual) return null
  const { tier, until, reason, by } = manual
  return { tier, until: textOf(until), reason, by: by === null ? null : encodeId('key', by) }
}

/** A change of a tier, as clients see it. */
export function shownChange({ from, to, at, bookedAt, until, why, reason, by }: StoredChange): TierChangeAnswer {
  return {
    from,
    to,
    at: formatInstant(at),
    bookedAt: formatInstant(bookedAt),
    until: textOf(until),
    why,
    reason,
    by: by === null ? null : encodeId('key', by),
  }
}

function textOf(at: Instant | null): string | null {
  return at === null ? null : formatInstant(at)
}
