import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'

/** How a program says what its wallets do: over the API, as the guide shows it, and as the next purchase finds it. */
const database = await openDatabase()
const READER = 'lk_live_readsOnly000000000000000000000000000000000'
let api: TestApi

beforeAll(async () => {
  await addKey(database, database.space, LIVE)
  await addKey(database, database.space, READER, ['programs:read'])
  api = await openApi(database)
  await api.call('POST', '/v1/programs', {
    slug: 'coffee',
    name: 'Coffee Club',
    timezone: 'Europe/London',
    currency: 'GBP',
    joinPolicy: 'on_first_purchase',
  })
  await database.sql(
    `insert into activity_types (space_id, id, program_id, slug, name, status, created_at, updated_at)
     select space_id, '019aa000-0000-7000-8000-00000000000a', program_id, 'delivered', 'Delivered', 'active', now(), now()
       from programs`,
  )
})
afterAll(() => api.close())

const WALLETS = '/v1/programs/coffee/wallets'
const POINTS = `${WALLETS}/points`
const blocks = [
  ...readFileSync(new URL('../../docs/guides/wallets.md', import.meta.url), 'utf8').matchAll(
    /```json (\w+) ?(\S*)\n([\s\S]*?)\n```/g,
  ),
].map(([, sort = '', pointer = '', json = '']) => ({ sort, pointer, json }))

test('the guide: every request that it shows is answered as it says', async () => {
  expect(blocks.length).toBeGreaterThan(15)
  for (const { sort, pointer, json } of blocks) {
    const told = sort === 'wallet' ? await api.call('POST', WALLETS, json) : await api.call('PATCH', POINTS, json)
    const errors = told.body.errors?.map((e: { pointer: string }) => e.pointer)
    expect([json, told.status, errors]).toEqual([
      json,
      sort === 'wallet' ? 201 : sort === 'refused' ? 400 : 200,
      sort === 'refused' ? [pointer] : undefined,
    ])
    if (told.status < 300) expect(told.body).toMatchObject(withoutNulls(JSON.parse(json)))
  }
})

function withoutNulls(said: object): object {
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null))
}

test('a wallet is read back with the tag that guards it', async () => {
  const { body, headers } = await api.call('GET', POINTS)
  const tag = headers.get('etag') ?? ''
  const first = await api.call('PATCH', POINTS, { adjustmentLimit: 10 }, { 'if-match': tag })
  expect([first.status, first.body.adjustmentLimit]).toEqual([200, 10])
  const second = await api.call('PATCH', POINTS, { adjustmentLimit: 20 }, { 'if-match': tag })
  expect([second.status, second.body.code]).toEqual([412, 'etag_mismatch'])
  expect((await api.call('GET', POINTS)).body).toEqual({ ...body, adjustmentLimit: 10, updatedAt: expect.any(String) })
  const listed = (await api.call('GET', `${WALLETS}?limit=2`)).body
  expect(listed.data.map(({ slug }: { slug: string }) => slug)).toEqual(['points', 'stamps'])
  expect((await api.call('GET', `${WALLETS}?after=${listed.next}`)).body).toMatchObject({ data: [{ slug: 'credit' }] })
})

