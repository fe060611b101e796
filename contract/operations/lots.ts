import { list } from '../common.ts'
import { extendBody, lotReasonBody, lotsChanged, lotsQuery, lotView, reinstateBody } from '../lots.ts'
import { LOTS as E } from '../examples-holds.ts'
import type { Operation } from '../operation.ts'
import { one, paged } from './answers.ts'

const changes = ['program_paused', 'member_merged', 'lot_state', 'amount_out_of_range'] as const
const ofEntry = ['entry_unknown', ...changes] as const
const ofPurchase = ['purchase_unknown', ...changes] as const

export const lots = [
  {
    id: 'listLots',
    method: 'GET',
    path: '/v1/members/{member}/lots',
    scope: 'points:read',
    summary: "List a member's lots",
    description:
      'Points by when they were given, as far as they are left: when they begin, when they end, what is held of them.',
    query: lotsQuery,
    answers: one(list(lotView), 'A page of open lots, oldest first'),
    refusals: ['member_unknown', 'program_unknown', 'wallet_unknown', 'invalid_cursor'],
    idempotent: false,
    examples: { answer: paged(E.lot) },
  },
  {
    id: 'activateLot',
    method: 'POST',
    path: '/v1/entries/{entry}/activate',
    scope: 'points:write',
    summary: 'Activate pending points',
    description: 'They can be spent from now on. Twice is once.',
    body: lotReasonBody,
    answers: one(lotsChanged, 'What began'),
    refusals: ofEntry,
    idempotent: true,
    examples: { body: E.reasonBody, answer: E.activated },
  },
  {
    id: 'cancelLot',
    method: 'POST',
    path: '/v1/entries/{entry}/cancel',
    scope: 'points:write',
    summary: 'Cancel pending points',
    description: 'They go back to the program. Twice is once.',
    body: lotReasonBody,
    answers: one(lotsChanged, 'What was given up'),
    refusals: ofEntry,
    idempotent: true,
    examples: { body: E.reasonBody, answer: E.cancelled },
  },
  {
    id: 'extendLot',
    method: 'POST',
    path: '/v1/entries/{entry}/extend',
    scope: 'points:write',
    summary: 'Extend points',
    description: 'What is left of the lot, but for what is held, ends later: never earlier. Twice is once.',
    body: extendBody,
    answers: one(lotsChanged, 'What ends later'),
    refusals: ofEntry,
    idempotent: true,
    examples: { body: E.extendBody, answer: E.extended },
  },
  {
    id: 'reinstateLot',
    method: 'POST',
    path: '/v1/entries/{entry}/reinstate',
    scope: 'points:write',
    summary: 'Reinstate expired points',
    description:
      'What expired of the lot comes again, once. It ends as points do that are given now, unless expiresAt is told. Twice is once.',
    body: reinstateBody,
    answers: one(lotsChanged, 'What came again'),
    refusals: ofEntry,
    idempotent: true,
    examples: { body: E.reinstateBody, answer: E.reinstated },
  },
  {
    id: 'activatePurchase',
    method: 'POST',
    path: '/v1/purchases/{purchase}/activate',
    scope: 'points:write',
    summary: 'Activate the pending points of a purchase',
    body: lotReasonBody,
    answers: one(lotsChanged, 'What began; nothing where nothing was pending'),
    refusals: ofPurchase,
    idempotent: true,
    examples: { body: E.reasonBody, answer: E.activated },
  },
  {
    id: 'cancelPurchase',
    method: 'POST',
    path: '/v1/purchases/{purchase}/cancel',
    scope: 'points:write',
    summary: 'Cancel the pending points of a purchase',
    description:
      'What is pending of it goes back to the program; what can be spent stays. For goods that come back, record a return.',
    body: lotReasonBody,
    answers: one(lotsChanged, 'What was given up; nothing where nothing was pending'),
    refusals: ofPurchase,
    idempotent: true,
    examples: { body: E.reasonBody, answer: E.cancelled },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
