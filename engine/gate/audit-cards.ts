import { encodeId, type Uuid } from '@laurel/contract/ids'
import { uuids } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import { type Card, successorOf } from '../cards/cards.rules.ts'
import { loadCards } from '../cards/cards.sql.ts'
import { cardIdKey, cardKey } from '../members/refs.ts'

type Wrong = { member?: string; what: string }

/** Cards of some members: their codes lead to them, each member can show one, and what was replaced says by which. */
export async function auditCards(db: Db, members: readonly Uuid[]): Promise<Wrong | undefined> {
  const cards = await loadCards(db, members)
  if (cards.length === 0) return undefined
  const byId = new Map(cards.map((card) => [card.id, card]))
  const names = await namesOf(
    db,
    cards.flatMap((card) => [cardKey(card.code), cardIdKey(card.id)]),
  )
  for (const card of cards) {
    const what = wrongWith(card, byId, names)
    if (what) return { member: encodeId('mem', card.member), what: `card ${encodeId('crd', card.id)}: ${what}` }
  }
  const open = cards.filter(({ blockedAt }) => blockedAt === null)
  const second = open.find((card, i) => open.findIndex(({ member }) => member === card.member) !== i)
  return second && { member: encodeId('mem', second.member), what: 'cards: more than one is not blocked' }
}

function wrongWith(card: Card, byId: ReadonlyMap<Uuid, Card>, names: ReadonlyMap<Uuid, string>): string | undefined {
  const to = `${card.member} ${card.id}`
  if (names.get(cardKey(card.code)) !== to) return 'its code does not lead to it'
  if (names.get(cardIdKey(card.id)) !== to) return 'its id does not lead to it'
  if (card.blockedAt !== null && card.blockedAt < card.issuedAt) return 'it was blocked before it was issued'
  if (card.replacedBy === null) return undefined
  const next = byId.get(card.replacedBy)
  if (next?.member !== card.member) return 'the card that took its place is not there'
  return successorOf(byId, card).issuedAt < card.issuedAt ? 'it was replaced by an older card' : undefined
}

async function namesOf(db: Db, keys: readonly Uuid[]): Promise<Map<Uuid, string>> {
  const rows = await db.query<{ key: Uuid; to: string }>(
    `select key, member_id::text || ' ' || coalesce(object_id::text, '') || coalesce(seq::text, '') as to from lookups
      where space_id = $1 and key = any ($2::uuid[])`,
    [db.space, uuids(keys, (key) => key)],
  )
  return new Map(rows.map((row) => [row.key, row.to]))
}
