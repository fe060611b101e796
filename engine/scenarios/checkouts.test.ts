import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { decodeId } from '../../contract/ids.ts'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { verify } from '../verify.ts'

/** Orders that are paid partly with points and vouchers, with the clock moved by hand. */
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
  api = await openApi(database)
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP' }
  await post('/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
  const pound = { program: 'coffee', name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
  await post('/v1/earning-rules', pound)
  await settings({ pays: { points: 10, amount: 100, maxPercent: 50 } })
  await post('/v1/programs/coffee/wallets', { slug: 'cash', unit: 'money', pays: { points: 1, amount: 1 } })
})
afterAll(async () => {
  await api.close()
  expect((await verify(pool, space)).wrong).toBeUndefined()
  vi.useRealTimers()
  expect(api.faults).toEqual([])
})
beforeEach(() => after(1440 * MINUTE))

const post = (path: string, body?: unknown, headers?: Record<string, string>) => api.call('POST', path, body, headers)
const get = (path: string) => api.call('GET', path)
const after = (ms: number) => vi.setSystemTime((clock += ms))
async function settings(patch: object): Promise<void> {
  expect((await api.call('PATCH', '/v1/programs/coffee/wallets/points', patch)).status).toBe(200)
}
let n = 0
/** Someone who has so many points. */
async function rich(points: number): Promise<string> {
  const { body } = await post('/v1/members', { externalId: `m-${++n}` })
  const { status } = await give(body.id, 'points', points)
  expect(status).toBe(201)
  return body.id
}
const give = (member: string, wallet: string, points: number) =>
  post(`/v1/members/${member}/adjust`, { program: 'coffee', wallet, points, reason: 'to begin with' })
const items = (...amounts: number[]) => amounts.map((amount, i) => ({ sku: `SKU-${i}`, quantity: 1, amount }))
const order = (...amounts: number[]) => ({ currency: 'GBP', items: items(...amounts) })
const asked = (member: string, amounts: number[], more: object = {}) => ({
  program: 'coffee',
  member,
  order: order(...amounts),
  points: { points: 'max' },
  externalId: `o-${++n}`,
  ...more,
})
async function voucher(value: object, more: object = {}): Promise<string> {
  const told = await post('/v1/vouchers', { program: 'coffee', code: `V-${++n}`, value, uses: { total: 1 }, ...more })
  expect(told.status).toBe(201)
  return told.body.code
}
const code = (told: { status: number; body: any }) => told.body.code ?? told.status
const points = async (member: string) => (await get(`/v1/members/${member}/wallets`)).body.data[0]

