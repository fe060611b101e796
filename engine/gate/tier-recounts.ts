import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Db } from '../base/db.ts'
import { loadFacts } from '../members/members.sql.ts'
import { needsOf } from '../tiers/versions.rules.ts'
import type { Facts } from './asks.ts'
import { findMember, namedMember, type Slices } from './slices.ts'
import { type CountKey, countAll, familiesOf } from './tier-counts.ts'
import { courseBy, coursesOf, type LadderCourse } from './tier-courses.ts'
import { countKey, tierKey } from './tier-keys.ts'

/** Counts from what is stored, for whom it was not kept: who is new on a ladder, or counted otherwise, or becomes one with another. */

export async function countNew(
  db: Db,
  slices: Slices,
  all: readonly { member: Uuid; course: LadderCourse }[],
): Promise<void> {
  if (all.length === 0) return
  const { tiers, configuration } = slices
  const members = [...new Set(all.map(({ member }) => member))]
  const [families, facts] = await Promise.all([familiesOf(db, members), loadFacts(db, members)])
  for (const { member, joinedAt } of facts) tiers.joined.set(member, joinedAt)
  const keys = all.map(({ member, course }): CountKey => ({ member, course, of: families.get(member) ?? [member] }))
  const counted = await countAll(db, configuration, keys)
  for (const [i, { member, course }] of keys.entries()) {
    const newest = coursesOf(configuration).get(course.ladder.ladderId) as LadderCourse
    const key = countKey(newest, member, course.ladder.keeping)
    tiers.progress.set(key, counted[i] ?? [])
    tiers.unsaved.set(key, counted[i] ?? [])
  }
}

/** What counts for two members once they are one, or are two again. */
export async function recount(db: Db, slices: Slices, facts: Facts, together: boolean, now: Instant): Promise<void> {
  const survivor = findMember(slices, facts.member)?.member
  const other = namedMember(slices, facts.other)?.member
  if (survivor === undefined || other === undefined || survivor === other) return
  const families = await familiesOf(db, [survivor, other])
  const [own, others] = [families.get(survivor) ?? [], families.get(other) ?? []]
  const of = together ? [...new Set([...own, ...others])] : own.filter((one) => !others.includes(one))
  const keys = [...coursesOf(slices.configuration).values()].flatMap((course) =>
    waysFor(slices, course, [survivor, other], now).flatMap((way): CountKey[] => [
      { member: survivor, course: way, of },
      ...(together ? [] : [{ member: other, course: way, of: others }]),
    ]),
  )
  const counted = await countAll(db, slices.configuration, keys)
  for (const [i, { member, course }] of keys.entries()) {
    const newest = coursesOf(slices.configuration).get(course.ladder.ladderId) as LadderCourse
    slices.tiers.recounted.set(countKey(newest, member, course.ladder.keeping), counted[i] ?? [])
  }
  for (const { member, joinedAt } of await loadFacts(db, [survivor, other])) slices.tiers.joined.set(member, joinedAt)
}

/** The ways of counting by which either holds something, the newest first; none where the ladder knows neither. */
function waysFor({ tiers }: Slices, course: LadderCourse, members: readonly Uuid[], now: Instant): LadderCourse[] {
  const keys = members.map((member) => tierKey(member, course.ladder.ladderId))
  if (!keys.some((key) => tiers.states.has(key) || tiers.progress.has(key))) return []
  const ways = new Map([[course.ladder.keeping, course]])
  for (const row of keys.flatMap((key) => tiers.states.get(key) ?? [])) {
    const needs = needsOf(course, row, now)
    for (const keeping of [...needs.kept.keys(), ...needs.anew.map(({ ladder }) => ladder.keeping)]) {
      const way = courseBy(course, keeping)
      if (way && !ways.has(keeping)) ways.set(keeping, way)
    }
  }
  return [...ways.values()]
}
