import { encodeId } from '@laurel/contract/ids'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { codeOf, readableCode } from './base/codes.ts'
import { type Card, openCard, successorOf } from './cards/cards.rules.ts'
import type { BlockCardAsk, CardAsk, Facts } from './gate/asks.ts'
import { openBooks, settleBooks } from './gate/books.ts'
import { cardView, mistyped, unknownCard } from './gate/cards.ts'
import { type Changes, type Decision, tell, type Verb } from './gate/decisions.ts'
import { findMember, namedMember, type Slices } from './gate/slices.ts'
import type { MemberState } from './ledger/books.ts'
import { CARD_PREFIX, CARD_RANDOM, cardIdKey, cardKey, readCard } from './members/refs.ts'

/**
 * What happens when a member gets a card: the one that it has is answered, with 200, unless that is to be replaced; what is replaced is
 * blocked in the same moment. Replacing the same card again answers the one that took its place.
 * Refusals: member_unknown, member_suspended, code_mistyped, card_unknown, already_exists, invalid_request.
 */
export const card: Verb<CardAsk> = {
  chance: true,

  name: () => undefined,

  needs(ask, needs) {
    const wanted = ask.code === undefined ? undefined : readCard(ask.code)
    if (wanted) needs.names.add(cardKey(wanted.code))
  },

  furtherNeeds(_ask, facts, slices, needs) {
    const member = findMember(slices, facts.member)
    if (member) needs.cards.add(member.member)
  },

  decide(slices, ask, facts) {
    const member = findMember(slices, facts.member)
    if (!member) return refusal('member_unknown', `there is no member "${ask.member}"`)
    const replaced = replacedBy(slices, ask, member)
    if (replaced && 'detail' in replaced) return replaced // a card has a code, too
    const code = codeFor(ask, facts)
    if (typeof code === 'object') return code
    const next = replaced && successorOf(slices.cards, replaced)
    if (next && next !== replaced) return { status: 200, body: JSON.stringify(cardView(next)) }
    const open = openCard(slices.cards.values(), member.member)
    if (open && open !== replaced) return has(ask, open, code)
    if (ask.code !== undefined && slices.names.has(cardKey(code)))
      return refusal('already_exists', 'a card with this code is there already', [
        { pointer: '/code', detail: 'another card has it' },
      ])
    if (member.status !== 1) return refusal('member_suspended', 'this member is suspended or closed: no card was made')
    return issue(slices, ask, facts, member, code, replaced)
  },
}

/** What happens when a card is lost: nobody is known by it any more. Twice is once. Refusals: card_unknown. */
export const blockCard: Verb<BlockCardAsk> = {
  name: () => undefined,

  needs() {},

  furtherNeeds(_ask, facts, slices, needs) {
    const member = namedMember(slices, facts.member)
    if (member) needs.cards.add(member.member)
  },

  decide(slices, ask, facts) {
    const member = namedMember(slices, facts.member)
    const stored = slices.cards.get(ask.card)
    if (!member || stored?.member !== member.member)
      return refusal('card_unknown', `there is no card "${encodeId('crd', ask.card)}"`)
    if (stored.blockedAt !== null) return { status: 200, body: JSON.stringify(cardView(stored)) }
    const blocked: Card = { ...stored, blockedAt: facts.now, reason: ask.reason }
    const opened = openBooks(slices, member, facts)
    opened.events.push(tell(opened.books.state, 'card.blocked', { card: blocked.id }))
    settleBooks(opened, facts)
    const { books, events } = opened
    return {
      status: 200,
      body: JSON.stringify(cardView(blocked)),
      changes: { member: member.member, at: facts.now, books, cards: [blocked], events, names: [] },
    }
  },
}

/** The card that is to be replaced, where one is. */
function replacedBy(slices: Slices, ask: CardAsk, { member }: MemberState): Card | Refusal | undefined {
  if (ask.replaces === undefined) return undefined
  const said = readCard(ask.replaces)
  if (said?.mistyped) return mistyped(said)
  for (const one of slices.cards.values()) if (one.member === member && one.code === said?.code) return one
  return unknownCard(said?.code ?? ask.replaces)
}

/** The new card's code: as it was told, or out of chance. */
function codeFor(ask: CardAsk, facts: Facts): string | Refusal {
  if (ask.code === undefined)
    return readableCode(codeOf({ prefix: CARD_PREFIX, length: CARD_RANDOM }, facts.chance ?? ''))
  const said = readCard(ask.code)
  if (said?.mistyped) return mistyped(said)
  if (said && said.digits === null) return said.code
  return refusal('invalid_request', 'this cannot be the code of a card', [
    { pointer: '/code', detail: 'expected 4 to 40 letters and digits' },
  ])
}

/** The member has a card: that is the answer, unless another was asked for. */
function has(ask: CardAsk, open: Card, code: string): Decision | Refusal {
  if (ask.code === undefined || open.code === code) return { status: 200, body: JSON.stringify(cardView(open)) }
  return refusal('already_exists', 'the member has a card: say that it is replaced', [
    { pointer: '/replaces', detail: "the code of the member's card" },
  ])
}

function issue(
  slices: Slices,
  ask: CardAsk,
  facts: Facts,
  state: MemberState,
  code: string,
  replaced: Card | undefined,
): Decision {
  const { member } = state
  const opened = openBooks(slices, state, facts)
  const { books, events } = opened
  const fresh: Card = {
    member,
    id: facts.id,
    code,
    rotating: ask.rotating ?? replaced?.rotating ?? false,
    issuedAt: facts.now,
    blockedAt: null,
    reason: null,
    replacedBy: null,
  }
  const cards = [fresh]
  if (replaced) {
    const { blockedAt, reason } = replaced
    cards.push({
      ...replaced,
      blockedAt: blockedAt ?? facts.now,
      reason: reason ?? ask.reason ?? '',
      replacedBy: fresh.id,
    })
    events.push(tell(books.state, 'card.replaced', { card: replaced.id, by: fresh.id }))
  }
  events.push(tell(books.state, 'card.issued', { card: fresh.id }))
  settleBooks(opened, facts)
  const named = { member, object: fresh.id, seq: null }
  const changes: Changes = {
    member,
    at: facts.now,
    books,
    cards,
    events,
    names: [
      { key: cardKey(code), ...named },
      { key: cardIdKey(fresh.id), ...named },
    ],
  }
  return { status: 201, body: JSON.stringify(cardView(fresh)), changes }
}
