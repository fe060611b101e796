import { expect, test } from 'vitest'
import { newHistogram, percentile, record } from './histogram.ts'

test('percentiles are within 1.6 % of the true ones, never below', () => {
  const h = newHistogram()
  for (let micros = 1; micros <= 100_000; micros++) record(h, micros)
  for (const share of [0.01, 0.5, 0.9, 0.99, 0.999]) {
    const exact = Math.ceil(100_000 * share)
    expect(percentile(h, share)).toBeGreaterThanOrEqual(exact)
    expect(percentile(h, share)).toBeLessThanOrEqual(exact * 1.016)
  }
  expect(percentile(h, 1)).toBe(100_000)
})

test('nothing, zero, a fraction and half an hour are counted', () => {
  const h = newHistogram()
  expect(percentile(h, 0.99)).toBe(0)
  for (const micros of [0, -3, 0.7, 1_800_000_000]) record(h, micros)
  expect(h.total).toBe(4)
  expect(percentile(h, 0.5)).toBe(0)
  expect(percentile(h, 1)).toBe(1_800_000_000)
})
