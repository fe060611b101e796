import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Reads } from '../../tests/reads.ts'
import { dataFaults, schemaFaults } from './schemas.rules.ts'

const review = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    stars: { type: 'integer', minimum: 1, maximum: 5 },
    tags: { type: 'array', items: { type: 'string', pattern: '^[a-z]+$' }, uniqueItems: true, maxItems: 3 },
    visitedAt: { $ref: '#/$defs/when' },
    photo: { type: ['string', 'null'], maxLength: 100 },
  },
  required: ['stars'],
  additionalProperties: false,
  $defs: { when: { type: 'string', format: 'date-time' } },
}
const faults = (schema: object) => schemaFaults(schema as Record<string, unknown>)
const wrong = (schema: object, data: unknown) => {
  expect(faults(schema)).toEqual([])
  return dataFaults(JSON.stringify(schema), data)
}

describe('data is held against the schema', () => {
  test('and what is right passes', () => {
    const data = { stars: 5, tags: ['oat', 'flat'], visitedAt: '2026-11-22T09:30:00+01:00', photo: null }
    expect(wrong(review, data)).toEqual([])
  })

  test('and every place that is wrong is said, with a pointer', () => {
    const data = { stars: 6.5, tags: ['Oat', 'x', 'x', 'y'], visitedAt: 'yesterday', photo: 7, 'a/b': 1 }
    expect(wrong(review, data)).toEqual([
      { pointer: '/data/a~1b', detail: 'unknown field' },
      { pointer: '/data/stars', detail: 'expected a whole number' },
      { pointer: '/data/tags', detail: 'expected at most 3 items' },
      { pointer: '/data/tags/0', detail: 'expected text like ^[a-z]+$' },
      { pointer: '/data/visitedAt', detail: 'expected a date-time' },
      { pointer: '/data/photo', detail: 'expected text or null' },
    ])
    expect(wrong(review, {})).toEqual([{ pointer: '/data/stars', detail: 'required' }])
  })

  test('what every object inherits is not there', () => {
    expect(wrong({ type: 'object', required: ['toString', 'constructor'] }, {})).toHaveLength(2)
    const closed = { type: 'object', properties: { a: { type: 'number' } }, additionalProperties: false }
    expect(wrong(closed, JSON.parse('{"__proto__": {"a": 1}}'))).toEqual([
      { pointer: '/data/__proto__', detail: 'unknown field' },
    ])
  })

  test.each([
    ['date', '2024-02-29', '2023-02-29'],
    ['date-time', '2026-11-22T09:30:00Z', '2026-11-22 09:30'],
    ['email', 'ada@example.com', 'ada'],
    ['uuid', '019AA000-0000-7000-8000-000000000001', '019aa000'],
  ])('format %s', (format, good, bad) => {
    const schema = { type: 'object', properties: { it: { type: 'string', format } } }
    expect(wrong(schema, { it: good })).toEqual([])
    expect(wrong(schema, { it: bad })).toEqual([{ pointer: '/data/it', detail: `expected a ${format}` }])
  })
})

