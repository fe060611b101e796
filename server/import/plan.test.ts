import { describe, expect, test } from 'vitest'
import { type ImportMap, parseMap } from './map.ts'
import { type Assembled, planFor } from './plan.ts'
import type { ROW_CODES } from './row.ts'

const HEADER = ['no', 'sku', 'text', 'n', 'at', 'price', 'who', 'land']
const BASE = {
  purchase: 'no',
  member: { column: 'who', as: 'integer' },
  occurredAt: { column: 'at', format: 'yyyy-MM-dd HH:mm', timezone: 'Europe/London' },
  currency: { constant: 'GBP' },
  line: { sku: 'sku', name: 'text', quantity: 'n', unitPrice: 'price' },
  returns: { prefix: 'C', negativeQuantity: true },
}
const mapOf = (more: object = {}): ImportMap => parseMap(JSON.stringify({ ...BASE, ...more }), 'map.json')
const GOOD = ['1', 'tea', 'Tea', '2', '2024-01-01 10:00', '1.25', '7.0', 'UK']
const cells = (changes: Partial<Record<string, string>>) => GOOD.map((cell, i) => changes[HEADER[i] as string] ?? cell)

function assemble(rows: string[][], more: object = {}, header = HEADER): Assembled {
  const plan = planFor(mapOf(more), header, 'coffee')
  return plan.assemble(
    rows[0]?.[0] ?? '',
    rows.map((row, i) => ({ line: i + 2, cells: row })),
  )
}
const codes = (assembled: Assembled) => ('faults' in assembled ? assembled.faults.map((fault) => fault.code) : 'ask')

describe('rows as purchases', () => {
  test('a purchase', () => {
    expect(
      assemble([GOOD, cells({ sku: 'cup', n: '1', price: '3.999' })], {
        metadata: { country: 'land' },
        store: { constant: 'Leeds' },
      }),
    ).toEqual({
      ask: {
        verb: 'purchase',
        program: 'coffee',
        externalId: '1',
        member: 'external:7',
        occurredAt: Date.UTC(2024, 0, 1, 10) * 1000,
        currency: 'GBP',
        store: 'Leeds',
        metadata: { country: 'UK' },
        items: [
          { sku: 'tea', name: 'Tea', quantity: 2, amount: 250 },
          { sku: 'cup', name: 'Tea', quantity: 1, amount: 400 },
        ],
      },
    })
  })

  test('a return: positive units, prices not looked at, the same SKU twice stays twice', () => {
    const rows = [cells({ no: 'C1', n: '-2', price: '' }), cells({ no: 'C1', n: '-3' }), cells({ no: 'C1', n: '-2' })]
    expect(assemble(rows)).toEqual({
      ask: {
        verb: 'return',
        program: 'coffee',
        externalId: 'C1',
        member: 'external:7',
        occurredAt: Date.UTC(2024, 0, 1, 10) * 1000,
        items: [2, 3, 2].map((quantity) => ({ sku: 'tea', quantity })),
      },
    })
  })

  test('a return may be told by its prefix alone, or by the quantity alone', () => {
    const byPrefix = { returns: { prefix: 'R-' } }
    expect(assemble([cells({ no: 'R-1' })], byPrefix)).toMatchObject({
      ask: { verb: 'return', items: [{ quantity: 2 }] },
    })
    expect(codes(assemble([cells({ no: 'R-1', n: '-2' })], byPrefix))).toEqual(['quantity_sign'])
    const byQuantity = { returns: { negativeQuantity: true } }
    expect(assemble([cells({ no: 'C1' })], byQuantity)).toMatchObject({ ask: { verb: 'purchase' } })
    expect(assemble([cells({ n: '-2' })], byQuantity)).toMatchObject({
      ask: { verb: 'return', items: [{ quantity: 2 }] },
    })
    expect(codes(assemble([GOOD, cells({ n: '-2' })], byQuantity))).toEqual(['quantity_sign', 'quantity_sign'])
    expect(codes(assemble([cells({ n: '-2' })], { returns: undefined }))).toEqual(['quantity_sign'])
  })

  test('whole amounts, other decimals, currencies from a column', () => {
    const line = { sku: 'sku', quantity: 'n', amount: 'price' }
    const german = { line, numbers: { decimal: ',', group: '.' }, currency: 'land' }
    const first = (assembled: Assembled) => ('ask' in assembled ? assembled.ask.items[0] : assembled)
    expect(first(assemble([cells({ price: '1.234,50', land: 'EUR' })], german))).toEqual({
      sku: 'tea',
      quantity: 2,
      amount: 123_450,
    })
    expect(first(assemble([cells({ price: '1.234,50', land: 'JPY' })], german))).toMatchObject({ amount: 1235 })
    expect(first(assemble([cells({ price: '1,2345', land: 'KWD' })], german))).toMatchObject({ amount: 1235 })
    expect(codes(assemble([cells({ land: 'EUR', price: '1' }), cells({ land: 'USD', price: '1' })], german))).toEqual([
      'currency_differs',
      'currency_differs',
    ])
  })

  test('members as they are to be named', () => {
    const who = (as: string | undefined, text: string) => {
      const assembled = assemble([cells({ who: text })], { member: { column: 'who', as, prefix: 'shop-' } })
      return 'ask' in assembled ? assembled.ask.member : assembled.faults[0]?.code
    }
    expect(who('integer', '17850.0')).toBe('external:shop-17850')
    expect(who('integer', '017850')).toBe('external:shop-17850')
    expect(who('integer', '1.5')).toBe('member_missing')
    expect(who('lowercase', 'Ada@Example.ORG')).toBe('external:shop-ada@example.org')
    expect(who('uppercase', 'ab1')).toBe('external:shop-AB1')
    expect(who(undefined, ' 017 ')).toBe('external:shop-017')
  })

  test.each<[keyof typeof ROW_CODES, Partial<Record<string, string>>, object?]>([
    ['text_invalid', { sku: 'te\0a' }],
    ['text_invalid', { text: 'caf\ufffd' }],
    ['text_invalid', { no: '1\0' }],
    ['text_too_long', { sku: 'x'.repeat(101) }],
    ['text_too_long', { text: 'x'.repeat(501) }],
    ['text_too_long', { no: 'x'.repeat(201) }],
    ['text_too_long', { who: 'x'.repeat(201) }, { member: { column: 'who' } }],
    ['text_too_long', { land: 'x'.repeat(101) }, { store: 'land' }],
    ['member_missing', { who: '' }],
    ['member_missing', { who: 'ada' }],
    ['sku_missing', { sku: ' ' }],
    ['time_invalid', { at: '01/02/2024' }],
    ['currency_missing', { land: '' }, { currency: 'land' }],
    ['quantity_invalid', { n: '' }],
    ['quantity_invalid', { n: '1.5' }],
    ['quantity_invalid', { n: '0' }],
    ['quantity_invalid', { n: '9007199254740993' }],
    ['quantity_sign', { n: '-1' }],
    ['quantity_sign', { no: 'C1' }],
    ['amount_invalid', { price: '1,25' }],
    ['amount_negative', { price: '-0.01' }],
    ['amount_out_of_range', { price: '90071992547409.92' }],
  ])('%s: %j', (code, changes, more = {}) => expect(codes(assemble([cells(changes)], more))).toEqual([code]))

  test('one bad row refuses its purchase, the others saying because of which', () => {
    const assembled = assemble([GOOD, cells({ n: 'x' }), GOOD.slice(1), GOOD])
    expect(assembled).toEqual({
      faults: [
        { line: 2, code: 'purchase_incomplete', reason: 'line 3 of this purchase is refused (quantity_invalid)' },
        { line: 3, code: 'quantity_invalid', reason: '"x" is not a number of units' },
        { line: 4, code: 'row_ragged', reason: '7 cells, where the header has 8' },
        { line: 5, code: 'purchase_incomplete', reason: 'line 3 of this purchase is refused (quantity_invalid)' },
      ],
    })
  })

  test('names like __proto__ are names', () => {
    const header = HEADER.with(7, '__proto__').with(2, 'constructor')
    const more = { metadata: { constructor: '__proto__' }, line: { ...BASE.line, name: 'constructor' } }
    expect(assemble([GOOD], more, header)).toMatchObject({ ask: { items: [{ name: 'Tea' }] } })
    expect(Object.keys({}.constructor)).toEqual([])
  })
})

