import { afterAll, beforeAll, describe, expect } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { walkGuide } from '../../tests/guide.ts'

const database = await openDatabase()
let api: TestApi

beforeAll(async () => {
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP' }
  const rule = { program: 'coffee', name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
  await made('/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
  await made('/v1/earning-rules', rule)
  for (const [externalId, member, amount] of [
    ['till-1', 'ada', 10_000],
    ['till-2', 'bob', 5_000],
    ['till-3', 'ada-shop', 3_000],
  ]) {
    await made('/v1/purchases', {
      program: 'coffee',
      externalId,
      member: `external:${member}`,
      occurredAt: '2026-11-01T10:00:00Z',
      currency: 'GBP',
      items: [{ sku: 'BEANS', quantity: 1, amount }],
    })
  }
})
afterAll(() => api.close())

async function made(path: string, body: unknown): Promise<void> {
  expect((await api.call('POST', path, body)).status).toBe(201)
}

describe('the guide to transfers, conversions and merges', () => {
  walkGuide('transfers-and-merges', 14, () => api)
})
