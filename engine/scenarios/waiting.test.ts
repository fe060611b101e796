import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { createGate, type Gate } from '../gate/gate.ts'
import { passDue } from '../pass-time.ts'
import { verify } from '../verify.ts'

/** Points that wait for an activity while other things happen, as the simulation found them. */
const database = await openDatabase()
const { pool, space } = database
let api: TestApi
let gate: Gate
const DAY = 86_400_000
let clock = Date.parse('2026-03-01T12:00:00Z')
let n = 0

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(clock)
  await addKey(database, space, LIVE)
  api = await openApi(database)
  gate = createGate({ pool })
  const program = { name: 'Coffee', timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'explicit' }
  await post('/v1/programs', { slug: 'coffee', ...program })
  for (const slug of ['delivered', 'fetched', 'visit'])
    await post('/v1/activity-types', { program: 'coffee', slug, name: slug, schema: { type: 'object' } })
  await post('/v1/earning-rules', {
    program: 'coffee',
    name: 'A point a visit',
    kind: 'fixed',
    args: { points: 10 },
    on: { event: 'activity', activity: 'visit' },
  })
})
afterAll(async () => {
  await gate.close()
  await api.close()
  vi.useRealTimers()
  expect(api.faults).toEqual([])
})
beforeEach(() => settings({ pending: waiting('delivered'), expiry: { kind: 'rolling', period: 'P90D' } }))
afterEach(async () => expect((await verify(pool, space)).wrong).toBeUndefined())

const post = (path: string, body?: unknown) => api.call('POST', path, body)
const waiting = (activity: string) => ({ kind: 'event', activity, cancelAfter: 'P30D' })
const after = (ms: number) => vi.setSystemTime((clock += ms))

async function settings(patch: object): Promise<void> {
  expect((await api.call('PATCH', '/v1/programs/coffee/wallets/points', patch)).status).toBe(200)
}

async function member(): Promise<string> {
  const externalId = `m${++n}`
  expect((await post('/v1/members', { externalId })).status).toBe(201)
  return `external:${externalId}`
}

async function done(who: string, type: string) {
  const occurredAt = new Date(clock).toISOString()
  const body = { program: 'coffee', type, externalId: `a${++n}`, member: who, occurredAt, data: {} }
  const told = await post('/v1/activities', body)
  expect(told.status).toBe(201)
  return told.body
}

const wallet = async (who: string) => (await api.call('GET', `/v1/members/${who}/wallets`)).body.data[0]
const lots = async (who: string) => (await api.call('GET', `/v1/members/${who}/lots`)).body.data

test('points begin with what they were to wait for, and end as was said then, whatever their wallet says by now', async () => {
  const [ada, ben, cleo] = [await member(), await member(), await member()]
  for (const who of [ada, ben]) await done(who, 'visit')
  const deadline = new Date(clock + 60 * DAY).toISOString()
  await settings({ pending: waiting('fetched') })
  await done(ada, 'visit')
  await settings({ pending: null, expiry: { kind: 'rolling', period: 'P10D' } })
  const [lot] = await lots(ben)
  await post(`/v1/entries/${lot.id}/extend`, { expiresAt: deadline, reason: 'The post is on strike' })
  expect((await post(`/v1/members/${cleo}/merge`, { from: ben, reason: 'The same person' })).status).toBe(201)
  after(40 * DAY)
  expect(await wallet(ada)).toMatchObject({ available: 0, pending: 0, lifetimeReversed: 20 }) // nobody delivered in time
  expect(await wallet(cleo)).toMatchObject({ available: 0, pending: 10 })
  await done(cleo, 'fetched')
  expect(await wallet(cleo)).toMatchObject({ available: 0, pending: 10 })
  await done(cleo, 'delivered')
  expect(await wallet(cleo)).toMatchObject({ available: 10, pending: 0 })
  const until = Date.parse((await lots(cleo))[0].expiresAt) - clock
  expect(Math.round(until / DAY)).toBe(50) // ninety after they were given
})

test('points begin in time, also where their wallet lets none wait any more', async () => {
  const who = await member()
  await done(who, 'visit')
  await settings({ pending: null })
  after(DAY)
  expect(await done(who, 'delivered')).toMatchObject({ activated: [expect.any(String)] })
  expect(await wallet(who)).toMatchObject({ available: 10, pending: 0 })
})

test('an activity begins what itself gives and lets wait for it', async () => {
  await settings({ pending: waiting('visit') })
  const who = await member()
  await done(who, 'visit')
  expect(await wallet(who)).toMatchObject({ available: 10, pending: 0 })
})

test.each([false, true])('to give up what waited in vain is to do it again (worker: %s)', async (works) => {
  const who = await member()
  await done(who, 'visit')
  const [lot] = await lots(who)
  after(31 * DAY)
  if (works) await passDue(pool, gate, space, 1000)
  const told = await post(`/v1/entries/${lot.id}/cancel`, { reason: 'Lost' })
  expect(told).toMatchObject({ status: 200, body: { points: 0 } })
})

test('to let begin what its event has begun is to do it again', async () => {
  const who = await member()
  await done(who, 'visit')
  const [lot] = await lots(who)
  await done(who, 'delivered')
  expect((await post(`/v1/entries/${lot.id}/activate`, { reason: 'Early' })).body.points).toBe(0)
})
