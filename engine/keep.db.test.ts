import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../tests/api.ts'
import { openShop, type Shop } from '../tests/shop.ts'
import { withTx } from './base/db.ts'
import type { Ask } from './gate/asks.ts'
import { purgeUnclaimed } from './purge-unclaimed.ts'
import { verify } from './verify.ts'

/** Purchases without a member: kept, found, returned in part, claimed once, or too late. */
let shop: Shop
let api: TestApi
beforeAll(async () => {
  shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  await addKey(shop, shop.space, LIVE)
  api = await openApi(shop)
})
afterAll(() => api.close())

const AT = new Date(Date.now() - 3_600_000).toISOString()
const guest = (externalId: string, more: object = {}) => ({
  program: 'coffee',
  externalId,
  occurredAt: AT,
  currency: 'GBP',
  items: [
    { sku: 'beans', quantity: 4, amount: 4000 },
    { sku: 'cake', quantity: 1, amount: 350 },
  ],
  store: 'soho',
  metadata: { till: 3, lane: { z: 1, a: 2 } },
  ...more,
})
const post = (path: string, body: object, headers?: Record<string, string>) => api.call('POST', path, body, headers)
const keep = (externalId: string, more?: object) => post('/v1/purchases', guest(externalId, more))
const claim = (purchase: string, member: string) => post(`/v1/purchases/${purchase}/claim`, { member })
const back = (externalId: string, purchase: string, items: unknown, more: object = {}) =>
  post('/v1/returns', { program: 'coffee', externalId, occurredAt: AT, purchase, items, ...more })
const wrong = async () => (await verify(shop.pool, shop.space)).wrong
const kept = async () => Number((await shop.sql('select count(*) as n from unclaimed_purchases'))[0]?.n)

describe('a purchase without a member', () => {
  test('is kept as it was said, earns nothing yet, and is found by both of its names', async () => {
    const { status, body } = await keep('g-1')
    expect(status).toBe(201)
    expect(body).toMatchObject({ member: null, status: 'unclaimed', points: 0, awards: [], wallets: [], total: 4350 })
    for (const name of [body.id, 'external:g-1']) {
      const found = await api.call('GET', `/v1/purchases/${name}`)
      expect(found.body).toMatchObject({ id: body.id, member: null, status: 'unclaimed', store: 'soho', returned: [] })
    }
    expect(await wrong()).toBeUndefined()
  })

  test('twice is once; with other content it is refused', async () => {
    const first = await keep('g-2')
    expect(await keep('g-2')).toMatchObject({ status: 200, body: { id: first.body.id } })
    expect((await keep('g-2', { metadata: { lane: { a: 2, z: 1 }, till: 3 } })).status).toBe(200)
    expect((await keep('g-2', { store: 'camden' })).body.code).toBe('external_id_conflict')
    const key = { 'idempotency-key': 'once' }
    const kept = await post('/v1/purchases', guest('g-2b'), key)
    const again = await post('/v1/purchases', guest('g-2b'), key)
    expect([kept.text, again.headers.get('idempotent-replayed')]).toEqual([again.text, 'true'])
  })

  test('is refused where any purchase would be', async () => {
    expect((await keep('g-3', { currency: 'EUR' })).body.code).toBe('currency_mismatch')
    expect((await keep('g-3', { occurredAt: '1999-01-01T00:00:00Z' })).body.code).toBe('invalid_request')
    expect((await keep('g-3', { program: 'tea' })).body.code).toBe('program_unknown')
    const huge = { sku: 'x', quantity: 1, amount: Number.MAX_SAFE_INTEGER }
    expect((await keep('g-3', { items: [huge, { ...huge, sku: 'y' }] })).body.code).toBe('amount_out_of_range')
  })

  test('one external id is one purchase, whoever came first', async () => {
    await post('/v1/purchases', guest('g-4', { member: 'external:ann' }))
    expect(await keep('g-4')).toMatchObject({ status: 200, body: { status: 'recorded' } })
    expect((await keep('g-4', { store: 'camden' })).body.code).toBe('external_id_conflict')
  })

  test('fifty at once, beside one with a member, are one', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        i === 25 ? post('/v1/purchases', guest('g-5', { member: 'external:eve' })) : keep('g-5'),
      ),
    )
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect((await api.call('GET', '/v1/purchases/external:g-5')).body.status).toBe('recorded')
    expect(await wrong()).toBeUndefined()
  })

  test('goes in a batch like any other, in one list with who claims it', async () => {
    const { body } = await post('/v1/purchases/batch', {
      purchases: [guest('g-6'), guest('g-6', { member: 'external:bob' }), guest('g-6'), guest('g-7')],
    })
    expect(body.results.map((r: any) => [r.status, r.purchase?.status])).toEqual([
      [201, 'unclaimed'],
      [201, 'recorded'],
      [200, 'recorded'],
      [201, 'unclaimed'],
    ])
    expect(body.results[0].purchase.id).toBe(body.results[1].purchase.id)
    expect(await wrong()).toBeUndefined()
  })

  test('the list of them is newest first, in pages', async () => {
    const seen: string[] = []
    for (let after = ''; ; ) {
      const { body } = await api.call('GET', `/v1/purchases?status=unclaimed&program=coffee&limit=2${after}`)
      seen.push(...body.data.map((p: { externalId: string }) => p.externalId))
      if (body.next === null) break
      after = `&after=${body.next}`
    }
    expect(seen).toEqual(['g-7', 'g-2b', 'g-2', 'g-1'])
    expect((await api.call('GET', '/v1/purchases?status=unclaimed&after=nonsense')).body.code).toBe('invalid_cursor')
    expect((await api.call('GET', '/v1/purchases')).body.code).toBe('invalid_request')
    expect((await api.call('GET', '/v1/purchases?status=unclaimed&program=tea')).body.code).toBe('program_unknown')
  })
})

