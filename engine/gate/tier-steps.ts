import type { Instant } from '@laurel/contract/instants'
import type { MemberState } from '../ledger/books.ts'
import { type Advanced, begin } from '../tiers/tiers.rules.ts'
import type { Course, Given } from '../tiers/tiers.ts'
import type { KeptBucket } from '../tiers/tiers.sql.ts'
import type { Slices } from './slices.ts'
import { courseBy, type LadderCourse } from './tier-courses.ts'
import { countKey } from './tier-keys.ts'

/** What becomes of a standing by a decision, and what is counted. changed: whether the standing is to be written. */
export type Step = Advanced & { buckets: KeptBucket[]; changed: boolean }

/**
 * Where nothing was written yet: the standing by what counted so far, since the ladder was made or the first that is
 * known of the member.
 */
export function begun(
  slices: Slices,
  course: LadderCourse,
  { member }: MemberState,
  given: Given,
  at: Instant,
): Pick<Advanced, 'state' | 'changes'> {
  const joined = slices.tiers.joined.get(member) ?? given.now
  return begin(course, { member, joined }, given, given.progress.length === 0 ? at : given.now)
}

/** What is known of what counts for a member; undefined where it was not looked at. */
export function givenOf(slices: Slices, state: MemberState, course: LadderCourse, now: Instant): Given | undefined {
  const { members, progress: all } = slices.tiers
  const progress = all.get(countKey(course, state.member)) ?? (members.has(state.member) ? undefined : [])
  const by = ({ ladder }: Course) => ({
    progress: all.get(countKey(course, state.member, ladder.keeping)) ?? [],
    balance: availableIn(state, courseBy(course, ladder.version)?.walletId),
  })
  return progress && { now, progress, balance: availableIn(state, course.walletId), by }
}

/** What can be spent now of a wallet. */
export function availableIn({ wallets }: MemberState, walletId: number | undefined): number {
  const wallet = wallets.find(({ w }) => w === walletId)
  return wallet ? wallet.b - wallet.p - wallet.h : 0
}
