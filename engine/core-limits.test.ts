import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DAY } from '@laurel/contract/instants'
import type { RuleTerms } from '@laurel/contract/rule-terms'
import { DEFAULT_SETTINGS } from '@laurel/contract/wallets'
import { type Memory, openMemory, T0 } from '../tests/memory.ts'
import { periodKey } from './base/calendar.ts'
import { aConfiguration, aProgram, aVersion } from './earning/rules-for-tests.ts'
import { auditCommerce } from './gate/audit.rules.ts'
import { auditBudgets, auditLimits } from './gate/audit.limits.rules.ts'
import type { Entry } from './ledger/books.ts'
import type { Return } from './purchases/purchases.rules.ts'

const RULES: { kind: string; args: unknown; terms?: RuleTerms }[] = [
  { kind: 'per_amount', args: { points: 1, per: 10 }, terms: { caps: [{ per: 'day', points: 150 }] } },
  { kind: 'fixed', args: { points: 7 }, terms: { caps: [{ per: 'month', times: 3 }], cooldown: 'P1D' } },
  { kind: 'per_item', args: { points: 9, skus: ['a'] }, terms: { budget: { points: 120, per: 'week' } } },
  { kind: 'per_item', args: { points: 5 }, terms: { caps: [{ per: 'week', points: 40, over: 'refuse' }] } },
  { kind: 'nth_purchase', args: { n: 3, points: 20, every: true } },
  { kind: 'first_time', args: { points: 50 } },
  { kind: 'multiplier', args: { factor: 1.5 } },
]
const CAP = 400
const CONFIGURATION = aConfiguration(
  RULES.map(({ kind, args, terms }, i) => aVersion(i + 1, kind, args, { terms: terms ?? {} })),
  {
    programs: [
      {
        ...aProgram,
        joinPolicy: 'on_first_purchase',
        wallets: [
          {
            walletId: 1,
            slug: 'points',
            settings: { ...DEFAULT_SETTINGS, caps: [{ per: 'month', points: CAP }] },
            changedAt: 0,
          },
        ],
      },
    ],
  },
)

