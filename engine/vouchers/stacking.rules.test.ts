import { describe, expect, test } from 'vitest'
import { NEVER_MAX, type VoucherCategory, VOUCHERS_MAX } from '@laurel/contract/vouchers'
import { refusesStack, stacks } from './stacking.rules.ts'

const TABLE: [VoucherCategory, VoucherCategory, boolean][] = [
  ['common', 'common', true],
  ['common', 'never', false],
  ['common', 'always', true],
  ['never', 'never', true],
  ['never', 'always', true],
  ['always', 'always', true],
]

describe('the truth table', () => {
  test.each(TABLE)('%s with %s: %s', (a, b, together) => {
    expect([stacks(a, b), stacks(b, a)]).toEqual([together, together])
  })

  test('names every pair', () => expect(TABLE).toHaveLength(6))
})

const many = (n: number, category: VoucherCategory) =>
  Array.from({ length: n }, (_, i) => ({ code: `V${i}`, category }))

test('an order carries 30 vouchers', () => {
  expect(refusesStack(many(VOUCHERS_MAX - 1, 'always'), { code: 'LAST', category: 'common' })).toBeUndefined()
  expect(refusesStack(many(VOUCHERS_MAX, 'always'), { code: 'MORE', category: 'always' })).toMatchObject({
    code: 'vouchers_do_not_stack',
  })
})

test('and 5 of them of the category never', () => {
  expect(refusesStack(many(NEVER_MAX - 1, 'never'), { code: 'LAST', category: 'never' })).toBeUndefined()
  const full = many(NEVER_MAX, 'never')
  expect(refusesStack(full, { code: 'MORE', category: 'never' })).toMatchObject({ code: 'vouchers_do_not_stack' })
  expect(refusesStack(full, { code: 'OTHER', category: 'always' })).toBeUndefined()
})

test('what it cannot be used with is named', () => {
  expect(
    refusesStack(
      [
        { code: 'A', category: 'always' },
        { code: 'B', category: 'common' },
      ],
      { code: 'C', category: 'never' },
    )?.detail,
  ).toBe('the voucher "C" cannot be used together with "B"')
})
