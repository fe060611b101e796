import type { Instant } from '@laurel/contract/instants'
import { dayStart, localDay, shiftDay } from '../base/calendar.ts'
import { baseOf, levelOf, manualLevel, nextLevel, reachedBy, worthOf } from './levels.rules.ts'
import type { Course, Given, TierState } from './tiers.ts'
import { countedDays, graceEnd, nextEnd } from './windows.rules.ts'

/**
 * When what is held ends if nothing more counts (null: never), and what is held then. looks: when it has to be looked
 * at, whatever counts.
 */
export type End = { until: Instant | null; next: number; looks: Instant[] }

export function endOf(course: Course, state: TierState, given: Given): End {
  const { terms } = course.ladder
  const held = levelOf(terms, state.tier)
  const assigned = manualLevel(terms, state)
  const { until, next, earned, looks } = earnedEnd(course, state, given)
  const released = state.manual?.until ?? null
  if (released !== null) looks.push(released)
  if (assigned < held || assigned < 0) return { until, next, looks: withUntil(looks, until) }
  if (assigned > earned) return { until: released, next: earned, looks }
  const last = until === null || released === null ? null : Math.max(until, released)
  return { until: last, next, looks: withUntil(looks, until) }
}

function withUntil(looks: Instant[], until: Instant | null): Instant[] {
  if (until !== null) looks.push(until)
  return looks
}

/** Of what is held without anybody's assigning it (`earned`). */
function earnedEnd(course: Course, state: TierState, given: Given): End & { earned: number } {
  const { ladder, timezone, sinks } = course
  const { terms } = ladder
  const { standing } = state
  const day = localDay(given.now, timezone)
  const reached = reachedBy(
    terms,
    worthOf(course, given, countedDays(terms.window, standing, day), day - standing.joined),
  )
  const base = baseOf(terms)
  const graced = levelOf(terms, standing.grace?.tier)
  const waits = terms.upgrade === 'period_end' && terms.window.kind !== 'lifetime' && terms.window.kind !== 'rolling'
  const kept = Math.max(base, levelOf(terms, standing.floor), levelOf(terms, standing.peak), waits ? -1 : reached)
  const looks: Instant[] = []
  if (standing.to !== null && (waits ? reached > kept : sinks && kept > base))
    looks.push(dayStart(standing.to, timezone))
  if (standing.grace && graced > kept) {
    return { until: standing.grace.until, next: kept, looks, earned: graced }
  }
  const falls = nextLevel(terms, kept, base)
  if (standing.to === null || terms.window.kind === 'lifetime' || falls >= kept) {
    return { until: null, next: kept, looks, earned: kept }
  }
  const safe = sinks ? -1 : reachedBefore(course, state, given, reached)
  const last = safe >= kept ? nextEnd(terms.window, standing.joined, standing.to) : standing.to
  const next = safe >= kept ? falls : nextLevel(terms, kept, Math.max(safe, base))
  if (next >= kept) return { until: null, next: kept, looks, earned: kept }
  return { until: graceEnd(last, terms.grace, timezone), next, looks, earned: kept }
}

/** What the window that is under way has come to, as it will be counted at its end. */
function reachedBefore(course: Course, { standing }: TierState, given: Given, reached: number): number {
  const { terms } = course.ladder
  if (terms.window.kind !== 'rolling' || standing.to === null) return reached
  const from = shiftDay(standing.to, terms.window.period, -1)
  return reachedBy(terms, worthOf(course, given, [from, standing.to], standing.to - standing.joined))
}