describe('a schema is not taken', () => {
  test.each<[string, object, string]>([
    ['that is not of an object', { type: 'string' }, '/schema/type'],
    ['with a keyword that we do not know', { type: 'object', minimun: 1 }, '/schema/minimun'],
    ['with an id', { type: 'object', $id: 'https://example.com/x' }, '/schema/$id'],
    ['of another draft', { type: 'object', $schema: 'http://json-schema.org/draft-07/schema#' }, '/schema/$schema'],
    ['that refers elsewhere', { type: 'object', not: { $ref: 'https://example.com/x' } }, '/schema/not/$ref'],
    ['that refers to itself', { type: 'object', properties: { a: { $ref: '#' } } }, '/schema/properties/a/$ref'],
    [
      'with a definition that uses itself',
      {
        type: 'object',
        properties: { a: { $ref: '#/$defs/a' } },
        $defs: {
          a: { type: 'object', properties: { b: { $ref: '#/$defs/b' } } },
          b: { anyOf: [{ $ref: '#/$defs/a' }] },
        },
      },
      '/schema/$defs/b/anyOf/0/$ref',
    ],
    ['with a definition that is not there', { type: 'object', allOf: [{ $ref: '#/$defs/a' }] }, '/schema/allOf/0/$ref'],
    [
      'with definitions below',
      { type: 'object', properties: { a: { $defs: { b: true } } } },
      '/schema/properties/a/$defs/b',
    ],
    [
      'with a pattern that looks around',
      { type: 'object', properties: { a: { type: 'string', pattern: '(?=x)' } } },
      '/schema/properties/a/pattern',
    ],
    [
      'with names by a pattern that refers back',
      { type: 'object', patternProperties: { '(a)\\1': true } },
      '/schema/patternProperties/(a)\\1',
    ],
    [
      'with unique objects',
      { type: 'object', properties: { a: { type: 'array', uniqueItems: true } } },
      '/schema/properties/a/uniqueItems',
    ],
    [
      'with an unknown format',
      { type: 'object', properties: { a: { type: 'string', format: 'hostname' } } },
      '/schema/properties/a/format',
    ],
    ['with an unknown type', { type: 'object', properties: { a: { type: 'text' } } }, '/schema/properties/a/type'],
    ['with a list where a schema is due', { type: 'object', properties: { a: [] } }, '/schema/properties/a'],
    ['with a limit without a type', { type: 'object', properties: { a: { minimum: 1 } } }, '/schema/properties/a'],
    ['with an impossible limit', { type: 'object', maxProperties: -1 }, '/schema/maxProperties'],
    [
      'with a property of the prototype',
      JSON.parse('{"type":"object","properties":{"__proto__":true}}') as object,
      '/schema/properties/__proto__',
    ],
    ['that is too deep', deep(30), '/schema'],
    ['that is too long', { type: 'object', description: 'x'.repeat(9_000) }, '/schema'],
  ])('%s', (_, schema, pointer) => {
    expect(faults(schema).map((fault) => fault.pointer)).toContain(pointer)
  })

  test('whose definitions multiply', () => {
    const twice = (name: string) => ({ allOf: [{ $ref: `#/$defs/${name}` }, { $ref: `#/$defs/${name}` }] })
    const $defs = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`d${i}`, twice(`d${i + 1}`)]))
    const bomb = {
      type: 'object',
      properties: { a: { $ref: '#/$defs/d0' } },
      $defs: { ...$defs, d40: { type: 'string' } },
    }
    const reads = new Reads() // each definition is looked at once, not once for each of a million million uses
    expect(faults(reads.ofOne(bomb, true))).toEqual([
      { pointer: '/schema', detail: 'expected at most 200 subschemas, each use of a definition counted' },
    ])
    expect(reads.times).toBeLessThan(10_000)
  })
})

/** What the product promises: data from outside holds nobody up. Of the processor: what else runs does not matter. */
const lessThan = (ms: number) => (spent: number) => spent < ms

function deep(levels: number): object {
  return levels === 0 ? { type: 'object' } : { type: 'object', properties: { a: deep(levels - 1) } }
}

test('looking at data by a schema that is taken takes no time to speak of, whatever both are', () => {
  const hostile: [object, object][] = [
    [
      { type: 'object', properties: { a: { type: 'string', pattern: '^(([a-z])+.)+[A-Z]([a-z])+$' } } },
      { a: 'a'.repeat(16_000) },
    ],
    [
      { type: 'object', properties: { a: { type: 'string', allOf: Array(30).fill({ pattern: '(a|aa)+(a?){20}$' }) } } },
      { a: `${'a'.repeat(16_000)}!` },
    ],
    [
      {
        type: 'object',
        properties: { a: { type: 'array', items: { type: 'integer', anyOf: Array(190).fill({ minimum: 9 }) } } },
      },
      { a: Array(7_000).fill(1) },
    ],
    [
      { type: 'object', properties: { a: { type: 'array', items: { type: 'number' }, uniqueItems: true } } },
      { a: Array.from({ length: 3_000 }, (_, i) => i) },
    ],
    [{ type: 'object', propertyNames: { type: 'string', pattern: '(x+x+)+y' } }, { ['x'.repeat(16_000)]: 1 }],
  ]
  for (const [schema, data] of hostile) {
    const refused = faults(schema).length > 0
    const began = process.cpuUsage()
    if (!refused) dataFaults(JSON.stringify(schema), data)
    const spent = process.cpuUsage(began).user / 1000
    expect([JSON.stringify(schema).slice(0, 60), spent]).toEqual([expect.anything(), expect.toSatisfy(lessThan(1_500))])
  }
})

test('whatever is said to be a schema is taken or refused with pointers, and then holds without faults of ours', () => {
  const words = ['type', 'properties', 'items', 'enum', 'const', 'required', 'pattern', '$ref', '$defs', 'anyOf', 'not']
  const schema = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(true, false, 1, 'string', 'object', null, '#/$defs/a', '[a-z]+', []),
      fc.dictionary(fc.constantFrom(...words, 'a', 'x'), tie('node'), { maxKeys: 4 }),
      fc.array(tie('node'), { maxLength: 3 }),
    ),
  })).node
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...words), schema, { maxKeys: 4 }), fc.jsonValue(), (said, data) => {
      const found = schemaFaults({ ...said, type: 'object' })
      for (const { pointer } of found) expect(pointer).toMatch(/^\/schema(\/|$)/)
      if (found.length > 0) return
      for (const { pointer } of dataFaults(JSON.stringify({ ...said, type: 'object' }), data))
        expect(pointer).toMatch(/^\/data(\/|$)/)
    }),
    { numRuns: 300 },
  )
})
