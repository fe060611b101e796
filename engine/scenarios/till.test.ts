import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { verify } from '../verify.ts'

/** A till: who is it, and what it did while its line was down. */
const database = await openDatabase()
const { pool, space } = database
const START = Date.parse('2026-03-01T12:00:00Z')
const MINUTE = 60_000
let api: TestApi
let clock = START

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(START)
  await addKey(database, space, LIVE)
  api = await openApi(database, { secret: 's'.repeat(32) })
  const program = { timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'on_first_purchase' }
  const pound = { name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
  for (const slug of ['coffee', 'tea']) {
    await post('/v1/programs', { slug, name: slug, ...program })
    await post('/v1/earning-rules', { program: slug, ...pound })
  }
  const pays = { points: 1, amount: 100 }
  await api.call('PATCH', '/v1/programs/coffee/wallets/points', { pays })
})
afterAll(async () => {
  await api.close()
  expect((await verify(pool, space)).wrong).toBeUndefined()
  vi.useRealTimers()
  expect(api.faults).toEqual([])
})

const post = (path: string, body?: unknown, headers?: Record<string, string>) => api.call('POST', path, body, headers)
const get = (path: string) => api.call('GET', path)
const after = (ms: number) => vi.setSystemTime((clock += ms))
let n = 0
/** Somebody new, who bought for so many pounds. */
async function buyer(pounds: number, profile: object = {}): Promise<string> {
  const { body } = await post('/v1/members', { externalId: `m-${++n}`, ...profile })
  if (pounds > 0) expect((await post('/v1/purchases', sale(`first-${n}`, body.id, pounds))).status).toBe(201)
  return body.id
}
const sale = (externalId: string, member: string, pounds: number, ago = 0) => ({
  program: 'coffee',
  externalId,
  member,
  occurredAt: new Date(clock - ago).toISOString(),
  currency: 'GBP',
  items: [{ sku: 'BEANS', quantity: 1, amount: pounds * 100 }],
})
const code = (told: { status: number; body: any }) => told.body.code ?? told.status
const points = async (member: string) => (await get(`/v1/members/${member}/wallets`)).body.data[0].available
const identify = (body: object) => post('/v1/till/identify', body)

describe('identify', () => {
  test('by card, e-mail or phone: what a till shows, and of the person initials only', async () => {
    const profile = { email: 'ada@example.com', phone: '+44 20 7946 0456', name: 'ada  Byron King Lovelace' }
    const member = await buyer(25, profile)
    const { body: card } = await post(`/v1/members/${member}/card`, {})
    const told = await identify({ card: card.code })
    expect(told.body).toEqual({
      member,
      externalId: `m-${n}`,
      initials: 'A. B. K.',
      status: 'active',
      wallets: [
        expect.objectContaining({ program: 'coffee', wallet: 'points', available: 25 }),
        expect.objectContaining({ program: 'tea', wallet: 'points', available: 0 }),
      ],
      tiers: [],
      offers: 0,
    })
    expect(told.text).not.toMatch(/ada@|7946|Lovelace/)
    expect((await identify({ email: 'ADA@example.com' })).body).toEqual(told.body)
    expect((await identify({ phone: '+442079460456', program: 'coffee' })).body.wallets).toHaveLength(1)
  })

  test('tells what member it is, what tier it holds and how many rewards it could redeem', async () => {
    const wallet = 'points'
    const said = { program: 'coffee', slug: 'status', name: 'Status', metric: { kind: 'earned', wallet } }
    const ladder = await post('/v1/tier-ladders', {
      ...said,
      window: { kind: 'lifetime' },
      upgrade: 'at_once',
      downgrade: 'none',
      tiers: [
        { slug: 'base', name: 'Base', threshold: 0 },
        { slug: 'gold', name: 'Gold', threshold: 50 },
      ],
    })
    expect(ladder.status).toBe(201)
    const reward = { program: 'coffee', slug: 'mug', name: 'Mug', kind: 'product', price: { points: 60 } }
    const made = await post('/v1/rewards', { ...reward, status: 'active' })
    expect(made.status).toBe(201)
    const member = await buyer(100)
    const { body } = await post(`/v1/members/${member}/card`, {})
    const told = (await identify({ card: body.code, program: 'coffee' })).body
    expect(told.tiers).toEqual([{ program: 'coffee', ladder: 'status', tier: 'gold' }])
    const offers = (await get(`/v1/members/${member}/offers?can=true`)).body.data
    expect([told.offers, offers.length]).toEqual([offers.length, 1])
  })

  test('refuses what is nobody, blocked, stale or said twice', async () => {
    const member = await buyer(0)
    const { body: card } = await post(`/v1/members/${member}/card`, { rotating: true })
    const { payload } = (await get(`/v1/members/${member}/card`)).body.face
    expect((await identify({ card: payload })).body.member).toBe(member)
    expect(code(await identify({ card: card.code }))).toBe('card_code_stale')
    after(2 * MINUTE)
    expect(code(await identify({ card: payload }))).toBe('card_code_stale')
    await post(`/v1/cards/${card.code}/block`, { reason: 'lost' })
    const last = card.code.at(-1) === '0' ? '1' : '0'
    const tries: [object, string][] = [
      [{ card: card.code }, 'card_blocked'],
      [{ card: `${card.code.slice(0, -1)}${last}` }, 'code_mistyped'],
      [{ card: '4006381333931' }, 'card_unknown'],
      [{ email: 'nobody@example.com' }, 'member_unknown'],
      [{ phone: 'not a number' }, 'member_unknown'],
      [{ phone: '+441632960000', program: 'cocoa' }, 'program_unknown'],
      [{}, 'invalid_request'],
      [{ card: card.code, email: 'a@b.example' }, 'invalid_request'],
    ]
    for (const [body, why] of tries) expect(code(await identify(body))).toBe(why)
  })
})

