import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileCondition, compileNumber } from './expressions.ts'
import type { Line } from './question.ts'
import { aQuestion } from './rules-for-tests.ts'

/** As large as a purchase may be, with metadata that tries to be what it is not. */
const lines: Line[] = Array.from({ length: 1000 }, (_, i) => ({
  line: String(i),
  sku: `SKU-${i}`,
  name: 'a'.repeat(500),
  category: i % 2 === 0 ? 'even' : 'odd',
  quantity: 1,
  amount: i,
}))
const metadata =
  JSON.parse(`{"constructor": {"prototype": 1}, "toString": 5, "hasOwnProperty": "x", "long": "${'a'.repeat(10_000)}",
  "list": [${Array.from({ length: 1000 }, (_, i) => i).join()}]}`)
const huge = () => aQuestion(lines, { purchase: { channel: 'app', store: null, metadata, number: 1 } })

/**
 * What the product promises, whatever an expression says: it holds nobody up. Thirty times what any of it takes, and far below what would be
 * noticed; of the processor, so that what else runs does not matter.
 */
const BOUND_MS = 400

const spentSince = (began: NodeJS.CpuUsage) => process.cpuUsage(began).user / 1000

function run(source: string): unknown {
  const began = process.cpuUsage()
  const compiled = compileCondition(source, 'purchase')
  const came = 'fault' in compiled ? compiled : compiled.run(huge())
  expect(spentSince(began)).toBeLessThan(BOUND_MS)
  return came
}
const times = (n: number, text: string) => text.repeat(n)
const TOO_MANY = { error: 'it takes too many steps' }

