import { decodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Db } from '../base/db.ts'
import { type Configuration, program } from '../earning/configuration.ts'
import { ladderNamed, laddersOf } from '../earning/ladders.ts'
import { hasPassed } from '../ledger/time.rules.ts'
import { withChanges } from '../tiers/levels.rules.ts'
import type { Bucket, StoredChange, TierState } from '../tiers/tiers.ts'
import {
  loadProgress,
  loadTierHistory,
  loadTierStates,
  type ProgressKey,
  type TierChanges,
} from '../tiers/tiers.sql.ts'
import { needsOf } from '../tiers/versions.rules.ts'
import type { Ask, AssignTierAsk, Facts, ReleaseTierAsk } from './asks.ts'
import { termsOf } from './dates.ts'
import { findMember, type Slices } from './slices.ts'
import { coursesOf, type LadderCourse, waysOfCounting } from './tier-courses.ts'
import { countKey, tierKey } from './tier-keys.ts'
import { tiersSayExpiry } from './tier-expiry.ts'
import { countNew, recount } from './tier-recounts.ts'
import { isNobodys, whoseReturn } from './unclaimed.ts'
import { mayWait } from './waiting.ts'

/** Part of the slices: what members hold on ladders and what counts there, by `member ladderId`. */
export type TierSlices = {
  /** who was there when rows were read */
  members: Set<Uuid>
  states: Map<string, TierState>
  /** the days that matter, of those that have a row or were counted; by countKey, like all that is counted */
  progress: Map<string, Bucket[]>
  /** counted from what is stored and not written yet: it is, with the state */
  unsaved: Map<string, Bucket[]>
  /** of two members who become one, or are two again: all that counts for each from now on */
  recounted: Map<string, Bucket[]>
  /** where something is decided of a time before the tier that is held: all changes */
  history: Map<string, StoredChange[]>
  joined: Map<Uuid, Instant>
}

export function noTiers(): TierSlices {
  return {
    members: new Set(),
    states: new Map(),
    progress: new Map(),
    unsaved: new Map(),
    recounted: new Map(),
    history: new Map(),
    joined: new Map(),
  }
}

export type Asked = { ask: Ask; facts: Facts }
/** course: of the version by which is counted. */
type Wanted = { member: Uuid; course: LadderCourse }

/**
 * Reads what members hold, and what counts: two statements where there are ladders, none where there are none. Who is
 * asked about in a program and was not counted yet is counted from what is stored, once.
 */
export async function loadTiers(db: Db, asks: readonly Asked[], slices: Slices): Promise<void> {
  const courses = coursesOf(slices.configuration)
  if (courses.size === 0 || slices.states.size === 0) return
  const { tiers } = slices
  for (const member of slices.states.keys()) tiers.members.add(member)
  const members = whoMayClimb(asks, slices)
  if (members.length === 0) return
  const rows = (await loadTierStates(db, members)).filter((row) => courses.has(row.ladderId))
  for (const row of rows) tiers.states.set(tierKey(row.member, row.ladderId), row)
  const now = Math.max(...asks.map(({ facts }) => facts.now))
  const merging = asks.filter(({ ask }) => ask.verb === 'merge' || ask.verb === 'unmerge')
  const progress: ProgressKey[] = []
  const anew: Wanted[] = []
  for (const row of rows) {
    const course = courses.get(row.ladderId) as LadderCourse
    const needs = needsOf(course, row, now)
    for (const [keeping, from] of needs.kept) {
      const first = merging.length > 0 ? Number.MIN_SAFE_INTEGER : from
      progress.push({ member: row.member, ladderId: row.ladderId, keeping, from: first })
      tiers.progress.set(countKey(course, row.member, keeping), [])
    }
    for (const one of needs.anew) anew.push({ member: row.member, course: one as LadderCourse })
  }
  const [buckets, history] = await Promise.all([
    loadProgress(db, progress),
    loadTierHistory(db, lateKeys(asks, slices, rows)),
  ])
  for (const { measure, day, amount, member, ladderId, keeping } of buckets)
    tiers.progress.get(countKey(courses.get(ladderId) as LadderCourse, member, keeping))?.push({ measure, day, amount })
  for (const change of history) {
    const key = tierKey(change.member, change.ladderId)
    tiers.history.set(key, [...(tiers.history.get(key) ?? []), change])
  }
  await countNew(db, slices, wanted(asks, slices, anew, courses))
  for (const { facts, ask } of merging) await recount(db, slices, facts, ask.verb === 'merge', now)
}

/**
 * Those of whom something may be decided where there are ladders; of others it is known that they are asked about in
 * programs without ladders alone, and that nothing of their books is worked out again as time passes.
 */
function whoMayClimb(asks: readonly Asked[], slices: Slices): Uuid[] {
  const { configuration } = slices
  const terms = termsOf(configuration)
  const may = new Set<Uuid>()
  const not = new Set<Uuid>()
  for (const { ask, facts } of asks) {
    const programId = programOf(configuration, ask)
    const climbs = programId === undefined || laddersOf(configuration, programId).length > 0
    for (const member of membersOf(slices, ask, facts)) {
      const state = slices.states.get(member)
      if (climbs || !state || hasPassed(state, terms, facts.now)) may.add(member)
      else not.add(member)
    }
  }
  return [...slices.states.keys()].filter((member) => may.has(member) || !not.has(member))
}

