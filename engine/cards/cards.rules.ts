import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'

/** What a member shows at the till. `code` as it is looked up; blocked from `blockedAt` on. */
export type Card = {
  member: Uuid
  id: Uuid
  code: string
  rotating: boolean
  issuedAt: Instant
  blockedAt: Instant | null
  reason: string | null
  replacedBy: Uuid | null
}

/** What the digits beside a card's code were found to be. */
export type Digits = 'none' | 'current' | 'stale'

/** Why a card that was shown at an instant is not taken; undefined where it is. */
export function refusesShown(card: Card, at: Instant, digits: Digits): 'blocked' | 'stale' | undefined {
  if (card.blockedAt !== null && card.blockedAt <= at) return 'blocked'
  if (digits === 'stale' || (card.rotating && digits === 'none')) return 'stale'
  return undefined
}

/** The member's card that can be shown, if it has one. */
export function openCard(cards: Iterable<Card>, member: Uuid): Card | undefined {
  for (const card of cards) if (card.member === member && card.blockedAt === null) return card
  return undefined
}

/** The card that took a card's place, however often. */
export function successorOf(cards: ReadonlyMap<Uuid, Card>, card: Card): Card {
  const next = card.replacedBy === null ? undefined : cards.get(card.replacedBy)
  return next ? successorOf(cards, next) : card
}
