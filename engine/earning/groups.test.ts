import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RuleTerms } from '@laurel/contract/rule-terms'
import { rulesAt, type RuleVersion } from './configuration.ts'
import { award } from './earning.rules.ts'
import { explain } from './explained.rules.ts'
import type { CompiledRule, LimitCause, Limits, Question } from './question.ts'
import { aConfiguration, aQuestion, aVersion } from './rules-for-tests.ts'

const items = [{ line: '1', sku: 'A', quantity: 1, amount: 1000 }]
const group = (pick: 'all' | 'best' | 'first', name = 'welcome'): RuleTerms => ({ group: { name, pick } })
const fixed = (ruleId: number, points: number, differs: Partial<RuleVersion> = {}) =>
  aVersion(ruleId, 'fixed', { points }, differs)

function given(versions: RuleVersion[], question: Question = aQuestion(items)) {
  const awards = award(rulesAt(aConfiguration(versions), 1, 1, question.occurredAt), question)
  if (!Array.isArray(awards)) throw new Error(awards.detail)
  return awards.map((a) => [a.ruleVersionId, a.points])
}
function told(versions: RuleVersion[], question: Question = aQuestion(items)) {
  const all = explain(aConfiguration(versions), 1, question)
  if ('code' in all) throw new Error(all.detail)
  return all.rules.map(({ cause, points, reason }) => [cause, points, reason])
}

/** So many points a rule (by ruleId) and all rules together, as limits that clip or refuse. */
function roomFor(rooms: Record<number, number>, together = Number.POSITIVE_INFINITY, refuses = false): Limits {
  const left = new Map(Object.entries(rooms).map(([rule, points]) => [Number(rule), points]))
  let all = together
  return {
    room(rule: CompiledRule, points: number) {
      const room = Math.min(left.get(rule.ruleId) ?? points, all, points)
      return refuses && room < points ? 'refuse' : room
    },
    take(rule, points) {
      all -= points
      const own = left.get(rule.ruleId)
      if (own !== undefined) left.set(rule.ruleId, own - points)
    },
    why: (rule) => ({ cause: 'cap_reached' satisfies LimitCause, why: `rule ${rule.ruleId} has a cap` }),
  }
}

describe('of a group that picks the best', () => {
  const rules = [fixed(1, 5, { terms: group('best') }), fixed(2, 9, { terms: group('best') }), fixed(3, 7)]

  test('only the rule that gives most stands, beside all that are of no group', () => {
    expect(given(rules)).toEqual([
      [2001, 9],
      [3001, 7],
    ])
    expect(told(rules)).toEqual([
      ['outranked', 0, '"rule 2" stands instead, which is of the same group'],
      ['fired', 9, '9 points for the purchase'],
      ['fired', 7, '7 points for the purchase'],
    ])
  })

  test('of two that give as much, the one of lower priority number stands, then the older', () => {
    const tie = (priority: number) => [
      fixed(1, 5, { terms: group('best') }),
      fixed(2, 5, { terms: group('best'), priority }),
    ]
    expect(given(tie(0))).toEqual([[1001, 5]])
    expect(given(tie(-1))).toEqual([[2001, 5]])
  })

  test('what limits leave is what is compared', () => {
    expect(given(rules, aQuestion(items, { limits: roomFor({ 2: 4 }) }))).toEqual([
      [1001, 5],
      [3001, 7],
    ])
    expect(given(rules, aQuestion(items, { limits: roomFor({ 2: 8 }, 100, true) }))).toEqual([
      [1001, 5],
      [3001, 7],
    ])
  })

  test('only what stands uses limits up', () => {
    const limits = roomFor({ 1: 5, 2: 9 }, 16)
    expect(given(rules, aQuestion(items, { limits }))).toEqual([
      [2001, 9],
      [3001, 7],
    ])
    expect(limits.room({ ruleId: 1 } as CompiledRule, 5)).toBe(0)
  })

  test('each wallet has a best of its own, and so has each group', () => {
    expect(
      given([
        fixed(1, 5, { terms: group('best') }),
        fixed(2, 9, { terms: group('best'), walletId: 2 }),
        fixed(3, 3, { terms: group('best', 'other') }),
      ]),
    ).toEqual([
      [1001, 5],
      [2001, 9],
      [3001, 3],
    ])
  })

  test('multipliers of a group: the largest alone, on what the rules that stand gave', () => {
    const double = aVersion(4, 'multiplier', { factor: 2 }, { terms: group('best', 'boost') })
    const triple = aVersion(5, 'multiplier', { factor: 3 }, { terms: group('best', 'boost') })
    expect(given([...rules, double, triple])).toEqual([
      [2001, 9],
      [3001, 7],
      [5001, 32],
    ])
  })
})

