import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plain } from './journal-text.ts'

test.each([
  ['Sorry about the wait, Ada!', 'Sorry about the wait, Ada!'],
  ['Größe 42/XL – 50 %', 'Größe 42/XL %E2%80%93 50 %25'],
  ['a;b\nc\td', 'a%3Bb%0Ac%09d'],
  ['=1+1', '%3D1+1'],
  ['-1', '%2D1'],
  ['two  spaces ', 'two %20spaces%20'],
  ['date:2020-01-01 [2020-01-01] {x} "y" |z', 'date%3A2020-01-01 %5B2020-01-01%5D %7Bx%7D %22y%22 %7Cz'],
  ['\u202etext\u0000', '%E2%80%AEtext%00'],
  ['\ud800', '%EF%BF%BD'],
])('%o is written as %s', (text, written) => {
  expect(plain(text)).toBe(written)
})

test('every text comes out in one line of harmless signs, and can be read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
      const written = plain(text)
      expect(written).toMatch(/^[\p{L}\p{M}\p{N} .,\-_/+#&?'!()@%]*$/u)
      expect(written).not.toMatch(/ {2}|^[ =+@-]| $/)
      expect(decodeURIComponent(written)).toBe(text.toWellFormed())
    }),
  )
})
