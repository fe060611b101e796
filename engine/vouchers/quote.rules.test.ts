import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refusal } from '@laurel/contract/refusals'
import type { VoucherCategory, VoucherValue } from '@laurel/contract/vouchers'
import { sum } from './discount.rules.ts'
import { type Candidate, type HowToQuote, quote } from './quote.rules.ts'
import { stacks } from './stacking.rules.ts'
import type { Voucher } from './vouchers.rules.ts'
import { aVoucher, linesOf } from './vouchers-for-tests.ts'

const ALL: HowToQuote = { policy: 'all', sequence: 'asked' }
const PARTIAL: HowToQuote = { policy: 'partial', sequence: 'asked' }
const usable = (voucher: Voucher): Candidate => ({
  code: voucher.code,
  voucher,
  available: { balance: voucher.balance ?? Number.MAX_SAFE_INTEGER },
})
const amountOff = (code: string, amount: number, more: object = {}) =>
  usable(aVoucher(code, { value: { kind: 'amount', amount }, ...more }))
const percentOff = (code: string, percent: number, more: object = {}) =>
  usable(aVoucher(code, { value: { kind: 'percent', percent }, ...more }))
const gift = (code: string, balance: number) => usable(aVoucher(code, { value: { kind: 'gift', balance } }))
const said = (candidates: Candidate[], lines = linesOf(10_000), how = ALL) => {
  const { verdicts, totals, no } = quote(candidates, lines, how)
  return {
    toPay: totals.toPay,
    off: verdicts.map((one) => sum(one.discounts)),
    why: verdicts.map((one) => one.no?.code ?? null),
    no: no?.code ?? null,
  }
}

describe('order', () => {
  const ten = percentOff('TEN', 10, { priority: 20 })
  const pound = amountOff('POUND', 1000, { priority: 10 })

  test('as asked: a percentage is of what is left', () => {
    expect(said([ten, pound])).toMatchObject({ off: [1000, 1000], toPay: 8000 })
    expect(said([pound, ten])).toMatchObject({ off: [1000, 900], toPay: 8100 })
  })

  test('by priority: lower first, equals as asked', () => {
    const how: HowToQuote = { policy: 'all', sequence: 'priority' }
    expect(said([ten, pound], linesOf(10_000), how)).toMatchObject({ off: [900, 1000] })
    const equal = [percentOff('A', 50), percentOff('B', 50)]
    expect(said(equal, linesOf(10_000), how).off).toEqual([5000, 2500])
  })

  test('of the initial amount, whatever came before', () => {
    const initial = usable(aVoucher('I', { value: { kind: 'percent', percent: 10, base: 'initial' } }))
    expect(said([pound, initial]).off).toEqual([1000, 1000])
  })

  test('gift cards pay last, what is left', () => {
    const told = quote([gift('CARD', 99_999), ten], linesOf(10_000), ALL)
    expect(told.totals).toEqual({ amount: 10_000, discount: 1000, gift: 9000, toPay: 0 })
    expect(told.applied.map((one) => one.code)).toEqual(['TEN', 'CARD'])
  })
})

describe('policies', () => {
  const common = amountOff('COMMON', 100)
  const never = amountOff('NEVER', 100, { category: 'never' })
  const unknown: Candidate = { code: 'GONE', no: refusal('voucher_unknown', 'there is no voucher "GONE"') }

  test('all: one that cannot be used refuses the order', () => {
    expect(said([common, unknown])).toMatchObject({ no: 'voucher_unknown', off: [100, 0] })
    expect(said([common, never])).toMatchObject({ no: 'vouchers_do_not_stack', why: [null, 'vouchers_do_not_stack'] })
  })

  test('partial: those that can be used', () => {
    expect(said([unknown, common, never], linesOf(1000), PARTIAL)).toEqual({
      no: null,
      why: ['voucher_unknown', null, 'vouchers_do_not_stack'],
      off: [0, 100, 0],
      toPay: 900,
    })
    expect(said([unknown], linesOf(1000), PARTIAL).no).toBe('voucher_unknown')
  })

  test('one that would take nothing off is not used up for nothing', () => {
    const free = percentOff('FREE', 100)
    expect(said([free, common], linesOf(1000), PARTIAL)).toMatchObject({ why: [null, 'voucher_not_applicable'] })
    expect(said([free, gift('CARD', 500)], linesOf(1000), PARTIAL).why).toEqual([null, 'voucher_not_applicable'])
  })

  test('one that is named twice is used once', () => {
    expect(said([common, common], linesOf(1000), PARTIAL)).toMatchObject({ off: [100, 0], toPay: 900 })
  })

  test('an order that is too small, or has nothing of it', () => {
    const large = amountOff('LARGE', 100, { minAmount: 1001 })
    const other = amountOff('OTHER', 100, { appliesTo: { skus: ['X'] } })
    const mug = usable(aVoucher('MUG', { value: { kind: 'product', sku: 'MUG' } }))
    expect(said([large, other, mug], linesOf(1000), PARTIAL).why).toEqual(Array(3).fill('voucher_not_applicable'))
    expect(said([amountOff('OFF', 999), large], linesOf(1001)).no).toBeNull() // before any discount
  })
})

const category = fc.constantFrom<VoucherCategory>('common', 'never', 'always')
const value: fc.Arbitrary<VoucherValue> = fc.oneof(
  fc.record({ kind: fc.constant('amount' as const), amount: fc.integer({ min: 1, max: 5000 }) }),
  fc.record({ kind: fc.constant('percent' as const), percent: fc.integer({ min: 1, max: 100 }) }),
  fc.record({ kind: fc.constant('gift' as const), balance: fc.integer({ min: 1, max: 5000 }) }),
)
const vouchers = fc.array(fc.record({ value, category, priority: fc.nat(3) }), { minLength: 1, maxLength: 30 })
const lines = fc.array(fc.nat(20_000), { minLength: 1, maxLength: 8 })
const how: fc.Arbitrary<HowToQuote> = fc.record({
  policy: fc.constantFrom('all' as const, 'partial' as const),
  sequence: fc.constantFrom('asked' as const, 'priority' as const),
})

test('whatever is asked: sums are exact, nothing goes below zero, and what is used stacks', () => {
  fc.assert(
    fc.property(vouchers, lines, how, (terms, amounts, way) => {
      const told = quote(
        terms.map((one, i) => usable(aVoucher(`V${i}`, one))),
        linesOf(...amounts),
        way,
      )
      const { totals } = told
      expect(totals.amount).toBe(sum(amounts))
      expect(totals.discount + totals.gift + totals.toPay).toBe(totals.amount)
      expect(totals.toPay).toBeGreaterThanOrEqual(0)
      for (const { amount, discount, gift: paid } of told.lines) expect(discount + paid).toBeLessThanOrEqual(amount)
      expect(sum(told.lines.map((one) => one.discount))).toBe(totals.discount)
      expect(sum(told.verdicts.flatMap((one) => one.discounts))).toBe(totals.discount + totals.gift)
      for (const [i, a] of told.applied.entries())
        for (const b of told.applied.slice(i + 1))
          expect(stacks(a.voucher.terms.category, b.voucher.terms.category)).toBe(true)
      expect(told.applied.filter((one) => one.voucher.terms.category === 'never').length).toBeLessThanOrEqual(5)
      for (const one of told.verdicts) expect(one.no === undefined).toBe(sum(one.discounts) > 0)
    }),
  )
})
