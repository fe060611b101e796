import type { CardAnswer } from '@laurel/contract/cards'
import { decodeId, encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type Refusal, Refused } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import { type Card, openCard } from '../cards/cards.rules.ts'
import { cardNamed, loadCards } from '../cards/cards.sql.ts'
import { cardSecret, digitsAt, shownUntil } from '../cards/digits.rules.ts'
import { actedUpon, cardView, mistyped, unknownCard } from '../gate/cards.ts'
import { existingMember } from '../members/members.ts'
import { cardIdKey, cardKey, readCard } from '../members/refs.ts'

/** A card by its code or its id. Refusals: code_mistyped, card_unknown. */
export async function findCard(db: Db, ref: string): Promise<Card> {
  const id = decodeId('crd', ref)
  const said = id === undefined ? readCard(ref) : undefined
  if (said?.mistyped) throw no(mistyped(said))
  const key = id === undefined ? said && cardKey(said.code) : cardIdKey(id)
  const card = key && (await cardNamed(db, key))
  if (!card) throw no(unknownCard(said?.code ?? ref))
  return card
}

/** Every card that a member had, the newest first. Refusals: member_unknown. */
export async function listCards(db: Db, member: string): Promise<CardAnswer[]> {
  return (await loadCards(db, [await existingMember(db, member)])).map(cardView)
}

/** What a member shows now: the card and what its codes hold. `until`: of digits, when they change. */
export type Shown = { card: CardAnswer; payload: string; until: Instant | null }

/**
 * The member's card as it is shown at an instant. Named by a rotating card alone it is not: that would make a picture of it worth something.
 * Refusals: card_code_stale; member_unknown; card_unknown where there is none;
 * unavailable where it rotates and the process has no secret.
 */
export async function showCard(
  db: Db,
  member: string,
  at: { now: Instant; secret?: string | undefined },
): Promise<Shown> {
  const shown = await actedUpon(db, member, at)
  const id: Uuid = await existingMember(db, shown === undefined ? member : encodeId('mem', shown))
  const card = openCard(await loadCards(db, [id]), id)
  if (!card) throw new Refused('card_unknown', 'the member has no card that is not blocked: give it one')
  if (!card.rotating) return { card: cardView(card), payload: card.code, until: null }
  if (at.secret === undefined)
    throw new Refused('unavailable', 'the server has no LAUREL_SECRET, which digits are made of')
  const digits = digitsAt(cardSecret(at.secret, db.space, card.code), at.now)
  return { card: cardView(card), payload: `${card.code}.${digits}`, until: shownUntil(at.now) }
}

function no({ code, detail }: Refusal): Refused {
  return new Refused(code, detail)
}
