import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { MemberPatch } from '@laurel/contract/members'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { Tx } from './base/db.ts'
import { appendEvents } from './base/outbox.ts'
import { isRefusal, tell } from './gate/decisions.ts'
import { changeStatus, loadStates, lockState } from './ledger/ledger.sql.ts'
import { memberIdOf, moveNames } from './members/members.ts'
import { applyPatch, type Member, STATUS_CODES, takenBy } from './members/members.rules.ts'
import { lockMember, updateMember } from './members/members.sql.ts'

/** Fixed at the door: the batch of events, the time, and the revision that the caller has seen (If-Match), if it says. */
export type ChangeFacts = { batch: Uuid; now: Instant; revision?: number | undefined }

/**
 * What happens when a profile or a member's status is changed by a merge patch. What differs is saved, its names move
 * with it, and the world is told which fields changed (never what they say). A patch that changes nothing writes nothing.
 * A purchase sees a new status from the next list on: one that races with it is decided again. Closed is final.
 * Refusals: invalid_request, member_unknown, member_suspended, etag_mismatch, already_exists. A refusal has written nothing.
 */
export async function changeMember(tx: Tx, ref: string, patch: MemberPatch, facts: ChangeFacts): Promise<Member | Refusal> {
  const id = await memberIdOf(tx, ref)
  const member = id === undefined ? undefined : await lockMember(tx, id)
  if (!member) return refusal('member_unknown', `there is no member "${ref}"`)
  if (facts.revision !== undefined && facts.revision !== member.revision) {
    return refusal('etag_mismatch', 'the member was changed since you read it: read it again and repeat your change')
  }
  const patched = applyPatch(member, patch, facts.now)
  if (isRefusal(patched)) return patched
  const { next, changed } = patched
  if (changed.length === 0) return member
  const taken = await moveNames(tx, member.id, member, next)
  if (taken.length > 0) return takenBy(taken.map(({ identity }) => identity))
  await save(tx, next, changed, facts)
  return next
}

/** In the order of every list: names (moved already), the member's state, then the rest. */
async function save(tx: Tx, next: Member, changed: string[], facts: ChangeFacts): Promise<void> {
  const [, states] = await Promise.all([lockState(tx, next.id), loadStates(tx, [next.id])])
  const [state] = states
  if (!state) throw new Error(`member ${next.id} has no state`)
  const event = tell(state, 'member.changed', { fields: changed, status: next.status })
  await Promise.all([
    changeStatus(tx, next.id, state.version, STATUS_CODES[next.status], 1),
    updateMember(tx, next),
    appendEvents(tx, facts.batch, facts.now, [event]),
  ])
}