describe('an order paid with points', () => {
  test('is previewed, reserved and committed, all at once and once', async () => {
    const member = await rich(1000)
    const said = asked(member, [3000, 2000])
    const { externalId, ...previewed } = said
    const preview = (await post('/v1/checkouts/preview', previewed)).body
    const totals = { amount: 5000, discount: 0, gift: 0, points: 2500, toPay: 2500 }
    expect(preview).toMatchObject({ valid: true, member, totals, earns: [{ wallet: 'points', points: 25 }] })
    expect(preview.points).toEqual([{ wallet: 'points', points: 250, amount: 2500 }])
    expect(preview.lines.map((line: { points: number }) => line.points)).toEqual([1500, 1000])
    expect(await points(member)).toMatchObject({ available: 1000, held: 0 })

    const reserved = await post('/v1/checkouts', said)
    expect([reserved.status, reserved.body.status]).toEqual([201, 'reserved'])
    expect(reserved.body).toMatchObject({ totals, points: preview.points, lines: preview.lines, purchase: null })
    expect(reserved.body.wallets[0]).toMatchObject({ available: 750, held: 250 })
    const again = await post('/v1/checkouts', said)
    expect([again.status, again.body]).toEqual([200, reserved.body])
    expect((await get(`/v1/checkouts/external:${externalId}`)).body).toMatchObject({ id: reserved.body.id, totals })

    const path = `/v1/checkouts/${reserved.body.id}/commit`
    const committed = await post(path, {})
    expect(committed.body).toMatchObject({
      status: 'committed',
      earned: [{ wallet: 'points', points: 25 }],
      wallets: [{ available: 775, held: 0, lifetimeSpent: 250 }, {}],
    })
    after(MINUTE)
    const twice = await post(path, {})
    expect([twice.status, twice.body]).toEqual([200, committed.body])
    expect((await post('/v1/checkouts', said)).body.status).toBe('committed')
    const purchase = (await get(`/v1/purchases/external:${externalId}`)).body
    expect(purchase).toMatchObject({ id: committed.body.purchase, total: 2500, points: 25 })
    expect(purchase.items.map((item: { amount: number }) => item.amount)).toEqual([1500, 1000])
    const told = await events(member)
    expect(told.slice(-5)).toEqual([
      'checkout.reserved',
      'points.captured',
      'purchase.recorded',
      'points.earned',
      'checkout.committed',
    ])
  })

  test('by several wallets, in the order in which they are said', async () => {
    const member = await rich(1000)
    await give(member, 'cash', 700)
    const said = asked(member, [2000], { points: { cash: 'max', points: 30 } })
    const { body } = await post('/v1/checkouts', said)
    expect(body.points).toEqual([
      { wallet: 'cash', points: 700, amount: 700 },
      { wallet: 'points', points: 30, amount: 300 },
    ])
    expect(body.totals).toMatchObject({ points: 1000, toPay: 1000 })
    const { wallets } = (await post(`/v1/checkouts/${body.id}/commit`, {})).body
    expect(wallets.map((w: { available: number }) => w.available)).toEqual([980, 0])
  })

  test('is paid by what the lots that end soonest hold, though they end before it is committed', async () => {
    await settings({ expiry: { kind: 'rolling', period: 'P1D' } })
    const { body: bought } = await post('/v1/purchases', {
      program: 'coffee',
      externalId: `b-${++n}`,
      member: `external:late-${n}`,
      occurredAt: new Date(clock).toISOString(),
      currency: 'GBP',
      items: items(20_000),
    })
    after(1440 * MINUTE - 5 * MINUTE)
    const { body } = await post('/v1/checkouts', asked(bought.member, [1000]))
    expect(body.points).toEqual([{ wallet: 'points', points: 50, amount: 500 }])
    after(10 * MINUTE)
    const committed = await post(`/v1/checkouts/${body.id}/commit`, {})
    expect([committed.status, committed.body.wallets[0].lifetimeSpent]).toEqual([200, 50])
    await settings({ expiry: null })
  })

  test('by a card, at the till', async () => {
    const member = await rich(100)
    const { body: card } = await post(`/v1/members/${member}/card`, {})
    const said = asked(`card:${card.code}`, [1000])
    const { body } = await post('/v1/checkouts', said)
    expect(body).toMatchObject({ member, totals: { points: 500, toPay: 500 } })
    await post(`/v1/cards/${card.code}/block`, { reason: 'lost' })
    expect((await post('/v1/checkouts', said)).status).toBe(200) // it is there already
    expect(code(await post('/v1/checkouts', { ...said, externalId: 'other' }))).toBe('card_blocked')
    expect((await post(`/v1/checkouts/${body.id}/void`)).body.status).toBe('voided')
  })
})

