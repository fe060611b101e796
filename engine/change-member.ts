import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { MemberPatch } from '@laurel/contract/members'
import { Refused } from '@laurel/contract/refusals'
import type { Tx } from './base/db.ts'
import { appendEvents } from './base/outbox.ts'
import { actedUpon } from './gate/cards.ts'
import { tell } from './gate/decisions.ts'
import { changeStatus, loadStates, lockState } from './ledger/states.sql.ts'
import { moveNames, type Revised, revised } from './members/members.ts'
import { applyPatch, type Member, STATUS_CODES, takenBy } from './members/members.rules.ts'
import { lockMember, updateMember } from './members/members.sql.ts'

/** What the door fixes: when it is, where new ids come from, and what digits of cards are derived from. */
type Door = { now: Instant; newId: () => Uuid; secret?: string | undefined }

/**
 * What happens when a profile or a member's status is changed by a merge patch: what differs is saved, its names move
 * with it, and the world is told which fields changed (never what they say). A patch that changes nothing writes nothing.
 * `revision` is the one that the caller has seen, if it says so. A purchase sees a new status from the next list on:
 * one that races with the change is decided again. Closed is final.
 * Refusals: invalid_request, member_unknown, member_suspended, etag_mismatch, already_exists.
 */
export async function changeMember(
  tx: Tx,
  ref: string,
  patch: MemberPatch,
  revision: number | undefined,
  door: Door,
): Promise<Revised> {
  const id = await actedUpon(tx, ref, door)
  const member = id === undefined ? undefined : await lockMember(tx, id)
  if (!member) throw new Refused('member_unknown', `there is no member "${ref}"`)
  if (member.status === 'merged') return await changeMember(tx, ref, patch, revision, door) // since it was looked up
  if (revision !== undefined && revision !== member.revision) {
    throw new Refused('etag_mismatch', 'the member was changed since it was read')
  }
  const { next, changed } = applyPatch(member, patch, door.now)
  if (changed.length === 0) return revised(member)
  const taken = await moveNames(tx, member.id, member, next)
  if (taken.length > 0) throw takenBy(taken.map(({ identity }) => identity))
  await save(tx, next, changed, door)
  return revised(next)
}

/** In the order of every list: names (moved already), the member's state, then the rest. */
async function save(tx: Tx, next: Member, changed: string[], door: Door): Promise<void> {
  const [, [state]] = await Promise.all([lockState(tx, next.id), loadStates(tx, [next.id])])
  if (!state) throw new Error(`member ${next.id} has no state`)
  const event = tell(state, 'member.changed', { fields: changed, status: next.status })
  await Promise.all([
    changeStatus(tx, next.id, state.version, STATUS_CODES[next.status], 1),
    updateMember(tx, next),
    appendEvents(tx, door.newId(), door.now, [event]),
  ])
}