describe('a claim', () => {
  test('gives the purchase to the member, as of when it happened, booked now; twice is once', async () => {
    const { body: before } = await keep('c-1')
    const claimed = await claim(before.id, 'external:cleo')
    expect(claimed).toMatchObject({
      status: 201,
      body: {
        id: before.id,
        status: 'recorded',
        points: 43,
        occurredAt: before.occurredAt,
        recordedAt: before.recordedAt,
      },
    })
    expect(Date.parse(claimed.body.claimedAt)).toBeGreaterThan(Date.parse(before.occurredAt))
    expect(await claim('external:c-1', 'external:cleo')).toMatchObject({ status: 200, body: { points: 43 } })
    expect(await keep('c-1')).toMatchObject({ status: 200, body: { member: claimed.body.member, points: 43 } })
    expect((await claim('external:c-1', 'external:dora')).body.code).toBe('purchase_claimed')
    const [entry] = (await api.call('GET', '/v1/members/external:cleo/entries')).body.data
    expect(entry).toMatchObject({ occurredAt: before.occurredAt, source: { type: 'purchase', id: before.id } })
    expect(Date.parse(entry.bookedAt)).toBeGreaterThan(Date.parse(before.occurredAt))
    expect(await wrong()).toBeUndefined()
  })

  test('is also what the shop says when it sends the purchase again, with a member', async () => {
    const { body: before } = await keep('c-2')
    expect((await post('/v1/purchases', guest('c-2', { member: 'external:cleo', store: 'camden' }))).body.code).toBe(
      'external_id_conflict',
    )
    expect(await post('/v1/purchases', guest('c-2', { member: 'external:cleo' }))).toMatchObject({
      status: 201,
      body: { id: before.id, points: 43 },
    })
    expect((await post('/v1/purchases', guest('c-2', { member: 'external:dora' }))).body.code).toBe(
      'external_id_conflict',
    )
  })

  test('of what there is not, or by whom there is not, is refused and changes nothing', async () => {
    expect((await claim('external:nothing', 'external:cleo')).body.code).toBe('purchase_unknown')
    expect((await claim('pur_01kamq9c4vfttbr8p6q3zs1n7e', 'external:cleo')).body.code).toBe('purchase_unknown')
    await keep('c-3')
    const rows = await kept()
    expect((await claim('external:c-3', 'mem_01kamq9c4vfttbr8p6q3zs1n7e')).body.code).toBe('member_unknown')
    await api.call('POST', '/v1/members', { externalId: 'sue' })
    await api.call('PATCH', '/v1/members/external:sue', { status: 'suspended' })
    expect((await claim('external:c-3', 'external:sue')).body.code).toBe('member_suspended')
    await api.call('POST', '/v1/programs/coffee/pause')
    expect((await claim('external:c-3', 'external:cleo')).body.code).toBe('program_paused')
    await api.call('POST', '/v1/programs/coffee/resume')
    expect(await kept()).toBe(rows)
    expect(await claim('external:c-3', 'external:new-here')).toMatchObject({ status: 201, body: { points: 43 } })
  })

  test('is possible for as long as the program says; the shop’s own word always', async () => {
    for (const name of ['c-4', 'c-5', 'c-6']) await keep(name)
    await shop.sql(
      `update unclaimed_purchases set recorded_at = recorded_at - interval '30 days' where external_id in ('c-4', 'c-5')`,
    )
    await shop.sql(
      `update unclaimed_purchases set recorded_at = recorded_at - interval '29 days 23 hours' where external_id = 'c-6'`,
    )
    expect((await claim('external:c-4', 'external:cleo')).body.code).toBe('claim_expired')
    expect((await claim('external:c-6', 'external:cleo')).status).toBe(201)
    expect((await post('/v1/purchases', guest('c-5', { member: 'external:cleo' }))).status).toBe(201)
    await api.call('PATCH', '/v1/programs/coffee', { claimDays: null })
    expect((await claim('external:c-4', 'external:cleo')).status).toBe(201)
    expect((await api.call('PATCH', '/v1/programs/coffee', { claimDays: 30 })).body.claimDays).toBe(30)
  })
})