describe('vouchers', () => {
  test('go off first, gift cards pay, points pay the rest within their share; all is redeemed with the purchase', async () => {
    const member = await rich(1000)
    const [off, gift] = [await voucher({ kind: 'percent', percent: 10 }), await voucher({ kind: 'gift', balance: 500 })]
    const said = asked(member, [1000, 3000], { vouchers: [gift, off] })
    const totals = { amount: 4000, discount: 400, gift: 500, points: 1800, toPay: 1300 }
    const { body } = await post('/v1/checkouts', said)
    expect(body).toMatchObject({ totals, hold: expect.any(String) })
    expect(body.vouchers.map((one: { discount: number }) => one.discount)).toEqual([500, 400])
    const elsewhere = asked(member, [1000], { vouchers: [off], points: {} })
    expect(code(await post('/v1/checkouts', elsewhere))).toBe('voucher_locked')
    const committed = (await post(`/v1/checkouts/${body.id}/commit`, {})).body
    expect(committed).toMatchObject({ status: 'committed', totals })
    // What a gift card pays was paid for once: it earns. What points pay and vouchers take off does not.
    expect(committed.earned).toEqual([{ wallet: 'points', points: 18 }])
    expect(code(await post('/v1/checkouts', elsewhere))).toBe('voucher_used_up')
    const listed = (await get(`/v1/vouchers?program=coffee&code=${gift}`)).body.data
    expect(listed[0]).toMatchObject({ balance: 0, status: 'used_up' })
    const told = await events(member)
    expect(told.filter((type) => type === 'purchase.recorded')).toHaveLength(1)
  })

  test('are free again when it is voided, and when it lapses', async () => {
    const member = await rich(100)
    const off = await voucher({ kind: 'amount', amount: 100 })
    const one = (await post('/v1/checkouts', asked(member, [1000], { vouchers: [off], minutes: 5 }))).body
    expect((await post(`/v1/checkouts/${one.id}/void`)).body.wallets[0]).toMatchObject({ available: 100, held: 0 })
    const two = (await post('/v1/checkouts', asked(member, [1000], { vouchers: [off], minutes: 5 }))).body
    expect(two.totals).toMatchObject({ discount: 100, points: 450, toPay: 450 })
    after(5 * MINUTE)
    const third = await post('/v1/checkouts', asked(member, [1000], { vouchers: [off], minutes: 5 }))
    expect(third.status).toBe(201)
    expect((await get(`/v1/checkouts/${two.id}`)).body).toMatchObject({ status: 'lapsed', settledAt: two.deadline })
    expect(code(await post(`/v1/checkouts/${two.id}/commit`, {}))).toBe('checkout_closed')
    expect((await post(`/v1/checkouts/${two.id}/void`)).body.status).toBe('voided')
    expect((await post(`/v1/checkouts/${third.body.id}/commit`, {})).body.status).toBe('committed')
  })

  test('that are of no use are said in a preview, and refuse an order', async () => {
    const member = await rich(100)
    const said = asked(member, [1000], { vouchers: ['NOPE'], points: {} })
    const { externalId: _, ...preview } = said
    const told = (await post('/v1/checkouts/preview', preview)).body
    expect(told).toMatchObject({ valid: false, vouchers: [{ applicable: false, why: { code: 'voucher_unknown' } }] })
    expect(code(await post('/v1/checkouts', said))).toBe('voucher_unknown')
    const partial = await post('/v1/checkouts', {
      ...said,
      vouchers: ['NOPE', await voucher({ kind: 'amount', amount: 1 })],
      policy: 'partial',
    })
    expect(partial.body.totals).toMatchObject({ discount: 1, toPay: 999 })
  })

  test('that are unlocked by themselves close the checkout', async () => {
    const member = await rich(100)
    const off = await voucher({ kind: 'amount', amount: 100 })
    const { body } = await post('/v1/checkouts', asked(member, [1000], { vouchers: [off] }))
    await post('/v1/vouchers/unlock', { program: 'coffee', session: body.id })
    expect(code(await post(`/v1/checkouts/${body.id}/commit`, {}))).toBe('checkout_closed')
    expect(await points(member)).toMatchObject({ held: 45, available: 55 })
    expect((await post(`/v1/checkouts/${body.id}/void`)).body.wallets[0].available).toBe(100)
  })

  test('that were blocked since are not redeemed; unblocked, they are', async () => {
    const off = await voucher({ kind: 'amount', amount: 100 })
    const { body } = await post('/v1/checkouts', asked(await rich(1), [1000], { vouchers: [off] }))
    await post(`/v1/vouchers/code:${off}/block`, { reason: 'Shared' })
    expect(code(await post(`/v1/checkouts/${body.id}/commit`, {}))).toBe('checkout_closed')
    await post(`/v1/vouchers/code:${off}/unblock`, { reason: 'Fine' })
    expect((await post(`/v1/checkouts/${body.id}/commit`, {})).body.status).toBe('committed')
  })

  test('whose uses are made fewer have those left that checkouts have locked', async () => {
    const off = await voucher({ kind: 'amount', amount: 100 }, { uses: { total: 3 } })
    const reserved = async () =>
      (await post('/v1/checkouts', asked(await rich(1), [1000], { vouchers: [off] }))).body.id
    const [one, two] = [await reserved(), await reserved()]
    const patch = (total: number) => api.call('PATCH', `/v1/vouchers/code:${off}`, { uses: { total } })
    expect((await patch(1)).body).toMatchObject({ code: 'invalid_request', errors: [{ pointer: '/uses/total' }] })
    expect((await patch(2)).status).toBe(200)
    for (const id of [one, two]) expect((await post(`/v1/checkouts/${id}/commit`, {})).body.status).toBe('committed')
  })

  test('locked anew in its name for less pay no more: the rest may be gone', async () => {
    const card = await voucher({ kind: 'gift', balance: 1000 }, { uses: {} })
    const { body } = await post('/v1/checkouts', asked(await rich(1), [2000], { vouchers: [card], points: {} }))
    const less = { program: 'coffee', codes: [card], order: order(500) }
    await post('/v1/vouchers/lock', { ...less, session: body.id })
    expect((await post('/v1/vouchers/redeem', { ...less, externalId: `r-${++n}` })).status).toBe(201)
    expect(code(await post(`/v1/checkouts/${body.id}/commit`, {}))).toBe('checkout_closed')
  })
})

