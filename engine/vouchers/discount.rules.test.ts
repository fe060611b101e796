import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { VoucherValue } from '@laurel/contract/vouchers'
import { discountOf, type OrderLine, percentOf, spread, sum } from './discount.rules.ts'
import { linesOf } from './vouchers-for-tests.ts'

const off = (value: VoucherValue, lines: OrderLine[], remaining = lines.map((line) => line.amount), balance = 0) =>
  discountOf(value, null, lines, remaining, balance)

describe('by hand', () => {
  test('an amount is spread in proportion, by largest remainders', () => {
    expect(off({ kind: 'amount', amount: 100 }, linesOf(100, 100, 100))).toEqual([34, 33, 33])
    expect(off({ kind: 'amount', amount: 100 }, linesOf(1, 99, 200))).toEqual([0, 33, 67])
    expect(off({ kind: 'amount', amount: 500 }, linesOf(100, 200))).toEqual([100, 200]) // never more than there is
  })

  test('a percentage is rounded half up, once over all lines', () => {
    expect(off({ kind: 'percent', percent: 50 }, linesOf(1))).toEqual([1])
    expect(off({ kind: 'percent', percent: 10 }, linesOf(14, 1))).toEqual([2, 0])
    expect(off({ kind: 'percent', percent: 12.5, maxAmount: 20 }, linesOf(100, 300))).toEqual([5, 15])
    expect(percentOf(999, 0.01)).toBe(0)
    expect(percentOf(9007199254740991, 100)).toBe(9007199254740991)
  })

  test('of what is left, or of what the lines cost at first', () => {
    const lines = linesOf(1000)
    expect(off({ kind: 'percent', percent: 10 }, lines, [600])).toEqual([60])
    expect(off({ kind: 'percent', percent: 10, base: 'initial' }, lines, [600])).toEqual([100])
    expect(off({ kind: 'percent', percent: 100, base: 'initial' }, lines, [600])).toEqual([600])
  })

  test('free units of a product, line by line', () => {
    const lines = [
      { line: '1', sku: 'CUP', quantity: 3, amount: 100 },
      { line: '2', sku: 'MUG', quantity: 1, amount: 700 },
      { line: '3', sku: 'CUP', quantity: 2, amount: 80 },
    ]
    expect(off({ kind: 'product', sku: 'CUP' }, lines)).toEqual([33, 0, 0])
    expect(off({ kind: 'product', sku: 'CUP', quantity: 4 }, lines)).toEqual([100, 0, 40])
    expect(off({ kind: 'product', sku: 'CUP', quantity: 4 }, lines, [10, 700, 80])).toEqual([10, 0, 40])
  })

  test('a gift card pays what is left, as far as it goes', () => {
    expect(off({ kind: 'gift', balance: 9999 }, linesOf(300, 100), [300, 0], 50)).toEqual([50, 0])
  })

  test('only for lines that it is for: one of the SKUs, categories or brands', () => {
    const lines: OrderLine[] = [
      { line: '1', sku: 'A', quantity: 1, amount: 100 },
      { line: '2', sku: 'B', category: 'food', quantity: 1, amount: 100 },
      { line: '3', sku: 'C', brand: 'Laurel', quantity: 1, amount: 100 },
      { line: '4', sku: 'D', category: 'other', brand: 'other', quantity: 1, amount: 100 },
    ]
    const meant = (appliesTo: object) =>
      discountOf({ kind: 'percent', percent: 100 }, appliesTo, lines, [100, 100, 100, 100], 0)
    expect(meant({ skus: ['A'] })).toEqual([100, 0, 0, 0])
    expect(meant({ skus: ['A'], categories: ['food'] })).toEqual([100, 100, 0, 0])
    expect(meant({ brands: ['Laurel'] })).toEqual([0, 0, 100, 0])
  })
})

const amount = fc.nat({ max: 100_000 })
const MOST = Math.floor(Number.MAX_SAFE_INTEGER / 40)
const value: fc.Arbitrary<VoucherValue> = fc.oneof(
  fc.record({ kind: fc.constant('amount' as const), amount: fc.integer({ min: 1, max: 300_000 }) }),
  fc
    .record({
      percent: fc.integer({ min: 1, max: 10_000 }),
      base: fc.constantFrom('remaining' as const, 'initial' as const),
    })
    .map(({ percent, base }) => ({ kind: 'percent' as const, percent: percent / 100, base })),
  fc.record({
    kind: fc.constant('product' as const),
    sku: fc.constantFrom('A', 'B'),
    quantity: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({ kind: fc.constant('gift' as const), balance: fc.integer({ min: 1, max: 300_000 }) }),
)
const line = fc.record({
  line: fc.constant('x'),
  sku: fc.constantFrom('A', 'B', 'C'),
  quantity: fc.integer({ min: 1, max: 9 }),
  amount,
  left: fc.integer({ min: 0, max: 100 }),
})

describe('always', () => {
  test('nothing below zero, nothing above what is left, whole numbers', () => {
    fc.assert(
      fc.property(value, fc.array(line, { minLength: 1, maxLength: 12 }), fc.nat(300_000), (one, lines, balance) => {
        const remaining = lines.map(({ amount: n, left }) => Math.floor((n * left) / 100))
        const discounts = discountOf(one, null, lines, remaining, balance)
        for (const [i, discount] of discounts.entries()) {
          expect(Number.isSafeInteger(discount) && discount >= 0).toBe(true)
          expect(discount).toBeLessThanOrEqual(remaining[i] as number)
        }
        if (one.kind === 'amount') expect(sum(discounts)).toBe(Math.min(one.amount, sum(remaining)))
        if (one.kind === 'gift') expect(sum(discounts)).toBe(Math.min(balance, sum(remaining)))
      }),
    )
  })

  test('what is spread adds up, whatever its size', () => {
    const weights = fc.array(fc.oneof(amount, fc.integer({ min: 0, max: MOST })), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(weights, fc.nat(100), (parts, share) => {
        const total = Math.floor((sum(parts) / 100) * share)
        const spreaded = spread(total, parts)
        expect(sum(spreaded)).toBe(sum(parts) === 0 ? 0 : total)
        for (const [i, part] of spreaded.entries()) expect(part).toBeLessThanOrEqual(parts[i] as number)
        for (const [i, part] of spreaded.entries()) {
          const exact = sum(parts) === 0 ? 0 : (total / sum(parts)) * (parts[i] as number)
          expect(Math.abs(part - exact)).toBeLessThanOrEqual(1 + exact * 1e-9)
        }
      }),
    )
  })
})
