import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Refused } from '@laurel/contract/refusals'
import { readJson, readJsonStrictly } from './json.ts'

const bytes = (...parts: (string | number[])[]) => Buffer.concat(parts.map((part) => Buffer.from(part as string)))

function refusalOf(body: Buffer) {
  try {
    readJsonStrictly(body)
  } catch (error) {
    if (error instanceof Refused) return error.refusal
    throw error
  }
  return undefined
}

describe('what is not JSON is refused as a whole', () => {
  test.each([
    ['nothing', bytes('')],
    ['white space', bytes(' \n')],
    ['a byte order mark', bytes([0xef, 0xbb, 0xbf], '{}')],
    ['invalid UTF-8', bytes('{"a":"', [0xc3, 0x28], '"}')],
    ['overlong UTF-8', bytes('{"a":"', [0xc0, 0x80], '"}')],
    ['a surrogate in UTF-8', bytes('{"a":"', [0xed, 0xa0, 0x80], '"}')],
    ['UTF-16', Buffer.from('\uFEFF{}', 'utf16le')],
    ['a raw NUL', bytes('{"a":"', [0], '"}')],
    ['a raw newline in a text', bytes('{"a":"\n"}')],
    ['a trailing comma', bytes('{"a":1,}')],
    ['a comment', bytes('{} // hello')],
    ['single quotes', bytes("{'a':1}")],
    ['NaN', bytes('{"a":NaN}')],
    ['a leading zero', bytes('{"a":01}')],
    ['two values', bytes('{}{}')],
    ['a cut text', bytes('{"a":"b')],
    ['a cut escape', bytes('{"a":"\\')],
    ['nesting of 65', bytes('['.repeat(65), ']'.repeat(65))],
    ['nesting of 100,000', bytes('['.repeat(100_000))],
  ])('%s', (_, body) => {
    expect(refusalOf(body)).toMatchObject({ code: 'invalid_json' })
    expect(refusalOf(body)?.errors).toBeUndefined()
  })
})

describe('a field at fault is pointed at', () => {
  test.each([
    ['a key twice', '{"a":{"b":1,"c":2,"b":3}}', '/a/b'],
    ['a key twice, once escaped', '{"a":1,"\\u0061":2}', '/a'],
    ['a key twice in a list', '[{"x":1},{"x":1,"x":1}]', '/1/x'],
    ['__proto__', '{"a":{"__proto__":{"admin":true}}}', '/a/__proto__'],
    ['an escaped NUL', '{"a":["b\\u0000"]}', '/a/0'],
    ['a NUL in a key', '{"a\\u0000":1}', '/a\u2400'],
    ['a lone high surrogate', '{"a":"\\ud83d"}', '/a'],
    ['a lone low surrogate', '{"a":"\\ude00\\ud83d"}', '/a'],
    ['2^53', '{"a":9007199254740992}', '/a'],
    ['2^53 + 1', '{"a":9007199254740993}', '/a'],
    ['-2^53', '{"a":-9007199254740992}', '/a'],
    ['2^64', '{"a":18446744073709551616}', '/a'],
    ['an overflow', '{"a":1e400}', '/a'],
    ['an underflow', '{"a":1e-400}', '/a'],
    ['too many digits', '{"a":0.12345678901234567890}', '/a'],
    ['a whole number that would round', '{"a":1.00000000000000001}', '/a'],
    ['slashes and tildes in keys', '{"a/b~c":1e999}', '/a~1b~0c'],
  ])('%s', (_, text, pointer) => {
    expect(refusalOf(bytes(text))).toMatchObject({ code: 'invalid_json', errors: [{ pointer }] })
  })
})

describe('what is exact is taken', () => {
  test.each([
    '9007199254740991',
    '-9007199254740991',
    '1e3',
    '1E+2',
    '0.1',
    '0.30000000000000004',
    '-0',
    '1.50',
    '100000000000000000e-10',
    '"9007199254740993"',
    '"\\ud83d\\ude00"',
    '"\\u00e9"',
    '"1e400"',
    '"a:b,{[\\"\\\\"',
    '[]',
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
    '{"":{"":1}}',
    'null',
    ' {"a" : 1 , "b" : "\\n" } ',
  ])('%s', (text) => {
    expect(readJson(bytes(text))).toEqual({ value: JSON.parse(text), faults: [] })
  })

  test('nesting of 64', () => {
    expect(readJson(bytes('['.repeat(64), ']'.repeat(64))).faults).toEqual([])
  })
})

describe('against JSON.parse', () => {
  const unit = fc.string({
    unit: fc.constantFrom('a', '"', '\\', ':', '{', '[', ',', 'é', '😀', '1', 'e', '\u0001', '/'),
  })
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      tie('leaf'),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(unit, tie('tree'), { maxKeys: 5 }),
    ),
    leaf: fc.oneof(
      unit,
      fc.boolean(),
      fc.constant(null),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
    ),
  }))

  test('whatever is written well is read the same and without fault', () => {
    fc.assert(
      fc.property(tree, fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        expect(readJson(bytes(text))).toEqual({ value: JSON.parse(text), faults: [] })
      }),
    )
  })

  test('whatever JSON.parse refuses is refused', () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.constantFrom('', '"', '}', ':', 'x', ','), (value, at, instead) => {
        const text = JSON.stringify(value)
        const broken = text.slice(0, at % text.length) + instead + text.slice((at % text.length) + 1)
        let parses = true
        try {
          JSON.parse(broken)
        } catch {
          parses = false
        }
        const refused = refusalOf(bytes(broken))
        expect(refused === undefined || refused.code === 'invalid_json').toBe(true)
        if (!parses) expect(refused).toBeDefined()
      }),
    )
  })

  test('a key planted twice is found', () => {
    fc.assert(
      fc.property(tree, unit, (value, key) => {
        const said = JSON.stringify(key)
        const text = `[{"deep":{${said}:${JSON.stringify(value)},"other":1,${said}:2}}]`
        expect(readJson(bytes(text)).faults.length).toBeGreaterThan(0)
      }),
    )
  })
})