describe('what ends it', () => {
  test('a void before its commit stays a void; a commit before its void stays a commit', async () => {
    const member = await rich(100)
    const one = (await post('/v1/checkouts', asked(member, [1000]))).body
    const voided = await post(`/v1/checkouts/${one.id}/void`)
    expect(voided.body).toMatchObject({ status: 'voided', wallets: [{ available: 100, held: 0 }, {}] })
    expect((await post(`/v1/checkouts/${one.id}/void`)).body).toEqual(voided.body)
    expect(code(await post(`/v1/checkouts/${one.id}/commit`, {}))).toBe('checkout_closed')
    const two = (await post('/v1/checkouts', asked(member, [1000]))).body
    await post(`/v1/checkouts/${two.id}/commit`, {})
    expect(code(await post(`/v1/checkouts/${two.id}/void`))).toBe('checkout_closed')
  })

  test('its points are let go by themselves', async () => {
    const member = await rich(100)
    const { body } = await post('/v1/checkouts', asked(member, [1000]))
    await post(`/v1/holds/${body.hold}/release`)
    expect(code(await post(`/v1/checkouts/${body.id}/commit`, {}))).toBe('checkout_closed')
    expect((await post(`/v1/checkouts/${body.id}/void`)).body.status).toBe('voided')
    const spent = (await post('/v1/checkouts', asked(member, [1000]))).body
    await post(`/v1/holds/${spent.hold}/capture`, {})
    after(MINUTE)
    expect(code(await post(`/v1/checkouts/${spent.id}/commit`, {}))).toBe('checkout_closed')
    expect((await post(`/v1/checkouts/${spent.id}/void`)).body.wallets[0].available).toBe(50)
    expect((await verify(pool, space)).wrong).toBeUndefined()
  })

  test('a purchase has its external id already', async () => {
    const member = await rich(100)
    const said = asked(member, [1000])
    const { body } = await post('/v1/checkouts', said)
    const { externalId } = said
    const occurredAt = new Date(clock).toISOString()
    await post('/v1/purchases', { program: 'coffee', externalId, member, occurredAt, ...order(1000) })
    expect(code(await post(`/v1/checkouts/${body.id}/commit`, {}))).toBe('external_id_conflict')
    expect(await points(member)).toMatchObject({ held: 50 })
    const taken = asked(member, [1000], { externalId: 'taken' })
    await post('/v1/purchases', { program: 'coffee', externalId: 'taken', member, occurredAt, ...order(1000) })
    expect(code(await post('/v1/checkouts', taken))).toBe('external_id_conflict')
    await post(`/v1/checkouts/${body.id}/void`)
  })

  test('when it was paid may be told, and rules of then give points', async () => {
    const member = await rich(100)
    const { body } = await post('/v1/checkouts', asked(member, [1000]))
    after(5 * MINUTE)
    const occurredAt = new Date(clock - 2 * MINUTE).toISOString()
    const { purchase } = (await post(`/v1/checkouts/${body.id}/commit`, { occurredAt })).body
    expect((await get(`/v1/purchases/${purchase}`)).body.occurredAt).toBe(occurredAt)
  })
})

