import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type RuleBody, ruleBody, ruleVersionBody } from '@laurel/contract/earning-rules'
import { parseInstant } from '@laurel/contract/instants'
import { previewBody } from '@laurel/contract/purchases'
import { rulesAt } from './configuration.ts'
import { award } from './earning.rules.ts'
import { explain } from './explained.rules.ts'
import { checkArgs } from './args.rules.ts'
import type { Line } from './question.ts'
import { aConfiguration, aQuestion, aVersion } from './rules-for-tests.ts'

const guide = readFileSync(new URL('../../docs/guides/earning-rules.md', import.meta.url), 'utf8')

/** The JSON blocks of one sort, each with the text up to the next block. */
function blocks(sort: string): { json: unknown; after: string }[] {
  return guide
    .split('```json ')
    .slice(1)
    .filter((part) => part.startsWith(`${sort}\n`))
    .map((part) => {
      const [json = '', after = ''] = part.slice(sort.length).split('\n```\n')
      return { json: JSON.parse(json), after }
    })
}

const basket = blocks('basket')
  .flatMap(({ json }) => json as Omit<Line, 'line'>[])
  .map((line, i) => ({ ...line, line: String(i + 1) }))
const rules = blocks('rule').map(({ json, after }) => ({ rule: json as RuleBody, after }))
const instant = (text: string | null | undefined) => (text ? (parseInstant(text) as number) : null)
const versionOf = (ruleId: number, { kind, args, startsAt, endsAt }: RuleBody) =>
  aVersion(ruleId, kind, args, { startsAt: instant(startsAt), endsAt: instant(endsAt) })

describe('the guide to earning rules', () => {
  test('has a rule of every kind', () => {
    expect(new Set(rules.map(({ rule }) => rule.kind))).toEqual(
      new Set(['per_amount', 'fixed', 'per_item', 'multiplier']),
    )
  })

  test.each(rules)('is right about “$rule.name”', ({ rule, after }) => {
    expect(ruleBody.parse(rule)).toEqual(rule)
    expect(checkArgs(rule.kind, rule.args)).toEqual([])
    const [, points, why] = /\*\*(\d+) points\*\*[^“]*“([^”]+)”/.exec(after) ?? []
    const at = instant(/on (2026-\S+), the basket/.exec(after)?.[1]) ?? 1_780_000_000_000_000
    const beside = rule.kind === 'multiplier' && rules[0] ? [versionOf(1, rules[0].rule)] : []
    const c = aConfiguration([...beside, versionOf(2, rule)])
    expect(award(rulesAt(c, 1, 1, at), aQuestion(basket, { occurredAt: at }))).toContainEqual(
      expect.objectContaining({ ruleVersionId: 2001, points: Number(points), why }),
    )
  })

  test('gives requests that the API takes', () => {
    for (const { json } of blocks('version')) expect(ruleVersionBody.parse(json)).toEqual(json)
    for (const { json } of blocks('preview')) expect(previewBody.parse(json)).toEqual(json)
  })

  test('quotes reasons as they are given', () => {
    const at = 1_780_000_000_000_000
    const c = aConfiguration(
      [
        aVersion(1, 'fixed', { points: 1 }),
        aVersion(2, 'per_item', { points: 1, skus: ['CUP'] }),
        aVersion(3, 'per_amount', { points: 1, per: 10_000 }),
        aVersion(4, 'multiplier', { factor: 2 }),
      ],
      {
        states: [
          { ruleId: 1, configVersion: 1, status: 'draft' },
          ...[2, 3, 4].map((ruleId) => ({ ruleId, configVersion: 1, status: 'active' as const })),
        ],
      },
    )
    const told = explain(c, 1, aQuestion(basket, { occurredAt: at }))
    if (!('rules' in told)) throw new Error(told.detail)
    for (const { reason } of told.rules) expect(guide).toContain(`| ${reason} |`)
  })
})
