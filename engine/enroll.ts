import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { MemberBody } from '@laurel/contract/members'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { Tx } from './base/db.ts'
import { appendEvents } from './base/outbox.ts'
import { isRefusal } from './gate/decisions.ts'
import { genesis } from './ledger/chain.rules.ts'
import { insertStates } from './ledger/ledger.sql.ts'
import { moveNames, type Taken } from './members/members.ts'
import { type Member, newMember, normalise, type Profile, sameContent, STATUS_CODES, takenBy } from './members/members.rules.ts'
import { insertMember, selectMember } from './members/members.sql.ts'

/** Fixed at the door: the id of the member who may join, of the batch of events, and the time. */
export type EnrolFacts = { id: Uuid; batch: Uuid; now: Instant }
export type Enrolled = { created: boolean; member: Member }

/**
 * What happens when someone joins: a profile, empty books, and the names by which no one else may go. A create that
 * says what is known already (the same external id and content) answers the stored member.
 * Refusals: invalid_request, already_exists, external_id_conflict. A refusal has written nothing.
 */
export async function enroll(tx: Tx, body: MemberBody, facts: EnrolFacts): Promise<Enrolled | Refusal> {
  const profile = normalise(body, facts.now)
  if (isRefusal(profile)) return profile
  const taken = await moveNames(tx, facts.id, undefined, profile)
  if (taken.length > 0) return await alreadyThere(tx, profile, taken)
  const member = newMember(facts.id, profile, facts.now)
  await Promise.all([
    insertStates(tx, [{ member: member.id, status: STATUS_CODES.active, version: 0, entrySeq: 0, eventSeq: 1, chain: genesis(member.id), wallets: [] }]),
    insertMember(tx, member),
    appendEvents(tx, facts.batch, facts.now, [{ type: 'member.enrolled', member: member.id, sequence: 1, data: {} }]),
  ])
  return { created: true, member }
}

async function alreadyThere(tx: Tx, profile: Profile, taken: readonly Taken[]): Promise<Enrolled | Refusal> {
  const same = taken.find(({ identity }) => identity.field === 'externalId')
  if (!same) return takenBy(taken.map(({ identity }) => identity))
  const member = await selectMember(tx, same.holder)
  if (!member) throw new Error(`member ${same.holder} is named but does not exist`)
  if (sameContent(member, profile)) return { created: false, member }
  return refusal('external_id_conflict', `the external id "${profile.externalId}" names a member with other content`)
}