test('of a member who was merged into another meanwhile: void it, and reserve it for the one who stays', async () => {
  const [into, from] = [await rich(100), await rich(100)]
  const held = (await post('/v1/checkouts', asked(from, [1000]))).body
  const merge = { from, reason: 'the same person' }
  expect(code(await post(`/v1/members/${into}/merge`, merge))).toBe('holds_open')
  await post(`/v1/checkouts/${held.id}/void`)
  const off = await voucher({ kind: 'amount', amount: 100 })
  const { body } = await post('/v1/checkouts', asked(from, [1000], { vouchers: [off], points: {} }))
  expect((await post(`/v1/members/${into}/merge`, merge)).status).toBe(201)
  expect(code(await post(`/v1/checkouts/${body.id}/commit`, {}))).toBe('member_merged')
  expect((await post(`/v1/checkouts/${body.id}/void`)).body.status).toBe('voided')
  const again = await post('/v1/checkouts', asked(from, [1000], { vouchers: [off] }))
  expect(again.body).toMatchObject({ member: into, totals: { discount: 100, points: 450 } })
  expect((await post(`/v1/checkouts/${again.body.id}/commit`, {})).body.status).toBe('committed')
})

describe('what is refused, storing nothing', () => {
  test('orders and payments that cannot be', async () => {
    const member = await rich(100)
    const tries: [object, string][] = [
      [{ points: { points: 101 } }, 'insufficient_points'],
      [{ points: { gold: 1 } }, 'wallet_unknown'],
      [{ program: 'tea' }, 'program_unknown'],
      [{ member: 'external:nobody' }, 'member_unknown'],
      [{ order: { ...order(1), currency: 'EUR' } }, 'currency_mismatch'],
      [{ order: { currency: 'GBP', items: [] } }, 'invalid_request'],
      [{ order: { ...order(1), metadata: { a: 'x'.repeat(20_000) } } }, 'invalid_request'],
      [{ points: { points: 0 } }, 'invalid_request'],
      [{ minutes: 61 }, 'invalid_request'],
    ]
    for (const [more, why] of tries) expect(code(await post('/v1/checkouts', asked(member, [1000], more)))).toBe(why)
    await settings({ pays: null })
    expect(code(await post('/v1/checkouts', asked(member, [1000])))).toBe('payment_refused')
    await settings({ pays: { points: 10, amount: 100, maxPercent: 50, minPoints: 20 } })
    expect(code(await post('/v1/checkouts', asked(member, [1000], { points: { points: 19 } })))).toBe('payment_refused')
    await settings({ pays: { points: 10, amount: 100, maxPercent: 50 } })
    for (const path of [
      'external:none/commit',
      'chk_01kamqg8m1e5x9s4b7n2t6w0zd/commit',
      'chk_01kamqg8m1e5x9s4b7n2t6w0zd/void',
    ])
      expect(code(await post(`/v1/checkouts/${path}`, path.endsWith('commit') ? {} : undefined))).toBe(
        'checkout_unknown',
      )
    expect(await points(member)).toMatchObject({ available: 100, held: 0 })
  })

  test('the same external id with other content', async () => {
    const member = await rich(100)
    const said = asked(member, [1000])
    await post('/v1/checkouts', said)
    expect(code(await post('/v1/checkouts', { ...said, minutes: 9 }))).toBe('external_id_conflict')
    expect(code(await post('/v1/checkouts', { ...said, member: await rich(10) }))).toBe('external_id_conflict')
  })

  test('when the member is suspended or the program paused meanwhile: the same later succeeds', async () => {
    const member = await rich(100)
    const said = asked(member, [1000])
    const { body } = await post('/v1/checkouts', said)
    await api.call('PATCH', `/v1/members/${member}`, { status: 'suspended' })
    expect(code(await post(`/v1/checkouts/${body.id}/commit`, {}))).toBe('member_suspended')
    expect((await post('/v1/checkouts', said)).status).toBe(200)
    expect(code(await post('/v1/checkouts', { ...said, minutes: 9 }))).toBe('external_id_conflict')
    await api.call('PATCH', `/v1/members/${member}`, { status: 'active' })
    await post('/v1/programs/coffee/pause')
    expect(code(await post(`/v1/checkouts/${body.id}/commit`, {}))).toBe('program_paused')
    await post('/v1/programs/coffee/resume')
    expect((await post(`/v1/checkouts/${body.id}/commit`, {})).status).toBe(200)
  })
})

