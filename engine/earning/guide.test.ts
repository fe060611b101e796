import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { RULE_ARGS, type RuleBody, ruleBody, ruleVersionBody } from '@laurel/contract/earning-rules'
import { parseInstant } from '@laurel/contract/instants'
import { previewBody } from '@laurel/contract/purchases'
import { type RuleTerms, ruleTerms, termsShape } from '@laurel/contract/rule-terms'
import { eventOf } from './compiled.ts'
import { rulesAt } from './configuration.ts'
import { award } from './earning.rules.ts'
import { explain } from './explained.rules.ts'
import { checkArgs, checkTerms } from './args.rules.ts'
import { compileCondition } from './expressions.ts'
import type { Line, MemberFacts, Question } from './question.ts'
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
/** A Tuesday morning. */
const TUESDAY = parseInstant('2026-06-16T11:30:00+01:00') as number
const versionOf = (ruleId: number, { name, kind, args, startsAt, endsAt, ...said }: RuleBody) =>
  aVersion(ruleId, kind, args, { name, terms: termsOf(said), startsAt: instant(startsAt), endsAt: instant(endsAt) })

function termsOf(said: object): RuleTerms {
  return ruleTerms.parse(Object.fromEntries(Object.entries(said).filter(([name]) => name in termsShape)))
}

/** What the examples say is known of the purchase, of the member and of the activity. */
const told = blocks('told')[0]?.json as Record<string, never>
const activity = blocks('activity')[0]?.json as { type: string; data: Record<string, unknown> }

function questionOf(event: string, occurredAt: number): Question {
  const { channel, metadata, number, member } = told
  const nobody = { externalId: null, joinedAt: 0, locale: null, hasPhone: false, hasName: false }
  const person = { ...nobody, ...(member as unknown as object) } as MemberFacts
  if (event !== 'purchase') return aQuestion([], { event, occurredAt, activity, member: person, purchase: undefined })
  const purchase = { channel: channel ?? null, store: null, metadata: metadata ?? {}, number }
  return aQuestion(basket, { occurredAt, purchase, member: person })
}

function awardsOf(bodies: RuleBody[], occurredAt = TUESDAY, event = 'purchase') {
  const c = aConfiguration(bodies.map((body, i) => versionOf(i + 1, body)))
  const awards = award(rulesAt(c, 1, 1, occurredAt, event), questionOf(event, occurredAt))
  if (!Array.isArray(awards)) throw new Error(awards.detail)
  return awards
}

describe('the guide to earning rules', () => {
  test('has a rule of every kind', () => {
    expect(new Set(rules.map(({ rule }) => rule.kind))).toEqual(new Set(Object.keys(RULE_ARGS)))
  })

  test.each(rules)('is right about “$rule.name”', ({ rule, after }) => {
    expect(ruleBody.parse(rule)).toEqual(rule)
    const terms = termsOf(rule)
    expect([...checkTerms(rule.kind, terms), ...checkArgs(rule.kind, rule.args, terms)]).toEqual([])
    const [, earns, points, why] =
      /The (basket|activity|moment) earns \*\*(\d+) points\*\*[^“]*“([^”]+)”/.exec(after) ??
      /, the (basket) earns \*\*(\d+) points\*\*[^“]*“([^”]+)”/.exec(after) ??
      []
    expect(earns).toBeDefined()
    const at = instant(/on (2026-\S+), the basket/.exec(after)?.[1]) ?? TUESDAY
    const beside = rule.kind === 'multiplier' && rules[0] ? [rules[0].rule] : []
    expect(awardsOf([...beside, rule], at, eventOf(terms))).toContainEqual(
      expect.objectContaining({ ruleVersionId: beside.length * 1000 + 1001, points: Number(points), why }),
    )
  })

  test('is right about rules that stand together', () => {
    const [{ json, after } = { json: [], after: '' }] = blocks('group')
    const pair = json as RuleBody[]
    for (const rule of pair) expect(ruleBody.parse(rule)).toEqual(rule)
    const sum = (awards: { points: number }[]) => awards.reduce((all, { points }) => all + points, 0)
    const [, together, alone] = /give \*\*(\d+) points\*\*, not (\d+)/.exec(guide) ?? []
    expect(sum(awardsOf(pair))).toBe(Number(together))
    expect(sum(pair.flatMap((rule) => awardsOf([rule])))).toBe(Number(alone))
    const c = aConfiguration(pair.map((rule, i) => versionOf(i + 1, rule)))
    const story = explain(c, 1, questionOf('purchase', TUESDAY))
    if (!('rules' in story)) throw new Error(story.detail)
    expect(after).toContain(`“${story.rules[0]?.reason}”`)
  })

  test('names every variable of a condition, and no other', () => {
    const rows = guide
      .split('\n')
      .filter((line) => /^\| `(purchase|items|activity|member|local|occurredAt)` \|/.test(line))
    expect(rows).toHaveLength(6)
    for (const row of rows) {
      const [name = '', ...fields] = [...row.matchAll(/`([a-zA-Z]+)`/g)].map(([, word]) => word ?? '')
      const sort = name === 'activity' ? 'activity' : 'purchase'
      const holder = name === 'items' ? 'items[0]' : name
      for (const field of fields) {
        const source = `${holder}.${field} == ${holder}.${field}`
        expect(compileCondition(source, sort), source).not.toHaveProperty('fault')
      }
    }
  })

  test('gives requests that the API takes', () => {
    for (const { json } of blocks('version')) expect(ruleVersionBody.parse(json)).toEqual(json)
    for (const { json } of blocks('preview')) expect(previewBody.parse(json)).toEqual(json)
  })

  test('quotes reasons as they are given', () => {
    const at = TUESDAY
    const c = aConfiguration(
      [
        aVersion(1, 'fixed', { points: 1 }),
        aVersion(2, 'per_item', { points: 1, skus: ['CUP'] }),
        aVersion(3, 'per_amount', { points: 1, per: 10_000 }),
        aVersion(4, 'multiplier', { factor: 2 }),
        aVersion(5, 'fixed', { points: 1 }, { terms: { when: 'purchase.total < 1' } }),
        aVersion(6, 'fixed', { points: 1 }, { terms: { on: { event: 'member', moment: 'joined' } } }),
        aVersion(7, 'basket_threshold', { steps: [{ from: 5000, points: 1 }] }),
        aVersion(8, 'nth_purchase', { n: 2, points: 1 }),
        aVersion(9, 'product_combination', { groups: [{ skus: ['MUG'], quantity: 3 }], points: 1 }),
      ],
      {
        states: [
          { ruleId: 1, configVersion: 1, status: 'draft' },
          ...[2, 3, 4, 5, 6, 7, 8, 9].map((ruleId) => ({ ruleId, configVersion: 1, status: 'active' as const })),
        ],
      },
    )
    const stories = explain(c, 1, aQuestion(basket, { occurredAt: at }))
    if (!('rules' in stories)) throw new Error(stories.detail)
    for (const { cause, reason } of stories.rules) {
      expect(guide).toContain(`| ${reason} |`)
      expect(guide).toContain(`\`${cause}\``)
    }
  })
})
