import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatInstant, parseInstant } from './instants.ts'

describe('instants', () => {
  it('are written as Date writes them, with microseconds where there are any', () => {
    const ms = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2250, 0, 1) })
    fc.assert(
      fc.property(ms, fc.integer({ min: 0, max: 999 }), (at, micros) => {
        const text = new Date(at).toISOString()
        const expected = micros === 0 ? text : `${text.slice(0, -1)}${String(micros).padStart(3, '0')}Z`
        expect(formatInstant(at * 1000 + micros)).toBe(expected)
        expect(parseInstant(expected)).toBe(at * 1000 + micros)
      }),
    )
  })

  it.each([
    ['2026-11-22T09:30:00+01:00', Date.UTC(2026, 10, 22, 8, 30) * 1000],
    ['2024-02-29T23:59:59.999999Z', Date.UTC(2024, 1, 29, 23, 59, 59) * 1000 + 999_999],
    ['2026-01-01t00:00:00z', Date.UTC(2026, 0, 1) * 1000],
  ])('%s is read', (text, at) => expect(parseInstant(text)).toBe(at))

  it.each([
    '2026-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-11-22T24:00:00Z',
    '2026-11-22T09:30:60Z',
    '2026-11-22T09:30:00',
    '2026-11-22',
    '2026-11-22T09:30:00.1234567Z',
    '10000-01-01T00:00:00Z',
    '2026-11-22 09:30:00Z',
    '2026-11-22T09:30:00+24:00',
  ])('%s is not', (text) => expect(parseInstant(text)).toBeUndefined())
})