const queue = async (items: unknown[]) => {
  const { status, body } = await post('/v1/till/queue', { items })
  expect(status).toBe(200)
  expect(body.results).toHaveLength(items.length)
  return body.results as { type: string; status: number; result?: any; error?: any; again?: boolean }[]
}
const reserve = async (member: string, externalId: string, pounds: number) =>
  (
    await post('/v1/checkouts', {
      program: 'coffee',
      member,
      externalId,
      order: { currency: 'GBP', items: [{ sku: 'BEANS', quantity: 1, amount: pounds * 100 }] },
      points: { points: 'max' },
    })
  ).body

/** A day of a till: what it did, with its own ids. Two checkouts of 10 points each, one of which was voided after it was paid. */
async function day(name: string): Promise<{ member: string; items: Record<string, unknown>[] }> {
  const member = await buyer(100)
  const [paid, gone] = [await reserve(member, `${name}-c1`, 10), await reserve(member, `${name}-c2`, 10)]
  const items = [
    { type: 'purchase', ...sale(`${name}-1`, member, 30, 3 * MINUTE) },
    { type: 'purchase', ...sale(`${name}-2`, member, 20, 2 * MINUTE) },
    {
      type: 'return',
      program: 'coffee',
      externalId: `${name}-3`,
      member,
      occurredAt: new Date(clock - MINUTE).toISOString(),
      purchase: `external:${name}-2`,
      items: 'all',
    },
    { type: 'spend', member, program: 'coffee', wallet: 'points', points: 105, reason: 'mug', externalId: `${name}-4` },
    { type: 'checkout_commit', checkout: paid.id, occurredAt: new Date(clock - MINUTE).toISOString() },
    { type: 'checkout_commit', checkout: gone.id },
    { type: 'checkout_void', checkout: `external:${name}-c2` },
  ]
  return { member, items }
}

