import { afterAll, expect } from 'vitest'
import { numberEvents } from '../engine/base/outbox.ts'
import { addKey, LIVE, openApi } from './api.ts'
import { openDatabase, type TestDatabase } from './database.ts'

type Post = (path: string, body?: unknown) => Promise<any>
const ann = (path: string) => `/v1/members/external:ann/${path}`
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()
const anHourAgo = () => new Date(Date.now() - 3_600_000).toISOString()
const order = () => ({ currency: 'GBP', items: [{ sku: 'BEANS', quantity: 1, amount: 1000 }] })

/** A coffee shop in which everything has happened once, through the API: each table has rows, and each column a value somewhere. */
export async function openEverything(): Promise<TestDatabase> {
  const database = await openDatabase()
  await addKey(database, database.space, LIVE)
  const api = await openApi(database, { secret: 's'.repeat(32) })
  afterAll(async () => {
    await api.close()
    expect(api.faults).toEqual([])
  })
  const ask = async (method: string, path: string, body: unknown = {}) => {
    const told = await api.call(method, path, body)
    if (told.status >= 300) throw new Error(`${method} ${path}: ${told.status} ${told.text}`)
    return told.body
  }
  const post: Post = (path, body) => ask('POST', path, body)
  await configured(post, (path, body) => ask('PATCH', path, body))
  for (const externalId of ['ann', 'bob']) {
    await post('/v1/members', { externalId })
    await post(`/v1/members/external:${externalId}/adjust`, { wallet: 'points', points: 5000, reason: 'to begin with' })
  }
  for (const happens of [cards, vouchers, rewards, checkouts, purchases, points, adjustments, merges])
    await happens(post)
  await numberEvents(database.pool, database.space)
  return database
}

