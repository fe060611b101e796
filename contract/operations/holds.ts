import { list } from '../common.ts'
import { captureBody, holdAnswer, holdBody, holdsQuery, holdView, refundAnswer, refundBody } from '../holds.ts'
import { HOLDS as E } from '../examples-holds.ts'
import type { Operation } from '../operation.ts'
import { made, one, paged } from './answers.ts'

const settles = ['hold_unknown', 'hold_over'] as const

export const holds = [
  {
    id: 'placeHold',
    method: 'POST',
    path: '/v1/members/{member}/holds',
    scope: 'points:write',
    summary: 'Hold points',
    description:
      'Sets points of one wallet or of several aside until a deadline; then they are free again. Takes from the lots that expire ' +
      'soonest. Idempotent by externalId.',
    body: holdBody,
    answers: made(holdAnswer, 'hold'),
    refusals: [
      'program_unknown',
      'wallet_unknown',
      'member_unknown',
      'member_suspended',
      'program_paused',
      'insufficient_points',
      'external_id_conflict',
    ],
    idempotent: true,
    examples: { body: E.body, answer: E.placed },
  },
  {
    id: 'listHolds',
    method: 'GET',
    path: '/v1/members/{member}/holds',
    scope: 'points:read',
    summary: "List a member's holds",
    query: holdsQuery,
    answers: one(list(holdView), 'A page of holds, newest first'),
    refusals: ['member_unknown', 'invalid_cursor'],
    idempotent: false,
    examples: { answer: paged(E.view) },
  },
  {
    id: 'getHold',
    method: 'GET',
    path: '/v1/holds/{hold}',
    scope: 'points:read',
    summary: 'Read a hold',
    answers: one(holdView, 'The hold'),
    refusals: ['hold_unknown'],
    idempotent: false,
    examples: { answer: E.view },
  },
  {
    id: 'captureHold',
    method: 'POST',
    path: '/v1/holds/{hold}/capture',
    scope: 'points:write',
    summary: 'Capture a hold',
    description:
      'Spends what is held, all of it unless told; the rest is free again. Before the deadline it succeeds even if the points would ' +
      'have expired meanwhile. The same again answers the same.',
    body: captureBody,
    answers: one(holdAnswer, 'The hold, captured'),
    refusals: [...settles, 'member_suspended', 'program_paused', 'insufficient_points', 'amount_out_of_range'],
    idempotent: true,
    examples: { body: E.captureBody, answer: E.captured },
  },
  {
    id: 'releaseHold',
    method: 'POST',
    path: '/v1/holds/{hold}/release',
    scope: 'points:write',
    summary: 'Release a hold',
    description: 'Lets go of what is held. What would have expired meanwhile expires at once. Twice is once.',
    answers: one(holdAnswer, 'The hold, released, or lapsed before'),
    refusals: settles,
    idempotent: true,
    examples: { answer: E.released },
  },
  {
    id: 'refundSpend',
    method: 'POST',
    path: '/v1/members/{member}/refunds',
    scope: 'points:write',
    summary: 'Refund a spend',
    description:
      'Gives points that were spent back to the lots that they came from, what was taken last first; they end when those do. ' +
      'In part and repeatedly, up to what was spent. Idempotent by externalId.',
    body: refundBody,
    answers: made(refundAnswer, 'refund'),
    refusals: [
      'member_unknown',
      'entry_unknown',
      'program_paused',
      'refund_exceeds_spend',
      'amount_out_of_range',
      'external_id_conflict',
    ],
    idempotent: true,
    examples: { body: E.refundBody, answer: E.refund },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