describe('a queue', () => {
  test('comes in any order, and again: the same is done, once, and said', async () => {
    const told: unknown[] = []
    for (let round = 0; round < 12; round++) {
      const name = `q${round}`
      const { member, items } = await day(name)
      const order = items
        .map((_, i) => i)
        .toSorted((a, b) => ((a * 7919 + round * 104_729) % 31) - ((b * 7919 + round * 104_729) % 31))
      const first = await queue(order.map((i) => items[i]))
      const sorted = (results: typeof first) => items.map((_, i) => results[order.indexOf(i)] as (typeof first)[number])
      told.push(sorted(first).map(({ status, error }) => error?.code ?? status))
      // 100 − 10 paid + 30 + 20 − 20 + 0 (the ten pounds were paid with points) − 105
      expect(await points(member)).toBe(15)
      const again = sorted(await queue(order.toReversed().map((i) => items[i])).then((all) => all.toReversed()))
      for (const [i, { status, result, error }] of sorted(first).entries()) {
        expect(again[i]?.status).toBe(status === 201 ? 200 : status)
        expect(again[i]?.error?.code).toBe(error?.code)
        expect(again[i]?.result?.id).toBe(result?.id)
      }
      expect(await points(member)).toBe(15)
    }
    expect(new Set(told.map((one) => JSON.stringify(one)))).toEqual(
      new Set([JSON.stringify([201, 201, 201, 201, 200, 'checkout_closed', 200])]),
    )
  })

  test('that is cut anywhere comes to the same, but for a commit that came before its void: that stays', async () => {
    for (let cut = 1; cut < 7; cut++) {
      const { member, items } = await day(`cut${cut}`)
      await queue(items.slice(0, cut))
      const told = await queue(items)
      const late = cut === 6
      expect([cut, await points(member)]).toEqual([cut, late ? 5 : 15])
      expect(told.slice(5).map(({ status }) => status)).toEqual(late ? [200, 409] : [409, 200])
    }
  })

  test('is decided as it happened, though a checkout has to be looked up first', async () => {
    const member = await buyer(0)
    await post('/v1/checkouts', {
      program: 'coffee',
      member,
      externalId: 'between',
      order: { currency: 'GBP', items: [{ sku: 'BEANS', quantity: 1, amount: 2000 }] },
    })
    after(10 * MINUTE)
    const paid = { checkout: 'external:between', occurredAt: new Date(clock - 2 * MINUTE).toISOString() }
    await queue([
      { type: 'purchase', ...sale('between-3', member, 30, MINUTE) },
      { type: 'purchase', ...sale('between-1', member, 10, 3 * MINUTE) },
      { type: 'checkout_commit', ...paid },
    ])
    const entries = (await get(`/v1/members/${member}/entries`)).body.data
    expect(entries.map((entry: { points: number }) => entry.points).toReversed()).toEqual([10, 20, 30])
  })

  test('that is sent by several connections at once is done once', async () => {
    const { member, items } = await day('many')
    const told = await Promise.all(Array.from({ length: 6 }, () => queue(items)))
    expect(await points(member)).toBe(15)
    const ids = items.map(
      (_, i) => new Set(told.map((results) => results[i]?.result?.id ?? results[i]?.error.code)).size,
    )
    expect(ids).toEqual(items.map(() => 1))
    expect(items.map((_, i) => told.filter((results) => results[i]?.status === 201).length)).toEqual([
      1, 1, 1, 1, 0, 0, 0,
    ])
  })

  test('says what should come again: what it names has not come yet', async () => {
    const member = await buyer(10)
    const back = {
      type: 'return',
      program: 'coffee',
      externalId: 'late-r',
      member,
      occurredAt: new Date(clock).toISOString(),
      purchase: 'external:late-p',
      items: 'all',
    }
    const commit = { type: 'checkout_commit', checkout: 'external:late-c' }
    const rollBack = { type: 'roll_back_vouchers', redemption: 'external:late-v', externalId: 'late-b' }
    const first = await queue([back, commit, rollBack])
    expect(first.map(({ error, again }) => [error.code, again])).toEqual([
      ['purchase_unknown', true],
      ['checkout_unknown', true],
      ['redemption_unknown', true],
    ])
    const then = await queue([back, { type: 'purchase', ...sale('late-p', member, 5) }])
    expect(then.map(({ status }) => status)).toEqual([201, 201])
  })

  test('redeems vouchers and rolls them back', async () => {
    const value = { kind: 'amount', amount: 500 }
    const voucher = (await post('/v1/vouchers', { program: 'coffee', code: 'OFFLINE', value })).body
    const redeem = {
      type: 'redeem_vouchers',
      program: 'coffee',
      codes: [voucher.code],
      order: { currency: 'GBP', items: [{ sku: 'BEANS', quantity: 1, amount: 1000 }] },
      externalId: 'v-1',
    }
    const back = { type: 'roll_back_vouchers', redemption: 'external:v-1', externalId: 'v-2', reason: 'changed mind' }
    const first = await queue([back, redeem])
    expect(first.map(({ status }) => status)).toEqual([200, 201])
    expect((await queue([redeem, back])).map(({ status }) => status)).toEqual([200, 200])
    expect((await get(`/v1/vouchers/${voucher.id}`)).body.uses).toMatchObject({ used: 0 })
  })

  test('takes what is wrong with one item as its own', async () => {
    const member = await buyer(10)
    const good = { type: 'purchase', ...sale('good', member, 5) }
    const { externalId: _, ...nameless } = sale('none', member, 5)
    const told = await queue([
      good,
      { ...good, currency: 'EUR', externalId: 'other' },
      { type: 'purchase', ...nameless },
      { type: 'dance' },
      null,
      { type: 'spend', member, program: 'coffee', wallet: 'points', points: 1, reason: 'no id' },
      { type: 'purchase', ...sale('blocked', 'card:4006381333931', 5) },
      { type: 'checkout_void', checkout: 'nothing' },
    ])
    expect(told.map(({ status, error }) => error?.code ?? status)).toEqual([
      201,
      'currency_mismatch',
      'invalid_request',
      'invalid_request',
      'invalid_request',
      'invalid_request',
      'card_unknown',
      'invalid_request',
    ])
    expect(told[2]?.error.errors[0].pointer).toBe('/externalId')
    expect(code(await post('/v1/till/queue', { items: [] }))).toBe('invalid_request')
    expect(code(await post('/v1/till/queue', { items: Array(501).fill(good) }))).toBe('invalid_request')
  })

  test('with an Idempotency-Key answers word for word', async () => {
    const member = await buyer(10)
    const items = [{ type: 'purchase', ...sale('word', member, 5) }]
    const headers = { 'idempotency-key': 'queue-1' }
    const first = await post('/v1/till/queue', { items }, headers)
    expect((await post('/v1/till/queue', { items }, headers)).text).toBe(first.text)
  })

  test('of a rotating card: what it showed when it was scanned counts', async () => {
    const member = await buyer(0)
    await post(`/v1/members/${member}/card`, { rotating: true })
    const { payload } = (await get(`/v1/members/${member}/card`)).body.face
    const item = { type: 'purchase', ...sale('offline-card', `card:${payload}`, 5) }
    after(60 * MINUTE)
    expect((await queue([item]))[0]?.status).toBe(201)
    after(24 * 60 * MINUTE)
    expect((await queue([item]))[0]?.status).toBe(200)
  })
})

