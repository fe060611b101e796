import { afterAll, beforeAll, describe, expect, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { walkGuide } from '../../tests/guide.ts'
import { verify } from '../verify.ts'

const database = await openDatabase()
const { pool, space } = database
let api: TestApi

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(Date.parse('2026-11-22T09:30:00Z'))
  await addKey(database, space, LIVE)
  api = await openApi(database)
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP' }
  await made('/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
  await made('/v1/programs/coffee/wallets', { slug: 'miles' })
  await made('/v1/members', { externalId: 'ada' })
  await made('/v1/members/external:ada/adjust', { wallet: 'points', points: 1000, reason: 'From the paper card' })
  await reward('tasting', 'experience', 200, { valid: { for: 'P30D' } })
  await reward('mug', 'physical', 300, { stock: { total: 2 } })
  await reward('five-off', 'coupon', 100, { value: { kind: 'amount', amount: 500 } })
  await reward('miles', 'conversion', 100, { value: { kind: 'points', wallet: 'miles', points: 40 } })
})
afterAll(async () => {
  await api.close()
  expect((await verify(pool, space)).wrong).toBeUndefined()
  vi.useRealTimers()
  expect(api.faults).toEqual([])
})

async function made(path: string, body: unknown): Promise<void> {
  const told = await api.call('POST', path, body)
  expect([told.status, told.body.detail]).toEqual([201, undefined])
}
const reward = (slug: string, kind: string, points: number, more: object) =>
  made('/v1/rewards', { program: 'coffee', slug, name: slug, kind, price: { points }, ...more })

describe('the guide to redemptions', () => {
  walkGuide('redemptions', 13, () => api)
})
