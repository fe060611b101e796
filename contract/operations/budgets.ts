import { budgetAnswer, budgetQuery } from '../budgets.ts'
import { EXAMPLES as E } from '../examples.ts'
import type { Operation } from '../operation.ts'
import { one } from './answers.ts'

export const budgets = [
  {
    id: 'getRuleBudget',
    method: 'GET',
    path: '/v1/earning-rules/{rule}/budget',
    scope: 'rules:read',
    summary: "Read what is left of a rule's budget",
    description: 'Of the period that `at` lies in, in the time zone of the program, as the version of that time says.',
    query: budgetQuery,
    answers: one(budgetAnswer, 'The budget, what was spent of it and what is left'),
    refusals: ['rule_unknown', 'budget_unknown'],
    idempotent: false,
    examples: {
      answer: {
        rule: E.rule.id,
        version: 1,
        program: 'coffee',
        wallet: 'points',
        per: 'month',
        period: '2026-11',
        from: '2026-11-01T00:00:00Z',
        until: '2026-12-01T00:00:00Z',
        limit: 100_000,
        spent: 81_250,
        left: 18_750,
        money: { currency: 'GBP', limit: 50_000, spent: 40_625, left: 9_375 },
      },
    },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
