import { list } from '../common.ts'
import { TIERS as E } from '../examples-tiers.ts'
import type { Operation } from '../operation.ts'
import { ladderAnswer, ladderBody, ladderQuery, ladderVersionBody } from '../tiers.ts'
import { one, paged } from './answers.ts'

export const tiers = [
  {
    id: 'createTierLadder',
    method: 'POST',
    path: '/v1/tier-ladders',
    scope: 'tiers:write',
    summary: 'Make a ladder of tiers',
    description:
      'Holds from the next request, for every member: what was done before counts as far as the window reaches. A program may have several.',
    body: ladderBody,
    answers: one(ladderAnswer, 'The ladder', 201),
    refusals: ['program_unknown', 'already_exists'],
    idempotent: true,
    examples: { body: E.body, answer: E.versions },
  },
  {
    id: 'listTierLadders',
    method: 'GET',
    path: '/v1/tier-ladders',
    scope: 'tiers:read',
    summary: 'List ladders of tiers',
    query: ladderQuery,
    answers: one(list(ladderAnswer), 'A page of ladders, oldest first'),
    refusals: ['program_unknown', 'invalid_cursor'],
    idempotent: false,
    examples: { answer: paged(E.ladder) },
  },
  {
    id: 'getTierLadder',
    method: 'GET',
    path: '/v1/tier-ladders/{ladder}',
    scope: 'tiers:read',
    summary: 'Read a ladder of tiers',
    description: 'By its id, or by its slug where one program alone has it.',
    answers: one(ladderAnswer, 'The ladder with all its versions'),
    refusals: ['tier_ladder_unknown'],
    idempotent: false,
    examples: { answer: E.versions },
  },
  {
    id: 'publishTierLadderVersion',
    method: 'POST',
    path: '/v1/tier-ladders/{ladder}/versions',
    scope: 'tiers:write',
    summary: 'Publish a new version of a ladder',
    description:
      'Other thresholds, tiers, benefits, metric or window; what is left out stays. Everybody is held against it at once; with ' +
      '`keep` nobody falls by it before the tier that is held would end anyway. Ask who would move first: preview.',
    body: ladderVersionBody,
    answers: one(ladderAnswer, 'The ladder as its new version says it', 201),
    refusals: ['tier_ladder_unknown', 'tier_ladder_archived'],
    idempotent: true,
    examples: { body: E.versionBody, answer: E.published },
  },
  {
    id: 'archiveTierLadder',
    method: 'POST',
    path: '/v1/tier-ladders/{ladder}/archive',
    scope: 'tiers:write',
    summary: 'End a ladder for good',
    description: 'From the next request on nobody holds a tier of it. Histories stay. Doing it twice is doing it once.',
    answers: one(ladderAnswer, 'The ladder after it'),
    refusals: ['tier_ladder_unknown'],
    idempotent: true,
    examples: { answer: E.archived },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
