import { expect, test } from 'vitest'
import { cardSecret, digitsAt, judgeDigits, shownUntil, STEP } from './digits.rules.ts'

/** RFC 6238, appendix B, SHA-256. */
test.each([
  [59, '46119246'],
  [1_111_111_109, '68084774'],
  [1_111_111_111, '67062674'],
  [1_234_567_890, '91819424'],
  [2_000_000_000, '90698825'],
  [20_000_000_000, '77737706'],
])('at %i seconds the digits are those of the standard', (seconds, digits) => {
  const key = Buffer.from('12345678901234567890123456789012')
  expect(digitsAt(key, seconds * 1_000_000, 8)).toBe(digits)
  expect(digitsAt(key, seconds * 1_000_000)).toBe(digits.slice(2))
})

test('digits are taken in their own half minute and the ones around it', () => {
  const key = cardSecret('s'.repeat(32), 1, 'C0000000000AB')
  const at = 1_800_000_000_000_000
  const digits = digitsAt(key, at)
  const judged = [-61, -31, -30, -1, 0, 29, 30, 59, 60, 90].map((s) => judgeDigits(key, digits, at + s * 1_000_000))
  expect(judged).toEqual([
    'stale',
    'stale',
    'current',
    'current',
    'current',
    'current',
    'current',
    'current',
    'stale',
    'stale',
  ])
  expect([judgeDigits(key, null, at), judgeDigits(undefined, digits, at)]).toEqual(['none', 'stale'])
  expect(shownUntil(at + 1)).toBe(at + STEP)
})

test('another card, space or secret has other digits', () => {
  const at = 1_800_000_000_000_000
  const keys = [
    cardSecret('s'.repeat(32), 1, 'C0000000000AB'),
    cardSecret('s'.repeat(32), 1, 'C0000000000AC'),
    cardSecret('s'.repeat(32), 2, 'C0000000000AB'),
    cardSecret('t'.repeat(32), 1, 'C0000000000AB'),
  ]
  expect(new Set(keys.map((key) => digitsAt(key, at))).size).toBe(4)
})
