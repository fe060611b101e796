import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { texts } from './arrays.ts'

/** The elements of a text array as PostgreSQL's array_recv reads it. */
function read(buffer: Buffer): (string | null)[] {
  const count = buffer.readInt32BE(12)
  const found: (string | null)[] = []
  let at = 20
  for (let i = 0; i < count; i++) {
    const length = buffer.readInt32BE(at)
    at += 4
    found.push(length < 0 ? null : buffer.toString('utf8', at, at + Math.max(0, length)))
    at += Math.max(0, length)
  }
  expect(at).toBe(buffer.length)
  return found
}

describe('a column of texts', () => {
  test('holds every text as it was, whatever is written in it and in whatever order', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme', maxLength: 40 }), fc.constantFrom('ß', '😀', ''))
    fc.assert(
      fc.property(fc.array(fc.option(text), { maxLength: 30 }), (values) => {
        const column = texts(values, (value) => value)
        expect(read(column)).toEqual(values)
        expect(column.readInt32BE(4)).toBe(values.includes(null) ? 1 : 0)
      }),
    )
  })

  test('is whole where a text of more bytes than characters is the last', () => {
    for (const values of [['éa'], ['a', 'aé'], ['日本'], ['😀'], ['é', 'é'], ['ab', 'é', 'cd']]) {
      expect(read(texts(values, (value) => value))).toEqual(values)
    }
  })

  test('takes no more room than its bytes', () => {
    const column = texts(['Grüße', null, 'x'.repeat(5_000), '日本'], (value) => value)
    expect(column.length).toBe(20 + 4 * 4 + 7 + 5_000 + 6)
  })
})
