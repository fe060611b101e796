import { expect, test } from 'vitest'
import { newId } from './ids.ts'

const madeAt = (id: string) => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
const NOW = Date.UTC(2026, 10, 22)

test('ids are of version 7, different, and in the order in which they were made', () => {
  const ids = Array.from({ length: 10_000 }, () => newId(NOW))
  expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.toSorted()).toEqual(ids)
  expect(madeAt(ids[0] as string)).toBe(NOW)
})

test('a clock that is set back a little keeps them in order', () => {
  const [first, second] = [newId(NOW + 120_000), newId(NOW + 90_000)]
  expect(second > first).toBe(true)
})

test('a clock that was a year ahead, and is put right, is believed: they say when they were made', () => {
  newId(NOW + 365 * 86_400_000)
  const ids = Array.from({ length: 3 }, () => newId(NOW))
  expect(ids.map(madeAt)).toEqual([NOW, NOW, NOW])
  expect(ids.toSorted()).toEqual(ids)
})
