import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rulesAt, type RuleVersion } from './configuration.ts'
import { award } from './earning.rules.ts'
import { explain } from './explained.rules.ts'
import type { Line } from './question.ts'
import { aConfiguration, aQuestion, aVersion } from './rules-for-tests.ts'

const AT = 1_750_000_000_000_000
const line = (sku: string, quantity: number, amount: number, category?: string): Line => ({
  line: sku,
  sku,
  quantity,
  amount,
  ...(category === undefined ? {} : { category }),
})

function awarded(versions: RuleVersion[], lines: Line[]) {
  return award(rulesAt(aConfiguration(versions), 1, 1, AT), aQuestion(lines))
}

describe('awards', () => {
  test('come by priority, then by creation, multipliers after all others', () => {
    const awards = awarded(
      [
        aVersion(1, 'multiplier', { factor: 2 }, { priority: -5 }),
        aVersion(2, 'fixed', { points: 7 }, { priority: 1 }),
        aVersion(3, 'fixed', { points: 5 }),
        aVersion(4, 'per_amount', { points: 1, per: 100 }),
      ],
      [line('A', 1, 1000)],
    )
    expect(awards).toMatchObject([
      { ruleVersionId: 3001, points: 5 },
      { ruleVersionId: 4001, points: 10 },
      { ruleVersionId: 2001, points: 7 },
      { ruleVersionId: 1001, points: 22, wallet: 'points', version: 1, why: '2 times 22 points' },
    ])
  })

  test('several multipliers work on the same ground, each in its own wallet', () => {
    const awards = awarded(
      [
        aVersion(1, 'fixed', { points: 10 }),
        aVersion(2, 'fixed', { points: 3 }, { walletId: 2 }),
        aVersion(3, 'multiplier', { factor: 2 }),
        aVersion(4, 'multiplier', { factor: 3 }),
        aVersion(5, 'multiplier', { factor: 2 }, { walletId: 2 }),
      ],
      [line('A', 1, 0)],
    )
    expect(awards).toMatchObject([
      { points: 10 },
      { points: 3 },
      { points: 10 },
      { points: 20 },
      { points: 3, wallet: 'stamps' },
    ])
  })

  test('nothing is not an award', () => {
    expect(
      awarded(
        [aVersion(1, 'per_amount', { points: 1, per: 100 }), aVersion(2, 'multiplier', { factor: 2 })],
        [line('A', 1, 99)],
      ),
    ).toEqual([])
    expect(awarded([aVersion(1, 'fixed', { points: 1 })], [])).toEqual([])
  })

  test.each<[string, RuleVersion[]]>([
    ['an award', [aVersion(1, 'per_amount', { points: 2, per: 1 })]],
    [
      'a sum of awards in a wallet',
      [aVersion(1, 'per_amount', { points: 1, per: 1 }), aVersion(2, 'fixed', { points: 1 })],
    ],
    ['a multiplied sum', [aVersion(1, 'per_amount', { points: 1, per: 1 }), aVersion(2, 'multiplier', { factor: 2 })]],
  ])('%s beyond 2^53 − 1 is refused', (_, versions) => {
    expect(awarded(versions, [line('A', 1, Number.MAX_SAFE_INTEGER)])).toMatchObject({ code: 'amount_out_of_range' })
  })

  test('two wallets may each hold up to 2^53 − 1', () => {
    const awards = awarded(
      [aVersion(1, 'per_amount', { points: 1, per: 1 }), aVersion(2, 'fixed', { points: 1 }, { walletId: 2 })],
      [line('A', 1, Number.MAX_SAFE_INTEGER)],
    )
    expect(awards).toMatchObject([{ points: Number.MAX_SAFE_INTEGER }, { points: 1 }])
  })
})

/** Rules of every kind, with lists that overlap the lines' texts. */
const skus = fc.constantFrom('A', 'B', 'C', 'D')
const categories = fc.constantFrom('garden', 'kitchen', 'toys')
const list = <T>(of: fc.Arbitrary<T>) => fc.option(fc.array(of, { minLength: 1, maxLength: 3 }), { nil: undefined })
const points = fc.integer({ min: 1, max: 500 })
const said = fc.oneof(
  fc.record({
    kind: fc.constant('per_amount'),
    args: fc.record({
      points,
      per: fc.integer({ min: 1, max: 5000 }),
      rounding: fc.constantFrom('floor', 'half_up', 'ceil'),
      skus: list(skus),
      categories: list(categories),
      excludeSkus: list(skus),
      excludeCategories: list(categories),
    }),
  }),
  fc.record({ kind: fc.constant('fixed'), args: fc.record({ points }) }),
  fc.record({
    kind: fc.constant('per_item'),
    args: fc.record({ points, skus: list(skus), categories: list(categories) }),
  }),
  fc.record({
    kind: fc.constant('multiplier'),
    args: fc.record({ factor: fc.integer({ min: 10_000, max: 50_000 }).map((parts) => parts / 10_000) }),
  }),
)
const versions = fc
  .array(fc.tuple(said, fc.integer({ min: -2, max: 2 }), fc.integer({ min: 1, max: 2 })), { maxLength: 6 })
  .map((rules) =>
    rules.map(([{ kind, args }, priority, walletId], i) => aVersion(i + 1, kind, args, { priority, walletId })),
  )
