import { DAY } from '../contract/instants.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { configurationWith, type Memory, openMemory, T0 } from '../tests/memory.ts'
import { defineKind } from './earning/kinds/kind.ts'
import { KINDS } from './earning/kinds.ts'
import type { Ask, PurchaseAsk } from './gate/asks.ts'
import { auditBooks } from './ledger/audit.rules.ts'
import type { BooksOf } from './ledger/ledger.sql.ts'
import type { Purchase, Return } from './purchases/purchases.rules.ts'
import { auditCommerce } from './gate/audit.rules.ts'

/** Gives more for some smaller amounts: what is left of a purchase may be worth more than the whole. */
const saw = defineKind({
  code: 'saw',
  title: 'Saw',
  description: 'For tests: not monotone in the amount.',
  fields: {},
  args: z.object({}),
  award:
    () =>
    ({ lines }) => {
      const points = (lines.reduce((sum, line) => sum + line.amount, 0) * 7919) % 101
      return points > 0 ? { points, why: 'saw' } : 'rounds_to_zero'
    },
})
const CONFIGURATION = configurationWith(
  [
    { kind: 'per_amount', args: { points: 3, per: 100 } },
    { kind: 'fixed', args: { points: 2 } },
    { kind: 'saw', args: {} },
    { kind: 'per_item', args: { points: 4, skus: ['a'] } },
    { kind: 'multiplier', args: { factor: 1.5 } },
  ],
  [...KINDS, saw],
)

