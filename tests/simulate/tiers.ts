import { DAY, type Instant } from '../../contract/instants.ts'
import { dayOf, later, shift, startOf, windowAround } from './calendar.ts'
import {
  baseOf,
  countedDays,
  handedOn,
  type Ladder,
  levelOf,
  reachedIn,
  slugAt,
  versionsFrom,
  worth,
} from './ladders.ts'
import type { Member, World } from './world.ts'

/**
 * What a member holds on a ladder, and held. Time passes for everybody at every step: whatever a window came to is worked out when it
 * ends, by the ladder as it is then, and stands from the end of the next one on.
 */
export type Climb = {
  /** since when it holds what everyone does, where something is known of the member */
  begun?: Instant
  /** each change, with when it took effect */
  held: { at: Instant; to: string | null }[]
  assigned: { tier: string; until: Instant | null } | null
  /** where windows have ends: what was held through the one before, and since when the next one runs */
  through: string | null
  since: number
  /** what falls that were before that let stand for a while */
  graces: Grace[]
  /** on rolling ladders: what was kept, one after the other */
  kept: Kept[]
}
type Grace = { tier: string; until: Instant }
/** `to`: null: it does not end. grace: of what it followed, where that fell. */
type Kept = {
  tier: string | null
  from: number
  to: number | null
  at: Instant
  how: 'begun' | 'reached' | 'handed on'
  grace?: Grace
}

/** No grace lasts longer. */
const LONGEST_GRACE = 80 * DAY

const today = (w: World): number => dayOf(w.now, w.setup.timezone)
const runs = ({ window }: Ladder): boolean => window.kind !== 'lifetime' && window.kind !== 'rolling'

export function climbOf(w: World, member: Member, ladder: Ladder): Climb {
  let climb = member.climbs.get(ladder.slug)
  if (!climb) {
    climb = { held: [], assigned: null, through: null, since: 0, graces: [], kept: [] }
    member.climbs.set(ladder.slug, climb)
    beginAnew(w, member, ladder, climb)
  }
  return climb
}

/** By what counts so far, and nothing else. */
export function beginAnew(w: World, member: Member, ladder: Ladder, climb: Climb): void {
  climb.through = null
  climb.graces = []
  if (runs(ladder)) climb.since = windowOf(w, member, ladder, today(w)).from
  climb.kept = [{ tier: null, from: today(w) + 1, to: null, at: w.now, how: 'begun' }]
}

const windowOf = (w: World, member: Member, { window }: Ladder, day: number) =>
  windowAround(window, dayOf(member.joined, w.setup.timezone), day)

// ── windows that end ──

/** What is held through the window that runs: what the one before came to; and what is let stand of what was held through that. */
function carried(
  w: World,
  member: Member,
  ladder: Ladder,
  { through, since }: Climb,
): { level: number; grace?: Grace } {
  const { before } = windowOf(w, member, ladder, since)
  const held = levelOf(ladder, through)
  const level = handedOn(ladder, held, reachedIn(w, ladder, member, [before, since]))
  return { level, ...graceFor(w, ladder, held, level, since) }
}

function graceFor(w: World, ladder: Ladder, held: number, level: number, day: number): { grace?: Grace } {
  const tier = slugAt(ladder, held)
  if (ladder.grace === null || tier === null || level >= held) return {}
  const { period, roundUp } = ladder.grace
  const { timezone } = w.setup
  const whole = period.startsWith('PT') ? startOf(day, timezone) : startOf(shift(day, period, 1), timezone)
  const rest = period.startsWith('PT') ? period : 'P0D'
  // what ended with December and has a month more, to the end of it, ends with January
  return { grace: { tier, until: later(whole - (roundUp ? 1 : 0), rest, timezone, roundUp) } }
}

/** Windows that ended by now. */
function close(w: World, member: Member, ladder: Ladder, climb: Climb): void {
  const { to } = windowOf(w, member, ladder, climb.since)
  if (to > today(w)) return
  const { level, grace } = carried(w, member, ladder, climb)
  if (grace) climb.graces.push(grace)
  climb.through = slugAt(ladder, level)
  climb.since = to
}

// ── rolling ──

/** What these days reach by every version of the ladder since then: by each new one everybody was held against it. */
function reachedSince(w: World, member: Member, ladder: Ladder, at: Instant, days: readonly [number, number]): number {
  return Math.min(...versionsFrom(ladder, at).map((one) => reachedIn(w, one, member, days)))
}