test('what cannot be is refused, with a pointer to it', async () => {
  const refused = async (method: string, path: string, body: unknown) => {
    const told = await api.call(method, path, body)
    return [told.status, told.body.code, ...(told.body.errors ?? []).map((e: { pointer: string }) => e.pointer)]
  }
  expect(await refused('POST', WALLETS, { slug: 'card', unit: 'stamps' })).toEqual([400, 'invalid_request', '/target'])
  expect(await refused('POST', WALLETS, { slug: 'stamps' })).toEqual([409, 'already_exists', '/slug'])
  expect(await refused('POST', WALLETS, { slug: 'No!' })).toEqual([400, 'invalid_request', '/slug'])
  expect(await refused('PATCH', POINTS, { unit: 'money' })).toEqual([400, 'invalid_request', '/unit'])
  expect(await refused('PATCH', POINTS, { slug: 'other' })).toEqual([400, 'invalid_request', '/slug'])
  const period = { expiry: { kind: 'rolling', period: '12 months' } }
  expect(await refused('PATCH', POINTS, period)).toEqual([400, 'invalid_request', '/expiry/period'])
  const sliding = { expiry: { kind: 'sliding', period: 'P1Y', on: ['earn', 'visit'] } }
  expect(await refused('PATCH', POINTS, sliding)).toEqual([400, 'invalid_request', '/expiry/on/1'])
  expect(await refused('PATCH', `${WALLETS}/gold`, {})).toEqual([404, 'wallet_unknown'])
  expect(await refused('POST', '/v1/programs/tea/wallets', { slug: 'x' })).toEqual([404, 'program_unknown'])
})

test('who may read programs may read wallets, and not change them', async () => {
  const key = { authorization: `Bearer ${READER}` }
  expect((await api.call('GET', WALLETS, undefined, key)).status).toBe(200)
  expect((await api.call('PATCH', POINTS, { caps: [] }, key)).status).toBe(403)
  expect((await api.call('POST', WALLETS, { slug: 'x' }, key)).status).toBe(403)
})

describe('a change', () => {
  const buy = (externalId: string, occurredAt: string) =>
    api.call('POST', '/v1/purchases', {
      program: 'coffee',
      externalId,
      member: 'external:ada',
      occurredAt,
      currency: 'GBP',
      items: [{ sku: 'BEANS', quantity: 1, amount: 1000 }],
    })
  const lotOf = async (externalId: string) => {
    const { data } = (await api.call('GET', '/v1/members/external:ada/entries')).body
    for (const { id, kind } of data) {
      const { source, lot } = (await api.call('GET', `/v1/entries/${id}`)).body
      if (kind === 'earn' && source.externalId === externalId) return lot
    }
  }

  test('holds for the next purchase, and not for what is there', async () => {
    const rule = { program: 'coffee', name: 'Ten', kind: 'fixed', args: { points: 10 } }
    expect((await api.call('POST', '/v1/earning-rules', rule)).status).toBe(201)
    const back = { pending: null, expiry: null, caps: null }
    expect((await api.call('PATCH', POINTS, back)).status).toBe(200)
    expect((await buy('T1', '2026-11-01T09:00:00Z')).body.points).toBe(10)
    const expiry = { kind: 'rolling', period: 'P50Y', roundUp: 'month' }
    expect((await api.call('PATCH', POINTS, { expiry })).status).toBe(200)
    expect((await buy('T2', '2026-11-01T09:00:00Z')).body.points).toBe(10)
    expect(await lotOf('T1')).toMatchObject({ expiresAt: null, remaining: 10 })
    expect(await lotOf('T2')).toMatchObject({ expiresAt: '2076-12-01T00:00:00.000Z', remaining: 10 })
    const wallets = (await api.call('GET', '/v1/members/external:ada/wallets')).body.data
    expect(wallets).toContainEqual(expect.objectContaining({ wallet: 'points', available: 20 }))
  })

  test('is told once, with what differs', async () => {
    const events: { type: string; data: unknown }[] = []
    for (let after = '0', more = true; more; ) {
      const { body } = await api.call('GET', `/v1/events?after=${after}&limit=100`)
      events.push(...body.data)
      after = body.next
      more = body.hasMore
    }
    const told = events.filter(({ type }) => type.startsWith('wallet.')).map(({ type, data }) => ({ type, data }))
    expect(told.slice(0, 2)).toEqual(
      ['stamps', 'credit'].map((wallet) => ({ type: 'wallet.created', data: { program: 'coffee', wallet } })),
    )
    expect(told.at(-1)).toEqual({
      type: 'wallet.changed',
      data: { program: 'coffee', wallet: 'points', fields: ['expiry'] },
    })
    expect(api.faults).toEqual([])
  })
})
