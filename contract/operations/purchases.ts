import { z } from 'zod'
import { list, problem } from '../common.ts'
import {
  batchBody,
  claimBody,
  previewAnswer,
  previewBody,
  purchaseAnswer,
  purchaseBody,
  purchaseView,
  unclaimedQuery,
} from '../purchases.ts'
import { returnAnswer, returnBody } from '../returns.ts'
import { made, one, paged } from './answers.ts'
import { EXAMPLES as E } from '../examples.ts'
import { UNCLAIMED } from '../examples-unclaimed.ts'
import { BATCH_BODY_MAX, type Operation } from '../operation.ts'

const batchAnswer = z
  .object({
    results: z.array(
      z.union([z.object({ status: z.int(), purchase: purchaseAnswer }), z.object({ status: z.int(), error: problem })]),
    ),
  })
  .meta({ id: 'PurchaseBatch', description: 'In the order of what was sent; each with its own status' })

export const purchases = [
  {
    id: 'recordPurchase',
    method: 'POST',
    path: '/v1/purchases',
    scope: 'purchases:write',
    summary: 'Record a purchase',
    description:
      'Decides and books its points. Idempotent by externalId: the same again answers 200 with what was stored, ' +
      'other content 409. Without `member` it is kept unclaimed; the same again with a member claims it.',
    body: purchaseBody,
    answers: made(purchaseAnswer, 'purchase'),
    refusals: [
      'program_unknown',
      'member_unknown',
      'member_suspended',
      'program_paused',
      'currency_mismatch',
      'amount_out_of_range',
      'external_id_conflict',
    ],
    idempotent: true,
    examples: { body: E.purchaseBody, answer: E.purchase },
  },
  {
    id: 'recordPurchases',
    method: 'POST',
    path: '/v1/purchases/batch',
    scope: 'purchases:write',
    summary: 'Record many purchases',
    description: 'At most 1,000. Each is taken or refused by itself; the results come in the order of what was sent.',
    body: batchBody,
    bodyMax: BATCH_BODY_MAX,
    answers: one(batchAnswer, 'What became of each'),
    refusals: [],
    idempotent: true,
    examples: { body: E.batchBody, answer: E.batch },
  },
  {
    id: 'previewPurchase',
    method: 'POST',
    path: '/v1/purchases/preview',
    scope: 'purchases:read',
    summary: 'Ask what a purchase would earn',
    description:
      'Stores nothing. Says of every rule whether it fires, and why not. ' + 'occurredAt is now unless told.',
    body: previewBody,
    answers: one(previewAnswer, 'What it would earn'),
    refusals: [
      'program_unknown',
      'member_unknown',
      'member_suspended',
      'program_paused',
      'rule_unknown',
      'rule_state',
      'currency_mismatch',
      'amount_out_of_range',
    ],
    idempotent: false,
    examples: { body: E.previewBody, answer: E.preview },
  },
  {
    id: 'getPurchase',
    method: 'GET',
    path: '/v1/purchases/{purchase}',
    scope: 'purchases:read',
    summary: 'Read a purchase',
    answers: one(purchaseView, 'The purchase'),
    refusals: ['purchase_unknown'],
    idempotent: false,
    examples: { answer: E.purchaseView },
  },
  {
    id: 'listUnclaimedPurchases',
    method: 'GET',
    path: '/v1/purchases',
    scope: 'purchases:read',
    summary: 'List purchases that nobody has claimed',
    description: 'Those that were recorded without a member and can still be claimed, or wait to be purged.',
    query: unclaimedQuery,
    answers: one(list(purchaseView), 'A page of purchases, newest recorded first'),
    refusals: ['program_unknown', 'invalid_cursor'],
    idempotent: false,
    examples: { answer: paged(UNCLAIMED.view) },
  },
  {
    id: 'claimPurchase',
    method: 'POST',
    path: '/v1/purchases/{purchase}/claim',
    scope: 'purchases:write',
    summary: 'Claim a purchase',
    description:
      'Gives a purchase that was recorded without a member to one: decided as of when it happened, booked now. The same ' +
      'member again answers 200 with what was stored. Possible for the `claimDays` of the program.',
    body: claimBody,
    answers: made(purchaseAnswer, 'purchase'),
    refusals: [
      'purchase_unknown',
      'purchase_claimed',
      'claim_expired',
      'member_unknown',
      'member_suspended',
      'program_paused',
      'amount_out_of_range',
    ],
    idempotent: true,
    examples: { body: UNCLAIMED.claimBody, answer: UNCLAIMED.claimed },
  },
  {
    id: 'recordReturn',
    method: 'POST',
    path: '/v1/returns',
    scope: 'purchases:write',
    summary: 'Record a return',
    description:
      'Decides the purchase again on what was frozen with it and takes the difference back. Idempotent by externalId.',
    body: returnBody,
    answers: made(returnAnswer, 'return'),
    refusals: [
      'program_unknown',
      'member_unknown',
      'member_suspended',
      'program_paused',
      'purchase_unknown',
      'return_exceeds_purchase',
      'amount_out_of_range',
      'external_id_conflict',
    ],
    idempotent: true,
    examples: { body: E.returnBody, answer: E.returned },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
