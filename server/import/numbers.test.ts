import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decimals, type NumberFormat, toInteger, toMinor } from './numbers.ts'

const read = (text: string, format: NumberFormat = { decimal: '.' }) => decimals(format)(text)
const minor = (text: string, times = 1, places = 2, format?: NumberFormat) => {
  const value = read(text, format)
  return value === undefined ? undefined : toMinor(value, times, places)
}

describe('numbers as people write them', () => {
  test.each<[string, NumberFormat | undefined, number | undefined]>([
    ['2.55', undefined, 255],
    ['7.5', undefined, 750],
    ['0', undefined, 0],
    ['0.001', undefined, 0],
    ['0.005', undefined, 1],
    ['0.0049999', undefined, 0],
    ['1.005', undefined, 101],
    ['0.285', undefined, 29],
    ['+3', undefined, 300],
    ['1,50', undefined, undefined],
    ['1.2.3', undefined, undefined],
    ['1e3', undefined, undefined],
    ['0x10', undefined, undefined],
    ['', undefined, undefined],
    ['.5', undefined, undefined],
    ['5.', undefined, undefined],
    ['£5', undefined, undefined],
    ['NaN', undefined, undefined],
    ['Infinity', undefined, undefined],
    ['١٢', undefined, undefined],
    ['1.234,56', { decimal: ',', group: '.' }, 123456],
    ['1234,56', { decimal: ',', group: '.' }, 123456],
    ['1.23,56', { decimal: ',', group: '.' }, undefined],
    ["1'234.5", { decimal: '.', group: "'" }, 123450],
    ['1 234,5', { decimal: ',', group: ' ' }, 123450],
    ['90071992547409.91', undefined, Number.MAX_SAFE_INTEGER],
    ['90071992547409.915', undefined, undefined],
    ['9'.repeat(40), undefined, undefined],
    ['9'.repeat(41), undefined, undefined],
  ])('%j', (text, format, expected) => expect(minor(text, 1, 2, format)).toBe(expected))

  test('go by the decimals of the currency', () => {
    expect(minor('2.5', 3, 0)).toBe(8)
    expect(minor('2.5', 3, 3)).toBe(7500)
    expect(minor('100000', 1_000_000_000, 2)).toBe(10_000_000_000_000_000 > Number.MAX_SAFE_INTEGER ? undefined : 0)
  })

  test('are whole only when they are', () => {
    expect(toInteger(read('6.0') ?? { unscaled: 1, scale: 1 })).toBe(6)
    expect(Object.is(toInteger(read('-0') ?? { unscaled: 1, scale: 1 }), 0)).toBe(true)
    expect(toInteger(read('6.5') ?? { unscaled: 1, scale: 0 })).toBeUndefined()
    expect(toInteger(read('9007199254740992') ?? { unscaled: 1, scale: 0 })).toBeUndefined()
    expect(toInteger(read('-9007199254740991') ?? { unscaled: 1, scale: 0 })).toBe(-9_007_199_254_740_991)
  })

  test('times a quantity they are exact, rounded half up', () => {
    const digits = fc.bigInt({ min: 0n, max: 10n ** 18n })
    fc.assert(
      fc.property(digits, fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 100_000 }), (n, scale, times) => {
        const padded = String(n).padStart(scale + 1, '0')
        const cut = padded.length - scale
        const text = scale === 0 ? padded : `${padded.slice(0, cut)}.${padded.slice(cut)}`
        const doubled = n * BigInt(times) * 100n * 2n + 10n ** BigInt(scale)
        const expected = doubled / (2n * 10n ** BigInt(scale))
        expect(minor(text, times)).toBe(expected <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(expected) : undefined)
      }),
      { numRuns: 2_000 },
    )
  })
})