describe('what comes back of a purchase without a member', () => {
  test('lessens what can be claimed, and is the member’s return once claimed', async () => {
    await keep('r-1')
    const first = await back('ret-1', 'external:r-1', [{ sku: 'beans', quantity: 1 }])
    expect(first).toMatchObject({ status: 201, body: { member: null, points: 0, reversed: [], wallets: [] } })
    expect(first.body.lines).toEqual([
      { purchase: first.body.purchase, line: '1', sku: 'beans', quantity: 1, amount: 1000 },
    ])
    expect((await back('ret-1', 'external:r-1', [{ sku: 'beans', quantity: 1 }])).status).toBe(200)
    expect((await back('ret-1', first.body.purchase, [{ sku: 'beans', quantity: 1 }])).status).toBe(200)
    expect((await back('ret-1', 'external:r-1', [{ sku: 'beans', quantity: 2 }])).body.code).toBe(
      'external_id_conflict',
    )
    expect((await back('ret-2', 'external:r-1', [{ sku: 'beans', quantity: 4 }])).body.code).toBe(
      'return_exceeds_purchase',
    )
    const hers = { member: 'external:eve', purchase: 'external:g-5', items: [{ sku: 'cake', quantity: 1 }] }
    expect((await back('ret-1', hers.purchase, hers.items, { member: hers.member })).body.code).toBe(
      'external_id_conflict',
    )
    expect((await back('ret-1', 'external:g-5', hers.items)).body.code).toBe('external_id_conflict')
    expect((await api.call('GET', '/v1/purchases/external:r-1')).body.returned).toEqual([
      { line: '1', quantity: 1, amount: 1000 },
    ])
    expect(await wrong()).toBeUndefined()

    expect(await claim('external:r-1', 'external:rae')).toMatchObject({ status: 201, body: { points: 33 } })
    expect(await wrong()).toBeUndefined()
    expect(await back('ret-1', 'external:r-1', [{ sku: 'beans', quantity: 1 }])).toMatchObject({ status: 200 })
    const rest = await back('ret-3', 'external:r-1', 'all')
    expect(rest).toMatchObject({ status: 201, body: { points: 33, wallets: [{ available: 0 }] } })
    expect(rest.body.member).toMatch(/^mem_/)
    expect((await back('ret-4', 'external:r-1', 'all', { member: 'external:rae' })).body.code).toBe(
      'return_exceeds_purchase',
    )
    expect(await wrong()).toBeUndefined()
  })

  test('all of it leaves nothing to earn on', async () => {
    await keep('r-2')
    expect((await back('ret-5', 'external:r-2', 'all')).status).toBe(201)
    expect(await claim('external:r-2', 'external:rae')).toMatchObject({ status: 201, body: { points: 0, awards: [] } })
    expect(await wrong()).toBeUndefined()
  })

  test('needs a purchase that is named and there', async () => {
    expect((await back('ret-6', 'external:nothing', 'all')).body.code).toBe('purchase_unknown')
    expect((await back('ret-6', 'pur_01kamq9c4vfttbr8p6q3zs1n7e', 'all')).body.code).toBe('purchase_unknown')
    const body = { program: 'coffee', externalId: 'ret-6', occurredAt: AT, items: [{ sku: 'beans', quantity: 1 }] }
    expect((await post('/v1/returns', body)).body.errors).toEqual([
      { pointer: '/member', detail: 'is required without `purchase`' },
    ])
    await keep('r-3')
    expect((await back('ret-6', 'external:r-3', [{ quantity: 1 }])).body.code).toBe('invalid_request')
    expect((await back('ret-6', 'external:r-3', 'all', { member: 'external:rae' })).body.code).toBe('purchase_unknown')
  })
})