const MEMBERS = ['external:ann', 'external:bob']
const item = fc.record({
  sku: fc.constantFrom('a', 'b', 'c'),
  quantity: fc.integer({ min: 1, max: 4 }),
  amount: fc.integer({ min: 0, max: 5_000 }),
})
const member = fc.constantFrom(...MEMBERS)
type Step =
  | { do: 'buy'; member: string; items: { sku: string; quantity: number; amount: number }[] }
  | { do: 'return'; member: string; of: number; quantity: number; line: number }
  | { do: 'bring'; member: string; sku: string; quantity: number }
  | { do: 'spend' | 'adjust'; member: string; points: number }
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('buy' as const), member, items: fc.array(item, { minLength: 1, maxLength: 4 }) }),
  fc.record({
    do: fc.constant('return' as const),
    member,
    of: fc.nat(20),
    quantity: fc.integer({ min: 1, max: 3 }),
    line: fc.nat(3),
  }),
  fc.record({
    do: fc.constant('bring' as const),
    member,
    sku: fc.constantFrom('a', 'b', 'z'),
    quantity: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({
    do: fc.constantFrom('spend' as const, 'adjust' as const),
    member,
    points: fc.integer({ min: 1, max: 150 }),
  }),
)

function askOf(s: Step, n: number): Ask {
  switch (s.do) {
    case 'buy':
      return buy(`p-${n}`, s.member, s.items)
    case 'return':
      return {
        verb: 'return',
        program: 'coffee',
        externalId: `r-${n}`,
        member: s.member,
        occurredAt: T0 + n,
        purchase: `external:p-${s.of}`,
        items: [{ line: String(s.line + 1), quantity: s.quantity }],
      }
    case 'bring':
      return {
        verb: 'return',
        program: 'coffee',
        externalId: `r-${n}`,
        member: s.member,
        occurredAt: T0 + n,
        items: [{ sku: s.sku, quantity: s.quantity }],
      }
    case 'spend':
      return { verb: 'spend', member: s.member, wallet: 'points', points: s.points, reason: 'x' }
    case 'adjust':
      return { verb: 'adjust', member: s.member, wallet: 'points', points: s.points - 75 || 1, reason: 'x' }
  }
}

function buy(externalId: string, who: string, items: PurchaseAsk['items']): PurchaseAsk {
  return { verb: 'purchase', program: 'coffee', externalId, member: who, occurredAt: T0, currency: 'GBP', items }
}

/** Everything stored, as verify would read it. */
function books(memory: Memory, stored: Stored): BooksOf[] {
  return [...memory.slices.states.values()].map((state) => stored.of(state.member, state))
}

class Stored {
  readonly made = new Map<string, Omit<BooksOf, 'state'>>()
  readonly returns: Return[] = []
  take(answered: ReturnType<Memory['decide']>['answered']): void {
    const changes = answered.changes
    if (!changes) return
    const one = this.made.get(changes.member) ?? { entries: [], lots: [], uses: [], holds: [] }
    this.made.set(changes.member, one)
    one.entries.push(...changes.books.entries)
    one.uses.push(...changes.books.uses)
    for (const use of changes.books.uses) {
      const lot = changes.books.lots.find((l) => l.seq === use.lotSeq)
      one.lots = [...one.lots.filter((l) => l.seq !== use.lotSeq), { seq: use.lotSeq, remaining: lot?.remaining ?? -1 }]
    }
    if (changes.returns) this.returns.push(changes.returns)
  }
  of(id: string, state: BooksOf['state']): BooksOf {
    return { state, ...(this.made.get(id) ?? { entries: [], lots: [], uses: [], holds: [] }) }
  }
}

describe('whatever happens in whatever order', () => {
  it('every member passes the audit after every step, and nothing is below zero', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const memory = openMemory(CONFIGURATION)
        const stored = new Stored()
        for (const [n, s] of steps.entries()) {
          stored.take(memory.decide(askOf(s, n)).answered)
          for (const one of books(memory, stored)) {
            expect(auditBooks(one, T0 + DAY)).toBeUndefined()
            const own = <T extends Purchase | Return>(all: Iterable<T>) =>
              [...all].filter((x) => x.member === one.state.member)
            expect(
              auditCommerce(CONFIGURATION, one, own(memory.slices.purchases.values()), own(stored.returns)),
            ).toBeUndefined()
            for (const wallet of one.state.wallets) expect(wallet.b).toBeGreaterThanOrEqual(0)
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  it('a refusal changes nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const memory = openMemory(CONFIGURATION)
        for (const [n, s] of steps.entries()) {
          const before = JSON.stringify([
            ...memory.slices.states,
            ...memory.slices.purchases,
            ...memory.slices.names,
            ...memory.slices.lots,
          ])
          const { status } = memory.decide(askOf(s, n))
          if (status >= 400) {
            expect(
              JSON.stringify([
                ...memory.slices.states,
                ...memory.slices.purchases,
                ...memory.slices.names,
                ...memory.slices.lots,
              ]),
            ).toBe(before)
          }
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('returns', () => {
  const purchases = fc.array(fc.array(item, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 })
  type Unit = { purchase: number; line: number; quantity: number }

  /** Every unit that comes back, some of them together. */
  function units(baskets: { quantity: number }[][], pick: (n: number) => number): Unit[] {
    return baskets.flatMap((items, purchase) =>
      items.flatMap(({ quantity }, line) => {
        const back = pick(quantity)
        return Array.from({ length: back }, () => ({ purchase, line, quantity: 1 }))
      }),
    )
  }

  function balanceAfter(
    baskets: { sku: string; quantity: number; amount: number }[][],
    back: Unit[],
  ): [number, number] {
    const memory = openMemory(CONFIGURATION)
    for (const [n, items] of baskets.entries()) memory.decide(buy(`p-${n}`, 'external:ann', items))
    for (const [n, u] of back.entries()) {
      const { status } = memory.decide({
        verb: 'return',
        program: 'coffee',
        externalId: `r-${n}`,
        member: 'external:ann',
        occurredAt: T0,
        purchase: `external:p-${u.purchase}`,
        items: [{ line: String(u.line + 1), quantity: u.quantity }],
      })
      expect(status).toBe(201)
    }
    const [state] = memory.slices.states.values()
    return [state?.wallets[0]?.b ?? 0, (state?.wallets[0]?.e ?? 0) - (state?.wallets[0]?.r ?? 0)]
  }

  it('end the same in whatever order and however split, also where rules are not monotone', () => {
    fc.assert(
      fc.property(purchases, fc.infiniteStream(fc.nat(4)), fc.integer(), (baskets, numbers, seed) => {
        const picks = baskets.flat().map(({ quantity }) => Math.min(quantity, numbers.next().value ?? 0))
        let i = 0
        const single = units(baskets, () => picks[i++] ?? 0)
        const shuffled = single
          .map((u, n) => ({ u, key: (n * 7919 + Math.abs(seed)) % 1009 }))
          .sort((a, b) => a.key - b.key)
          .map(({ u }) => u)
        const together: Unit[] = []
        for (const u of single) {
          const last = together.at(-1)
          if (last && last.purchase === u.purchase && last.line === u.line) last.quantity += 1
          else together.push({ ...u })
        }
        expect(balanceAfter(baskets, shuffled)).toEqual(balanceAfter(baskets, single))
        expect(balanceAfter(baskets, together)).toEqual(balanceAfter(baskets, single))
      }),
      { numRuns: 200 },
    )
  })

  it('of everything leave nothing of what was earned', () => {
    fc.assert(
      fc.property(purchases, (baskets) => {
        expect(
          balanceAfter(
            baskets,
            units(baskets, (n) => n),
          ),
        ).toEqual([0, 0])
      }),
      { numRuns: 100 },
    )
  })

  it('after the points were spent take what is left, then other lots, and write the rest off', () => {
    const memory = openMemory(configurationWith([{ kind: 'per_amount', args: { points: 1, per: 1 } }]))
    memory.decide(buy('p-0', 'external:ann', [{ sku: 'a', quantity: 2, amount: 100 }]))
    memory.decide({ verb: 'spend', member: 'external:ann', wallet: 'points', points: 80, reason: 'mug' })
    memory.decide(buy('p-1', 'external:ann', [{ sku: 'b', quantity: 1, amount: 50 }]))
    const { body } = memory.decide({
      verb: 'return',
      program: 'coffee',
      externalId: 'r',
      member: 'external:ann',
      occurredAt: T0,
      purchase: 'external:p-0',
      items: 'all',
    })
    expect(body).toMatchObject({
      points: 70,
      reversed: [{ points: 70, writtenOff: 30, lots: [{ points: 20 }, { points: 50 }] }],
      wallets: [{ available: 0 }],
    })
  })
})
