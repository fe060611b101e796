import { z } from 'zod'
import { problem } from '../common.ts'
import { batchBody, previewAnswer, previewBody, purchaseAnswer, purchaseBody, purchaseView } from '../purchases.ts'
import { returnAnswer, returnBody } from '../returns.ts'
import { made, one } from './answers.ts'
import { EXAMPLES as E } from '../examples.ts'
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
      'other content 409.',
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