describe('of a group that picks the first', () => {
  test('the first by priority that gives anything stands', () => {
    const rules = [
      fixed(1, 9, { terms: group('first') }),
      fixed(2, 5, { terms: { ...group('first'), when: 'purchase.total > 5000' }, priority: -2 }),
      fixed(3, 1, { terms: group('first'), priority: -1 }),
    ]
    expect(given(rules)).toEqual([[3001, 1]])
    expect(told(rules)).toEqual([
      ['outranked', 0, '"rule 3" stands instead, which is of the same group'],
      ['condition_false', 0, 'its condition is not true'],
      ['fired', 1, '1 point for the purchase'],
    ])
  })

  test('a rule whose limits leave nothing does not stand in the way', () => {
    const rules = [fixed(1, 9, { terms: group('first') }), fixed(2, 5, { terms: group('first') })]
    expect(given(rules, aQuestion(items, { limits: roomFor({ 1: 0 }) }))).toEqual([[2001, 5]])
  })
})

test('a group that picks all is no group', () => {
  expect(given([fixed(1, 5, { terms: group('all') }), fixed(2, 9, { terms: group('all') })])).toEqual([
    [1001, 5],
    [2001, 9],
  ])
})

describe('limits', () => {
  test('clip and say so, or leave nothing and say why', () => {
    const rules = [fixed(1, 9), fixed(2, 9), fixed(3, 9)]
    expect(told(rules, aQuestion(items, { limits: roomFor({ 1: 4, 2: 0 }, 10) }))).toEqual([
      ['fired', 4, '9 points for the purchase, but rule 1 has a cap'],
      ['cap_reached', 0, 'rule 2 has a cap'],
      ['fired', 6, '9 points for the purchase, but rule 3 has a cap'],
    ])
  })

  test('a multiplier works on what was left, not on what would have been', () => {
    const rules = [fixed(1, 9), aVersion(2, 'multiplier', { factor: 2 })]
    expect(given(rules, aQuestion(items, { limits: roomFor({ 1: 4 }) }))).toEqual([
      [1001, 4],
      [2001, 4],
    ])
  })
})

describe('conditions', () => {
  test('one that cannot be worked out gives nothing, is told, and spoils no other rule', () => {
    const rules = [fixed(1, 9, { terms: { when: 'purchase.metadata.coupon == "X"' } }), fixed(2, 5)]
    expect(given(rules)).toEqual([[2001, 5]])
    expect(told(rules)[0]).toEqual(['condition_error', 0, 'its condition could not be worked out: No such key: coupon'])
  })

  test('one that was stored and cannot be read any more is an error of that rule alone', () => {
    const rules = [fixed(1, 9, { terms: { when: 'purchase.gone == 1' } }), fixed(2, 5)]
    expect(told(rules).map(([cause]) => cause)).toEqual(['condition_error', 'fired'])
  })

  test('rules that answer to something else are not asked', () => {
    const rules = [fixed(1, 9, { terms: { on: { event: 'activity', activity: 'review' } } }), fixed(2, 5)]
    expect(given(rules)).toEqual([[2001, 5]])
    expect(told(rules)[0]).toEqual(['other_event', 0, 'the rule does not answer to this'])
  })
})

test('whatever the groups and limits: a group has one award a wallet, and explain says what award gives', () => {
  const rule = fc.record({
    points: fc.integer({ min: 1, max: 9 }),
    walletId: fc.integer({ min: 1, max: 2 }),
    priority: fc.integer({ min: 0, max: 2 }),
    kind: fc.constantFrom('fixed', 'fixed', 'multiplier'),
    name: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
  })
  const room = fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined })
  const picks = fc.record({ a: fc.constantFrom('best', 'first'), b: fc.constantFrom('best', 'first') })
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 8 }),
      picks,
      fc.array(room, { maxLength: 8 }),
      fc.nat(60),
      (said, pick, rooms, all) => {
        const versions = said.map(({ points, kind, name, ...rest }, i) =>
          aVersion(i + 1, kind, kind === 'fixed' ? { points } : { factor: points }, {
            ...rest,
            terms: name ? { group: { name, pick: pick[name as 'a'] as 'best' } } : {},
          }),
        )
        const limits = () =>
          roomFor(Object.fromEntries(rooms.flatMap((n, i) => (n === undefined ? [] : [[i + 1, n]]))), all)
        const c = aConfiguration(versions)
        const awards = award(rulesAt(c, 1, 1, aQuestion(items).occurredAt), aQuestion(items, { limits: limits() }))
        const stories = explain(c, 1, aQuestion(items, { limits: limits() }))
        if (!Array.isArray(awards) || !('rules' in stories)) throw new Error('refused')
        expect(stories.awards).toEqual(awards)
        const places = awards.flatMap((a) => {
          const { terms, walletId, kind } = versions.find((v) => v.ruleVersionId === a.ruleVersionId) as RuleVersion
          return terms.group ? [`${terms.group.name} ${walletId} ${kind === 'multiplier'}`] : []
        })
        expect(new Set(places).size).toBe(places.length)
        expect(awards.reduce((sum, a) => sum + a.points, 0)).toBeLessThanOrEqual(all)
      },
    ),
  )
})
