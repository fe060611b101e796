import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RuleTerms } from '@laurel/contract/rule-terms'
import { openMemory, T0 } from '../tests/memory.ts'
import type { Configuration } from './earning/configuration.ts'
import { aConfiguration, aProgram, aVersion } from './earning/rules-for-tests.ts'
import { auditCommerce } from './gate/audit.rules.ts'
import type { Purchase, Return } from './purchases/purchases.rules.ts'

/** Rules of every kind, with conditions and groups: many of them give more for less. */
const points = fc.integer({ min: 1, max: 90 })
const kind = fc.oneof(
  fc.record({ kind: fc.constant('fixed'), args: fc.record({ points }) }),
  fc.record({ kind: fc.constant('per_amount'), args: fc.record({ points, per: fc.integer({ min: 1, max: 900 }) }) }),
  fc.record({ kind: fc.constant('per_item'), args: fc.record({ points, skus: fc.constant(['a', 'b']) }) }),
  fc.record({ kind: fc.constant('nth_purchase'), args: fc.record({ points, n: fc.constant(1) }) }),
  fc.record({ kind: fc.constant('first_time'), args: fc.record({ points, skus: fc.constant(['a']) }) }),
  fc.record({
    kind: fc.constant('basket_threshold'),
    args: fc.record({
      steps: fc.uniqueArray(fc.record({ from: fc.nat(6000), points }), {
        selector: ({ from }) => from,
        minLength: 1,
        maxLength: 4,
      }),
    }),
  }),
  fc.record({
    kind: fc.constant('product_combination'),
    args: fc.record({
      points,
      repeat: fc.boolean(),
      groups: fc.constant([
        { skus: ['a', 'b'], quantity: 1 },
        { skus: ['b', 'c'], quantity: 2 },
      ]),
    }),
  }),
  fc.record({
    kind: fc.constant('formula'),
    args: fc.record({
      expression: fc.constantFrom(
        'purchase.total / 70',
        '5000 / (purchase.total + 1)',
        'items.map(i, i.quantity * 3).sum()',
        'local.hour < 12 ? 20 : 10',
        '10 / (items.size() - 1)',
      ),
    }),
  }),
  fc.record({ kind: fc.constant('multiplier'), args: fc.record({ factor: fc.constantFrom(1.5, 2, 3) }) }),
)
const when = fc.constantFrom(
  'purchase.total > 2000',
  'purchase.total < 2000',
  'items.size() == 1',
  'items.exists(i, i.sku == "c")',
  'items.all(i, i.quantity > 1)',
  'items[1].sku == "b"',
)
const group = fc.record({ name: fc.constantFrom('g', 'h'), pick: fc.constantFrom('best' as const, 'first' as const) })
const terms: fc.Arbitrary<RuleTerms> = fc
  .record({ when: fc.option(when, { nil: undefined }), group: fc.option(group, { nil: undefined }) })
  .map((said) => ({ ...(said.when ? { when: said.when } : {}), ...(said.group ? { group: said.group } : {}) }))
const rules = fc.array(fc.tuple(kind, terms, fc.integer({ min: 1, max: 2 })), { minLength: 1, maxLength: 7 })

type Item = { sku: string; quantity: number; amount: number }
const item: fc.Arbitrary<Item> = fc.record({
  sku: fc.constantFrom('a', 'b', 'c'),
  quantity: fc.integer({ min: 1, max: 4 }),
  amount: fc.nat(4000),
})

type Said = [{ kind: string; args: unknown }, RuleTerms, number]
function configurationOf(said: Said[]): Configuration {
  const programs = [{ ...aProgram, joinPolicy: 'on_first_purchase' as const }]
  const versions = said.map(([{ kind: code, args }, rule, walletId], i) =>
    aVersion(i + 1, code, args, { terms: rule, walletId }),
  )
  return aConfiguration(versions, { programs })
}

/** What each wallet holds after one purchase and these returns, one after another; every step passes the audit. */
function after(c: Configuration, items: Item[], returns: { line: string; quantity: number }[][]) {
  const memory = openMemory(c)
  const held = () => [...memory.slices.states.values()][0]?.wallets.map(({ w, b }) => [w, b]) ?? []
  const ask = { program: 'coffee', member: 'external:ann', occurredAt: T0 }
  const bought = memory.decide({ verb: 'purchase', ...ask, externalId: 'p', currency: 'GBP', items })
  expect(bought.status).toBe(201)
  const given = held()
  const all: Return[] = []
  for (const [n, lines] of returns.entries()) {
    const returned = { verb: 'return' as const, ...ask, externalId: `r-${n}`, purchase: 'external:p', items: lines }
    const { status, answered } = memory.decide(returned)
    expect(status).toBe(201)
    if (answered.changes?.returns) all.push(answered.changes.returns)
    const purchases = [...memory.slices.purchases.values()] as Purchase[]
    for (const p of purchases) expect(what(c, p, all)).toBeUndefined()
    for (const [w, b] of held()) expect(b).toBeLessThanOrEqual(given.find(([wallet]) => wallet === w)?.[1] ?? 0)
  }
  return { given, held: held() }
}

/** What the audit of commerce says of it but for its entries, which are not kept here. */
function what(c: Configuration, p: Purchase, all: readonly Return[]): string | undefined {
  const state = { member: p.member } as never
  const said = auditCommerce(c, { state, entries: [], lots: [], uses: [], holds: [] }, [p], all)
  return said?.includes('entries') ? undefined : said
}

test('what is kept depends on what came back alone: in one return or unit by unit, in any order', () => {
  const story = fc.tuple(rules, fc.array(item, { minLength: 1, maxLength: 4 })).chain(([said, items]) => {
    const units = items.flatMap(({ quantity }, i) =>
      Array.from({ length: quantity }, () => ({ line: String(i + 1), quantity: 1 })),
    )
    const some = fc.subarray(units, { minLength: 1 })
    const orders = some.chain((set) => fc.tuple(fc.constant(set), fc.shuffledSubarray(set, { minLength: set.length })))
    return fc.tuple(fc.constant(said), fc.constant(items), orders)
  })
  fc.assert(
    fc.property(story, ([said, items, [set, shuffled]]) => {
      const c = configurationOf(said)
      const together = after(c, items, [set])
      const oneByOne = after(
        c,
        items,
        shuffled.map((unit) => [unit]),
      )
      expect(oneByOne).toEqual(together)
      if (set.length === items.reduce((sum, { quantity }) => sum + quantity, 0)) {
        for (const [, balance] of together.held) expect(balance).toBe(0)
      }
    }),
    { numRuns: 300 },
  )
})
