import type { CardAnswer } from '@laurel/contract/cards'
import { encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { type Refusal, refusal, Refused } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import { NOBODY } from '../base/names.ts'
import { type Card, type Digits, refusesShown } from '../cards/cards.rules.ts'
import { cardNamed } from '../cards/cards.sql.ts'
import { cardSecret, judgeDigits } from '../cards/digits.rules.ts'
import { memberIdOf } from '../members/members.ts'
import { type CardSaid, isCard, memberRef, writtenCard } from '../members/refs.ts'
import type { Ask, Facts } from './asks.ts'
import { voucherRedemptionKey } from './names.ts'
import type { FurtherNeeds, Slices } from './slices.ts'

/**
 * The one rule of cards: whoever is acted upon by a card, it is to be one that may be shown, a rotating one with its digits. It is
 * held in two places: lists look at every ask before it is decided (`refusesCard`); what changes something outside of lists, or shows
 * digits, asks whom it acts upon here (`actedUpon`). Who only reads may name a member by the code alone.
 */

/** When a card that names an ask's member was shown: when what is told happened, else as it arrives. A claim is made now. */
export function shownAt(ask: Ask, now: Instant): Instant {
  return 'occurredAt' in ask && !('claims' in ask) ? ask.occurredAt : now
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
  if (isStored(slices, ask, facts)) return undefined
  const { member, other } = facts
  const at = shownAt(ask, facts.now)
  return (
    (isCard(member) ? refusesOne(slices, member, at, facts.digits ?? 'none') : undefined) ??
    (isCard(other) ? refusesOne(slices, other, facts.now, facts.otherDigits ?? 'none') : undefined)
  )
}

/** What the ask would make is there. The name of vouchers that are redeemed may be that of a checkout. */
function isStored(slices: Slices, ask: Ask, { name }: Facts): boolean {
  if (ask.verb === 'redeemVouchers') return slices.vouchers.redemptions.has(voucherRedemptionKey(ask.externalId))
  return (slices.names.get(name ?? '')?.member ?? NOBODY) !== NOBODY
}

/**
 * Whom a reference names that is acted upon right now, outside of lists; whether there is such a member is not asked.
 * Refusals: code_mistyped, card_unknown, card_blocked, card_code_stale.
 */
export async function actedUpon(
  db: Db,
  ref: string,
  at: { now: Instant; secret?: string | undefined },
): Promise<Uuid | undefined> {
  const named = memberRef(ref)
  if (isCard(named)) await refuseUnshown(db, named, at)
  return await memberIdOf(db, ref)
}

async function refuseUnshown(
  db: Db,
  { key, card: said }: { key: Uuid; card: CardSaid },
  { now, secret }: { now: Instant; secret?: string | undefined },
): Promise<void> {
  const card = await cardNamed(db, key)
  if (!card) return // whom it names is asked next
  const no = refusedCard(card, refusesShown(card, now, shownDigits(said, { space: db.space, secret }, now)))
  if (no) throw new Refused(no.code, no.detail)
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
