import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Db } from '../base/db.ts'
import type { Configuration } from '../earning/configuration.ts'
import { type CountKey, countAll, familiesOf } from '../gate/tier-counts.ts'
import { courseAt, courseBy, coursesOf, type LadderCourse, waysOfCounting } from '../gate/tier-courses.ts'
import { loadFacts } from '../members/members.sql.ts'
import { broughtUp } from '../tiers/shown.rules.ts'
import { heldAt } from '../tiers/tiers.rules.ts'
import type { Bucket, Given, TierChange, TierState } from '../tiers/tiers.ts'
import { loadProgress, loadTierHistory, loadTierStates } from '../tiers/tiers.sql.ts'
import { needsOf } from '../tiers/versions.rules.ts'
import { readBooks, standingsAt } from './standings.ts'

/** What a member holds on a ladder as of now, which changes of it nobody booked yet, and what it was worked out from. */
export type Looked = { member: Uuid; course: LadderCourse; state: TierState; changes: TierChange[]; given: Given }

/** What is known of members on ladders before time and counts are brought up to now. */
export type Read = { stored: ReadonlyMap<string, TierState>; joined: ReadonlyMap<Uuid, Instant> } & {
  of(member: Uuid, course: LadderCourse): Given
}

/**
 * Of members who live on as nobody else, on these ladders, as of now: in as many statements for a thousand as for one (three; three more
 * where a balance counts, three where something was not counted yet).
 */
export async function lookAt(
  db: Db,
  configuration: Configuration,
  members: readonly Uuid[],
  courses: readonly LadderCourse[],
  now: Instant,
): Promise<Looked[]> {
  if (courses.length === 0 || members.length === 0) return []
  const read = await readFor(db, configuration, members, courses, now)
  return members.flatMap((member) => {
    const joined = read.joined.get(member)
    if (joined === undefined) return []
    return courses.map((course) => {
      const given = read.of(member, course)
      const stored = read.stored.get(`${member} ${course.ladder.ladderId}`)
      const { state, changes } = broughtUp(course, { member, joined }, stored, given)
      return { member, course, state, changes, given }
    })
  })
}

/** Courses may be those of versions that nobody published: what they keep is then counted from what is stored. */
export async function readFor(
  db: Db,
  configuration: Configuration,
  members: readonly Uuid[],
  courses: readonly LadderCourse[],
  now: Instant,
): Promise<Read> {
  const [states, facts, balances] = await Promise.all([
    loadTierStates(db, members),
    loadFacts(db, members),
    balancesOf(db, configuration, members, courses, now),
  ])
  const stored = new Map(states.map((state) => [`${state.member} ${state.ladderId}`, state]))
  const counts = await countsOf(db, configuration, members, courses, stored, now)
  const given = (member: Uuid, course: LadderCourse) => ({
    balance: course.sinks && course.walletId !== undefined ? balances(member, course.walletId) : 0,
    progress: counts.get(keyOf(member, course)) ?? [],
  })
  return {
    stored,
    joined: new Map(facts.map(({ member, joinedAt }) => [member, joinedAt])),
    of: (member, course) => ({
      now,
      ...given(member, course),
      by: ({ ladder }) => given(member, courseBy(course, ladder.version) ?? course),
    }),
  }
}

function keyOf(member: Uuid, { ladder }: LadderCourse): string {
  return `${member} ${ladder.ladderId} ${ladder.keeping}`
}

/** What counts: as it was kept; from purchases and activities where it was not. */
async function countsOf(
  db: Db,
  configuration: Configuration,
  members: readonly Uuid[],
  courses: readonly LadderCourse[],
  stored: ReadonlyMap<string, TierState>,
  now: Instant,
): Promise<Map<string, Bucket[]>> {
  const counts = new Map<string, Bucket[]>()
  const kept: Parameters<typeof loadProgress>[1][number][] = []
  const others: { member: Uuid; course: LadderCourse }[] = []
  for (const course of courses) {
    const { ladderId } = course.ladder
    // of ways that count nothing, a balance alone, nothing is read
    for (const member of members) {
      const state = stored.get(`${member} ${ladderId}`)
      const needs = state && needsOf(course, state, now)
      for (const [keeping, from] of needs?.kept ?? [])
        if (courseBy(course, keeping)?.measures.size !== 0) kept.push({ member, ladderId, keeping, from })
      for (const way of (needs?.anew as LadderCourse[] | undefined) ?? waysOfCounting(course))
        if (way.measures.size > 0) others.push({ member, course: way })
    }
  }
  const [buckets] = await Promise.all([loadProgress(db, kept), countOthers(db, configuration, others, counts)])
  for (const { member, ladderId, keeping, ...bucket } of buckets) {
    const key = `${member} ${ladderId} ${keeping}`
    const known = counts.get(key)
    if (known) known.push(bucket)
    else counts.set(key, [bucket])
  }
  return counts
}

async function countOthers(
  db: Db,
  configuration: Configuration,
  others: readonly { member: Uuid; course: LadderCourse }[],
  counts: Map<string, Bucket[]>,
): Promise<void> {
  if (others.length === 0) return
  const families = await familiesOf(db, [...new Set(others.map(({ member }) => member))])
  const keys = others.map(({ member, course }): CountKey => ({ member, course, of: families.get(member) ?? [member] }))
  const counted = await countAll(db, configuration, keys)
  for (const [i, { member, course }] of keys.entries()) counts.set(keyOf(member, course), counted[i] ?? [])
}

/** Points that can be spent now, where a ladder asks for them. */
async function balancesOf(
  db: Db,
  configuration: Configuration,
  members: readonly Uuid[],
  courses: readonly LadderCourse[],
  now: Instant,
): Promise<(member: Uuid, walletId: number) => number> {
  const all = courses.flatMap((course) => [course, ...(course.ladder.past?.length ? course.past() : [])])
  if (!all.some(({ sinks }) => sinks)) return () => 0
  const books = await readBooks(db, configuration, members)
  const standings = new Map(books.map((one) => [one.state.member, standingsAt(one, now)]))
  return (member, walletId) => standings.get(member)?.(walletId).available ?? 0
}

/** The ladders in force: of one program, or of all. */
export function coursesFor(configuration: Configuration, programId?: number): LadderCourse[] {
  const all = [...coursesOf(configuration).values()]
  return programId === undefined ? all : all.filter(({ ladder }) => ladder.programId === programId)
}

/**
 * What a member holds at an instant, with the ladders as they were then: as it will be, where that is ahead; as it was, where changes say
 * so.
 */
export async function heldThen(
  db: Db,
  configuration: Configuration,
  member: Uuid,
  courses: readonly LadderCourse[],
  at: Instant,
  now: Instant,
): Promise<{ course: LadderCourse; tier: string | null }[]> {
  const looked = await lookAt(db, configuration, [member], courses, Math.max(now, at))
  const past = looked.filter(({ state }) => state.since !== null && at < state.since)
  const history = await loadTierHistory(
    db,
    past.map(({ course }) => ({ member, ladderId: course.ladder.ladderId })),
  )
  return looked.map(({ course: newest, state, changes: unbooked }) => {
    const course = courseAt(newest, at)
    if (state.since === null || state.since <= at) return { course, tier: state.tier }
    const changes = history.filter(({ ladderId }) => ladderId === course.ladder.ladderId)
    return { course, tier: heldAt(course.ladder.terms, [...changes, ...unbooked], at) }
  })
}