/** What is kept ended by now: it is held against the days just before. */
function roll(w: World, member: Member, newest: Ladder, climb: Climb, until: number): void {
  const { window } = newest
  for (let last = climb.kept.at(-1); window.kind === 'rolling' && last?.to != null; last = climb.kept.at(-1)) {
    const { tier, to } = last as { tier: string | null; to: number }
    if (to > until) return
    const at = startOf(to, w.setup.timezone)
    const held = levelOf(newest, tier)
    const days = [shift(to, window.period, -1), to] as const
    const by = versionsFrom(newest, at).map((one) => ({
      one,
      level: handedOn(one, held, reachedIn(w, one, member, days)),
    }))
    const level = Math.min(...by.map((one) => one.level))
    const ladder = by.find((one) => one.level === level)?.one ?? newest
    const end = level > baseOf(ladder) ? shift(to, window.period, 1) : null
    const grace = graceFor(w, ladder, held, level, to)
    climb.kept.push({ tier: slugAt(ladder, level), from: to, to: end, at, how: 'handed on', ...grace })
  }
}

/** More than what is kept is kept from tomorrow on, for as long again. */
function keepReached(w: World, member: Member, ladder: Ladder, climb: Climb, day: number): void {
  const { window } = ladder
  if (window.kind !== 'rolling') return
  const at = Math.min(w.now, startOf(day + 1, w.setup.timezone) - 1)
  const reached = reachedSince(w, member, ladder, at, [shift(day + 1, window.period, -1), day + 1])
  if (reached <= Math.max(baseOf(ladder), levelOf(ladder, climb.kept.at(-1)?.tier))) return
  const to = shift(day + 1, window.period, 1)
  climb.kept.push({ tier: slugAt(ladder, reached), from: day + 1, to, at, how: 'reached' })
}

/**
 * What is kept has to rest on the days before it; where it does not any more, it is worked out again from what was held before, day by
 * day. What is older than what is kept stands.
 */
function recheck(w: World, member: Member, ladder: Ladder, climb: Climb): void {
  const { window } = ladder
  if (window.kind !== 'rolling') return
  let gone = false
  for (let last = climb.kept.at(-1); last && last.how !== 'begun'; last = climb.kept.at(-1)) {
    const { from, at, how, tier } = last
    const before = levelOf(ladder, climb.kept.at(-2)?.tier)
    const level = Math.min(
      ...versionsFrom(ladder, at).map((one) => {
        const reached = reachedIn(w, one, member, [shift(from, window.period, -1), from])
        return how === 'handed on' ? handedOn(one, before, reached) : reached
      }),
    )
    if (level >= levelOf(ladder, tier)) break
    climb.kept.pop()
    gone = true
    if (how === 'handed on' || climb.kept.at(-1)?.to === from) break // what ended before stands
  }
  if (!gone) return
  for (let day = (climb.kept.at(-1)?.from ?? today(w)) - 1; day <= today(w); day++) {
    roll(w, member, ladder, climb, day)
    keepReached(w, member, ladder, climb, day)
  }
}

// ── what is held ──

/** The tier that the member holds now; null: none. */
export function tierNow(w: World, member: Member, ladder: Ladder): string | null {
  const climb = climbOf(w, member, ladder)
  const levels = [baseOf(ladder)]
  const live = ({ tier, until }: { tier: string; until: Instant | null }) =>
    (until ?? Number.POSITIVE_INFINITY) > w.now ? levels.push(levelOf(ladder, tier)) : 0
  if (ladder.upgrade === 'at_once' || !runs(ladder))
    levels.push(reachedIn(w, ladder, member, countedDays(w, ladder, member)))
  if (runs(ladder)) {
    const { level, grace } = carried(w, member, ladder, climb)
    levels.push(level)
    if (grace) live(grace)
  }
  for (const one of climb.graces) live(one)
  levels.push(levelOf(ladder, climb.kept.at(-1)?.tier))
  for (const { grace } of climb.kept) if (grace) live(grace)
  if (climb.assigned) live(climb.assigned)
  return slugAt(ladder, Math.max(...levels))
}

/** What is shown of every ladder. */
export function tiersShown(w: World, member: Member): { ladder: string; tier: string | null; counted: number }[] {
  return [...w.ladders.values()].map((ladder) => ({
    ladder: ladder.slug,
    tier: tierNow(w, member, ladder),
    counted: worth(w, ladder, member, countedDays(w, ladder, member)),
  }))
}

