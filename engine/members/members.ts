import { decodeId, type Uuid } from '@laurel/contract/ids'
import type { MemberAnswer } from '@laurel/contract/members'
import { Refused } from '@laurel/contract/refusals'
import type { Db, Tx } from '../base/db.ts'
import { keyOf } from '../base/keys.ts'
import { claimNames, memberNamed, releaseNames } from '../base/names.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import {
  emailIdentity,
  identities,
  type Identity,
  type Member,
  memberAnswer,
  phoneIdentity,
  type Profile,
} from './members.rules.ts'
import { type CardSaid, isCard, type MemberRef, memberRef, writtenCard } from './refs.ts'
import {
  selectCardHolder,
  selectMember,
  selectMembers,
  selectMembersNamed,
  selectNamedMember,
  selectSurvivor,
} from './members.sql.ts'

/** A member as clients see it, with the revision that guards changes to it (its ETag). */
export type Revised = { member: MemberAnswer; revision: number }

export function revised(member: Member): Revised {
  return { member: memberAnswer(member), revision: member.revision }
}

/**
 * The member's id that a reference leads to (`mem_…`, `external:…`); who was merged into another is that other. Whether there
 * is such a member is not asked.
 */
export async function memberIdOf(db: Db, ref: string): Promise<Uuid | undefined> {
  const named = memberRef(ref)
  if (!named) return undefined
  const id = 'id' in named ? named.id : await holderOf(db, named)
  return id === undefined ? undefined : await selectSurvivor(db, id)
}

/** The id of a member who exists. Refusals: member_unknown. */
export async function existingMember(db: Db, ref: string): Promise<Uuid> {
  return (await memberRow(db, ref)).id
}

/** Refusals: member_unknown. */
export async function getMember(db: Db, ref: string): Promise<Revised> {
  return revised(await memberRow(db, ref))
}

async function memberRow(db: Db, ref: string): Promise<Member> {
  const named = memberRef(ref)
  const member = named && (await memberOf(db, named))
  if (!member) throw new Refused('member_unknown', `there is no member "${ref}"`)
  if (member.status !== 'merged') return member
  const survivor = await selectMember(db, await selectSurvivor(db, member.id))
  if (!survivor) throw new Error(`member ${member.id} was merged into one who is not stored`)
  return survivor
}

async function memberOf(db: Db, named: MemberRef): Promise<Member | undefined> {
  if ('id' in named) return await selectMember(db, named.id)
  if (!isCard(named)) return await selectNamedMember(db, named.key)
  return await selectMember(db, await holderOf(db, named))
}

/** Whom a name leads to. Refusals, of a card: code_mistyped, card_unknown, card_blocked. */
async function holderOf(db: Db, named: { key: Uuid; card: CardSaid }): Promise<Uuid>
async function holderOf(db: Db, named: Exclude<MemberRef, { id: Uuid }>): Promise<Uuid | undefined>
async function holderOf(db: Db, named: Exclude<MemberRef, { id: Uuid }>): Promise<Uuid | undefined> {
  if (!isCard(named)) return await memberNamed(db, named.key)
  const written = writtenCard(named.card.code)
  if (named.card.mistyped) throw new Refused('code_mistyped', `the card "${written}" has a character that is not right`)
  const holder = await selectCardHolder(db, named.key)
  if (!holder) throw new Refused('card_unknown', `there is no card "${written}"`)
  if (holder.blocked) throw new Refused('card_blocked', 'the card was blocked or replaced')
  return holder.member
}

/** What members are found by: exact matches, all of them, compared as identities are. */
export type MemberFilter = { email?: string | undefined; phone?: string | undefined; externalId?: string | undefined }

/** Newest first. Refusals: invalid_cursor. */
export async function listMembers(db: Db, filter: MemberFilter, page: PageAsk): Promise<Page<MemberAnswer>> {
  const after = page.after === undefined ? null : decodeId('mem', page.after)
  if (after === undefined) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of members')
  const phone = filter.phone === undefined ? undefined : phoneIdentity(filter.phone)
  if (filter.phone !== undefined && phone === undefined) return { data: [], next: null } // nobody has such a number
  const keys: Uuid[] = []
  if (filter.email !== undefined) keys.push(keyOf('member.email', emailIdentity(filter.email)))
  if (phone !== undefined) keys.push(keyOf('member.phone', phone))
  if (filter.externalId !== undefined) keys.push(keyOf('member.external', filter.externalId))
  const rows =
    keys.length === 0
      ? await selectMembers(db, after, page.limit + 1)
      : await selectMembersNamed(db, keys, after, page.limit + 1)
  return pageOf(rows, page.limit, memberAnswer, (member) => member.id)
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
    for (const [key, holder] of holders)
      if (holder !== member) taken.push({ identity: wanted.get(key) as Identity, holder })
    if (taken.length > 0) return taken
    if (holders.size === gained.length) {
      await releaseNames(
        tx,
        member,
        [...had.keys()].filter((key) => !wanted.has(key)),
      )
      return []
    }
  }
  throw new Error(
    `the names of member ${member} were taken and let go again ${CLAIMS_MAX} times while it asked for them`,
  )
}

function keysOf(profile: Profile | undefined): Map<Uuid, Identity> {
  return new Map(profile ? identities(profile).map((identity) => [keyOf(identity.kind, identity.text), identity]) : [])
}
