import { expect, test } from 'vitest'
import { CURRENCIES } from '@laurel/contract/common'
import { decimalsOf, formatMoney } from './currencies.ts'

test.each([
  [1234, 'GBP', '12.34 GBP'],
  [100, 'EUR', '1.00 EUR'],
  [7, 'USD', '0.07 USD'],
  [0, 'GBP', '0.00 GBP'],
  [1234, 'JPY', '1234 JPY'],
  [1234, 'KWD', '1.234 KWD'],
  [5, 'BHD', '0.005 BHD'],
  [Number.MAX_SAFE_INTEGER, 'GBP', '90071992547409.91 GBP'],
])('%i minor units of %s are %s', (minor, currency, text) => {
  expect(formatMoney(minor, currency)).toBe(text)
})

test('every currency has none, two or three decimals, and the table names only currencies that exist', () => {
  const byDecimals = Map.groupBy(CURRENCIES, decimalsOf)
  expect([...byDecimals.keys()].sort((a, b) => a - b)).toEqual([0, 2, 3])
  expect(byDecimals.get(0)).toHaveLength(16)
  expect(byDecimals.get(3)).toHaveLength(7)
})
