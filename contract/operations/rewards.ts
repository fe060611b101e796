import { list } from '../common.ts'
import { REWARD_EXAMPLES as E } from '../examples-rewards.ts'
import { offerAnswer, offersQuery } from '../offers.ts'
import type { Operation } from '../operation.ts'
import { rewardAnswer, rewardBody, rewardPatch, rewardQuery } from '../rewards.ts'
import { one, paged } from './answers.ts'

export const rewards = [
  {
    id: 'createReward',
    method: 'POST',
    path: '/v1/rewards',
    scope: 'rewards:write',
    summary: 'Make a reward',
    description:
      'What members redeem points for: what it costs, what it is, who may have it and how much of it there is. ' +
      'Active unless told; its slug and kind never change.',
    body: rewardBody,
    answers: one(rewardAnswer, 'The reward', 201),
    refusals: ['program_unknown', 'already_exists'],
    idempotent: true,
    etag: true,
    examples: { body: E.body, answer: E.versions },
  },
  {
    id: 'listRewards',
    method: 'GET',
    path: '/v1/rewards',
    scope: 'rewards:read',
    summary: 'List rewards',
    query: rewardQuery,
    answers: one(list(rewardAnswer), 'A page of rewards, oldest first'),
    refusals: ['program_unknown', 'invalid_cursor'],
    idempotent: false,
    examples: { answer: paged(E.reward) },
  },
  {
    id: 'getReward',
    method: 'GET',
    path: '/v1/rewards/{reward}',
    scope: 'rewards:read',
    summary: 'Read a reward',
    answers: one(rewardAnswer, 'The reward, with all its versions and what is left of it'),
    refusals: ['reward_unknown'],
    idempotent: false,
    etag: true,
    examples: { answer: E.read },
  },
  {
    id: 'changeReward',
    method: 'PATCH',
    path: '/v1/rewards/{reward}',
    scope: 'rewards:write',
    summary: 'Change a reward',
    description:
      'What differs makes a new version, which holds from the next redemption; what was redeemed stays as it was. ' +
      'null takes a term away.',
    body: rewardPatch,
    answers: one(rewardAnswer, 'The reward after it'),
    refusals: ['reward_unknown', 'etag_mismatch'],
    idempotent: false,
    etag: true,
    examples: { body: E.patch, answer: E.changed },
  },
  {
    id: 'publishReward',
    method: 'POST',
    path: '/v1/rewards/{reward}/publish',
    scope: 'rewards:write',
    summary: 'Offer a reward',
    description: 'A draft, or one that was archived. Twice is once.',
    answers: one(rewardAnswer, 'The reward, active'),
    refusals: ['reward_unknown'],
    idempotent: true,
    etag: true,
    examples: { answer: E.versions },
  },
  {
    id: 'archiveReward',
    method: 'POST',
    path: '/v1/rewards/{reward}/archive',
    scope: 'rewards:write',
    summary: 'Offer a reward no longer',
    description: 'What was redeemed stays good. Twice is once.',
    answers: one(rewardAnswer, 'The reward, archived'),
    refusals: ['reward_unknown'],
    idempotent: true,
    etag: true,
    examples: { answer: E.archived },
  },
  {
    id: 'listOffers',
    method: 'GET',
    path: '/v1/members/{member}/offers',
    scope: 'rewards:read',
    summary: 'What can a member redeem now?',
    description:
      'Every reward that is offered now, decided as a redemption would be: whether it can be redeemed, at which price, and for ' +
      'the rest why not and how many points are missing.',
    query: offersQuery,
    answers: one(list(offerAnswer), 'A page of rewards, oldest first'),
    refusals: ['member_unknown', 'program_unknown', 'invalid_cursor'],
    idempotent: false,
    examples: { answer: paged(E.offer) },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
