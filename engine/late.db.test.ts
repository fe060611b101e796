import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../tests/api.ts'
import { openShop, type Shop } from '../tests/shop.ts'
import { verify } from './verify.ts'

/** What arrives late is decided as of when it happened, and booked when it arrives. */
let shop: Shop
let api: TestApi
beforeAll(async () => {
  shop = await openShop()
  await addKey(shop, shop.space, LIVE)
  api = await openApi(shop)
})
afterAll(() => api.close())

const DAY = 86_400_000
const ago = (days: number) => new Date(Date.now() - days * DAY).toISOString()
const sale = (externalId: string, occurredAt: string, member?: string) => ({
  program: 'coffee',
  externalId,
  ...(member ? { member } : {}),
  occurredAt,
  currency: 'GBP',
  items: [{ sku: 'beans', quantity: 1, amount: 1000 }],
})
const buy = (externalId: string, occurredAt: string, member?: string) =>
  api.call('POST', '/v1/purchases', sale(externalId, occurredAt, member))
const claim = (externalId: string, member: string) =>
  api.call('POST', `/v1/purchases/external:${externalId}/claim`, { member })
const entries = async (member: string) => (await api.call('GET', `/v1/members/${member}/entries`)).body.data
const wrong = async () => (await verify(shop.pool, shop.space)).wrong

describe('a rule that changed', () => {
  test('gives what it gave when it happened, however late the purchase or the claim', async () => {
    const rule = { program: 'coffee', name: 'Points', kind: 'per_amount', args: { points: 1, per: 100 } }
    const { id } = (await api.call('POST', '/v1/earning-rules', rule)).body
    const unclaimed = await buy('before-guest', ago(10))
    await api.call('POST', `/v1/earning-rules/${id}/versions`, { args: { points: 3, per: 100 }, effectiveFrom: ago(5) })

    const late = await buy('before', ago(10), 'external:ada')
    const recent = await buy('after', ago(1), 'external:ada')
    const claimed = await claim('before-guest', 'external:ada')
    expect([late, recent, claimed].map(({ status, body }) => [status, body.points, body.awards[0].version])).toEqual([
      [201, 10, 1],
      [201, 30, 2],
      [201, 10, 1],
    ])
    const [last] = await entries('external:ada')
    expect(last.occurredAt).toBe(unclaimed.body.occurredAt)
    expect(Date.now() - Date.parse(last.bookedAt)).toBeLessThan(60_000)
    const back = await api.call('POST', '/v1/returns', {
      program: 'coffee',
      externalId: 'back',
      occurredAt: ago(0),
      purchase: 'external:before-guest',
      items: 'all',
    })
    expect(back.body.points).toBe(10)
    expect(await wrong()).toBeUndefined()
  })

  test('is counted against the cap of the day on which it happened', async () => {
    const day = { points: 12, per: 'day' }
    await api.call('POST', '/v1/programs', {
      slug: 'tea',
      name: 'Tea',
      timezone: 'Europe/London',
      currency: 'GBP',
      joinPolicy: 'on_first_purchase',
    })
    const rule = { program: 'tea', name: 'Capped', kind: 'per_amount', args: { points: 1, per: 100 }, caps: [day] }
    expect((await api.call('POST', '/v1/earning-rules', rule)).status).toBe(201)
    const at = (days: number) => `${ago(days).slice(0, 10)}T12:00:00Z`
    const buyTea = async (externalId: string, days: number, member?: string) =>
      (await api.call('POST', '/v1/purchases', { ...sale(externalId, at(days), member), program: 'tea' })).body.points
    await buyTea('tea-guest', 7)
    expect(await buyTea('tea-1', 7, 'external:bob')).toBe(10)
    expect(await buyTea('tea-2', 1, 'external:bob')).toBe(10)
    expect((await claim('tea-guest', 'external:bob')).body.points).toBe(2)
    expect(await wrong()).toBeUndefined()
  })
})

describe('points that expire', () => {
  test('are counted from when it happened, and expire at once where that has passed', async () => {
    const patch = { expiry: { kind: 'rolling', period: 'P30D' } }
    expect((await api.call('PATCH', '/v1/programs/coffee/wallets/points', patch)).status).toBe(200)
    await buy('recent-guest', ago(10))
    await buy('old-guest', ago(40))
    const recent = await claim('recent-guest', 'external:cleo')
    expect(recent.body).toMatchObject({ points: 10, wallets: [{ available: 10 }] })
    const [entry] = await entries('external:cleo')
    const lives = (Date.parse(entry.lot.expiresAt) - Date.parse(recent.body.occurredAt)) / DAY
    expect(Math.round(lives)).toBe(30) // an hour more or less where the clocks change meanwhile
    const old = await claim('old-guest', 'external:cleo')
    expect(old.body).toMatchObject({ points: 10, wallets: [{ available: 10, lifetimeExpired: 10 }] })
    expect(await wrong()).toBeUndefined()
  })
})