async function configured(post: Post, patch: Post): Promise<void> {
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP' }
  await post('/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
  await post('/v1/programs/coffee/wallets', { slug: 'miles' })
  await patch('/v1/programs/coffee/wallets/points', {
    pays: { points: 1, amount: 1 },
    transfers: { max: 10 },
    conversions: [{ to: 'miles', give: 5, get: 1 }],
    expiry: { kind: 'rolling', period: 'P90D' },
    adjustmentLimit: 9000,
  })
  const rule = (name: string, kind: string, args: object, more: object = {}) =>
    post('/v1/earning-rules', { program: 'coffee', name, kind, args, ...more })
  await rule('A point a pound', 'per_amount', { points: 1, per: 100 }, { caps: [{ points: 500, per: 'day' }] })
  await rule('Opening', 'fixed', { points: 5 }, { budget: { points: 50 } })
  await post('/v1/activity-types', { program: 'coffee', slug: 'review', name: 'Review', schema: { type: 'object' } })
  await rule('Reviews', 'fixed', { points: 20 }, { on: { event: 'activity', activity: 'review' } })
  const tiers = [
    { slug: 'green', name: 'Green', threshold: 0 },
    { slug: 'silver', name: 'Silver', threshold: 1000 },
  ]
  const climbs = { metric: { kind: 'spend' }, window: { kind: 'calendar', per: 'year' }, tiers }
  await post('/v1/tier-ladders', { program: 'coffee', slug: 'status', name: 'Status', ...climbs })
}

async function cards(post: Post): Promise<void> {
  const first = await post(ann('card'), { code: 'old-0001' })
  await post(ann('card'), { replaces: first.code, reason: 'lost', rotating: true })
  const bobs = await post('/v1/members/external:bob/card')
  await post(`/v1/cards/${bobs.code}/block`, { reason: 'stolen' })
}

async function vouchers(post: Post): Promise<void> {
  const voucher = (code: string, value: object, more: object = {}) =>
    post('/v1/vouchers', { program: 'coffee', code, value, ...more })
  const off = { kind: 'amount', amount: 100 }
  await voucher('MANY', { kind: 'percent', percent: 10 }, { uses: { total: 9, perMember: 3 }, endsAt: inAnHour() })
  await voucher('OPEN', off, { uses: {}, category: 'always' })
  await voucher('GIFT', { kind: 'gift', balance: 5000 })
  await voucher('ANNS', off, { member: 'external:ann', startsAt: anHourAgo() })
  await post('/v1/vouchers/code:anns/block', { reason: 'wait' })
  const asked = { program: 'coffee', codes: ['MANY', 'GIFT'], order: order() }
  await post('/v1/vouchers/lock', { ...asked, session: 'till-1', member: 'external:ann' })
  await post('/v1/vouchers/lock', { ...asked, codes: ['OPEN'], session: 'till-2' })
  const { id } = await post('/v1/vouchers/redeem', { ...asked, member: 'external:bob', externalId: 'v-1' })
  await post('/v1/vouchers/redeem', { ...asked, codes: ['OPEN'], externalId: 'v-2' })
  await post(`/v1/vouchers/redemptions/${id}/roll-back`, { amount: 50, reason: 'a line less' })
}

async function rewards(post: Post): Promise<void> {
  const reward = (slug: string, kind: string, more: object = {}) =>
    post('/v1/rewards', { program: 'coffee', slug, name: slug, kind, price: { points: 10 }, ...more })
  const { id } = await post('/v1/code-pools', { program: 'coffee', slug: 'film', name: 'Film', reusable: true })
  await post(`/v1/code-pools/${id}/codes`, { codes: ['FILM-1', 'FILM-2', 'FILM-3'] })
  await reward('film', 'experience', { code: { pool: 'film' }, stock: { total: 9 }, valid: { uses: 3, for: 'P9D' } })
  await reward('mug', 'physical', { valid: {} })
  await reward('fly', 'conversion', { value: { kind: 'points', wallet: 'miles', points: 40 } })
  await reward('off', 'coupon', { value: { kind: 'amount', amount: 500 }, valid: { uses: 3 } })
  await reward('card', 'gift_card', { value: { kind: 'amount', amount: 500 } })
  const redeem = (slug: string, more: object = {}) => post(ann('redemptions'), { reward: slug, ...more })
  const step = (one: { id: string }, way: string, more: object = {}) => post(`/v1/redemptions/${one.id}/${way}`, more)
  await step(await redeem('film', { externalId: 'r-1' }), 'use')
  await step(await redeem('film'), 'cancel', { reason: 'changed her mind' })
  const mug = await redeem('mug', { delivery: { name: 'Ann', street: '1 Bean Row' } })
  await step(mug, 'order')
  await step(mug, 'ship', { tracking: 'P-1' })
  await redeem('fly')
  await step(await redeem('off'), 'use')
  await redeem('card')
}

async function checkouts(post: Post): Promise<void> {
  const reserve = (externalId: string, more: object) =>
    post('/v1/checkouts', { program: 'coffee', member: 'external:bob', order: order(), externalId, ...more })
  const paid = { vouchers: ['MANY'], points: { points: 100 } }
  await post(`/v1/checkouts/${(await reserve('o-1', paid)).id}/commit`, {})
  await post(`/v1/checkouts/${(await reserve('o-2', paid)).id}/void`, {})
  await reserve('o-3', paid)
  await reserve('o-4', {})
}

const bought = (externalId: string, member?: string) => ({
  program: 'coffee',
  externalId,
  ...(member === undefined ? {} : { member: `external:${member}` }),
  occurredAt: anHourAgo(),
  currency: 'GBP',
  items: [
    { sku: 'BEANS', quantity: 2, amount: 2500 },
    { sku: 'CAKE', quantity: 1, amount: 399 },
  ],
  store: 'Soho',
  channel: 'web',
  metadata: { till: 3 },
})

/** Of members and of nobody, with returns and a claim. */
async function purchases(post: Post): Promise<void> {
  for (const name of ['p-1', 'p-2']) await post('/v1/purchases', bought(name, 'ann'))
  for (const name of ['g-1', 'g-2']) await post('/v1/purchases', bought(name))
  await post('/v1/purchases/external:g-2/claim', { member: 'external:bob' })
  const back = { program: 'coffee', occurredAt: anHourAgo(), items: [{ sku: 'BEANS', quantity: 1 }] }
  await post('/v1/returns', { ...back, externalId: 'b-1', purchase: 'external:p-1', member: 'external:ann' })
  await post('/v1/returns', { ...back, externalId: 'b-2', purchase: 'external:g-1' })
  const review = { program: 'coffee', type: 'review', externalId: 'a-1', occurredAt: anHourAgo(), data: { stars: 5 } }
  await post('/v1/activities', { ...review, member: 'external:ann' })
}

async function points(post: Post): Promise<void> {
  await post(ann('spend'), { wallet: 'points', points: 30, reason: 'Espresso', externalId: 's-1' })
  const hold = { program: 'coffee', wallet: 'points', points: 4, minutes: 30, reason: 'Order' }
  const { id } = await post(ann('holds'), { ...hold, externalId: 'h-1' })
  const { parts } = await post(`/v1/holds/${id}/capture`, { points: 3 })
  await post(ann('holds'), hold)
  await post(ann('refunds'), { spend: parts[0].entry, points: 2, reason: 'one came back', externalId: 'f-1' })
  await post(ann('transfers'), { to: 'external:bob', wallet: 'points', points: 5, reason: 'thanks', externalId: 't-1' })
  await post(ann('conversions'), { from: 'points', to: 'miles', points: 5, externalId: 'c-1' })
}

/** One waits, one was rejected. */
async function adjustments(post: Post): Promise<void> {
  const much = { wallet: 'points', points: 9500, reason: 'much', code: 'goodwill' }
  await post(ann('adjust'), much)
  const { id } = await post(ann('adjust'), much)
  await post(`/v1/adjustments/${id}/reject`, { reason: 'too much' })
}

/** One stays, one is undone. */
async function merges(post: Post): Promise<void> {
  for (const externalId of ['cat', 'dan']) {
    await post('/v1/members', { externalId, name: 'C', email: `${externalId}@example.com` })
    await post('/v1/purchases', bought(`of-${externalId}`, externalId))
    await post('/v1/members/external:bob/merge', { from: `external:${externalId}`, reason: 'one person' })
  }
  await post('/v1/members/external:bob/unmerge', { from: 'external:dan', reason: 'two' })
}