test('a till’s key does what a till does, and nothing beside', async () => {
  const key = 'lk_live_ofATillForTestsOnly00000000000000000000'
  await addKey(database, space, key, ['till:read', 'till:write'])
  const member = await buyer(50, { email: 'till@example.com' })
  const items = [{ sku: 'BEANS', quantity: 1, amount: 1000 }]
  const order = { program: 'coffee', member, order: { currency: 'GBP', items }, points: { points: 1 } }
  const asked: [string, object, number][] = [
    ['/v1/till/identify', { email: 'till@example.com' }, 200],
    ['/v1/checkouts/preview', order, 200],
    ['/v1/checkouts', { ...order, externalId: 'till-key' }, 201],
    ['/v1/checkouts/external:till-key/commit', {}, 200],
    ['/v1/till/queue', { items: [{ type: 'purchase', ...sale('till-key-2', member, 1) }] }, 200],
    ['/v1/purchases', sale('till-key-3', member, 1), 403],
    [`/v1/members/${member}/refunds`, {}, 403],
    ['/v1/vouchers/redemptions/external:till-key/roll-back', {}, 403],
  ]
  for (const [path, body, status] of asked)
    expect([path, (await post(path, body, { authorization: `Bearer ${key}` })).status]).toEqual([path, status])
})
