import type { Instant } from '@laurel/contract/instants'
import type { LadderTerms } from '@laurel/contract/tiers'
import { dayStart, shiftDay } from '../base/calendar.ts'
import { baseOf, levelOf, manualLevel, nextLevel, reachedBy, worthOf } from './levels.rules.ts'
import { carriedOn, gracesOf, isForEver, lastsForEver } from './hand-on.rules.ts'
import { isAtOnce, kept, keptLevel, reachedNow, type Run } from './runs.rules.ts'
import type { Grace, Kept } from './tiers.ts'
import { nextEnd } from './windows.rules.ts'

/**
 * When what is held ends if nothing more counts (null: never), and what is held then. looks: when it has to be looked
 * at, whatever counts.
 */
export type End = { until: Instant | null; next: number; looks: Instant[] }

export function endOf(run: Run): End {
  const { terms, state } = run
  const held = levelOf(terms, state.tier)
  const assigned = manualLevel(terms, state)
  const { until, next, earned, looks } = earnedEnd(run)
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
function earnedEnd(run: Run): End & { earned: number } {
  const { course, terms, state } = run
  const { sinks, timezone } = course
  const { standing } = state
  const base = baseOf(terms)
  const reached = reachedNow(run)
  const waits = !isAtOnce(run)
  const now = Math.max(kept(run), waits ? -1 : reached)
  const looks: Instant[] = []
  if (standing.to !== null && (waits ? reached > now : sinks && now > base)) looks.push(dayStart(standing.to, timezone))
  const grace = highestGrace(terms, standing.graces)
  const graced = levelOf(terms, grace?.tier)
  const stays = Math.max(now, heldOn(run))
  if (grace && graced > stays) {
    const next = Math.max(stays, gracedAfter(run, grace.until, standing.graces))
    return { until: grace.until, next, looks, earned: graced }
  }
  const { kept: older = [] } = standing
  const lasting = keptLevel(
    run,
    older.filter((one) => lastsForEver(run, one)),
  )
  if (standing.to === null || isForEver(run) || nextLevel(terms, stays, base) >= stays || lasting >= stays) {
    return { until: null, next: stays, looks, earned: stays }
  }
  const { last, left, next: reaches } = lastDay(run, standing.to, stays, sinks ? -1 : reachedBefore(run, reached))
  const next = nextLevel(terms, stays, Math.max(reaches, base))
  if (next >= stays) return { until: null, next: stays, looks, earned: stays }
  const graces = gracesOf(run, last, stays, { level: next, grace: terms.grace }, left)
  const promised = older.filter((one) => keptLevel(run, [one]) >= stays).map((one) => one.until ?? 0)
  const longer = (standing.graces ?? []).filter(({ tier }) => levelOf(terms, tier) >= stays).map((one) => one.until)
  const until = Math.max(graces[0]?.until ?? dayStart(last, timezone), ...promised, ...longer)
  const then = gracedAfter(run, until, [...graces, ...(standing.graces ?? [])])
  return { until, next: Math.max(next, then), looks, earned: stays }
}

/**
 * What is held now and will be from the end of the window on, since it was reached in it, and waits: where it is kept, or
 * stands by a grace, until then. −1: nothing waits.
 */
export function heldOn(run: Run): number {
  const { terms, course, state } = run
  const { to, graces = [] } = state.standing
  if (isAtOnce(run) || course.sinks || to === null) return -1
  const end = dayStart(to, course.timezone)
  const lasting = graces.filter(({ until }) => until >= end).map(({ tier }) => levelOf(terms, tier))
  return Math.min(reachedNow(run), Math.max(kept(run), ...lasting))
}

/** What is let stand for longer than that. */
function gracedAfter({ terms }: Run, end: Instant, graces: readonly Grace[] = []): number {
  const later = highestGrace(
    terms,
    graces.filter(({ until }) => until > end),
  )
  return levelOf(terms, later?.tier)
}

/**
 * Until which day a level is kept by what is there now: by what the window has reached, through one more; by what
 * versions let stand, as long as they do. left: what they let stand until then; next: what is there after it.
 */
function lastDay(run: Run, to: number, level: number, reached: number): { last: number; left: Kept[]; next: number } {
  const { terms, state } = run
  let last = to
  let left = state.standing.kept ?? []
  for (let own = reached; ; own = -1) {
    const carried = carriedOn(run, left, last)
    const next = Math.max(own, keptLevel(run, carried))
    if (next < level) return { last, left, next }
    last = nextEnd(terms.window, state.standing.joined, last)
    left = carried
  }
}

/** The one that counts: of the highest tier. */
export function highestGrace(terms: LadderTerms, graces: readonly Grace[] | undefined): Grace | undefined {
  return graces?.toSorted((a, b) => levelOf(terms, b.tier) - levelOf(terms, a.tier))[0]
}

/** What the window that is under way has come to, as it will be counted at its end. */
function reachedBefore({ course, terms, state: { standing }, given }: Run, reached: number): number {
  if (terms.window.kind !== 'rolling' || standing.to === null) return reached
  const from = shiftDay(standing.to, terms.window.period, -1)
  return reachedBy(terms, worthOf(course, given, [from, standing.to], standing.to - standing.joined))
}
