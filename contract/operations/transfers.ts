import { mergeAnswer, mergeBody, unmergeBody } from '../merges.ts'
import type { Operation } from '../operation.ts'
import { conversionAnswer, conversionBody, transferAnswer, transferBody } from '../transfers.ts'
import { MOVING_EXAMPLES as E } from '../examples-moving.ts'
import { made, one } from './answers.ts'

const moves = [
  'program_unknown',
  'wallet_unknown',
  'member_unknown',
  'member_suspended',
  'program_paused',
  'insufficient_points',
  'amount_out_of_range',
] as const

export const transfers = [
  {
    id: 'transferPoints',
    method: 'POST',
    path: '/v1/members/{member}/transfers',
    scope: 'points:write',
    summary: 'Transfer points to another member',
    description:
      "As the wallet's `transfers` allow. The points keep the dates on which they expire; a fee comes on top. Both members' books change, or neither's. Idempotent by externalId.",
    body: transferBody,
    answers: made(transferAnswer, 'transfer'),
    refusals: [...moves, 'same_member', 'transfer_refused', 'external_id_conflict'],
    idempotent: true,
    examples: { body: E.transferBody, answer: E.transfer },
  },
  {
    id: 'convertPoints',
    method: 'POST',
    path: '/v1/members/{member}/conversions',
    scope: 'points:write',
    summary: 'Convert points of one wallet into those of another',
    description: "At the rate in the wallet's `conversions`. Idempotent by externalId.",
    body: conversionBody,
    answers: made(conversionAnswer, 'conversion'),
    refusals: [...moves, 'conversion_refused', 'external_id_conflict'],
    idempotent: true,
    examples: { body: E.conversionBody, answer: E.conversion },
  },
  {
    id: 'mergeMembers',
    method: 'POST',
    path: '/v1/members/{member}/merge',
    scope: 'members:write',
    summary: 'Merge another member into this one',
    description:
      'What `from` holds goes on as lots of this member, at their age; every name of `from` leads here from now on. Doing it twice is doing it once.',
    body: mergeBody,
    answers: {
      201: { schema: mergeAnswer, description: 'The merge' },
      200: { schema: mergeAnswer, description: 'They were merged before' },
    },
    refusals: ['member_unknown', 'same_member', 'member_merged', 'holds_open', 'amount_out_of_range'],
    idempotent: true,
    examples: { body: E.mergeBody, answer: E.merge },
  },
  {
    id: 'unmergeMembers',
    method: 'POST',
    path: '/v1/members/{member}/unmerge',
    scope: 'members:write',
    summary: 'Undo a merge',
    description:
      'Within 30 days. What is left of the lots that came with `from` goes back, and what either paid of what the other owed; what was ' +
      'spent of them stays spent.',
    body: unmergeBody,
    answers: one(mergeAnswer, 'The merge, undone'),
    refusals: ['member_unknown', 'merge_over', 'holds_open', 'amount_out_of_range'],
    idempotent: true,
    examples: { body: E.unmergeBody, answer: E.unmerge },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
