import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { MemberBody, MemberPatch } from '@laurel/contract/members'
import { type Refusal, Refused, refusal } from '@laurel/contract/refusals'
import { uuids } from './base/arrays.ts'
import { run, type Tx } from './base/db.ts'
import { keyOf } from './base/keys.ts'
import { insertNames } from './base/names.ts'
import { insertEvents } from './base/outbox.ts'
import { newState } from './ledger/chain.rules.ts'
import { insertStates } from './ledger/states.sql.ts'
import {
  applyPatch,
  identities,
  type Member,
  newMember,
  normalise,
  STATUS_CODES,
  takenBy,
} from './members/members.rules.ts'
import { insertProfiles, selectMembersById } from './members/members.sql.ts'

/** What the door fixes: when it is, and where new ids come from. */
type Door = { now: Instant; newId: () => Uuid }

/** Someone who is a member elsewhere, known by `externalId`. `joinedAt`: now unless told. */
export type MemberRow = {
  body: MemberBody & { externalId: string }
  status?: 'active' | 'suspended' | 'closed' | undefined
  joinedAt?: Instant | undefined
}
/** `differs`: a member of that external id is there, of whom these fields say something else; nothing was changed. */
export type MemberOutcome =
  | { kind: 'created' }
  | { kind: 'same' }
  | { kind: 'differs'; fields: string[] }
  | { kind: 'refused'; refusal: Refusal }

/**
 * What happens when members are brought along from another system, many at once: whom nobody knows is enrolled; of whom is known, it
 * is said whether the row says anything else (what it does not say is not compared). Each row by itself, in their order. A name that is
 * taken meanwhile fails all of them with 23505: ask again.
 * Refusals of a row: invalid_request, already_exists, external_id_conflict (merged into another), member_suspended (closed).
 */
export async function importMembers(tx: Tx, rows: readonly MemberRow[], door: Door): Promise<MemberOutcome[]> {
  const read = rows.map((row) => readRow(row, door))
  const holders = await holdersOf(tx, read)
  const known = await selectMembersById(tx, [...new Set(holders.values())])
  const { outcomes, joining } = decide(read, holders, new Map(known.map((member) => [member.id, member])), door.now)
  await save(tx, joining, door)
  return outcomes
}

/** Someone as they would join, with the keys of their names; or why not. */
type Read = { row: MemberRow; member: Member; keys: Map<Uuid, ReturnType<typeof identities>[number]> } | Refusal

function readRow(row: MemberRow, { now, newId }: Door): Read {
  try {
    const at = row.joinedAt ?? now
    const member = { ...newMember(newId(), normalise(row.body, now), at), status: row.status ?? 'active' }
    return { row, member, keys: new Map(identities(member).map((one) => [keyOf(one.kind, one.text), one])) }
  } catch (error) {
    if (error instanceof Refused) return error.refusal
    throw error
  }
}

async function holdersOf(tx: Tx, read: readonly Read[]): Promise<Map<Uuid, Uuid>> {
  const keys = read.flatMap((one) => ('code' in one ? [] : [...one.keys.keys()]))
  const rows = await tx.query<{ key: Uuid; member: Uuid }>(
    'select key, member_id as member from lookups where space_id = $1 and key = any ($2::uuid[])',
    [tx.space, uuids(keys, (key) => key)],
    'import-holders',
  )
  return new Map(rows.map(({ key, member }) => [key, member]))
}

/** The fold: each row sees those before it. Pure. */
function decide(
  read: readonly Read[],
  holders: Map<Uuid, Uuid>,
  known: Map<Uuid, Member>,
  now: Instant,
): { outcomes: MemberOutcome[]; joining: { member: Member; keys: Uuid[] }[] } {
  const joining: { member: Member; keys: Uuid[] }[] = []
  const outcomes = read.map((one): MemberOutcome => {
    if ('code' in one) return { kind: 'refused', refusal: one }
    const { row, member, keys } = one
    const own = holders.get(keyOf('member.external', row.body.externalId))
    if (own !== undefined) return compare(known.get(own), row, now)
    const taken = [...keys].flatMap(([key, identity]) => (holders.has(key) ? [identity] : []))
    if (taken.length > 0) return { kind: 'refused', refusal: takenBy(taken).refusal }
    for (const key of keys.keys()) holders.set(key, member.id)
    known.set(member.id, member)
    joining.push({ member, keys: [...keys.keys()] })
    return { kind: 'created' }
  })
  return { outcomes, joining }
}

function compare(member: Member | undefined, row: MemberRow, now: Instant): MemberOutcome {
  if (!member || member.status === 'merged')
    return {
      kind: 'refused',
      refusal: refusal('external_id_conflict', `the member "${row.body.externalId}" was merged into another`),
    }
  try {
    const { changed } = applyPatch(member, patchOf(row), now)
    return changed.length === 0 ? { kind: 'same' } : { kind: 'differs', fields: changed }
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', refusal: error.refusal }
    throw error
  }
}

/** What a row says, as a change of a member who is there. */
export function patchOf({ body, status }: MemberRow): MemberPatch {
  return { ...body, ...(status === undefined ? {} : { status }) }
}

/** In the order of every list: names, states, then the rest. */
async function save(tx: Tx, joining: readonly { member: Member; keys: Uuid[] }[], door: Door): Promise<void> {
  if (joining.length === 0) return
  const names = joining.flatMap(({ member, keys }) =>
    keys.map((key) => ({ key, member: member.id, object: null, seq: null })),
  )
  const events = joining.map(({ member }) => ({ type: 'member.enrolled', member: member.id, sequence: 1, data: {} }))
  await run(tx, [
    ...insertNames(
      tx.space,
      names.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    ),
    ...insertStates(
      tx.space,
      joining.map(({ member }) => ({ ...newState(member.id), status: STATUS_CODES[member.status], eventSeq: 1 })),
    ),
    ...insertProfiles(
      tx.space,
      joining.map(({ member }) => member),
      door.now,
    ),
    ...insertEvents(tx.space, door.newId(), door.now, events),
  ])
}
