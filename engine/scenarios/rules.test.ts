import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatInstant, SECOND } from '@laurel/contract/instants'
import { createApi, type Api } from '../../server/api.ts'
import { acceptKey } from '../../server/keys.ts'
import { openDatabase } from '../../tests/database.ts'

/** A year of rules, through two API processes' worth of doors on one database: what one is told, the other obeys. */
const database = await openDatabase()
const KEY = 'lk_live_aScenarioKeyThatIsLongEnoughToBeTaken000'
const faults: unknown[] = []
const log = {
  error: (about: object) => {
    faults.push(about)
  },
  warn: () => {},
}
let one: Api
let two: Api

beforeAll(async () => {
  const owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
  await acceptKey(owner, KEY)
  await owner.end()
  one = await createApi({ pool: database.pool, rateLimit: 'off', log })
  two = await createApi({ pool: database.pool, rateLimit: 'off', log })
})
afterAll(async () => {
  await Promise.all([one.close(), two.close()])
})

async function call(
  api: Api,
  method: 'GET' | 'POST' | 'PATCH',
  url: string,
  body?: object,
  headers: Record<string, string> = {},
) {
  const response = await api.inject({
    method,
    url,
    headers: { authorization: `Bearer ${KEY}`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(body ? { payload: JSON.stringify(body) } : {}),
  })
  return { status: response.statusCode, body: response.json(), headers: response.headers }
}

const ago = (seconds: number) => formatInstant(Date.now() * 1000 - seconds * SECOND)
const items = [
  { sku: 'MUG', category: 'kitchen', quantity: 2, amount: 899 },
  { sku: 'SEEDS', category: 'garden', quantity: 5, amount: 335 },
]
const buy = (api: Api, externalId: string, more: object = {}) =>
  call(api, 'POST', '/v1/purchases', {
    program: 'coffee',
    externalId,
    member: 'external:ann',
    occurredAt: ago(0),
    currency: 'GBP',
    items,
    ...more,
  })

/** Filled by the story as it goes on. */
let point: string

test('a program and its first rule, as a draft: nobody earns, and the preview says why', async () => {
  const program = {
    slug: 'coffee',
    name: 'Coffee Club',
    timezone: 'Europe/London',
    currency: 'GBP',
    joinPolicy: 'on_first_purchase',
  }
  expect((await call(one, 'POST', '/v1/programs', program)).status).toBe(201)
  const made = await call(one, 'POST', '/v1/earning-rules', {
    program: 'coffee',
    name: 'A point a pound',
    kind: 'per_amount',
    args: { points: 1, per: 100 },
    status: 'draft',
  })
  expect(made).toMatchObject({
    status: 201,
    body: { status: 'draft', version: 1, program: 'coffee', wallet: 'points' },
  })
  point = made.body.id
  expect(await buy(two, 'T1')).toMatchObject({ status: 201, body: { points: 0, awards: [] } })
  expect(
    (await call(two, 'POST', '/v1/purchases/preview', { program: 'coffee', currency: 'GBP', items })).body,
  ).toEqual({
    points: 0,
    awards: [],
    rules: [
      {
        rule: point,
        name: 'A point a pound',
        version: 1,
        fired: false,
        points: 0,
        cause: 'draft',
        reason: 'the rule is a draft: it gives nothing before it is published',
      },
    ],
  })
})

test('published at one door, it gives at the other from the next request', async () => {
  expect((await call(one, 'POST', `/v1/earning-rules/${point}/publish`)).body.status).toBe('active')
  expect(await buy(two, 'T2', { occurredAt: ago(3600) })).toMatchObject({
    status: 201,
    body: {
      points: 12,
      awards: [{ rule: point, version: 1, wallet: 'points', points: 12, why: '1 point per 1.00 GBP on 12.34 GBP' }],
    },
  })
})

test('what the preview promises is what the purchase gives', async () => {
  for (const [kind, args] of [
    ['per_item', { points: 5, categories: ['garden'] }],
    ['fixed', { points: 3 }],
    ['multiplier', { factor: 1.5 }],
  ] as const) {
    expect((await call(two, 'POST', '/v1/earning-rules', { program: 'coffee', name: kind, kind, args })).status).toBe(
      201,
    )
  }
  const { body: promised } = await call(one, 'POST', '/v1/purchases/preview', {
    program: 'coffee',
    currency: 'GBP',
    items,
  })
  const { body: given } = await buy(one, 'T3')
  expect(given.awards).toEqual(promised.awards)
  expect([promised.points, given.points]).toEqual([60, 60])
  expect(promised.rules.map((r: { fired: boolean; points: number }) => [r.fired, r.points])).toEqual([
    [true, 12],
    [true, 25],
    [true, 3],
    [true, 20],
  ])
})

test('paused at one door, a rule is silent at the other from the next request; so is a program', async () => {
  await call(one, 'POST', `/v1/earning-rules/${point}/pause`)
  expect((await buy(two, 'T4')).body.points).toBe(42)
  await call(two, 'POST', `/v1/earning-rules/${point}/resume`)
  expect((await buy(one, 'T5')).body.points).toBe(60)

  expect((await call(two, 'POST', '/v1/programs/coffee/pause')).body.status).toBe('paused')
  expect(await buy(one, 'T6')).toMatchObject({ status: 409, body: { code: 'program_paused' } })
  expect(
    (await call(one, 'POST', '/v1/purchases/preview', { program: 'coffee', currency: 'GBP', items })).body.code,
  ).toBe('program_paused')
  await call(one, 'POST', '/v1/programs/coffee/resume')
  expect(await buy(two, 'T6')).toMatchObject({ status: 201, body: { points: 60 } })
})

test('a new version is for purchases from now on; a late one and a return go by the old', async () => {
  const { body } = await call(one, 'POST', `/v1/earning-rules/${point}/versions`, {
    args: { points: 10, per: 100 },
    name: 'Ten points a pound',
  })
  expect(body).toMatchObject({
    id: point,
    version: 2,
    name: 'Ten points a pound',
    versions: [{ version: 2 }, { version: 1 }],
  })
  const first = (answer: { body: { awards: { version: number; points: number }[] } }) =>
    answer.body.awards.filter((a) => a.points === 12 || a.points === 123).map((a) => a.version)
  expect(first(await buy(two, 'T7'))).toEqual([2])
  expect(first(await buy(two, 'T8', { occurredAt: ago(3600) }))).toEqual([1])

  // T2 earned 12 by version 1 and nothing else existed then: half of its mugs leave 7.84, that is 7 points.
  const returned = await call(two, 'POST', '/v1/returns', {
    program: 'coffee',
    member: 'external:ann',
    externalId: 'R1',
    occurredAt: ago(0),
    purchase: 'external:T2',
    items: [{ sku: 'MUG', quantity: 1 }],
  })
  expect(returned).toMatchObject({ status: 201, body: { points: 5 } })
  await call(one, 'POST', `/v1/earning-rules/${point}/archive`)
  const rest = await call(one, 'POST', '/v1/returns', {
    program: 'coffee',
    member: 'external:ann',
    externalId: 'R2',
    occurredAt: ago(0),
    purchase: 'external:T2',
    items: 'all',
  })
  expect(rest).toMatchObject({ status: 201, body: { points: 7 } })
})

test('changes are guarded, repeats are repeats, mistakes are named', async () => {
  const seen = await call(one, 'GET', '/v1/programs/coffee')
  const patch = (name: string) =>
    call(two, 'PATCH', '/v1/programs/coffee', { name }, { 'if-match': String(seen.headers.etag) })
  expect(await patch('Coffee & Cake')).toMatchObject({ status: 200, body: { name: 'Coffee & Cake' } })
  expect(await patch('Coffee & Tea')).toMatchObject({ status: 412, body: { code: 'etag_mismatch' } })

  const rule = { program: 'coffee', name: 'Once', kind: 'fixed', args: { points: 1 }, status: 'draft' }
  const [a, b] = [
    await call(one, 'POST', '/v1/earning-rules', rule, { 'idempotency-key': 'rule-1' }),
    await call(two, 'POST', '/v1/earning-rules', rule, { 'idempotency-key': 'rule-1' }),
  ]
  expect(b).toMatchObject({ status: 201, body: a.body, headers: { 'idempotent-replayed': 'true' } })

  const wrong = await call(one, 'POST', `/v1/earning-rules/${a.body.id}/versions`, { args: { points: 0, per: 100 } })
  expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
  expect(wrong.body.errors.map((e: { pointer: string }) => e.pointer).sort()).toEqual(['/args/per', '/args/points'])
  expect(await call(one, 'POST', `/v1/earning-rules/${point}/resume`)).toMatchObject({
    status: 409,
    body: { code: 'rule_state' },
  })
  expect(
    await call(one, 'POST', '/v1/programs', {
      slug: 'coffee',
      name: 'Again',
      timezone: 'UTC',
      currency: 'GBP',
      joinPolicy: 'explicit',
    }),
  ).toMatchObject({ status: 409, body: { code: 'already_exists' } })
})

test('and nothing of all that was a fault of ours', () => {
  expect(faults).toEqual([])
})
