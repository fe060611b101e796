import type { Instant } from '@laurel/contract/instants'
import type { MemberState } from '../ledger/books.ts'
import { advance, type Advanced, beginning } from '../tiers/tiers.rules.ts'
import type { Bucket, Given } from '../tiers/tiers.ts'
import type { Slices } from './slices.ts'
import type { LadderCourse } from './tier-courses.ts'
import { tierKey } from './tier-slices.ts'

/** What becomes of a standing by a decision, and what is counted. changed: whether the standing is to be written. */
export type Step = Advanced & { buckets: Bucket[]; changed: boolean }

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
  const { createdAt } = course.ladder
  const joined = slices.tiers.joined.get(member) ?? given.now
  const since = given.progress.length === 0 ? Math.min(createdAt, at) : createdAt
  return advance(course, beginning(course, { member, joined }, given), given, { at: since, why: 'reached' })
}

/** What is known of what counts for a member; undefined where it was not looked at. */
export function givenOf(slices: Slices, state: MemberState, course: LadderCourse, now: Instant): Given | undefined {
  const key = tierKey(state.member, course.ladder.ladderId)
  const isNew = !slices.tiers.members.has(state.member)
  const progress = slices.tiers.progress.get(key) ?? (isNew ? [] : undefined)
  return progress && { now, progress, balance: availableIn(state, course.walletId) }
}

/** What can be spent now of a wallet. */
export function availableIn({ wallets }: MemberState, walletId: number | undefined): number {
  const wallet = wallets.find(({ w }) => w === walletId)
  return wallet ? wallet.b - wallet.p - wallet.h : 0
}