const basket = fc.record({
  member: fc.constantFrom('external:ann', 'external:bob'),
  /** backwards too: late purchases */
  day: fc.integer({ min: -30, max: 0 }),
  items: fc.array(
    fc.record({
      sku: fc.constantFrom('a', 'b'),
      quantity: fc.integer({ min: 1, max: 4 }),
      amount: fc.integer({ min: 0, max: 2_500 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
})
type Basket = { member: string; day: number; items: { sku: string; quantity: number; amount: number }[] }
type Back = { of: number; line: number; quantity: number }

function buy(memory: Memory, n: number, { member, day, items }: Basket) {
  return memory.decide({
    verb: 'purchase',
    program: 'coffee',
    externalId: `p-${n}`,
    member,
    occurredAt: T0 + day * (DAY / 2),
    currency: 'GBP',
    items,
  })
}

function giveBack(memory: Memory, n: number, { of, line, quantity }: Back, member: string) {
  const { status, answered } = memory.decide({
    verb: 'return',
    program: 'coffee',
    externalId: `r-${n}`,
    member,
    occurredAt: T0,
    purchase: `external:p-${of}`,
    items: [{ line: String(line + 1), quantity }],
  })
  expect(status).toBe(201)
  return answered
}

const units = (baskets: readonly Basket[]): Back[] =>
  baskets.flatMap(({ items }, of) =>
    items.flatMap(({ quantity }, line) => Array.from({ length: quantity }, () => ({ of, line, quantity: 1 }))),
  )

/** Everything that was made, in its order. */
function collector() {
  const entries = new Map<string, Entry[]>()
  const returns: Return[] = []
  return {
    entries,
    returns,
    take({ changes }: ReturnType<Memory['decide']>['answered']) {
      if (!changes) return
      entries.set(changes.member, [...(entries.get(changes.member) ?? []), ...changes.books.entries])
      if (changes.returns) returns.push(changes.returns)
    },
  }
}

describe('under caps, cooldowns, budgets and counts', () => {
  it('whatever is bought and given back, every member passes the audit, and no limit is gone over', () => {
    fc.assert(
      fc.property(fc.array(basket, { maxLength: 15 }), fc.infiniteStream(fc.nat(2)), (baskets, dice) => {
        const memory = openMemory(CONFIGURATION)
        const made = collector()
        let n = 0
        for (const [of, b] of baskets.entries()) {
          made.take(buy(memory, of, b).answered)
          for (const back of units([b])) {
            if (dice.next().value === 0) made.take(giveBack(memory, n++, { ...back, of }, b.member))
          }
        }
        const { slices } = memory
        for (const state of slices.states.values()) {
          const books = { state, entries: made.entries.get(state.member) ?? [], lots: [], uses: [], holds: [] }
          const own = <T extends { member: string }>(all: Iterable<T>) =>
            [...all].filter((x) => x.member === state.member)
          const purchases = own(slices.purchases.values())
          expect(auditCommerce(CONFIGURATION, books, purchases, own(made.returns))).toBeUndefined()
          expect(auditLimits(CONFIGURATION, books, purchases, own(slices.limits.counters.values()))).toBeUndefined()
          const earned = books.entries.filter((e) => e.kind === 1)
          for (const same of Map.groupBy(earned, (e) => periodKey('month', e.occurredAt, aProgram.timezone)).values())
            expect(same.reduce((sum, e) => sum + e.points, 0)).toBeLessThanOrEqual(CAP)
        }
        const budgets = [...slices.limits.budgets].map(([name, points]) => {
          const [ruleId = '', period = ''] = name.split(' ')
          expect(points).toBeLessThanOrEqual(120)
          return { ruleId: Number(ruleId), period, points }
        })
        const given = [...made.entries.values()].flat().filter((e) => e.kind === 1 && e.ruleVersionId === 3001)
        const quarters = given.map((e) => ({
          ruleVersionId: 3001,
          quarter: Math.floor(e.occurredAt / 900_000_000),
          zone: null,
          points: e.points,
        }))
        expect(auditBudgets(CONFIGURATION, budgets, quarters)).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  it('returns end the same in whatever order and however split, and free nothing', () => {
    fc.assert(
      fc.property(fc.array(basket, { minLength: 1, maxLength: 6 }), fc.infiniteStream(fc.nat(999)), (baskets, dice) => {
        const picked = units(baskets).filter(() => (dice.next().value ?? 0) % 2 === 0)
        const shuffled = picked
          .map((unit) => ({ unit, key: dice.next().value ?? 0 }))
          .sort((a, b) => a.key - b.key)
          .map(({ unit }) => unit)
        const together: Back[] = []
        for (const unit of picked) {
          const last = together.at(-1)
          if (last && last.of === unit.of && last.line === unit.line) last.quantity += 1
          else together.push({ ...unit })
        }
        const after = (backs: Back[]) => {
          const memory = openMemory(CONFIGURATION)
          for (const [n, b] of baskets.entries()) buy(memory, n, b)
          const limits = JSON.stringify([...memory.slices.limits.counters, ...memory.slices.limits.budgets])
          for (const [n, back] of backs.entries()) giveBack(memory, n, back, baskets[back.of]?.member ?? '')
          expect(JSON.stringify([...memory.slices.limits.counters, ...memory.slices.limits.budgets])).toBe(limits)
          return [...memory.slices.states.values()].map(({ wallets: [w] }) => [w?.b ?? 0, (w?.e ?? 0) - (w?.r ?? 0)])
        }
        const one = after(picked)
        expect(after(shuffled)).toEqual(one)
        expect(after(together)).toEqual(one)
        expect(after(units(baskets))).toEqual(one.map(() => [0, 0]))
        for (const [balance = 0] of one) expect(balance).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: 150 },
    )
  })

  it('a purchase is decided again alike, from what was kept with it alone', () => {
    const memory = openMemory(CONFIGURATION)
    const items = [{ sku: 'a', quantity: 2, amount: 1_200 }]
    for (let n = 0; n < 4; n++) buy(memory, n, { member: 'external:ann', day: n - 20, items })
    const kept = [...memory.slices.purchases.values()].map((p) => JSON.parse(p.frozen ?? 'null'))
    expect(kept.map(({ number }) => number)).toEqual([1, 2, 3, 4])
    expect(kept[1].rules).toContainEqual({ rule: 2, cooling: true })
    expect(kept[1]).toMatchObject({ zone: 'Europe/London', wallets: [{ wallet: 1 }] })
  })
})
