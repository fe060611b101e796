import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Line } from '../question.ts'
import { filterOf, type Rounding, scale } from './kind.ts'

const MAX = BigInt(Number.MAX_SAFE_INTEGER)
const rounding = fc.constantFrom<Rounding>('floor', 'half_up', 'ceil')
/** Small numbers, powers of two and their neighbours, everything up to 2^53 − 1. */
const whole = fc.oneof(
  fc.nat(1000),
  fc.maxSafeNat(),
  fc
    .tuple(fc.integer({ min: 1, max: 53 }), fc.integer({ min: -2, max: 2 }))
    .map(([power, off]) => Math.min(Math.max(2 ** power + off, 0), Number.MAX_SAFE_INTEGER)),
)

/** The definition, in numbers that have no end. */
function oracle(amount: number, times: number, per: number, how: Rounding): bigint {
  const product = BigInt(amount) * BigInt(times)
  const d = BigInt(per)
  if (how === 'floor') return product / d
  if (how === 'ceil') return (product + d - 1n) / d
  return (2n * product + d) / (2n * d)
}

test('scaling is exact, and above 2^53 − 1 says so', () => {
  fc.assert(
    fc.property(
      whole,
      whole,
      whole.filter((n) => n > 0),
      rounding,
      (amount, times, per, how) => {
        const expected = oracle(amount, times, per, how)
        const actual = scale(amount, times, per, how)
        if (expected > MAX) expect(actual).toBe(Number.POSITIVE_INFINITY)
        else expect(BigInt(actual)).toBe(expected)
      },
    ),
    { numRuns: 3000 },
  )
})

test.each<[number, number, number, Rounding, number]>([
  [199, 1, 100, 'floor', 1],
  [199, 1, 100, 'ceil', 2],
  [149, 1, 100, 'half_up', 1],
  [150, 1, 100, 'half_up', 2],
  [1, 1, 2, 'half_up', 1],
  [0, 5, 3, 'ceil', 0],
  [Number.MAX_SAFE_INTEGER, 3, 3, 'floor', Number.MAX_SAFE_INTEGER],
  [Number.MAX_SAFE_INTEGER, 2, 1, 'floor', Number.POSITIVE_INFINITY],
])('%i × %i ÷ %i, %s, is %d', (amount, times, per, how, points) => {
  expect(scale(amount, times, per, how)).toBe(points)
})

const line: Line = { line: '1', sku: 'MUG', category: 'kitchen', brand: 'Aurora', quantity: 1, amount: 100 }

test.each<[string, Parameters<typeof filterOf>[0], boolean]>([
  ['in the SKUs', { skus: ['CUP', 'MUG'] }, true],
  ['not in the SKUs', { skus: ['CUP'] }, false],
  ['letter by letter', { skus: ['mug'] }, false],
  ['in one list of two', { skus: ['CUP'], categories: ['kitchen'] }, true],
  ['of the brand', { brands: ['Aurora'] }, true],
  ['excluded by SKU', { excludeSkus: ['MUG'] }, false],
  ['excluded by category, though its SKU is listed', { skus: ['MUG'], excludeCategories: ['kitchen'] }, false],
  ['not excluded', { excludeSkus: ['CUP'], excludeCategories: ['garden'] }, true],
])('a line %s', (_, filter, counts) => {
  expect(filterOf(filter)?.(line)).toBe(counts)
})

test('a line without a category or brand is in no list of them, and no list takes every line', () => {
  const bare: Line = { line: '1', sku: 'MUG', quantity: 1, amount: 1 }
  expect(filterOf({ categories: ['undefined'] })?.(bare)).toBe(false)
  expect(filterOf({ excludeCategories: ['undefined'] })?.(bare)).toBe(true)
  expect(filterOf({})).toBeUndefined()
})