describe('an expression takes bounded time, whatever it says', () => {
  test.each<[string, string, unknown]>([
    ['one loop over all lines', 'items.all(i, i.amount >= 0 && i.sku.startsWith("SKU"))', true],
    ['loops within a loop', 'items.all(a, items.exists(b, b.sku == a.sku))', TOO_MANY],
    [
      'loops within a loop that hide what goes wrong',
      'items.exists(a, items.exists(b, b.sku == "")) || true',
      TOO_MANY,
    ],
    ['a long list in a loop', 'items.all(i, i.amount in purchase.metadata.list)', TOO_MANY],
    ['long lists compared in a loop', 'items.all(i, purchase.metadata.list == purchase.metadata.list)', TOO_MANY],
    ['long texts in a loop', 'items.all(i, purchase.metadata.long.contains("b") == false)', TOO_MANY],
    [
      'a text that is sought badly',
      `items.exists(i, purchase.metadata.long.contains("b${'a'.repeat(1000)}") || i.name.contains(i.sku))`,
      TOO_MANY,
    ],
    ['lists that double', `[items]${times(30, '.map(a, a + a)')}.size() > 0`, TOO_MANY],
    ['texts that double', `["aaaaaaaa"]${times(30, '.map(a, a + a)')}.size() > 0`, TOO_MANY],
    ['a text that grows by lines', 'items.map(i, purchase.metadata.long + i.sku).size() > 0', TOO_MANY],
    ['a list of lists of all lines', 'items.map(i, items.map(j, j)).size() > 0', TOO_MANY],
  ])('%s', (_, source, came) => {
    expect(run(source)).toEqual(came)
  })

  test('patterns that other machines never finish', () => {
    const evil = aQuestion(lines, { purchase: { channel: `${'a'.repeat(99)}!`, store: null, metadata } })
    for (const pattern of ['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '^(.*a){20}$', '^(([a-z])+.)+[A-Z]([a-z])+$']) {
      const began = process.cpuUsage()
      const compiled = compileCondition(`purchase.channel.matches("${pattern}")`, 'purchase')
      if ('fault' in compiled) expect(compiled.fault).toContain('pattern')
      else expect(compiled.run(evil)).toBeTypeOf('boolean')
      expect(spentSince(began)).toBeLessThan(BOUND_MS)
    }
    expect(run('items.exists(i, i.name.matches("^(a+)+b$"))')).toEqual(TOO_MANY)
  })

  test.each<[string, string, string]>([
    ['look-behind and back-references', 'purchase.channel.matches("(a)\\\\1")', 'the pattern cannot be read'],
    ['patterns that count', 'purchase.channel.matches("((a{100}){100}){100}")', 'pattern'],
    ['long patterns', `purchase.channel.matches("${'a'.repeat(300)}")`, 'at most 200 characters'],
  ])('%s are refused', (_, source, said) => {
    expect((run(source) as { fault: string }).fault).toContain(said)
  })

  test.each<[string, string]>([
    ['brackets', `${times(200, '(')}true${times(200, ')')}`],
    ['lists', `${times(200, '[')}1${times(200, ']')} == []`],
    ['nots', `${times(500, '!')}true`],
    ['choices', `${times(150, 'true ? true : ')}true`],
    ['fields', `purchase${times(150, '.metadata')}`],
    ['a long chain', `true${times(450, ' || true')}`],
    ['a list of thousands', `1 in [${times(1000, '1,')}1]`],
    ['nothing but quotes', times(1000, '"')],
    ['nothing but brackets', times(1000, '[')],
  ])('deep or long: %s is refused', (_, source) => {
    expect(run(source)).toEqual({ fault: expect.any(String) })
  })

  test('three loops within one another are refused', () => {
    expect(run('items.all(a, items.all(b, items.all(c, true)))')).toEqual({
      fault: expect.stringContaining('at most 2 of all, exists, map and filter inside one another'),
    })
    expect(run('items.all(a, [1].all(b, [2].all(c, true)))')).toEqual({ fault: expect.any(String) })
  })
})

describe('an expression reaches nothing but what it is given', () => {
  test.each([
    'purchase.constructor == 1',
    'purchase["constructor"] == 1',
    'purchase.__proto__ == 1',
    'items[0].constructor == 1',
    'items.constructor == 1',
    'items[0].hasOwnProperty("sku")',
    'constructor == 1',
    'globalThis == 1',
    'process == 1',
    'this == 1',
    '__proto__ == 1',
    'prototype == 1',
    'cel.bind(x, 1, x == 1)',
    'google.protobuf.Duration == google.protobuf.Duration',
    'type(1) == int',
    'int == int',
    'dyn(1) == 1',
    'bytes("a") == b"a"',
    '1u == 1u',
    'b"a" == b"a"',
    'items.map(i, i.sku).join(",") == ""',
    'purchase.channel.split("") == []',
    'bytes("{}").json() == {}',
    'occurredAt.getDayOfWeek("Europe/London") == 1',
    'math == math',
    'math.constructor == 1',
  ])('%s is refused', (source) => {
    expect(compileCondition(source, 'purchase')).toEqual({ fault: expect.any(String) })
  })

  test.each<[string, unknown]>([
    ['purchase.metadata.__proto__ == 1', { error: 'No such key: __proto__' }],
    ['purchase.metadata.valueOf == 1', { error: 'No such key: valueOf' }],
    ['purchase.metadata["__proto__"] == 1', { error: 'No such key: __proto__' }],
    ['purchase.metadata.list.length == 1000', { error: 'No such key: length' }],
    ['purchase.metadata.long.length == 1', { error: 'No such key: length' }],
    ['purchase.metadata.constructor.prototype == 1', true],
    ['purchase.metadata.toString == 5', true],
    ['purchase.metadata.hasOwnProperty == "x"', true],
    ['{"constructor": 1, "a": 2}.size() == 1', true],
  ])('%s is data, or nothing', (source, came) => {
    expect(run(source)).toEqual(came)
  })
})

test('no text at all throws, hangs or is worth something else the second time', () => {
  const words =
    'items purchase member local . .total .all( .map( ( ) [ ] { } " \' i , 1 0 2.5 true && || ! - + * / % == < in ? : \n ' +
    '.sum() .size() .metadata .matches("a") has( math.floor( null \\ b" r" .amount //'
  const word = fc.constantFrom(' ', ...words.split(' '))
  const source = fc.oneof(
    fc.array(word, { maxLength: 30 }).map((words) => words.join('')),
    fc.string({ maxLength: 60 }),
  )
  const question = aQuestion(lines.slice(0, 3), { purchase: { channel: 'app', store: null, metadata } })
  fc.assert(
    fc.property(source, (text) => {
      const began = process.cpuUsage()
      for (const compile of [compileCondition, compileNumber]) {
        const compiled = compile(text, 'purchase')
        if (!('fault' in compiled)) expect(compiled.run(question)).toEqual(compiled.run(question))
      }
      expect(spentSince(began)).toBeLessThan(BOUND_MS)
    }),
    { numRuns: 3000 },
  )
})
