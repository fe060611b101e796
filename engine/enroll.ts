import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { MemberBody } from '@laurel/contract/members'
import { Refused } from '@laurel/contract/refusals'
import { run, type Tx } from './base/db.ts'
import { appendEvents } from './base/outbox.ts'
import { newState } from './ledger/chain.rules.ts'
import { insertStates } from './ledger/states.sql.ts'
import { moveNames, type Revised, revised, type Taken } from './members/members.ts'
import { newMember, normalise, type Profile, sameContent, takenBy } from './members/members.rules.ts'
import { insertMember, selectMember } from './members/members.sql.ts'

/** What the door fixes: when it is, and where new ids come from. */
type Door = { now: Instant; newId: () => Uuid }
/** `created` is false when the member was there already, with the same content. */
type Enrolled = Revised & { created: boolean }

/**
 * What happens when someone joins: a profile, empty books, and names that nobody else may have. A create that says what
 * is known already (the same external id and content) answers the stored member.
 * Refusals: invalid_request, already_exists, external_id_conflict.
 */
export async function enroll(tx: Tx, body: MemberBody, door: Door): Promise<Enrolled> {
  const profile = normalise(body, door.now)
  const member = newMember(door.newId(), profile, door.now)
  const taken = await moveNames(tx, member.id, undefined, profile)
  if (taken.length > 0) return await enrolledBefore(tx, profile, taken)
  await Promise.all([
    run(tx, insertStates(tx.space, [{ ...newState(member.id), eventSeq: 1 }])),
    insertMember(tx, member),
    appendEvents(tx, door.newId(), door.now, [{ type: 'member.enrolled', member: member.id, sequence: 1, data: {} }]),
  ])
  return { created: true, ...revised(member) }
}

/** The same content has the same names, so nothing was taken on the way here. */
async function enrolledBefore(tx: Tx, profile: Profile, taken: readonly Taken[]): Promise<Enrolled> {
  const same = taken.find(({ identity }) => identity.field === 'externalId')
  if (!same) throw takenBy(taken.map(({ identity }) => identity))
  const member = await selectMember(tx, same.holder)
  if (!member) throw new Error(`member ${same.holder} is named but does not exist`)
  if (sameContent(member, profile)) return { created: false, ...revised(member) }
  throw new Refused('external_id_conflict', `the external id "${profile.externalId}" names a member with other content`)
}