/** What is asked of a time before the tier that is held now; or of points that waited, of when they were earned. */
function lateKeys(asks: readonly Asked[], slices: Slices, rows: readonly TierState[]): TierState[] {
  const earliest = new Map<Uuid, Instant>()
  for (const { ask, facts } of asks) {
    const at = begins(slices.configuration, ask)
      ? Number.NEGATIVE_INFINITY
      : ask.verb === 'commitCheckout'
        ? ask.paidAt
        : 'occurredAt' in ask
          ? ask.occurredAt
          : undefined
    const member = findMember(slices, facts.member)?.member
    if (member !== undefined && at !== undefined) earliest.set(member, Math.min(at, earliest.get(member) ?? at))
  }
  return rows.filter(({ member, since }) => since !== null && (earliest.get(member) ?? since) < since)
}

/** Whether points may begin by it that waited, and end as a tier says. */
function begins(configuration: Configuration, ask: Ask): boolean {
  if (ask.verb !== 'activity' && ask.verb !== 'changeLot') return false
  if (!tiersSayExpiry(configuration)) return false
  if (ask.verb === 'changeLot') return ask.change === 'activate'
  const ours = program(configuration, ask.program)
  return ours !== undefined && mayWait(configuration, ours, ask.type)
}

/** Besides `anew`: whom asks concern in programs that have ladders, where nothing was counted of them so far. */
function wanted(
  asks: readonly Asked[],
  slices: Slices,
  anew: readonly Wanted[],
  courses: ReadonlyMap<number, LadderCourse>,
): Wanted[] {
  const found = new Map<string, Wanted>()
  const want = (member: Uuid, course: LadderCourse): void => {
    const { ladderId, keeping } = course.ladder
    const key = countKey(courses.get(ladderId) as LadderCourse, member, keeping)
    if (!slices.tiers.progress.has(key)) found.set(key, { member, course })
  }
  for (const { member, course } of anew) want(member, course)
  for (const { ask, facts } of asks) {
    const programId = programOf(slices.configuration, ask)
    if (programId === undefined) continue
    for (const member of membersOf(slices, ask, facts)) {
      for (const course of courses.values()) {
        if (course.ladder.programId !== programId || slices.tiers.states.has(tierKey(member, course.ladder.ladderId)))
          continue
        for (const way of waysOfCounting(course)) want(member, way)
      }
    }
  }
  return [...found.values()]
}

/** The program that an ask names, or the only one there is. */
function programOf(configuration: Configuration, ask: Ask): number | undefined {
  if (ask.verb === 'assignTier' || ask.verb === 'releaseTier') return programOfLadder(configuration, ask)
  if (ask.verb === 'redeem') {
    const id = decodeId('rwd', ask.reward)
    if (id !== undefined) return configuration.rewards.find((reward) => reward.id === id)?.programId
  }
  if ('programId' in ask) return ask.programId
  const ref = 'program' in ask ? ask.program : undefined
  if (ref !== undefined) return program(configuration, ref)?.programId
  return configuration.programs.length === 1 ? configuration.programs[0]?.programId : undefined
}

function programOfLadder(configuration: Configuration, ask: AssignTierAsk | ReleaseTierAsk): number | undefined {
  const ours = ask.program === undefined ? undefined : program(configuration, ask.program)?.programId
  return ladderNamed(configuration, ask.ladder, ours)?.programId
}

function membersOf(slices: Slices, ask: Ask, facts: Facts): Uuid[] {
  const named = [findMember(slices, facts.member), findMember(slices, facts.other)].flatMap((one) => one?.member ?? [])
  if (ask.verb !== 'return' || ask.member !== undefined || isNobodys(slices.names.get(facts.name ?? ''))) return named
  const whose = whoseReturn(slices, ask, facts)
  return 'member' in whose ? [whose.member] : named
}

/** As the asks after this one see it. */
export function applyTiers({ tiers, configuration }: Slices, { states, buckets, history }: TierChanges): void {
  const courses = coursesOf(configuration)
  for (const state of states) tiers.states.set(tierKey(state.member, state.ladderId), state)
  const keyOf = (one: { member: Uuid; ladderId: number; keeping: number }) => {
    const course = courses.get(one.ladderId)
    return course ? countKey(course, one.member, one.keeping) : tierKey(one.member, one.ladderId)
  }
  const counted = Map.groupBy(buckets, keyOf)
  for (const key of new Set([...states.map(keyOf), ...counted.keys()])) {
    const before = tiers.unsaved.delete(key) ? [] : (tiers.progress.get(key) ?? [])
    tiers.progress.set(key, withChanges(before, counted.get(key) ?? []))
  }
  for (const change of history) {
    const key = tierKey(change.member, change.ladderId)
    tiers.history.set(key, [...(tiers.history.get(key) ?? []), change])
  }
}
