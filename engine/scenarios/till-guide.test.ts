import { afterAll, beforeAll, describe, expect, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { walkGuide } from '../../tests/guide.ts'

const database = await openDatabase()
let api: TestApi

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(Date.parse('2026-11-22T09:30:00Z'))
  await addKey(database, database.space, LIVE)
  api = await openApi(database, { secret: 's'.repeat(32) })
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP' }
  const rule = { program: 'coffee', name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
  await made('/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
  await made('/v1/earning-rules', rule)
  await made('/v1/members', { externalId: 'ada', name: 'Ada Lovelace', phone: '+44 1632 960961' })
  await made('/v1/members/external:ada/adjust', { wallet: 'points', points: 1000, reason: 'Welcome' })
  const value = { kind: 'percent', percent: 10 }
  await made('/v1/vouchers', { program: 'coffee', code: 'TEN', value, uses: { total: 100 } })
})
afterAll(async () => {
  vi.useRealTimers()
  await api.close()
  expect(api.faults).toEqual([])
})

async function made(path: string, body: unknown): Promise<void> {
  expect((await api.call('POST', path, body)).status).toBe(201)
}

describe('the guide to the till', () => {
  walkGuide('till', 15, () => api)
})