/**
 * Notes changes, with when they took effect: a rise when what caused it occurred, a fall now; never before the one before.
 * back: something came back, or the ladder is another.
 */
export function noteTiers(w: World, member: Member, occurredAt = w.now, back = true): void {
  if (member.mergedInto) return
  for (const ladder of w.ladders.values()) {
    const climb = climbOf(w, member, ladder)
    if (isKnown(w, member)) climb.begun ??= Math.min(occurredAt, w.now, member.joined)
    if (back) recheck(w, member, ladder, climb)
    keepReached(w, member, ladder, climb, today(w))
    noteTier(w, member, ladder, occurredAt)
  }
}

function noteTier(w: World, member: Member, ladder: Ladder, occurredAt: Instant): void {
  const { held, begun } = climbOf(w, member, ladder)
  const to = tierNow(w, member, ladder)
  const last = held.at(-1)
  const from = last ? last.to : slugAt(ladder, baseOf(ladder))
  if (to === from) return
  const at = levelOf(ladder, to) > levelOf(ladder, from) ? Math.min(occurredAt, w.now) : w.now
  held.push({ at: Math.max(at, last?.at ?? (baseOf(ladder) < 0 ? at : (begun ?? at))), to })
}

/** Whether anything was ever decided of it. */
const isKnown = (w: World, member: Member): boolean =>
  member.journal.length > 0 || [...w.purchases.values(), ...w.activities.values()].some((one) => one.member === member)

/** Whatever ends now by itself. */
export function timeOfTiers(w: World): void {
  for (const member of w.members.values()) {
    if (member.mergedInto) continue
    for (const ladder of w.ladders.values()) {
      const climb = climbOf(w, member, ladder)
      if (runs(ladder)) close(w, member, ladder, climb)
      else roll(w, member, ladder, climb, today(w))
      noteTier(w, member, ladder, w.now)
    }
  }
}

/** The next instant, after `passed` and up to now, at which time alone may change what somebody holds. */
export function nextOfTiers(w: World, passed: Instant, now: Instant): Instant | undefined {
  if (passed >= now) return undefined
  let next = Number.POSITIVE_INFINITY
  const at = (one: Instant | null | undefined) => {
    if (one != null && one > passed && one <= now) next = Math.min(next, one)
  }
  for (const member of w.members.values()) {
    if (member.mergedInto) continue
    for (const ladder of w.ladders.values()) {
      const climb = climbOf(w, member, ladder)
      at(climb.assigned?.until)
      for (const { until } of climb.graces) at(until)
      for (const { grace } of climb.kept) at(grace?.until)
      const { to } = runs(ladder) ? windowOf(w, member, ladder, climb.since) : { to: climb.kept.at(-1)?.to }
      if (to != null) at(startOf(to, w.setup.timezone))
      const isNear = passed < startOf(climb.since, w.setup.timezone) + LONGEST_GRACE
      if (runs(ladder) && ladder.grace && isNear) at(carried(w, member, ladder, climb).grace?.until)
    }
  }
  return next === Number.POSITIVE_INFINITY ? undefined : next
}

/** By what a purchase of then is multiplied: by the tiers that were held then, before it, as their ladders were then. */
export function multipliersAt(w: World, member: Member, at: Instant): string[] {
  return [...w.ladders.values()].map((newest) => {
    const [ladder = newest] = versionsFrom(newest, at)
    const last = climbOf(w, member, newest).held.findLast((one) => one.at <= at)
    const tier = last ? last.to : slugAt(ladder, baseOf(ladder))
    return ladder.tiers.find(({ slug }) => slug === tier)?.multiplier ?? '1'
  })
}

/** Who lives on has the higher of what both had, of everything. */
export function inheritTiers(w: World, into: Member, from: Member): void {
  for (const ladder of w.ladders.values()) {
    const [own, other] = [climbOf(w, into, ladder), climbOf(w, from, ladder)]
    const lasting = ({ assigned }: Climb) =>
      assigned && (assigned.until ?? Number.POSITIVE_INFINITY) > w.now ? levelOf(ladder, assigned.tier) : -1
    if (lasting(other) > lasting(own)) own.assigned = other.assigned
    if (levelOf(ladder, other.through) > levelOf(ladder, own.through)) own.through = other.through
    own.graces.push(...other.graces)
  }
}