describe('a header', () => {
  test('without a column of the map is refused, showing what there is', () => {
    expect(() => planFor(mapOf(), ['no;sku;n'], 'coffee')).toThrow(
      /names the column "no".*It has: "no;sku;n".*delimiter/,
    )
  })
  test('with a column twice is refused only if the map names it', () => {
    expect(() => planFor(mapOf(), [...HEADER, 'sku'], 'coffee')).toThrow(/two columns called "sku"/)
    expect(() => planFor(mapOf(), [...HEADER, 'other', 'other'], 'coffee')).not.toThrow()
  })
})

test('rows are skipped by the map, blank rows always, ragged rows never', () => {
  const plan = planFor(
    mapOf({
      skip: [
        { column: 'who', when: 'empty', reason: 'guest' },
        { column: 'sku', when: { is: ['POST', 'TEST'] }, reason: 'no goods' },
      ],
    }),
    HEADER,
    'coffee',
  )
  expect(plan.glance(cells({ who: ' ' }))).toEqual({ kind: 'skip', reason: 'guest' })
  expect(plan.glance(cells({ sku: 'POST' }))).toEqual({ kind: 'skip', reason: 'no goods' })
  expect(plan.glance(['', ' ', '', '', '', '', '', ''])).toEqual({ kind: 'skip', reason: 'empty row' })
  expect(plan.glance(GOOD)).toEqual({ kind: 'row', purchase: '1' })
  expect(plan.glance(['1', 'POST'])).toEqual({ kind: 'row', purchase: '1' })
  expect(plan.glance(cells({ no: '' }))).toMatchObject({ kind: 'fault', code: 'purchase_missing' })
})
