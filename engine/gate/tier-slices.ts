import { decodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { localDay } from '../base/calendar.ts'
import type { Db } from '../base/db.ts'
import { type Configuration, program } from '../earning/configuration.ts'
import { loadFacts } from '../members/members.sql.ts'
import { withChanges } from '../tiers/levels.rules.ts'
import type { Bucket, StoredChange, TierState } from '../tiers/tiers.ts'
import {
  loadProgress,
  loadTierHistory,
  loadTierStates,
  type ProgressKey,
  type TierChanges,
} from '../tiers/tiers.sql.ts'
import { earliestDay } from '../tiers/windows.rules.ts'
import { ladderNamed } from '../earning/ladders.ts'
import type { Ask, AssignTierAsk, Facts, ReleaseTierAsk } from './asks.ts'
import { findMember, namedMember, type Slices } from './slices.ts'
import { type CountKey, countAll, familiesOf } from './tier-counts.ts'
import { coursesOf, type LadderCourse } from './tier-courses.ts'
import { isNobodys, whoseReturn } from './unclaimed.ts'

/** Part of the slices: what members hold on ladders and what counts there, by `member ladderId`. */
export type TierSlices = {
  /** whose rows were read */
  members: Set<Uuid>
  states: Map<string, TierState>
  /** the days that matter, of those that have a row or were counted */
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

export function tierKey(member: Uuid, ladderId: number): string {
  return `${member} ${ladderId}`
}

type Asked = { ask: Ask; facts: Facts }
type Wanted = { member: Uuid; course: LadderCourse }

/**
 * Reads what members hold, and what counts: two statements where there are ladders, none where there are none. Who is
 * asked about in a program and was not counted yet is counted from what is stored, once.
 */
export async function loadTiers(db: Db, asks: readonly Asked[], slices: Slices): Promise<void> {
  const courses = coursesOf(slices.configuration)
  if (courses.size === 0 || slices.states.size === 0) return
  const { tiers } = slices
  const members = [...slices.states.keys()]
  for (const member of members) tiers.members.add(member)
  const rows = (await loadTierStates(db, members)).filter((row) => courses.has(row.ladderId))
  for (const row of rows) tiers.states.set(tierKey(row.member, row.ladderId), row)
  const now = Math.max(...asks.map(({ facts }) => facts.now))
  const kept = rows.filter((row) => row.keeping === courses.get(row.ladderId)?.ladder.keeping)
  const merging = asks.filter(({ ask }) => ask.verb === 'merge' || ask.verb === 'unmerge')
  const progress = kept.map((row) => progressKey(courses, row, now, merging.length > 0))
  for (const { member, ladderId } of kept) tiers.progress.set(tierKey(member, ladderId), [])
  const [buckets, history] = await Promise.all([
    loadProgress(db, progress),
    loadTierHistory(db, lateKeys(asks, slices, rows)),
  ])
  for (const { measure, day, amount, ...key } of buckets)
    tiers.progress.get(tierKey(key.member, key.ladderId))?.push({ measure, day, amount })
  for (const change of history) {
    const key = tierKey(change.member, change.ladderId)
    tiers.history.set(key, [...(tiers.history.get(key) ?? []), change])
  }
  await countNew(db, slices, wanted(asks, slices, rows, courses))
  for (const { facts, ask } of merging) await recount(db, slices, facts, ask.verb === 'merge')
}

function progressKey(
  courses: ReadonlyMap<number, LadderCourse>,
  row: TierState,
  now: Instant,
  whole: boolean,
): ProgressKey {
  const { ladder, timezone } = courses.get(row.ladderId) as LadderCourse
  const { member, ladderId, keeping, standing } = row
  const from = whole ? Number.MIN_SAFE_INTEGER : earliestDay(ladder.terms.window, standing, localDay(now, timezone))
  return { member, ladderId, keeping, from }
}

/** What is asked of a time before the tier that is held now. */
function lateKeys(asks: readonly Asked[], slices: Slices, rows: readonly TierState[]): TierState[] {
  const earliest = new Map<Uuid, Instant>()
  for (const { ask, facts } of asks) {
    const at = ask.verb === 'commitCheckout' ? ask.paidAt : 'occurredAt' in ask ? ask.occurredAt : undefined
    const member = findMember(slices, facts.member)?.member
    if (member !== undefined && at !== undefined) earliest.set(member, Math.min(at, earliest.get(member) ?? at))
  }
  return rows.filter(({ member, since }) => since !== null && (earliest.get(member) ?? since) < since)
}

/** Whom asks concern in programs that have ladders, where nothing was counted of them so far, or not the same. */
function wanted(
  asks: readonly Asked[],
  slices: Slices,
  rows: readonly TierState[],
  courses: ReadonlyMap<number, LadderCourse>,
): Wanted[] {
  const found = new Map<string, Wanted>()
  const want = (member: Uuid, course: LadderCourse): void => {
    const key = tierKey(member, course.ladder.ladderId)
    if (!slices.tiers.progress.has(key)) found.set(key, { member, course })
  }
  for (const { member, ladderId } of rows) want(member, courses.get(ladderId) as LadderCourse)
  for (const { ask, facts } of asks) {
    const programId = programOf(slices.configuration, ask)
    if (programId === undefined) continue
    for (const member of membersOf(slices, ask, facts)) {
      for (const course of courses.values()) if (course.ladder.programId === programId) want(member, course)
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

async function countNew(db: Db, slices: Slices, all: readonly Wanted[]): Promise<void> {
  if (all.length === 0) return
  const { tiers } = slices
  const members = [...new Set(all.map(({ member }) => member))]
  const [families, facts] = await Promise.all([familiesOf(db, members), loadFacts(db, members)])
  for (const { member, joinedAt } of facts) tiers.joined.set(member, joinedAt)
  const keys = all.map(({ member, course }): CountKey => ({ member, course, of: families.get(member) ?? [member] }))
  const counted = await countAll(db, slices.configuration, keys)
  for (const [i, { member, course }] of keys.entries()) {
    const key = tierKey(member, course.ladder.ladderId)
    tiers.progress.set(key, counted[i] ?? [])
    tiers.unsaved.set(key, counted[i] ?? [])
  }
}

/** What counts for two members once they are one, or are two again. */
async function recount(db: Db, slices: Slices, facts: Facts, together: boolean): Promise<void> {
  const survivor = findMember(slices, facts.member)?.member
  const other = namedMember(slices, facts.other)?.member
  if (survivor === undefined || other === undefined || survivor === other) return
  const families = await familiesOf(db, [survivor, other])
  const [own, others] = [families.get(survivor) ?? [], families.get(other) ?? []]
  const of = together ? [...new Set([...own, ...others])] : own.filter((one) => !others.includes(one))
  const ladders = [...coursesOf(slices.configuration).values()].filter(({ ladder }) =>
    [survivor, other].some((member) => isKnown(slices.tiers, tierKey(member, ladder.ladderId))),
  )
  const keys = ladders.flatMap((course): CountKey[] => [
    { member: survivor, course, of },
    ...(together ? [] : [{ member: other, course, of: others }]),
  ])
  const counted = await countAll(db, slices.configuration, keys)
  for (const [i, { member, course }] of keys.entries())
    slices.tiers.recounted.set(tierKey(member, course.ladder.ladderId), counted[i] ?? [])
  for (const { member, joinedAt } of await loadFacts(db, [survivor, other])) slices.tiers.joined.set(member, joinedAt)
}

function isKnown({ states, progress }: TierSlices, key: string): boolean {
  return states.has(key) || progress.has(key)
}

/** As the asks after this one see it. */
export function applyTiers(tiers: TierSlices, { states, buckets, history }: TierChanges): void {
  for (const state of states) tiers.states.set(tierKey(state.member, state.ladderId), state)
  const counted = Map.groupBy(buckets, (one) => tierKey(one.member, one.ladderId))
  for (const key of new Set([...states.map((one) => tierKey(one.member, one.ladderId)), ...counted.keys()])) {
    const before = tiers.unsaved.delete(key) ? [] : (tiers.progress.get(key) ?? [])
    tiers.progress.set(key, withChanges(before, counted.get(key) ?? []))
  }
  for (const change of history) {
    const key = tierKey(change.member, change.ladderId)
    tiers.history.set(key, [...(tiers.history.get(key) ?? []), change])
  }
}
