import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPool } from '@laurel/engine/base/db'
import { verify } from '@laurel/engine/verify'
import { openDatabase } from '../tests/database.ts'
import { addKey, LIVE, openApi, type TestApi } from '../tests/api.ts'

/**
 * PostgreSQL has committed, and the connection breaks before we hear of it. Nothing is known of the outcome then, and that is what is said;
 * the same request with its Idempotency-Key has one effect.
 */
const database = await openDatabase()
const there = new URL(database.url)
let api: TestApi
let armed = false
let cut = 0
let n = 0

/** Passes everything on, but for the answer to the next commit of something that was written: that ends the connection. */
const proxy = createServer((ours: Socket) => {
  const theirs = connect(Number(there.port), there.hostname)
  let wrote = false
  const end = () => [ours, theirs].map((socket) => socket.destroy())
  for (const socket of [ours, theirs]) socket.on('error', end).on('close', end)
  ours.pipe(theirs)
  theirs.on('data', (chunk: Buffer) => {
    const text = chunk.toString('latin1')
    wrote ||= /(INSERT 0 [1-9]|UPDATE [1-9])/.test(text)
    const committed = text.includes('COMMIT\0')
    if (armed && wrote && committed) {
      armed = false
      cut += 1
      end()
      return
    }
    if (committed) wrote = false
    ours.write(chunk)
  })
})

beforeAll(async () => {
  await new Promise<void>((done) => void proxy.listen(0, '127.0.0.1', done))
  const url = new URL(database.url)
  url.port = String((proxy.address() as AddressInfo).port)
  await addKey(database, database.space, LIVE)
  api = await openApi(database, { pool: openPool(url.href, { max: 4 }), secret: 's'.repeat(32) })
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'explicit' }
  await post('/v1/programs', program)
  await api.call('PATCH', '/v1/programs/coffee/wallets/points', { pays: { points: 1, amount: 100 } })
  await post('/v1/members', { externalId: 'ada' })
  await post(`${ADA}/adjust`, { wallet: 'points', points: 1000, reason: 'to begin with' })
  await post('/v1/code-pools', { program: 'coffee', slug: 'film', name: 'Film' })
  await post(`/v1/code-pools/${await pool()}/codes`, { codes: Array.from({ length: 20 }, (_, i) => `FILM-${i}`) })
  const reward = { program: 'coffee', slug: 'ticket', name: 'Ticket', price: { points: 10 }, valid: { uses: 3 } }
  await post('/v1/rewards', { ...reward, kind: 'experience', code: { pool: 'film' }, stock: { total: 20 } })
  await post('/v1/rewards', { ...reward, slug: 'mug', valid: undefined, kind: 'physical' })
})
afterAll(async () => {
  expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
  await api.close()
  await new Promise((done) => void proxy.close(done))
})

const ADA = '/v1/members/external:ada'
const ORDER = { currency: 'GBP', items: [{ sku: 'BEANS', quantity: 1, amount: 2000 }] }
const post = async (path: string, body: object = {}): Promise<any> => {
  const told = await api.call('POST', path, body)
  expect(told.status, told.text).toBeLessThan(300)
  return told.body
}
const get = async (path: string): Promise<any> => (await api.call('GET', path)).body
const pool = async (): Promise<string> => (await get('/v1/code-pools')).data[0].id
const points = async (): Promise<number> => (await get(`${ADA}/wallets`)).data[0].available
const counts = async () => {
  const { handedOut, total } = (await get('/v1/code-pools')).data[0]
  return { handedOut, total, points: await points() }
}
const redeemed = async (reward: string) => (await post(`${ADA}/redemptions`, { reward })).id as string
const gift = async () =>
  (await post('/v1/vouchers', { program: 'coffee', value: { kind: 'gift', balance: 5000 } })).code as string
const onOrder = async (more: object = {}) => ({ program: 'coffee', codes: [await gift()], order: ORDER, ...more })
const balance = async (code: string): Promise<number> => (await get(`/v1/vouchers/code:${code}`)).balance
const reserved = async () =>
  (await post('/v1/checkouts', { ...(await checkout()), externalId: `o-${++n}` })) as { id: string }
const checkout = async () => ({
  program: 'coffee',
  member: 'external:ada',
  order: ORDER,
  points: { points: 5 },
  externalId: `o-${++n}`,
})

