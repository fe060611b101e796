import { blockBody, cardAnswer, cardBody, shownCard } from '../cards.ts'
import { list } from '../common.ts'
import { CARDS as E } from '../examples-cards.ts'
import type { Operation } from '../operation.ts'
import { one, paged } from './answers.ts'

const theCard = {
  201: { schema: cardAnswer, description: 'The card, new' },
  200: { schema: cardAnswer, description: 'The card that the member has' },
}

export const cards = [
  {
    id: 'issueCard',
    method: 'POST',
    path: '/v1/members/{member}/card',
    scope: 'members:write',
    summary: 'Give a member a card',
    description:
      'A member has one card: who has one is answered that, with 200. `replaces` blocks the old one in the same moment; ' +
      'the same again answers the card that took its place.',
    body: cardBody,
    answers: theCard,
    refusals: ['member_unknown', 'member_suspended', 'already_exists', 'card_unknown', 'code_mistyped'],
    idempotent: true,
    examples: { body: E.body, answer: E.card },
  },
  {
    id: 'showCard',
    method: 'GET',
    path: '/v1/members/{member}/card',
    scope: 'members:read',
    summary: "Show a member's card",
    description: "With what the member shows: a QR code and a Code 128, and a rotating card's digits of this moment.",
    answers: one(shownCard, 'The card'),
    refusals: ['member_unknown', 'card_unknown'],
    idempotent: false,
    examples: { answer: E.shown },
  },
  {
    id: 'listCards',
    method: 'GET',
    path: '/v1/members/{member}/cards',
    scope: 'members:read',
    summary: "List a member's cards",
    answers: one(list(cardAnswer), 'All cards that the member ever had, newest first'),
    refusals: ['member_unknown'],
    idempotent: false,
    examples: { answer: paged(E.card) },
  },
  {
    id: 'getCard',
    method: 'GET',
    path: '/v1/cards/{card}',
    scope: 'members:read',
    summary: 'Read a card',
    description: 'By its code, however it is written, or its id: whose it is, and whether it is blocked.',
    answers: one(cardAnswer, 'The card'),
    refusals: ['card_unknown', 'code_mistyped'],
    idempotent: false,
    examples: { answer: E.card },
  },
  {
    id: 'blockCard',
    method: 'POST',
    path: '/v1/cards/{card}/block',
    scope: 'members:write',
    summary: 'Block a card',
    description: 'From now on nobody is known by it. Twice is once; it is never unblocked: give the member another.',
    body: blockBody,
    answers: one(cardAnswer, 'The card, blocked'),
    refusals: ['card_unknown', 'code_mistyped'],
    idempotent: true,
    examples: { body: E.blockBody, answer: E.blocked },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
