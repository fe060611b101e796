import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CodeAlphabet } from '@laurel/contract/rewards'
import {
  ALPHABETS,
  codeChecks,
  codeKey,
  codeKeys,
  codeOf,
  normalCode,
  plainCode,
  prefixFits,
  readableCode,
} from './codes.ts'

const alphabet = fc.constantFrom(...(Object.keys(ALPHABETS) as CodeAlphabet[]))
const chance = fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: 32, maxLength: 32 })
/** A code that we could make, as it is told apart. */
const made = alphabet.chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    code: fc
      .record({
        length: fc.integer({ min: 10, max: 24 }),
        chance,
        prefix: fc.string({ unit: fc.constantFrom(...Array.from(ALPHABETS[kind])), maxLength: 6 }),
      })
      .map(({ length, prefix, chance }) => normalCode(codeOf({ length, prefix, alphabet: kind }, chance), kind)),
  }),
)

describe('the check character', () => {
  test('every code that we make checks, however it is written', () => {
    fc.assert(
      fc.property(made, ({ code, kind }) => {
        expect(codeChecks(code, kind)).toBe(true)
        expect(codeChecks(` ${code.toLowerCase().replace(/(.{3})/g, '$1 -')}`, kind)).toBe(true)
      }),
    )
  })

  test('one wrong character is found, wherever it is', () => {
    fc.assert(
      fc.property(made, fc.nat(), fc.nat(), ({ code, kind }, at, other) => {
        const place = at % code.length
        const character = ALPHABETS[kind][other % ALPHABETS[kind].length] as string
        fc.pre(code[place] !== character)
        expect(codeChecks(code.slice(0, place) + character + code.slice(place + 1), kind)).toBe(false)
      }),
    )
  })

  test('two characters of a readable code that changed places are found, however far apart', () => {
    fc.assert(
      fc.property(made, fc.nat(), fc.nat(), ({ code, kind }, one, two) => {
        fc.pre(kind === 'readable')
        const characters = Array.from(code)
        const [a, b] = [one % code.length, two % code.length]
        fc.pre(code[a] !== code[b])
        ;[characters[a], characters[b]] = [code[b] as string, code[a] as string]
        expect(codeChecks(characters.join(''), kind)).toBe(false)
      }),
    )
  })

  test('is that of ISO 7064 MOD 11,10 for digits', () => {
    expect(codeChecks('07945', 'digits')).toBe(true) // the example of the standard: 0794, check character 5
    expect(codeChecks('07954', 'digits')).toBe(false)
  })

  test('what is no code does not check', () => {
    for (const text of ['', '0', '-', 'ÄÖÜ', 'C4K9?']) expect(codeChecks(text)).toBe(false)
  })
})

describe('a code', () => {
  test('reads well: prefix, groups of four, as many random characters as were asked for and one more', () => {
    const said = { length: 11, prefix: 'SUMMER' }
    expect(codeOf(said, '00'.repeat(16))).toMatch(/^SUMMER-0000-0000-000[0-9A-Z]$/)
    expect(codeOf({}, 'f0'.repeat(16))).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/)
  })

  test('comes of chance alone, and every character as often as any other', () => {
    fc.assert(
      fc.property(chance, chance, (one, two) => {
        expect(codeOf({ length: 24 }, one)).toBe(codeOf({ length: 24 }, one))
        if (BigInt(`0x${one}`) % (1n << 120n) !== BigInt(`0x${two}`) % (1n << 120n))
          expect(codeOf({ length: 24 }, one)).not.toBe(codeOf({ length: 24 }, two))
      }),
    )
  })

  test('is one code, however it is spaced, and what is easily misread is read as what we make', () => {
    expect(plainCode(' gift–12 ab-O ')).toBe('GIFT12ABO')
    expect(readableCode('oil-u5')).toBe('011V5')
    expect(codeKeys('abc-234')).toEqual([codeKey('ABC234')])
    expect(codeKeys('Oil')).toEqual([codeKey('OIL'), codeKey('011')])
  })

  test('has a prefix that its check character covers', () => {
    expect([prefixFits('SUMMER'), prefixFits('OIL1U')]).toEqual([true, true])
    expect([prefixFits('12', 'digits'), prefixFits('A2', 'digits')]).toEqual([true, false])
    expect([prefixFits('BCD', 'letters'), prefixFits('ABC', 'letters')]).toEqual([true, false])
  })
})
