import type { CardAnswer } from '@laurel/contract/cards'
import { encodeId } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import { NOBODY } from '../base/names.ts'
import { type Card, type Digits, refusesShown } from '../cards/cards.rules.ts'
import { cardSecret, judgeDigits } from '../cards/digits.rules.ts'
import { type CardSaid, isCard, writtenCard } from '../members/refs.ts'
import type { Ask, Facts } from './asks.ts'
import { voucherRedemptionKey } from './names.ts'
import type { FurtherNeeds, Slices } from './slices.ts'

/** When a card that names an ask's member was shown: when what is told happened, else as it arrives. */
export function shownAt(ask: Ask, now: Instant): Instant {
  return 'occurredAt' in ask ? ask.occurredAt : now
}

/** What the digits beside a card's code are, as of an instant. */
export function shownDigits(
  { code, digits }: CardSaid,
  where: { space: number; secret?: string | undefined },
  at: Instant,
): Digits {
  const key = where.secret === undefined ? undefined : cardSecret(where.secret, where.space, code)
  return judgeDigits(key, digits, at)
}

/** Who is named by a card: whether it may be shown is to be known. */
export function needCards(slices: Slices, { member, other }: Facts, needs: FurtherNeeds): void {
  for (const ref of [member, other]) {
    const named = isCard(ref) ? slices.names.get(ref.key) : undefined
    if (named) needs.cards.add(named.member)
  }
}

/**
 * What is wrong with the cards that name an ask's members. A repeat of what is stored is not looked at: it was right when it came.
 * Refusals: code_mistyped, card_unknown, card_blocked, card_code_stale.
 */
export function refusesCard(slices: Slices, ask: Ask, facts: Facts): Refusal | undefined {
  if ((slices.names.get(facts.name ?? '')?.member ?? NOBODY) !== NOBODY) return undefined
  if (ask.verb === 'redeemVouchers' && slices.vouchers.redemptions.has(voucherRedemptionKey(ask.externalId))) return
  const { member, other } = facts
  const at = shownAt(ask, facts.now)
  return (
    (isCard(member) ? refusesOne(slices, member, at, facts.digits ?? 'none') : undefined) ??
    (isCard(other) ? refusesOne(slices, other, facts.now, 'current') : undefined) // who is given something shows nothing
  )
}

function refusesOne(
  slices: Slices,
  { key, card: said }: { key: string; card: CardSaid },
  at: Instant,
  digits: Digits,
): Refusal | undefined {
  if (said.mistyped) return mistyped(said)
  const card = slices.cards.get(slices.names.get(key)?.object ?? '')
  if (!card) return unknownCard(said.code)
  return refusedCard(card, refusesShown(card, at, digits))
}

export function mistyped({ code }: CardSaid): Refusal {
  return refusal('code_mistyped', `the card "${writtenCard(code)}" has a character that is not right`)
}

export function unknownCard(code: string): Refusal {
  return refusal('card_unknown', `there is no card "${writtenCard(code)}"`)
}

export function refusedCard(card: Card, why: ReturnType<typeof refusesShown>): Refusal | undefined {
  if (why === 'blocked')
    return refusal('card_blocked', `the card was ${card.replacedBy === null ? 'blocked' : 'replaced by another'}`)
  if (why === 'stale')
    return refusal('card_code_stale', 'show the card again: the digits beside its code change every 30 seconds')
  return undefined
}

/** A card as clients see it. */
export function cardView(card: Card): CardAnswer {
  return {
    id: encodeId('crd', card.id),
    member: encodeId('mem', card.member),
    code: writtenCard(card.code),
    status: card.blockedAt === null ? 'active' : 'blocked',
    rotating: card.rotating,
    issuedAt: formatInstant(card.issuedAt),
    blockedAt: card.blockedAt === null ? null : formatInstant(card.blockedAt),
    reason: card.reason,
    replacedBy: card.replacedBy === null ? null : encodeId('crd', card.replacedBy),
  }
}