const lines = fc
  .array(
    fc.record({
      sku: skus,
      category: fc.option(categories, { nil: undefined }),
      quantity: fc.integer({ min: 1, max: 9 }),
      amount: fc.nat(100_000),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((items) =>
    items.map(({ category, ...item }, i) => ({
      line: String(i + 1),
      ...item,
      ...(category === undefined ? {} : { category }),
    })),
  )

describe('for any rules and lines', () => {
  test('awards are whole, above zero, one a rule at most', () => {
    fc.assert(
      fc.property(versions, lines, (rules, items) => {
        const awards = awarded(rules, items)
        if (!Array.isArray(awards)) throw new Error(awards.detail)
        for (const a of awards) expect(Number.isSafeInteger(a.points) && a.points > 0).toBe(true)
        expect(new Set(awards.map((a) => a.ruleVersionId)).size).toBe(awards.length)
      }),
    )
  })

  test('the order of lines does not matter', () => {
    fc.assert(
      fc.property(
        versions,
        lines.chain((items) => fc.tuple(fc.constant(items), fc.shuffledSubarray(items, { minLength: items.length }))),
        (rules, [items, shuffled]) => {
          expect(awarded(rules, shuffled)).toEqual(awarded(rules, items))
        },
      ),
    )
  })

  test('splitting a line into units and pence that add up to it changes nothing', () => {
    const split = lines.chain((items) =>
      fc.tuple(
        fc.constant(items),
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })), {
          minLength: items.length,
          maxLength: items.length,
        }),
      ),
    )
    fc.assert(
      fc.property(versions, split, (rules, [items, cuts]) => {
        const parts = items.flatMap((item, i) => {
          const [q, a] = cuts[i] as [number, number]
          const quantity = Math.floor(item.quantity * q)
          const amount = Math.floor(item.amount * a)
          if (quantity === 0 || quantity === item.quantity) return [item]
          return [
            { ...item, quantity, amount },
            { ...item, line: `${item.line}b`, quantity: item.quantity - quantity, amount: item.amount - amount },
          ]
        })
        expect(awarded(rules, parts)).toEqual(awarded(rules, items))
      }),
    )
  })

  test('the explanation names every rule once, and what fired is what is awarded', () => {
    fc.assert(
      fc.property(versions, lines, (rules, items) => {
        const c = aConfiguration(rules)
        const awards = award(rulesAt(c, 1, 1, AT), aQuestion(items))
        const told = explain(c, 1, aQuestion(items))
        if (!Array.isArray(awards) || !('rules' in told)) throw new Error('refused')
        const stories = told.rules
        expect(told.awards).toEqual(awards)
        expect(stories.map((s) => s.rule)).toEqual(rules.map((r) => r.rule))
        for (const s of stories) {
          const given = awards.find((a) => a.rule === s.rule)
          expect(s).toMatchObject({ fired: given !== undefined, points: given?.points ?? 0 })
          if (given) expect(s.reason).toBe(given.why)
        }
        const sum = (of: { points: number }[]) => of.reduce((total, { points }) => total + points, 0)
        expect(sum(stories)).toBe(sum(awards))
      }),
    )
  })
})

describe('why a rule gives nothing', () => {
  const items = [line('A', 1, 99)]
  const story = (version: RuleVersion, status: 'draft' | 'active' | 'paused' | 'archived' = 'active') => {
    const c = aConfiguration([version], { states: [{ ruleId: version.ruleId, configVersion: 1, status }] })
    const told = explain(c, 1, aQuestion(items))
    if (!('rules' in told)) throw new Error(told.detail)
    return told.rules
  }

  test.each<[string, ReturnType<typeof story>]>([
    ['draft', story(aVersion(1, 'fixed', { points: 1 }), 'draft')],
    ['paused', story(aVersion(1, 'fixed', { points: 1 }), 'paused')],
    ['archived', story(aVersion(1, 'fixed', { points: 1 }), 'archived')],
    ['not_started', story(aVersion(1, 'fixed', { points: 1 }, { startsAt: AT + 1 }))],
    ['not_started', story(aVersion(1, 'fixed', { points: 1 }, { effectiveFrom: AT + 1 }))],
    ['ended', story(aVersion(1, 'fixed', { points: 1 }, { endsAt: AT }))],
    ['no_eligible_items', story(aVersion(1, 'per_item', { points: 1, skus: ['B'] }))],
    ['rounds_to_zero', story(aVersion(1, 'per_amount', { points: 1, per: 100 }))],
    ['nothing_to_multiply', story(aVersion(1, 'multiplier', { factor: 2 }))],
  ])('%s', (cause, stories) => {
    expect(stories).toMatchObject([{ cause, fired: false, points: 0, reason: expect.stringMatching(/^[a-z].+[^.]$/) }])
  })

  test('a window is told in words that can be read', () => {
    expect(story(aVersion(1, 'fixed', { points: 1 }, { startsAt: AT + 1_000 }))).toMatchObject([
      { reason: 'the rule gives from 2025-06-15T15:06:40.001Z on' },
    ])
    expect(story(aVersion(1, 'fixed', { points: 1 }, { endsAt: AT - 1 }))).toMatchObject([
      { reason: 'the rule gave until 2025-06-15T15:06:39.999999Z' },
    ])
  })
})
