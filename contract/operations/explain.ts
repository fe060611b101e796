import { explainAnswer, explainQuery } from '../explain.ts'
import { EXPLANATION } from '../examples-explain.ts'
import type { Operation } from '../operation.ts'
import { one } from './answers.ts'

export const explain = [
  {
    id: 'explainWallet',
    method: 'GET',
    path: '/v1/members/{member}/wallets/{wallet}/explain',
    scope: 'points:read',
    summary: 'Explain a balance',
    description:
      'What a wallet held, holds or will hold at an instant: every lot with what it came from, the rule version that ' +
      'gave it and why, what took from it and gave back to it, and what is left; the same in sentences, in the ' +
      'language of `lang` or Accept-Language. A page of lots, those that hold anything first, in the order in which ' +
      'they will be spent; the sums are of all lots.',
    query: explainQuery,
    answers: one(explainAnswer, 'The balance and its lots'),
    refusals: ['member_unknown', 'program_unknown', 'wallet_unknown', 'invalid_cursor'],
    idempotent: false,
    examples: { answer: EXPLANATION },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
