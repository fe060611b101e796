import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { verify } from '../verify.ts'

/** Two people in an office: one corrects balances, the other looks at what is large. */
const database = await openDatabase()
const MANAGER = 'lk_live_theManager000000000000000000000000000000'
const manager = { authorization: `Bearer ${MANAGER}` }
let api: TestApi

beforeAll(async () => {
  await addKey(database, database.space, LIVE)
  await addKey(database, database.space, MANAGER, ['points:read', 'points:write'])
  api = await openApi(database)
  const program = {
    slug: 'coffee',
    name: 'Coffee Club',
    timezone: 'Europe/London',
    currency: 'GBP',
    joinPolicy: 'explicit',
  }
  await api.call('POST', '/v1/programs', program)
  await api.call('PATCH', '/v1/programs/coffee/wallets/points', { adjustmentLimit: 1000 })
  await api.call('POST', '/v1/members', { externalId: 'ada' })
})
afterAll(() => api.close())

const adjust = (points: number, more: object = {}, headers: Record<string, string> = {}) =>
  api.call(
    'POST',
    '/v1/members/external:ada/adjust',
    { wallet: 'points', points, reason: 'Sorry about the wait', ...more },
    headers,
  )
const decide = (id: string, way: string, headers = {}) =>
  api.call('POST', `/v1/adjustments/${id}/${way}`, { reason: 'I was there' }, headers)
const available = async () => (await api.call('GET', '/v1/members/external:ada/wallets')).body.data[0]?.available

test('the guide: every request that it shows is answered as it says', async () => {
  await api.call('POST', '/v1/members', { externalId: 'guide' })
  const guide = readFileSync(new URL('../../docs/guides/adjustments.md', import.meta.url), 'utf8')
  const blocks = [...guide.matchAll(/```json (\w+) (\d+)\n([\s\S]*?)\n```/g)]
  let last = ''
  for (const [, what, status, json] of blocks) {
    const told =
      what === 'adjust'
        ? await api.call('POST', '/v1/members/external:guide/adjust', json)
        : what === 'limit'
          ? await api.call('PATCH', '/v1/programs/coffee/wallets/points', json)
          : await api.call('POST', `/v1/adjustments/${last}/approve`, json, manager)
    expect([json, told.status]).toEqual([json, Number(status)])
    last = told.body.id
  }
  expect(blocks).toHaveLength(4)
  const { data } = (await api.call('GET', '/v1/members/external:guide/wallets')).body
  expect(data).toMatchObject([{ available: 5050, lifetimeAdjusted: 5050 }])
})

test('small corrections are made at once, large ones are asked for', async () => {
  const small = await adjust(1000, { code: 'goodwill' })
  expect([small.status, small.body.code, small.body.entries.length]).toEqual([201, 'goodwill', 1])
  const large = await adjust(1001)
  expect([large.status, large.body.status, large.body.entries]).toEqual([202, 'waiting', []])
  expect(await available()).toBe(1000)
  const { data } = (await api.call('GET', '/v1/adjustments?status=waiting')).body
  expect(data).toMatchObject([{ id: large.body.id, status: 'waiting', requestedBy: expect.stringMatching(/^key_/) }])
  expect(data[0].decidedBy).toBeNull()
})

test('the same request with its Idempotency-Key asks once', async () => {
  const key = { 'idempotency-key': 'ask-1' }
  const [first, again] = [await adjust(5000, {}, key), await adjust(5000, {}, key)]
  expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([202, first.text, 'true'])
  expect((await decide(first.body.id, 'reject')).body).toMatchObject({ status: 'rejected', points: 5000 })
})

test('another key approves, once, whatever comes together', async () => {
  const [waiting] = (await api.call('GET', '/v1/adjustments?status=waiting', undefined, manager)).body.data
  expect((await decide(waiting.id, 'approve')).body.code).toBe('same_key')
  const answers = await Promise.all(Array.from({ length: 10 }, () => decide(waiting.id, 'approve', manager)))
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
  expect(await available()).toBe(2001)
  expect((await decide(waiting.id, 'reject', manager)).body.code).toBe('adjustment_decided')
  expect((await decide('adj_00000000000000000000000000', 'approve', manager)).body.code).toBe('adjustment_unknown')
})

test('each is told of, and listed by what became of it', async () => {
  const ada = (await api.call('GET', '/v1/members/external:ada')).body.id
  const { data } = (await api.call('GET', '/v1/events?limit=100')).body
  const told = data
    .filter(({ type, member }: { type: string; member: string }) => type.startsWith('adjustment.') && member === ada)
    .map(({ type, data: { points, decision } }: { type: string; data: { points: number; decision?: string } }) => [
      type,
      points,
      decision,
    ])
  expect(told).toEqual([
    ['adjustment.requested', 1001, undefined],
    ['adjustment.requested', 5000, undefined],
    ['adjustment.rejected', 5000, 'I was there'],
    ['adjustment.approved', 1001, 'I was there'],
  ])
  const statuses = async (query: string) =>
    (await api.call('GET', `/v1/adjustments?member=external:ada${query}`)).body.data.map(
      ({ status }: { status: string }) => status,
    )
  expect(await statuses('')).toEqual(['rejected', 'approved', 'booked'])
  expect(await statuses('&status=booked')).toEqual(['booked'])
  const page = (await api.call('GET', '/v1/adjustments?member=external:ada&limit=1')).body
  expect(await statuses(`&after=${page.next}`)).toEqual(['approved', 'booked'])
  expect((await api.call('GET', '/v1/adjustments?member=external:nobody')).body.code).toBe('member_unknown')
  expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
  expect(api.faults).toEqual([])
})
