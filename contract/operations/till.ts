import { TILL as E } from '../examples-till.ts'
import { BATCH_BODY_MAX, type Operation } from '../operation.ts'
import { identifyAnswer, identifyBody, queueAnswer, queueBody } from '../till.ts'
import { one } from './answers.ts'

export const till = [
  {
    id: 'identifyMember',
    method: 'POST',
    path: '/v1/till/identify',
    scope: 'till:read',
    summary: 'Say who stands at the till',
    description:
      'By a card, an e-mail or a phone number. Answers what a till shows, and no more of the person than initials.',
    body: identifyBody,
    answers: one(identifyAnswer, 'Who it is'),
    refusals: ['member_unknown', 'program_unknown'],
    idempotent: false,
    examples: { body: E.identifyBody, answer: E.identified },
  },
  {
    id: 'sendQueue',
    method: 'POST',
    path: '/v1/till/queue',
    scope: 'till:write',
    summary: 'Send what a till did while it was offline',
    description:
      'In whatever order, and as often as need be: each is done once, by the name that the till gave it, and its repeat answers the ' +
      'same. Voids are done first, then purchases and commits, then what takes them back, refunds, and then spends.',
    body: queueBody,
    bodyMax: BATCH_BODY_MAX,
    answers: one(queueAnswer, 'What became of each'),
    refusals: [],
    idempotent: true,
    examples: { body: E.queueBody, answer: E.queueAnswer },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