type Asked = { path: string; body?: object; seen: () => Promise<unknown>; effect: (before: any) => unknown }
const CASES: Record<string, () => Promise<Asked>> = {
  'a purchase': async () => {
    const buy = { program: 'coffee', member: 'external:ada', externalId: 'P', occurredAt: '2026-11-01T10:00:00Z' }
    const seen = async () => (await get(`${ADA}/purchases`)).data.length
    return { path: '/v1/purchases', body: { ...buy, ...ORDER }, seen, effect: (before) => before + 1 }
  },
  'a spend': async () => {
    const body = { wallet: 'points', points: 7, reason: 'a cup' }
    return { path: `${ADA}/spend`, body, seen: points, effect: (before) => before - 7 }
  },
  'a redemption with a code of a pool': async () => ({
    path: `${ADA}/redemptions`,
    body: { reward: 'ticket' },
    seen: counts,
    effect: ({ handedOut, points: had, ...more }) => ({ ...more, handedOut: handedOut + 1, points: had - 10 }),
  }),
  'its cancellation': async () => {
    const path = `/v1/redemptions/${await redeemed('ticket')}/cancel`
    return { path, seen: points, effect: (before) => before + 10 }
  },
  'a use': async () => {
    const id = await redeemed('ticket')
    const seen = async () => (await get(`/v1/redemptions/${id}`)).uses.used
    return { path: `/v1/redemptions/${id}/use`, seen, effect: () => 1 }
  },
  'an order to send it': async () => {
    const id = await redeemed('mug')
    const seen = async () => (await get(`/v1/redemptions/${id}`)).history.length
    return { path: `/v1/redemptions/${id}/order`, seen, effect: () => 2 }
  },
  'codes that are made': async () => ({
    path: `/v1/code-pools/${await pool()}/generate`,
    body: { count: 5 },
    seen: counts,
    effect: ({ total, ...more }) => ({ ...more, total: total + 5 }),
  }),
  'a voucher': async () => {
    const seen = async () => (await get('/v1/vouchers?limit=100')).data.length
    const body = { program: 'coffee', value: { kind: 'amount', amount: 1 } }
    return { path: '/v1/vouchers', body, seen, effect: (before) => before + 1 }
  },
  'a lock': async () => {
    const body = await onOrder({ session: 'till-1' })
    const seen = async () => (await get(`/v1/vouchers/code:${body.codes[0]}`)).uses.locked
    return { path: '/v1/vouchers/lock', body, seen, effect: () => 1 }
  },
  'vouchers that are redeemed': async () => {
    const body = await onOrder({ externalId: 'V1' })
    const seen = () => balance(body.codes[0] as string)
    return { path: '/v1/vouchers/redeem', body, seen, effect: () => 3000 }
  },
  'a part that is rolled back': async () => {
    const used = await onOrder({ externalId: 'V2' })
    await post('/v1/vouchers/redeem', used)
    const path = '/v1/vouchers/redemptions/external:V2/roll-back'
    return { path, body: { amount: 100 }, seen: () => balance(used.codes[0] as string), effect: () => 3100 }
  },
  'a reservation': async () => ({
    path: '/v1/checkouts',
    body: await checkout(),
    seen: points,
    effect: (before) => before - 5,
  }),
  'a commit': async () => {
    const { id } = await reserved()
    const seen = async () => (await get(`${ADA}/purchases?limit=100`)).data.length
    return { path: `/v1/checkouts/${id}/commit`, seen, effect: (before) => before + 1 }
  },
  'a void': async () => {
    const { id } = await reserved()
    return { path: `/v1/checkouts/${id}/void`, seen: points, effect: (before) => before + 5 }
  },
  'a card': async () => {
    const { code } = await post(`${ADA}/card`)
    const seen = async () => (await get(`${ADA}/cards`)).data.length
    return { path: `${ADA}/card`, body: { replaces: code, reason: 'Lost' }, seen, effect: () => 2 }
  },
  'a till’s queue': async () => {
    const body = { wallet: 'points', points: 3, reason: 'a cup', externalId: 'Q1', program: 'coffee' }
    const items = [{ type: 'spend', member: 'external:ada', ...body }]
    return { path: '/v1/till/queue', body: { items }, seen: points, effect: (before) => before - 3 }
  },
}

test.each(Object.entries(CASES))('%s has one effect', async (name, prepare) => {
  const { path, body = {}, seen, effect } = await prepare()
  const before = await seen()
  const isQueue = path === '/v1/till/queue' // goes by the ids of its items
  const key = isQueue ? {} : { 'idempotency-key': `k ${name.replaceAll(/[^a-z ]/g, '')}` }
  armed = true
  const cuts = cut
  const first = await api.call('POST', path, body, key)
  expect(cut, 'the answer to the commit was lost').toBe(cuts + 1)
  if (isQueue) expect(first.body.results).toMatchObject([{ again: true }])
  else expect(first.status, first.text).toBeGreaterThanOrEqual(500)
  const second = await api.call('POST', path, body, key)
  expect(second.status, second.text).toBeLessThan(300)
  expect(await seen()).toEqual(effect(before))
  const third = await api.call('POST', path, body, key)
  expect([third.status, third.text]).toEqual([second.status, second.text])
  expect(await seen()).toEqual(effect(before))
})

test('control: without its key, a spend that is asked again is another one', async () => {
  const spend = () => api.call('POST', `${ADA}/spend`, { wallet: 'points', points: 7, reason: 'a cup' })
  const before = await points()
  armed = true
  expect((await spend()).status).toBeGreaterThanOrEqual(500)
  expect((await spend()).status).toBe(201)
  expect(await points()).toBe(before - 14)
})
