import { adjustBody, entryStory, movementAnswer, spendBody } from '../points.ts'
import { made, one } from './answers.ts'
import { EXAMPLES as E } from '../examples.ts'
import type { Operation } from '../operation.ts'

const moves = [
  'program_unknown',
  'wallet_unknown',
  'member_unknown',
  'member_suspended',
  'program_paused',
  'insufficient_points',
  'amount_out_of_range',
] as const
export const points = [
  {
    id: 'spendPoints',
    method: 'POST',
    path: '/v1/members/{member}/spend',
    scope: 'points:write',
    summary: 'Spend points',
    description: 'Takes from the lots that expire soonest. Idempotent by externalId.',
    body: spendBody,
    answers: made(movementAnswer, 'spend'),
    refusals: [...moves, 'external_id_conflict'],
    idempotent: true,
    examples: { body: E.spendBody, answer: E.spend },
  },
  {
    id: 'adjustPoints',
    method: 'POST',
    path: '/v1/members/{member}/adjust',
    scope: 'points:write',
    summary: 'Add or take points by hand',
    description:
      "More than the wallet's adjustmentLimit waits for approval: status is waiting, and there are no entries yet.",
    body: adjustBody,
    answers: {
      201: { schema: movementAnswer, description: 'The adjustment' },
      202: { schema: movementAnswer, description: "Above the wallet's limit: it waits until another key approves it" },
    },
    refusals: moves,
    idempotent: true,
    examples: { body: E.adjustBody, answer: E.adjustment },
  },
  {
    id: 'getEntry',
    method: 'GET',
    path: '/v1/entries/{entry}',
    scope: 'points:read',
    summary: 'Read an entry and its story',
    description: 'What made it, which rule version, which lots it took from, and what corrected it.',
    answers: one(entryStory, 'The entry'),
    refusals: ['entry_unknown'],
    idempotent: false,
    examples: { answer: E.story },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
