import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { playGuide } from '../../tests/guide.ts'
import { createGate, type Gate } from '../gate/gate.ts'
import { passDue } from '../pass-time.ts'
import { verify } from '../verify.ts'

/** The guides to holds, refunds, pending points and expiry: their requests are sent as they stand, the clock moved by hand. */
const database = await openDatabase()
const START = Date.parse('2027-03-01T12:00:00Z')
let api: TestApi
let gate: Gate

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(START)
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  gate = createGate({ pool: database.pool })
  const coffee = { slug: 'coffee', name: 'Coffee Club', timezone: 'Europe/London', currency: 'GBP' }
  await api.call('POST', '/v1/programs', { ...coffee, joinPolicy: 'on_first_purchase' })
  const rule = { program: 'coffee', name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
  expect((await api.call('POST', '/v1/earning-rules', rule)).status).toBe(201)
  const buys = { program: 'coffee', externalId: 'T1', member: 'external:ada', currency: 'GBP' }
  const items = [{ sku: 'beans', quantity: 1, amount: 10_000 }]
  await api.call('POST', '/v1/purchases', { ...buys, occurredAt: '2027-03-01T12:00:00Z', items })
})
afterAll(async () => {
  expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
  vi.useRealTimers()
  await gate.close()
  await api.close()
  expect(api.faults).toEqual([])
})

const play = (guide: string) => playGuide(guide, api, () => passDue(database.pool, gate, database.space, 100))

test('the guide to holds and refunds', async () => {
  expect(await play('holds-and-refunds.md')).toBe(8)
})

test('the guide to pending and expiry', async () => {
  vi.setSystemTime(START)
  expect(await play('pending-and-expiry.md')).toBe(7)
})
