import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkCharacter, grouped, isChecked, READABLE, READABLE_MAX, readableOf, readRaw } from './readable.ts'

const character = fc.constantFrom(...READABLE)
const body = fc.string({ unit: character, minLength: 1, maxLength: READABLE_MAX - 1 })
const whole = (text: string) => text + (checkCharacter(text) ?? '')

test('a code checks with its check character, and with no other', () => {
  fc.assert(
    fc.property(body, character, (text, other) => {
      expect(isChecked(whole(text))).toBe(true)
      expect(isChecked(text + other)).toBe(other === checkCharacter(text))
    }),
  )
})

test('one wrong character is found, wherever it is', () => {
  fc.assert(
    fc.property(body, fc.nat(), character, (text, at, other) => {
      const code = whole(text)
      const place = at % code.length
      fc.pre(code[place] !== other)
      expect(isChecked(code.slice(0, place) + other + code.slice(place + 1))).toBe(false)
    }),
  )
})

test('two characters that changed places are found, however far apart', () => {
  fc.assert(
    fc.property(body, fc.nat(), fc.nat(), (text, one, two) => {
      const code = [...whole(text)]
      const [a, b] = [one % code.length, two % code.length]
      fc.pre(code[a] !== code[b])
      ;[code[a], code[b]] = [code[b] as string, code[a] as string]
      expect(isChecked(code.join(''))).toBe(false)
    }),
  )
})

test('is read as people write it', () => {
  expect(readRaw(' c4k9-7m2q oIl5 ')).toBe('C4K97M2Q0115')
  expect(grouped('C4K97M2QX8TBE')).toBe('C4K9-7M2Q-X8TB-E')
  expect(checkCharacter('C4K9U')).toBeUndefined()
  expect(isChecked('')).toBe(false)
  expect(isChecked('0')).toBe(false)
})

test('every character comes of chance, and as often as any other', () => {
  const seen = new Map<string, number>()
  for (let byte = 0; byte < 256; byte++) {
    const one = readableOf(byte.toString(16).padStart(2, '0'), 1)
    seen.set(one, (seen.get(one) ?? 0) + 1)
  }
  expect([...seen.keys()].sort().join('')).toBe(READABLE)
  expect(new Set(seen.values())).toEqual(new Set([8]))
  expect(() => readableOf('00', 2)).toThrow('chance')
})
