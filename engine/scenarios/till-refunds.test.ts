import { afterAll, beforeAll, expect, test } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { verify } from '../verify.ts'

/** What points paid comes back through a till's queue, in whatever order it is told. */
const database = await openDatabase()
let api: TestApi

beforeAll(async () => {
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'explicit' }
  await post('/v1/programs', program)
  expect((await post('/v1/programs/coffee/wallets', { slug: 'stamps', unit: 'stamps', target: 10 })).status).toBe(201)
  const pays = { points: 1, amount: 100 }
  for (const wallet of ['points', 'stamps']) await api.call('PATCH', `/v1/programs/coffee/wallets/${wallet}`, { pays })
})
afterAll(async () => {
  await api.close()
  expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
  expect(api.faults).toEqual([])
})

const post = (path: string, body?: unknown) => api.call('POST', path, body)
let n = 0
async function somebody(stamps = 0): Promise<string> {
  const { body } = await post('/v1/members', { externalId: `m-${++n}` })
  await post(`/v1/members/${body.id}/adjust`, { wallet: 'points', points: 100, reason: 'hello' })
  if (stamps > 0) await post(`/v1/members/${body.id}/adjust`, { wallet: 'stamps', points: stamps, reason: 'hello' })
  return body.id
}
async function reserve(member: string, externalId: string, points: object = { points: 30 }) {
  const order = { currency: 'GBP', items: [{ sku: 'BEANS', quantity: 1, amount: 5000 }] }
  const told = await post('/v1/checkouts', { program: 'coffee', member, externalId, order, points })
  expect([told.status, told.body.detail]).toEqual([201, undefined])
}
async function queue(...items: unknown[]) {
  const { status, body } = await post('/v1/till/queue', { items })
  expect(status).toBe(200)
  return body.results.map((one: any) => [one.error?.code ?? one.status, ...(one.again ? ['again'] : [])].join(' '))
}
async function available(member: string, wallet = 'points'): Promise<number> {
  const { body } = await api.call('GET', `/v1/members/${member}/wallets`)
  return body.data.find((one: any) => one.wallet === wallet).available
}
const refund = (externalId: string, said: object) => ({ type: 'refund', reason: 'came back', externalId, ...said })
const spend = (member: string, externalId: string, points: number) => {
  const from = { program: 'coffee', wallet: 'points' }
  return { type: 'spend', member, ...from, points, reason: 'mug', externalId }
}

test('a checkout that was paid with points gives them back by its own id, once, whatever comes first', async () => {
  for (const turned of [false, true]) {
    const member = await somebody()
    const id = `paid-${n}`
    await reserve(member, id)
    const commit = { type: 'checkout_commit', checkout: `external:${id}` }
    const part = refund(`${id}-a`, { checkout: `external:${id}`, points: 10 })
    const rest = refund(`${id}-b`, { checkout: `external:${id}` })
    const items = turned ? [rest, part, commit] : [commit, part, rest]
    expect(await queue(...items)).toEqual(turned ? ['201', '201', '200'] : ['200', '201', '201'])
    expect(await available(member)).toBe(100)
    expect(await queue(...items)).toEqual(['200', '200', '200'])
    expect(await queue(refund(`${id}-c`, { checkout: `external:${id}` }))).toEqual(['refund_exceeds_spend'])
    expect(await available(member)).toBe(100)
  }
})

test('what is not paid yet comes again; what never will be, does not', async () => {
  const member = await somebody()
  expect(await queue(refund('early', { checkout: 'external:later' }))).toEqual(['checkout_unknown again'])
  await reserve(member, 'later')
  expect(await queue(refund('early', { checkout: 'external:later' }))).toEqual(['entry_unknown again'])
  await post('/v1/checkouts/external:later/void')
  expect(await queue(refund('early', { checkout: 'external:later' }))).toEqual(['checkout_closed'])
  await post('/v1/checkouts/external:never/void')
  expect(await queue(refund('early', { checkout: 'external:never' }))).toEqual(['checkout_closed'])
  await reserve(member, 'money', {})
  await post('/v1/checkouts/external:money/commit', {})
  expect(await queue(refund('early', { checkout: 'external:money' }))).toEqual(['refund_exceeds_spend'])
  expect(await available(member)).toBe(100)
})

test('where two wallets paid, it says which', async () => {
  const member = await somebody(20)
  await reserve(member, 'both', { points: 10, stamps: 20 })
  await post('/v1/checkouts/external:both/commit', {})
  const checkout = 'external:both'
  expect(await queue(refund('both-0', { checkout }))).toEqual(['invalid_request'])
  expect(await queue(refund('both-1', { checkout, wallet: 'money' }))).toEqual(['refund_exceeds_spend'])
  const each = ['points', 'stamps'].map((wallet) => refund(`both-${wallet}`, { checkout, wallet }))
  expect(await queue(...each)).toEqual(['201', '201'])
  expect([await available(member), await available(member, 'stamps')]).toEqual([100, 20])
})

test('refunds pay for the spends of a queue; the refund of a spend that is sent with it comes after it', async () => {
  const member = await somebody()
  expect(await queue(spend(member, 'first', 90))).toEqual(['201'])
  const back = refund('first-r', { member, spend: 'external:first' })
  expect(await queue(spend(member, 'second', 95), back)).toEqual(['201', '201']) // 10 + 90 pay for 95
  const own = refund('third-r', { member, spend: 'external:third' })
  expect(await queue(own, spend(member, 'third', 5))).toEqual(['201', '201'])
  expect(await available(member)).toBe(5)
  expect(await queue(refund('what', { member, spend: 'external:unheard-of' }))).toEqual(['entry_unknown again'])
})

test('says what is wrong with how it is said', async () => {
  const member = await somebody()
  for (const said of [
    { member },
    { spend: 'external:first' },
    { member, spend: 'external:first', checkout: 'external:both' },
    { member, spend: 'external:first', wallet: 'points' },
    { checkout: 'both' },
  ])
    expect(await queue(refund('wrong', said))).toEqual(['invalid_request'])
})
