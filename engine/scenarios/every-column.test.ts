import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { unnoticed } from '../../tests/tamper.ts'
import { numberEvents } from '../base/outbox.ts'
import { verify } from '../verify.ts'

/**
 * Every column of these tables, whatever is added to them, is changed behind Laurel's back in a shop in which everything happens: `verify`
 * names something. What may differ is said here, and why.
 */
const database = await openDatabase()
const { pool, space, otherSpace, sql } = database
let api: TestApi
/** As `laurel verify` looks: at one space after the other. */
const wrong = async () => ((await verify(pool, space)).wrong ?? (await verify(pool, otherSpace)).wrong)?.what

const post = async (path: string, body: unknown = {}) => {
  const told = await api.call('POST', path, body)
  expect([path, told.status, told.status < 300 ? '' : told.text]).toEqual([path, expect.toSatisfy((n) => n < 300), ''])
  return told.body
}
const order = (amount = 1000) => ({ currency: 'GBP', items: [{ sku: 'BEANS', quantity: 1, amount }] })
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()

beforeAll(async () => {
  await addKey(database, space, LIVE)
  api = await openApi(database, { secret: 's'.repeat(32) })
  await post('/v1/programs', {
    slug: 'coffee',
    name: 'Coffee',
    timezone: 'Europe/London',
    currency: 'GBP',
    joinPolicy: 'on_first_purchase',
  })
  await post('/v1/programs/coffee/wallets', { slug: 'miles' })
  const pays = { pays: { points: 1, amount: 1 } }
  expect((await api.call('PATCH', '/v1/programs/coffee/wallets/points', pays)).status).toBe(200)
  for (const externalId of ['ann', 'bob']) await post('/v1/members', { externalId })
  for (const member of ['ann', 'bob'])
    await post(`/v1/members/external:${member}/adjust`, { wallet: 'points', points: 5000, reason: 'to begin with' })
  await cards()
  await vouchers()
  await rewards()
  await checkouts()
  await numberEvents(pool, space)
})
afterAll(async () => {
  await api.close()
  expect(api.faults).toEqual([])
})

async function cards(): Promise<void> {
  const first = await post('/v1/members/external:ann/card', { code: 'old-0001' })
  await post('/v1/members/external:ann/card', { replaces: first.code, reason: 'lost', rotating: true })
  const bobs = await post('/v1/members/external:bob/card')
  await post(`/v1/cards/${bobs.code}/block`, { reason: 'stolen' })
}

async function vouchers(): Promise<void> {
  const voucher = (code: string, value: object, more: object = {}) =>
    post('/v1/vouchers', { program: 'coffee', code, value, ...more })
  const off = { kind: 'amount', amount: 100 }
  await voucher('MANY', { kind: 'percent', percent: 10 }, { uses: { total: 9, perMember: 3 }, endsAt: inAnHour() })
  await voucher('OPEN', off, { uses: {}, category: 'always' })
  await voucher('GIFT', { kind: 'gift', balance: 5000 })
  await voucher('ANNS', off, { member: 'external:ann', startsAt: new Date().toISOString() })
  await post('/v1/vouchers/code:anns/block', { reason: 'wait' })
  const asked = { program: 'coffee', codes: ['MANY', 'GIFT'], order: order() }
  await post('/v1/vouchers/lock', { ...asked, session: 'till-1', member: 'external:ann' })
  await post('/v1/vouchers/lock', { ...asked, codes: ['OPEN'], session: 'till-2' })
  const { id } = await post('/v1/vouchers/redeem', { ...asked, member: 'external:bob', externalId: 'v-1' })
  await post('/v1/vouchers/redeem', { ...asked, codes: ['OPEN'], externalId: 'v-2' })
  await post(`/v1/vouchers/redemptions/${id}/roll-back`, { amount: 50, reason: 'a line less' })
}

async function rewards(): Promise<void> {
  const reward = (slug: string, kind: string, more: object = {}) =>
    post('/v1/rewards', { program: 'coffee', slug, name: slug, kind, price: { points: 10 }, ...more })
  const { id } = await post('/v1/code-pools', { program: 'coffee', slug: 'film', name: 'Film', reusable: true })
  await post(`/v1/code-pools/${id}/codes`, { codes: ['FILM-1', 'FILM-2', 'FILM-3'] })
  await reward('film', 'experience', { code: { pool: 'film' }, stock: { total: 9 }, valid: { uses: 3, for: 'P9D' } })
  await reward('mug', 'physical', { valid: {} })
  await reward('fly', 'conversion', { value: { kind: 'points', wallet: 'miles', points: 40 } })
  await reward('off', 'coupon', { value: { kind: 'amount', amount: 500 }, valid: { uses: 3 } })
  await reward('card', 'gift_card', { value: { kind: 'amount', amount: 500 } })
  const redeem = (slug: string, more: object = {}) =>
    post('/v1/members/external:ann/redemptions', { program: 'coffee', reward: slug, ...more })
  const step = (redemption: { id: string }, way: string, more: object = {}) =>
    post(`/v1/redemptions/${redemption.id}/${way}`, more)
  const film = await redeem('film', { externalId: 'r-1' })
  await step(film, 'use')
  await step(await redeem('film'), 'cancel', { reason: 'changed her mind' })
  const mug = await redeem('mug', { delivery: { name: 'Ann', street: '1 Bean Row' } })
  await step(mug, 'order')
  await step(mug, 'ship', { tracking: 'P-1' })
  await redeem('fly')
  await step(await redeem('off'), 'use')
  await redeem('card')
}

async function checkouts(): Promise<void> {
  const reserve = (externalId: string, more: object) =>
    post('/v1/checkouts', { program: 'coffee', member: 'external:bob', order: order(), externalId, ...more })
  const paid = { vouchers: ['MANY'], points: { points: 100 } }
  await post(`/v1/checkouts/${(await reserve('o-1', paid)).id}/commit`, {})
  await post(`/v1/checkouts/${(await reserve('o-2', paid)).id}/void`, {})
  await reserve('o-3', paid)
  await reserve('o-4', {})
}

const TABLES: [table: string, except: string[]][] = [
  ['vouchers', []],
  ['voucher_locks', []],
  ['voucher_redemptions', []],
  ['voucher_uses', []],
  ['cards', []],
  ['checkouts', []],
  ['redemptions', ['delivery → null']], // a name and an address can be erased
]

test('as it was written, nothing is wrong', async () => expect(await wrong()).toBeUndefined())

test.each(TABLES)(
  'every column of %s',
  async (table, except) => {
    expect(await unnoticed(database, table, wrong, except)).toEqual([])
    expect(await wrong()).toBeUndefined()
  },
  120_000,
)

test('rows of before have the digest that they would be written with', async () => {
  const file = await readFile(new URL('../migrations/0015_row_digests.sql', import.meta.url), 'utf8')
  const again = file.replace(/^(alter table|grant)[^;]*;$/gm, '')
  for (const [table] of TABLES) await sql(`update ${table} set row_digest = '0190b3f0-0000-7000-8000-00000000abcd'`)
  expect(await wrong()).toBeDefined()
  await sql(again)
  expect(await wrong()).toBeUndefined()
})
