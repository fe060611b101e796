import { list } from '../common.ts'
import { ruleAnswer, ruleBody, ruleQuery, ruleVersionBody } from '../earning-rules.ts'
import { one, paged } from './answers.ts'
import { EXAMPLES as E } from '../examples.ts'
import { RULES } from '../examples-rules.ts'
import type { Operation } from '../operation.ts'

export const earningRules = [
  {
    id: 'createEarningRule',
    method: 'POST',
    path: '/v1/earning-rules',
    scope: 'rules:write',
    summary: 'Make an earning rule',
    description: 'Version 1 is effective for purchases of any date unless startsAt says otherwise.',
    body: ruleBody,
    answers: one(ruleAnswer, 'The rule', 201),
    refusals: ['program_unknown', 'wallet_unknown'],
    idempotent: true,
    examples: { body: RULES.body, answer: { ...E.rule, ...RULES.body } },
  },
  {
    id: 'listEarningRules',
    method: 'GET',
    path: '/v1/earning-rules',
    scope: 'rules:read',
    summary: 'List earning rules',
    query: ruleQuery,
    answers: one(list(ruleAnswer), 'A page of rules, oldest first'),
    refusals: ['invalid_cursor', 'program_unknown'],
    idempotent: false,
    examples: { answer: paged(E.rule) },
  },
  {
    id: 'getEarningRule',
    method: 'GET',
    path: '/v1/earning-rules/{rule}',
    scope: 'rules:read',
    summary: 'Read an earning rule',
    answers: one(ruleAnswer, 'The rule with all its versions'),
    refusals: ['rule_unknown'],
    idempotent: false,
    examples: { answer: E.rule },
  },
  {
    id: 'publishRuleVersion',
    method: 'POST',
    path: '/v1/earning-rules/{rule}/versions',
    scope: 'rules:write',
    summary: 'Publish a new version of a rule',
    description:
      'Effective for purchases that occur from now on; what is left out ' +
      'stays as it was, null takes a term away. Earlier versions stay as they are, and every entry names the version that made it.',
    body: ruleVersionBody,
    answers: one(ruleAnswer, 'The rule as its new version says it', 201),
    refusals: ['rule_unknown', 'rule_state'],
    idempotent: true,
    examples: {
      body: RULES.version,
      answer: { ...E.rule, ...RULES.body, ...RULES.version, version: 2 },
    },
  },
  ...(['publish', 'pause', 'resume', 'archive'] as const).map(
    (verb) =>
      ({
        id: `${verb}EarningRule`,
        method: 'POST',
        path: `/v1/earning-rules/{rule}/${verb}`,
        scope: 'rules:write',
        summary: {
          publish: 'Put a draft rule into force',
          pause: 'Stop a rule',
          resume: 'Let a paused rule run again',
          archive: 'End a rule for good',
        }[verb],
        description: 'Holds from the next request, in every process. Doing it twice is doing it once.',
        answers: one(ruleAnswer, 'The rule after it'),
        refusals: ['rule_unknown', 'rule_state'],
        idempotent: true,
        examples: {
          answer: {
            ...E.rule,
            status: { publish: 'active', pause: 'paused', resume: 'active', archive: 'archived' }[verb],
          },
        },
      }) as const,
  ),
] as const satisfies readonly Omit<Operation, 'tag'>[]
