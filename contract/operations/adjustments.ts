import { adjustmentAnswer, adjustmentsQuery, decisionBody } from '../adjustments.ts'
import { list } from '../common.ts'
import { ADJUSTMENT_EXAMPLES as E } from '../examples-adjustments.ts'
import type { Operation } from '../operation.ts'
import { one, paged } from './answers.ts'

export const adjustments = [
  {
    id: 'listAdjustments',
    method: 'GET',
    path: '/v1/adjustments',
    scope: 'points:read',
    summary: 'List adjustments',
    description: 'Newest first. With status=waiting, those that somebody has to approve or reject.',
    query: adjustmentsQuery,
    answers: one(list(adjustmentAnswer), 'A page of adjustments'),
    refusals: ['invalid_cursor', 'member_unknown'],
    idempotent: false,
    examples: { answer: paged(E.waiting) },
  },
  {
    id: 'getAdjustment',
    method: 'GET',
    path: '/v1/adjustments/{adjustment}',
    scope: 'points:read',
    summary: 'Read an adjustment',
    answers: one(adjustmentAnswer, 'The adjustment'),
    refusals: ['adjustment_unknown'],
    idempotent: false,
    examples: { answer: E.approved },
  },
  {
    id: 'approveAdjustment',
    method: 'POST',
    path: '/v1/adjustments/{adjustment}/approve',
    scope: 'points:write',
    summary: 'Approve an adjustment that waits, and book it',
    description: 'By another key than the one that asked for it. Doing it twice is doing it once.',
    body: decisionBody,
    answers: one(adjustmentAnswer, 'The adjustment after it'),
    refusals: [
      'adjustment_unknown',
      'adjustment_decided',
      'same_key',
      'member_unknown',
      'program_paused',
      'insufficient_points',
      'amount_out_of_range',
    ],
    idempotent: true,
    examples: { body: E.decisionBody, answer: E.approved },
  },
  {
    id: 'rejectAdjustment',
    method: 'POST',
    path: '/v1/adjustments/{adjustment}/reject',
    scope: 'points:write',
    summary: 'Reject an adjustment that waits',
    description: 'By any key: who asked for it may take it back. Doing it twice is doing it once.',
    body: decisionBody,
    answers: one(adjustmentAnswer, 'The adjustment after it'),
    refusals: ['adjustment_unknown', 'adjustment_decided', 'member_unknown'],
    idempotent: true,
    examples: { body: { reason: 'Asked for twice' }, answer: E.rejected },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
