import type { Uuid } from '@laurel/contract/ids'
import { instants, texts, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement } from '../base/db.ts'
import { type Digested, isAltered, microseconds, rowDigest } from '../base/row-digests.ts'
import type { Card } from './cards.rules.ts'

const COLUMNS = `c.member_id as member, c.card_id as id, c.code, c.rotating, c.issued_at as "issuedAt",
  c.blocked_at as "blockedAt", c.reason, c.replaced_by as "replacedBy"`

/** What a row says, in the order of its digest. */
const CARD: Digested<Card> = {
  table: 'cards',
  columns: [
    ['member_id', (c) => c.member],
    ['card_id', (c) => c.id],
    ['code', (c) => c.code],
    ['rotating', (c) => c.rotating],
    [microseconds('issued_at'), (c) => c.issuedAt],
    [microseconds('blocked_at'), (c) => c.blockedAt],
    ['reason', (c) => c.reason],
    ['replaced_by', (c) => c.replacedBy],
  ],
}

/** Cards of the members that were not written as they are: for verify. */
export async function alteredCards(db: Db, members: readonly Uuid[]): Promise<{ member: Uuid; id: Uuid }[]> {
  return await db.query(
    `select member_id as member, card_id as id from cards
      where member_id = any ($1::uuid[]) and space_id = $2 and ${isAltered(CARD)} order by card_id limit 1`,
    [uuids(members, (m) => m), db.space],
  )
}

/** All cards of the members, the newest first. */
export async function loadCards(db: Db, members: readonly Uuid[]): Promise<Card[]> {
  if (members.length === 0) return []
  return await db.query<Card>(
    `select ${COLUMNS} from cards c where c.member_id = any ($1::uuid[]) and c.space_id = $2 order by c.card_id desc`,
    [uuids(members, (m) => m), db.space],
    'cards-of-members',
  )
}

/** The card that a name (of its code or its id) leads to. */
export async function cardNamed(db: Db, key: Uuid): Promise<Card | undefined> {
  const [card] = await db.query<Card>(
    `select ${COLUMNS} from lookups n join cards c on c.member_id = n.member_id and c.card_id = n.object_id
      where n.space_id = $1 and n.key = $2 and c.space_id = $1`,
    [db.space, key],
    'card-named',
  )
  return card
}

/** New cards, and what has become of cards. Whoever writes them has the members' versions. */
export function saveCards(space: number, cards: readonly Card[]): Statement[] {
  if (cards.length === 0) return []
  return statement(
    `insert into cards (space_id, member_id, card_id, code, rotating, issued_at, blocked_at, reason, replaced_by, row_digest)
     select $1, member_id, card_id, code, rotating = 'yes', issued_at, blocked_at, reason, replaced_by, row_digest
       from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::text[], $9::uuid[],
              $10::uuid[])
         as n(member_id, card_id, code, rotating, issued_at, blocked_at, reason, replaced_by, row_digest)
     on conflict (member_id, card_id) do update
       set blocked_at = excluded.blocked_at, reason = excluded.reason, replaced_by = excluded.replaced_by,
           row_digest = excluded.row_digest`,
    [
      space,
      uuids(cards, (c) => c.member),
      uuids(cards, (c) => c.id),
      texts(cards, (c) => c.code),
      texts(cards, (c) => (c.rotating ? 'yes' : 'no')),
      instants(cards, (c) => c.issuedAt),
      instants(cards, (c) => c.blockedAt),
      texts(cards, (c) => c.reason),
      uuids(cards, (c) => c.replacedBy),
      uuids(cards, (c) => rowDigest(CARD, space, c)),
    ],
    'cards-save',
  )
}
