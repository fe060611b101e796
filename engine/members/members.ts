import type { Uuid } from '@laurel/contract/ids'
import type { MemberAnswer } from '@laurel/contract/members'
import type { Db, Tx } from '../base/db.ts'
import { keyOf } from '../base/keys.ts'
import { parseRef } from '../base/refs.ts'
import { identities, type Identity, type Member, memberAnswer, type Profile } from './members.rules.ts'
import { claimNames, memberNamed, releaseNames } from './members.sql.ts'

/** A member as clients see it, with the revision that guards changes to it (its ETag). */
export type Revised = { member: MemberAnswer; revision: number }

export function revised(member: Member): Revised {
  return { member: memberAnswer(member), revision: member.revision }
}

/** The member's id that a reference leads to (`mem_…`, `external:…`); whether there is such a member is not asked. */
export async function memberIdOf(db: Db, ref: string): Promise<Uuid | undefined> {
  const named = parseRef('mem', ref)
  if (!named) return undefined
  return 'id' in named ? named.id : await memberNamed(db, keyOf('member.external', named.external))
}

/** Which of the names that a profile needs are another's, and whose. */
export type Taken = { identity: Identity; holder: Uuid }

const CLAIMS_MAX = 5

/**
 * Makes the names in `after` the member's and lets go of those only in `before`; says which of them are another's: then
 * the caller takes everything back. Two who want one name wait for each other here: the first to commit has it.
 */
export async function moveNames(tx: Tx, member: Uuid, before: Profile | undefined, after: Profile): Promise<Taken[]> {
  const had = keysOf(before)
  const wanted = keysOf(after)
  const gained = [...wanted.keys()].filter((key) => !had.has(key))
  for (let claims = 0; claims < CLAIMS_MAX; claims++) {
    const holders = await claimNames(tx, member, gained)
    const taken: Taken[] = []
    for (const [key, holder] of holders) if (holder !== member) taken.push({ identity: wanted.get(key) as Identity, holder })
    if (taken.length > 0) return taken
    if (holders.size === gained.length) {
      await releaseNames(tx, member, [...had.keys()].filter((key) => !wanted.has(key)))
      return []
    }
  }
  throw new Error(`the names of member ${member} were taken and let go again ${CLAIMS_MAX} times while it asked for them`)
}

function keysOf(profile: Profile | undefined): Map<Uuid, Identity> {
  return new Map(profile ? identities(profile).map((identity) => [keyOf(identity.kind, identity.text), identity]) : [])
}