describe('verify names', () => {
  const tampered: [string, string, string][] = [
    ['an order that says something else', `said = replace(said, '"minutes":15', '"minutes":16')`, 'what was asked'],
    ['a discount that was taken off', `sums = replace(sums, '"discount":0', '"discount":1')`, 'vouchers take off'],
    ['points that pay more', `sums = replace(sums, '"amount":500', '"amount":501')`, 'points pay'],
    ['another number of points', `sums = replace(sums, '"points":50,', '"points":49,')`, 'holds other points'],
    ['a deadline that moved', `deadline = deadline + interval '1 hour'`, 'deadline'],
    ['a commit that was none', `status = 3, purchase_id = null`, 'its points were spent'],
    ['an external id that leads elsewhere', `external_id = 'x'`, 'does not lead to it'],
    ['a purchase that is not there', `purchase_id = gen_random_uuid()`, 'its purchase is not there'],
  ]
  test.each(tampered)('%s', async (_what, change, said) => {
    const member = await rich(100)
    const { body } = await post('/v1/checkouts', asked(member, [1000]))
    await post(`/v1/checkouts/${body.id}/commit`, {})
    const id = decodeId('chk', body.id)
    const [row] = await database.sql('select * from checkouts where checkout_id = $1', [id])
    await database.sql(`update checkouts set ${change} where checkout_id = $1`, [id])
    const { wrong } = await verify(pool, space)
    expect(wrong?.member).toBe(member)
    expect(wrong?.what).toContain(said)
    await database.sql(
      `update checkouts set said = $2, sums = $3, deadline = $4, status = $5, purchase_id = $6, external_id = $7
        where checkout_id = $1`,
      [id, row?.said, row?.sums, row?.deadline, row?.status, row?.purchase_id, row?.external_id],
    )
    expect((await verify(pool, space)).wrong).toBeUndefined()
  })
})

async function events(member: string): Promise<string[]> {
  const all: { type: string; member: string }[] = []
  for (let from = '0', more = true; more; ) {
    const { data, next, hasMore } = (await get(`/v1/events?after=${from}&limit=100`)).body
    all.push(...data)
    from = next
    more = hasMore
  }
  return all.filter((event) => event.member === member).map(({ type }) => type)
}
