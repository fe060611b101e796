import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { playGuide } from '../../tests/guide.ts'
import { createGate, type Gate } from '../gate/gate.ts'
import { passDue } from '../pass-time.ts'
import { verify } from '../verify.ts'

/** The guide to tiers: its requests are sent as they stand, the clock moved by hand. */
const database = await openDatabase()
let api: TestApi
let gate: Gate

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2027-03-01T12:00:00Z') })
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  gate = createGate({ pool: database.pool })
  const coffee = { slug: 'coffee', name: 'Coffee Club', timezone: 'Europe/London', currency: 'GBP' }
  await api.call('POST', '/v1/programs', { ...coffee, joinPolicy: 'on_first_purchase' })
  const rule = { program: 'coffee', name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
  expect((await api.call('POST', '/v1/earning-rules', rule)).status).toBe(201)
})
afterAll(async () => {
  expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
  vi.useRealTimers()
  await gate.close()
  await api.close()
  expect(api.faults).toEqual([])
})

test('the guide to tiers', async () => {
  const answers = await playGuide('tiers.md', api, () => passDue(database.pool, gate, database.space, 100))
  expect(answers).toBe(13)
})
