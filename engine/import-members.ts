import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { MemberBody, MemberPatch } from '@laurel/contract/members'
import { type Refusal, Refused, refusal } from '@laurel/contract/refusals'
import { uuids } from './base/arrays.ts'
import { run, type Tx } from './base/db.ts'
import { keyOf } from './base/keys.ts'
import { insertNames, type NameRow } from './base/names.ts'
import { insertEvents, type NewEvent } from './base/outbox.ts'
import type { Card } from './cards/cards.rules.ts'
import { saveCards } from './cards/cards.sql.ts'
import { mistyped } from './gate/cards.ts'
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
import { cardIdKey, cardKey, readCard } from './members/refs.ts'

/** What the door fixes: when it is, and where new ids come from. */
type Door = { now: Instant; newId: () => Uuid }

/** Someone who is a member elsewhere, known by `externalId`. `joinedAt`: now unless told. `card`: the code of the card that they have. */
export type MemberRow = {
  body: MemberBody & { externalId: string }
  status?: 'active' | 'suspended' | 'closed' | undefined
  joinedAt?: Instant | undefined
  card?: string | undefined
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
 * A card is only taken for those who are enrolled by it. Refusals of a row: invalid_request, already_exists, code_mistyped,
 * external_id_conflict (merged into another), member_suspended (closed).
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
type Joining = { member: Member; card: Card | undefined; keys: Uuid[] }
type Read =
  | {
      row: MemberRow
      member: Member
      card: Card | undefined
      keys: Map<Uuid, ReturnType<typeof identities>[number]>
    }
  | Refusal

function readRow(row: MemberRow, { now, newId }: Door): Read {
  try {
    const at = row.joinedAt ?? now
    const member = { ...newMember(newId(), normalise(row.body, now), at), status: row.status ?? 'active' }
    const keys = new Map(identities(member).map((one) => [keyOf(one.kind, one.text), one]))
    const card = cardOf(row, member.id, { now, newId })
    return card && 'detail' in card ? card : { row, member, card, keys }
  } catch (error) {
    if (error instanceof Refused) return error.refusal
    throw error
  }
}

/** Refusals: invalid_request, code_mistyped. */
function cardOf({ card }: MemberRow, member: Uuid, { now, newId }: Door): Card | Refusal | undefined {
  if (card === undefined) return undefined
  const said = readCard(card)
  if (said?.mistyped) return mistyped(said)
  if (!said || said.digits !== null)
    return refusal('invalid_request', 'this cannot be the code of a card', [
      { pointer: '/card', detail: 'expected 4 to 40 letters and digits' },
    ])
  const blank = { rotating: false, issuedAt: now, blockedAt: null, reason: null, replacedBy: null }
  return { member, id: newId(), code: said.code, ...blank }
}

async function holdersOf(tx: Tx, read: readonly Read[]): Promise<Map<Uuid, Uuid>> {
  const keys = read.flatMap((one) =>
    'code' in one ? [] : [...one.keys.keys(), ...(one.card ? [cardKey(one.card.code)] : [])],
  )
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
): { outcomes: MemberOutcome[]; joining: Joining[] } {
  const joining: Joining[] = []
  const outcomes = read.map((one): MemberOutcome => {
    if ('code' in one) return { kind: 'refused', refusal: one }
    const { row, member, card, keys } = one
    const own = holders.get(keyOf('member.external', row.body.externalId))
    if (own !== undefined) return compare(known.get(own), row, now)
    const taken = [...keys].flatMap(([key, identity]) => (holders.has(key) ? [identity] : []))
    if (taken.length > 0) return { kind: 'refused', refusal: takenBy(taken).refusal }
    if (card && holders.has(cardKey(card.code)))
      return { kind: 'refused', refusal: refusal('already_exists', 'another member has this card') }
    for (const key of keys.keys()) holders.set(key, member.id)
    if (card) holders.set(cardKey(card.code), member.id)
    known.set(member.id, member)
    joining.push({ member, card, keys: [...keys.keys()] })
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
async function save(tx: Tx, joining: readonly Joining[], door: Door): Promise<void> {
  if (joining.length === 0) return
  const cards = joining.flatMap(({ card }) => (card ? [card] : []))
  const names = joining.flatMap(({ member, keys }) =>
    keys.map((key): NameRow => ({ key, member: member.id, object: null, seq: null })),
  )
  for (const { member, id, code } of cards)
    for (const key of [cardKey(code), cardIdKey(id)]) names.push({ key, member, object: id, seq: null })
  const events = joining.flatMap(({ member: { id: member }, card }): NewEvent[] => [
    { type: 'member.enrolled', member, sequence: 1, data: {} },
    ...(card ? [{ type: 'card.issued', member, sequence: 2, data: { card: card.id } }] : []),
  ])
  await run(tx, [
    ...insertNames(
      tx.space,
      names.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    ),
    ...insertStates(
      tx.space,
      joining.map(({ member, card }) => ({
        ...newState(member.id),
        status: STATUS_CODES[member.status],
        eventSeq: card ? 2 : 1,
      })),
    ),
    ...insertProfiles(
      tx.space,
      joining.map(({ member }) => member),
      door.now,
    ),
    ...saveCards(tx.space, cards),
    ...insertEvents(tx.space, door.newId(), door.now, events),
  ])
}
