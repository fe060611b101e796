import type { Uuid } from '@laurel/contract/ids'
import type { LadderCourse } from './tier-courses.ts'

/** What is known of members on ladders while a list is decided, by name. */

/** What a member holds on a ladder. */
export function tierKey(member: Uuid, ladderId: number): string {
  return `${member} ${ladderId}`
}

/** Of what is counted as the newest version counts, or as those of an older `keeping` did. */
export function countKey({ ladder }: LadderCourse, member: Uuid, keeping = ladder.keeping): string {
  const key = tierKey(member, ladder.ladderId)
  return keeping === ladder.keeping ? key : `${key} ${keeping}`
}