describe('purging', () => {
  test('takes away what can no longer be claimed, names and all, some at a time, and nothing else', async () => {
    const names = Array.from({ length: 7 }, (_, i) => `p-${i}`)
    for (const name of names) await keep(name)
    await back('p-ret', 'external:p-0', [{ sku: 'beans', quantity: 1 }])
    await shop.sql(
      `update unclaimed_purchases set recorded_at = recorded_at - interval '31 days' where external_id in ('p-0','p-1','p-2','p-3','p-4')`,
    )
    const rows = await kept()
    const purge = (limit: number) => withTx(shop.pool, shop.space, (tx) => purgeUnclaimed(tx, Date.now() * 1000, limit))
    expect([await purge(3), await purge(3), await purge(3)]).toEqual([3, 2, 0])
    expect(await kept()).toBe(rows - 5)
    expect((await api.call('GET', '/v1/purchases/external:p-0')).body.code).toBe('purchase_unknown')
    expect((await api.call('GET', '/v1/purchases/external:p-6')).status).toBe(200)
    expect(await wrong()).toBeUndefined()
    expect((await keep('p-0')).status).toBe(201)
    expect((await back('p-ret', 'external:p-0', [{ sku: 'beans', quantity: 1 }])).status).toBe(201)
  })

  test('while it is claimed, a purchase is either claimed or gone', async () => {
    for (let i = 0; i < 10; i++) {
      await keep(`pc-${i}`)
      await shop.sql(
        `update unclaimed_purchases set recorded_at = recorded_at - interval '31 days' where external_id = 'pc-${i}'`,
      )
      const [claimed] = await Promise.all([
        post('/v1/purchases', guest(`pc-${i}`, { member: 'external:cleo' })),
        withTx(shop.pool, shop.space, (tx) => purgeUnclaimed(tx, Date.now() * 1000, 100)),
      ])
      expect(claimed.status).toBe(201)
    }
    expect(await wrong()).toBeUndefined()
  })
})

describe('verify names', () => {
  const tampered: [string, string, RegExp][] = [
    [
      'content',
      "update unclaimed_purchases set store = 'camden'",
      /purchase pur_.*: its content is not what was recorded/,
    ],
    ['a total', 'update unclaimed_purchases set total = total + 1', /do not add up/],
    [
      'returned units',
      `update unclaimed_purchases set returned = replace(returned, '"units":[1', '"units":[3')`,
      /returned units are not what its returns say/,
    ],
    ['a return', `update unclaimed_purchases set returned = replace(returned, 'all', 'one')`, /return ret_.*content/],
    [
      'a name that is gone',
      'delete from lookups where key = (select key from unclaimed_purchases)',
      /does not lead to it/,
    ],
    [
      'a name that is a member’s',
      'update lookups set member_id = (select member_id from members limit 1) where key = (select key from unclaimed_purchases)',
      /does not lead to it/,
    ],
    ['a row that is gone', 'delete from unclaimed_purchases', /what it leads to is not stored/],
  ]
  test.each(tampered)('%s', async (_, sql, told) => {
    const other = await openShop()
    const submit = async (ask: Ask) => JSON.parse((await other.gate.submit(other.space, ask)).body)
    await other.buy('claimed', 'external:ann', 500)
    const items = [{ sku: 'beans', quantity: 1, amount: 500 }]
    const occurredAt = Date.now() * 1000
    await submit({ verb: 'keep', program: 'coffee', externalId: 'v', occurredAt, currency: 'GBP', items })
    await submit({
      verb: 'return',
      program: 'coffee',
      externalId: 'vr',
      occurredAt,
      purchase: 'external:v',
      items: 'all',
    })
    expect(await verify(other.pool, other.space)).toMatchObject({ unclaimed: 1 })
    expect((await verify(other.pool, other.space)).wrong).toBeUndefined()
    await other.sql(sql)
    expect((await verify(other.pool, other.space)).wrong?.what).toMatch(told)
  })

  test.each<[string, RegExp]>([
    [`update purchases set claimed = replace(claimed, '"units":[1', '"units":[2')`, /more had come back before/],
    [`update purchases set claimed = replace(claimed, '"units":[1', '"units":[0')`, /its rules give other awards/],
    [`update purchases set claimed = replace(claimed, '"at":1', '"at":2')`, /its awards are not what its entries gave/],
  ])('a claim that was altered: %s', async (sql, told) => {
    const other = await openShop()
    await other.rule('per_amount', { points: 1, per: 100 })
    const items = [{ sku: 'beans', quantity: 5, amount: 500 }]
    const sale = { program: 'coffee', externalId: 'v', occurredAt: Date.now() * 1000, currency: 'GBP', items }
    const submit = async (ask: Ask) => JSON.parse((await other.gate.submit(other.space, ask)).body)
    await submit({ verb: 'keep', ...sale })
    const one = [{ sku: 'beans', quantity: 1 }]
    await submit({ ...sale, verb: 'return', externalId: 'vr', purchase: 'external:v', items: one })
    expect((await submit({ verb: 'purchase', member: 'external:ann', ...sale })).points).toBe(4)
    expect((await verify(other.pool, other.space)).wrong).toBeUndefined()
    await other.sql(sql)
    expect((await verify(other.pool, other.space)).wrong?.what).toMatch(told)
  })
})
