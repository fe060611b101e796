import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { createGate, type Gate } from '../gate/gate.ts'
import { passDue } from '../pass-time.ts'
import { verify } from '../verify.ts'

/** Points that are set aside, spent, given back and changed, with the clock moved by hand. */
const database = await openDatabase()
const { pool, space } = database
let api: TestApi
let gate: Gate
const DAY = 86_400_000
const START = Date.parse('2026-03-01T12:00:00Z')

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(START)
  await addKey(database, space, LIVE)
  api = await openApi(database)
  gate = createGate({ pool })
  await post('/v1/programs', {
    slug: 'coffee',
    name: 'Coffee Club',
    timezone: 'Europe/London',
    currency: 'GBP',
    joinPolicy: 'on_first_purchase',
  })
  await post('/v1/programs/coffee/wallets', { slug: 'stamps', unit: 'stamps', target: 10 })
  await post('/v1/earning-rules', {
    program: 'coffee',
    name: 'A point a pound',
    kind: 'per_amount',
    args: { points: 1, per: 100 },
  })
})
afterAll(async () => {
  await gate.close()
  await api.close()
  expect((await verify(pool, space)).wrong).toBeUndefined()
  vi.useRealTimers()
  expect(api.faults).toEqual([])
})
let clock = START
beforeEach(async () => {
  clock += 1000 * DAY
  vi.setSystemTime(clock)
  await settings({ expiry: null, pending: null, refundGrace: null, expiryNoticeDays: null, negative: null })
})

const post = (path: string, body?: unknown, headers?: Record<string, string>) => api.call('POST', path, body, headers)
async function settings(patch: object): Promise<void> {
  expect((await api.call('PATCH', '/v1/programs/coffee/wallets/points', patch)).status).toBe(200)
}
const after = (ms: number) => vi.setSystemTime((clock += ms))
const MINUTE = 60_000
const work = () => passDue(pool, gate, space, 1000)
let n = 0
/** Someone who has just bought for so many pounds. */
async function member(pounds: number): Promise<string> {
  const who = `external:m${++n}`
  await buy(who, pounds)
  return who
}
const buy = (who: string, pounds: number) =>
  post('/v1/purchases', {
    program: 'coffee',
    externalId: `T${++n}`,
    member: who,
    occurredAt: new Date(clock).toISOString(),
    currency: 'GBP',
    items: [{ sku: 'BEANS', quantity: 1, amount: pounds * 100 }],
  })
const hold = (who: string, points: number, more: object = {}) =>
  post(`/v1/members/${who}/holds`, { wallet: 'points', points, reason: 'Order', ...more })
const spend = (who: string, points: number) =>
  post(`/v1/members/${who}/spend`, { wallet: 'points', points, reason: 'Mug' })
const wallet = async (who: string) => (await api.call('GET', `/v1/members/${who}/wallets`)).body.data[0]
const lots = async (who: string, query = '') => (await api.call('GET', `/v1/members/${who}/lots${query}`)).body.data
/** Five minutes before the first lot ends: local days are not all of one length. */
async function shortlyBeforeTheEnd(who: string): Promise<void> {
  after(Date.parse((await lots(who))[0].expiresAt) - clock - 5 * MINUTE)
}
async function events(who: string): Promise<{ type: string; data: any }[]> {
  const { id } = (await api.call('GET', `/v1/members/${who}`)).body
  const all: { type: string; member?: string; data: any }[] = []
  for (let next = '0', more = true; more; ) {
    const { body } = await api.call('GET', `/v1/events?after=${next}&limit=100`)
    all.push(...body.data)
    next = body.next
    more = body.hasMore
  }
  return all.filter((event) => event.member === id)
}
const types = async (who: string) =>
  (await events(who)).map(({ type }) => type).filter((type) => type.startsWith('points.'))

describe('a hold', () => {
  test('sets points aside, and captures some of them; the rest is free again', async () => {
    const who = await member(100)
    const { status, body } = await hold(who, 60, { externalId: `h${n}`, minutes: 30 })
    expect([status, body.status, body.wallets[0].available, body.wallets[0].held]).toEqual([201, 'open', 40, 60])
    expect(body.deadline).toBe(new Date(clock + 30 * MINUTE).toISOString())
    expect((await hold(who, 60, { externalId: `h${n}`, minutes: 30 })).body).toEqual(body)
    expect((await hold(who, 61, { externalId: `h${n}`, minutes: 30 })).body.code).toBe('external_id_conflict')
    expect((await spend(who, 41)).body.code).toBe('insufficient_points')
    after(29 * MINUTE)
    expect((await post(`/v1/holds/${body.id}/capture`, { points: 61 })).body.code).toBe('insufficient_points')
    const taken = await post(`/v1/holds/${body.id}/capture`, { points: 45 })
    expect(taken.body).toMatchObject({ status: 'captured', parts: [{ points: 60, captured: 45 }] })
    expect(taken.body.wallets[0]).toMatchObject({ available: 55, held: 0, lifetimeSpent: 45 })
    expect((await post(`/v1/holds/${body.id}/capture`, { points: 45 })).body).toEqual(taken.body)
    expect((await post(`/v1/holds/${body.id}/capture`)).status).toBe(400)
    expect((await post(`/v1/holds/${body.id}/capture`, {})).body.code).toBe('hold_over')
    expect((await post(`/v1/holds/${body.id}/release`)).body.code).toBe('hold_over')
    expect((await api.call('GET', `/v1/holds/${body.id}`)).body).toMatchObject({ status: 'captured' })
    const [captured] = (await events(who)).filter(({ type }) => type === 'points.captured')
    expect(captured?.data).toMatchObject({ hold: body.id, wallets: [{ points: 45, entry: taken.body.parts[0].entry }] })
    const story = (await api.call('GET', `/v1/entries/${taken.body.parts[0].entry}`)).body
    expect(story).toMatchObject({ kind: 'spend', points: -45, reason: 'Order', source: { type: 'hold', id: body.id } })
  })

  test('that is forgotten frees itself at its deadline, once, though no job runs', async () => {
    const who = await member(100)
    const { id } = (await hold(who, 100)).body
    after(15 * MINUTE - 1)
    expect((await wallet(who)).available).toBe(0)
    after(1)
    expect(await wallet(who)).toMatchObject({ available: 100, held: 0 })
    expect((await api.call('GET', `/v1/holds/${id}`)).body).toMatchObject({ status: 'lapsed' })
    expect((await api.call('GET', `/v1/members/${who}/holds?status=lapsed`)).body.data).toHaveLength(1)
    expect((await api.call('GET', `/v1/members/${who}/holds?status=open`)).body.data).toHaveLength(0)
    expect((await post(`/v1/holds/${id}/capture`, {})).body.code).toBe('hold_over')
    expect((await lots(who))[0]).toMatchObject({ held: 0 })
    await work()
    await work()
    expect((await post(`/v1/holds/${id}/release`)).body).toMatchObject({ status: 'lapsed' })
    expect((await spend(who, 100)).status).toBe(201)
    const told = (await events(who)).filter(({ type }) => type === 'points.released')
    expect(told.map(({ data }) => [data.hold, data.lapsed])).toEqual([[id, true]])
  })

  test('is captured before its deadline though its points have expired meanwhile', async () => {
    await settings({ expiry: { kind: 'rolling', period: 'P30D' } })
    const who = await member(100)
    await shortlyBeforeTheEnd(who)
    const { id } = (await hold(who, 70)).body
    after(10 * MINUTE)
    await work()
    expect(await wallet(who)).toMatchObject({ available: 0, held: 70, lifetimeExpired: 30 })
    expect((await lots(who, '?status=held'))[0]).toMatchObject({ status: 'over', held: 70 })
    expect((await spend(who, 1)).body.code).toBe('insufficient_points')
    const taken = await post(`/v1/holds/${id}/capture`, { points: 50 })
    expect(taken.body.wallets[0]).toMatchObject({ available: 0, held: 0, lifetimeSpent: 50, lifetimeExpired: 50 })
    expect(await types(who)).toEqual([
      'points.earned',
      'points.held',
      'points.expired',
      'points.captured',
      'points.expired',
    ])
  })

  test('that is released after its points have expired: they expire at once', async () => {
    await settings({ expiry: { kind: 'rolling', period: 'P30D' } })
    const who = await member(100)
    await shortlyBeforeTheEnd(who)
    const { id } = (await hold(who, 100)).body
    after(10 * MINUTE)
    const freed = await post(`/v1/holds/${id}/release`)
    expect(freed.body.status).toBe('released')
    expect(freed.body.wallets[0]).toMatchObject({ available: 0, held: 0, lifetimeExpired: 100 })
    expect((await post(`/v1/holds/${id}/release`)).body).toMatchObject({ status: 'released' })
    expect((await types(who)).slice(2)).toEqual(['points.released', 'points.expired'])
  })

  test('several stand at once, of several wallets, and never hold the same points', async () => {
    const who = await member(100)
    await post(`/v1/members/${who}/adjust`, { wallet: 'stamps', points: 5, reason: 'Card' })
    const both = {
      wallets: [
        { wallet: 'points', points: 30 },
        { wallet: 'stamps', points: 5 },
      ],
      reason: 'Both',
    }
    const first = await post(`/v1/members/${who}/holds`, both)
    expect(first.status).toBe(201)
    expect((await post(`/v1/members/${who}/holds`, both)).body.code).toBe('insufficient_points')
    const second = await hold(who, 50)
    expect((await hold(who, 21)).body.code).toBe('insufficient_points')
    expect((await post(`/v1/holds/${first.body.id}/capture`, { points: 30 })).body.errors[0].pointer).toBe('/wallets')
    const taken = await post(`/v1/holds/${first.body.id}/capture`, { wallets: [{ wallet: 'stamps', points: 4 }] })
    expect(taken.body.parts.map((p: { captured: number }) => p.captured)).toEqual([0, 4])
    expect(taken.body.wallets.map((w: { available: number }) => w.available)).toEqual([50, 1])
    expect((await post(`/v1/holds/${second.body.id}/release`)).body.wallets[0].available).toBe(100)
    expect((await api.call('GET', `/v1/members/${who}/holds?limit=1`)).body).toMatchObject({
      data: [{ id: second.body.id }],
      next: second.body.id,
    })
  })

  test('in whatever order its wallets are named again, it is the same hold; of other points it is another', async () => {
    const who = await member(100)
    await post(`/v1/members/${who}/adjust`, { wallet: 'stamps', points: 5, reason: 'Card' })
    const [points, stamps] = [
      { wallet: 'points', points: 30 },
      { wallet: 'stamps', points: 5 },
    ]
    const said = { reason: 'Both', externalId: `both-${n}` }
    const first = await post(`/v1/members/${who}/holds`, { ...said, wallets: [stamps, points] })
    const again = await post(`/v1/members/${who}/holds`, { ...said, wallets: [points, stamps] })
    expect([first.status, again.status, again.body.id]).toEqual([201, 200, first.body.id])
    expect(again.body.parts).toEqual(first.body.parts)
    for (const wallets of [[points], [points, { ...stamps, points: 4 }]]) {
      const other = await post(`/v1/members/${who}/holds`, { ...said, wallets })
      expect(other.body.code).toBe('external_id_conflict')
    }
    expect((await verify(pool, space)).wrong).toBeUndefined()
  })

  test('is placed once for an Idempotency-Key, and captured once', async () => {
    const who = await member(100)
    const key = (name: string) => ({ 'idempotency-key': `${name}-${n}` })
    const order = { wallet: 'points', points: 60, reason: 'Order' }
    const first = await post(`/v1/members/${who}/holds`, order, key('hold'))
    const again = await post(`/v1/members/${who}/holds`, order, key('hold'))
    expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([201, first.text, 'true'])
    const taken = await post(`/v1/holds/${first.body.id}/capture`, { points: 50 }, key('capture'))
    after(60 * MINUTE)
    const told = await post(`/v1/holds/${first.body.id}/capture`, { points: 50 }, key('capture'))
    expect([told.status, told.text]).toEqual([200, taken.text])
    expect(await wallet(who)).toMatchObject({ available: 50, held: 0 })
  })

  test('stops with the program and with the member, but can always be let go', async () => {
    const who = await member(100)
    const [one, two] = [(await hold(who, 10)).body.id, (await hold(who, 10)).body.id]
    const entry = (await spend(who, 10)).body.entries[0]
    const refund = { spend: entry, points: 5, reason: 'Back' }
    const codes = async () => [
      (await hold(who, 1)).body.code,
      (await post(`/v1/holds/${two}/capture`, {})).body.code,
      (await post(`/v1/members/${who}/refunds`, refund)).body.code,
    ]
    await post('/v1/programs/coffee/pause')
    expect(await codes()).toEqual(['program_paused', 'program_paused', 'program_paused'])
    const [{ id }] = await lots(who)
    const change = await post(`/v1/entries/${id}/activate`, { reason: 'x' })
    expect(change.body.code).toBe('program_paused')
    expect((await post(`/v1/holds/${one}/release`)).body.status).toBe('released')
    await post('/v1/programs/coffee/resume')
    await api.call('PATCH', `/v1/members/${who}`, { status: 'suspended' })
    expect(await codes()).toEqual(['member_suspended', 'member_suspended', undefined])
    expect((await post(`/v1/holds/${two}/release`)).body.wallets[0]).toMatchObject({ available: 95, held: 0 })
  })

  test('is refused where there is nothing to hold or no such hold', async () => {
    const who = await member(10)
    const refused = async (path: string, body: unknown) => (await post(path, body)).body.code
    expect(await refused(`/v1/members/${who}/holds`, { wallet: 'points', points: 11, reason: 'x' })).toBe(
      'insufficient_points',
    )
    expect(await refused(`/v1/members/${who}/holds`, { wallet: 'none', points: 1, reason: 'x' })).toBe('wallet_unknown')
    expect(await refused(`/v1/members/${who}/holds`, { wallet: 'points', reason: 'x' })).toBe('invalid_request')
    expect(await refused(`/v1/members/external:nobody/holds`, { wallet: 'points', points: 1, reason: 'x' })).toBe(
      'member_unknown',
    )
    expect(await refused('/v1/holds/hld_01kamqc3v9e4x8y2n7m5t1w6sz/capture', {})).toBe('hold_unknown')
    expect((await api.call('GET', '/v1/holds/nonsense')).body.code).toBe('hold_unknown')
  })
})

describe('a refund', () => {
  const refund = (who: string, spent: string, more: object = {}) =>
    post(`/v1/members/${who}/refunds`, { spend: spent, reason: 'It came back', ...more })

  test('gives back to the lots that were spent from, what was taken last first, up to what was spent', async () => {
    await settings({ expiry: { kind: 'rolling', period: 'P30D' } })
    const who = await member(10)
    after(DAY)
    await buy(who, 20)
    const entry = (await spend(who, 25)).body.entries[0]
    const first = await refund(who, entry, { points: 18, externalId: `r${n}` })
    expect([first.status, first.body.points, first.body.left, first.body.wallets[0].available]).toEqual([
      201, 18, 7, 23,
    ])
    expect((await refund(who, entry, { points: 18, externalId: `r${n}` })).body).toEqual(first.body)
    expect((await refund(who, entry, { points: 17, externalId: `r${n}` })).body.code).toBe('external_id_conflict')
    expect((await lots(who)).map((l: { points: number; remaining: number }) => [l.points, l.remaining])).toEqual([
      [10, 3],
      [20, 20],
    ])
    expect((await refund(who, entry, { points: 8 })).body.code).toBe('refund_exceeds_spend')
    expect((await refund(who, entry)).body).toMatchObject({ points: 7, left: 0 })
    expect((await refund(who, entry)).body.code).toBe('refund_exceeds_spend')
    expect(await wallet(who)).toMatchObject({ available: 30, lifetimeSpent: 0 })
    expect((await refund(who, (await lots(who))[0].id)).body.code).toBe('entry_unknown')
    after(29 * DAY)
    expect(await wallet(who)).toMatchObject({ available: 20 })
    const told = (await events(who)).filter(({ type }) => type === 'points.refunded')
    expect(told.map(({ data }) => [data.spend, data.points])).toEqual([
      [entry, 18],
      [entry, 7],
    ])
  })

  test('of points that would have expired: they do at once, but for the grace of the wallet, once a lot', async () => {
    await settings({ expiry: { kind: 'rolling', period: 'P30D' } })
    const who = await member(100)
    const spent = (await spend(who, 90)).body.entries[0]
    after(31 * DAY)
    expect((await refund(who, spent, { points: 10 })).body.wallets[0]).toMatchObject({
      available: 0,
      lifetimeExpired: 20,
    })
    await settings({ refundGrace: 'P7D' })
    expect((await refund(who, spent, { points: 20 })).body.wallets[0].available).toBe(20)
    expect((await lots(who))[0]).toMatchObject({ remaining: 20, expiresAt: new Date(clock + 7 * DAY).toISOString() })
    expect((await refund(who, spent, { points: 5 })).body.wallets[0].available).toBe(20)
    const again = (await spend(who, 20)).body.entries[0]
    after(8 * DAY)
    expect((await refund(who, again)).body.wallets[0]).toMatchObject({ available: 0 })
  })

  test('of a captured hold is one of the entry that captured', async () => {
    const who = await member(50)
    const { id } = (await hold(who, 30)).body
    const { entry } = (await post(`/v1/holds/${id}/capture`, {})).body.parts[0]
    const back = (await refund(who, entry)).body
    expect([back.points, back.wallets[0].available]).toEqual([30, 50])
  })

  test('of what was spent by a member who was merged into another comes to that other, with its end', async () => {
    await settings({ expiry: { kind: 'rolling', period: 'P30D' } })
    const [old, who] = [await member(50), await member(10)]
    const spent = (await spend(old, 40)).body.entries[0]
    const [{ expiresAt }] = await lots(old)
    await post(`/v1/members/${who}/merge`, { from: old, reason: 'Two cards' })
    expect(await wallet(who)).toMatchObject({ available: 20 })
    const back = await refund(who, spent, { points: 30, externalId: `r${n}` })
    expect([back.status, back.body.left, back.body.wallets[0].available]).toEqual([201, 10, 50])
    expect((await refund(who, spent, { points: 30, externalId: `r${n}` })).body).toEqual(back.body)
    expect(
      (await lots(who)).map((l: { remaining: number; expiresAt: string }) => [l.remaining, l.expiresAt]),
    ).toContainEqual([30, expiresAt])
    expect((await refund(old, spent)).body).toMatchObject({ points: 10, left: 0, member: back.body.member })
    const told = (await events(who)).filter(({ type }) => type === 'points.refunded')
    expect(told.map(({ data }) => [data.spend, data.points])).toEqual([
      [spent, 30],
      [spent, 10],
    ])
    expect((await refund(who, spent)).body.code).toBe('refund_exceeds_spend')
    expect((await verify(pool, space)).wrong).toBeUndefined()
    after(31 * DAY)
    expect((await wallet(who)).available).toBe(0)
  })

  test('pays what is owed first', async () => {
    await settings({ negative: { policy: 'allow' } })
    const who = await member(100)
    const entry = (await spend(who, 100)).body.entries[0]
    const { body } = await api.call('GET', `/v1/members/${who}/purchases`)
    await post('/v1/returns', {
      program: 'coffee',
      member: who,
      externalId: `R${++n}`,
      occurredAt: new Date(clock).toISOString(),
      purchase: body.data[0].id,
      items: 'all',
    })
    expect((await wallet(who)).available).toBe(-100)
    expect((await refund(who, entry, { points: 60 })).body.wallets[0].available).toBe(-40)
    expect((await refund(who, entry)).body.wallets[0].available).toBe(0)
    expect((await verify(pool, space)).wrong).toBeUndefined()
  })
})

describe('a lot', () => {
  const change = (entry: string, what: string, more: object = {}) =>
    post(`/v1/entries/${entry}/${what}`, { reason: 'Goodwill', ...more })
  const dates = async (who: string) =>
    (await lots(who)).map((l: { status: string; remaining: number }) => [l.status, l.remaining])

  test('that is pending becomes active by its date, or now by hand; twice is once', async () => {
    await settings({ pending: { kind: 'period', period: 'P14D' }, expiry: { kind: 'rolling', period: 'P12M' } })
    const who = await member(100)
    await buy(who, 50)
    expect(await wallet(who)).toMatchObject({ available: 0, pending: 150 })
    const [first, second] = await lots(who, '?status=pending')
    expect((await spend(who, 1)).body.code).toBe('insufficient_points')
    const begun = await change(first.id, 'activate')
    expect(begun.body).toMatchObject({
      points: 100,
      changed: [{ lot: first.id, points: 100, expiresAt: first.expiresAt }],
    })
    expect((await change(first.id, 'activate')).body).toMatchObject({ points: 0, changed: [] })
    expect(await wallet(who)).toMatchObject({ available: 100, pending: 50 })
    after(14 * DAY + 60 * MINUTE)
    expect(await wallet(who)).toMatchObject({ available: 150, pending: 0 })
    expect((await change(second.id, 'activate')).body).toMatchObject({ points: 0 })
    expect((await change(second.id, 'cancel')).body.code).toBe('lot_state')
    await work()
    const told = (await events(who)).filter(({ type }) => type === 'points.activated')
    expect(told.map(({ data }) => [data.entry, data.points])).toEqual([
      [begun.body.changed[0].entry, 100],
      [second.id, 50],
    ])
  })

  test('that is pending can be given up, alone or with all of its purchase, and returns still find it', async () => {
    await settings({ pending: { kind: 'until', date: '2090-01-01' } })
    const who = await member(100)
    const [{ id }] = await lots(who)
    const { body } = await api.call('GET', `/v1/members/${who}/purchases`)
    const purchase = body.data[0].id
    expect((await post(`/v1/purchases/${purchase}/activate`, { reason: 'Arrived' })).body.points).toBe(100)
    expect((await post(`/v1/purchases/${purchase}/activate`, { reason: 'Arrived' })).body.points).toBe(0)
    expect((await change(id, 'cancel')).body.code).toBe('lot_state')
    const back = await post('/v1/returns', {
      program: 'coffee',
      member: who,
      externalId: `R${++n}`,
      occurredAt: new Date(clock).toISOString(),
      purchase,
      items: 'all',
    })
    expect(back.body).toMatchObject({ points: 100, reversed: [{ points: 100, writtenOff: 0 }] })
    await buy(who, 30)
    const [waiting] = await lots(who)
    const gone = await change(waiting.id, 'cancel')
    expect(gone.body).toMatchObject({ points: 30, changed: [{ lot: waiting.id, activatesAt: null }] })
    expect((await change(waiting.id, 'cancel')).body.points).toBe(0)
    expect((await change(waiting.id, 'activate')).body.code).toBe('lot_state')
    expect(await wallet(who)).toMatchObject({ available: 0, pending: 0, lifetimeReversed: 130 })
    expect((await events(who)).at(-1)).toMatchObject({
      type: 'points.cancelled',
      data: { lot: waiting.id, points: 30 },
    })
  })

  test('that waits for an event begins by hand with the end that the wallet gives it', async () => {
    await post('/v1/activity-types', {
      program: 'coffee',
      slug: 'delivered',
      name: 'Delivered',
      schema: { type: 'object' },
    })
    await settings({
      pending: { kind: 'event', activity: 'delivered', cancelAfter: 'P30D' },
      expiry: { kind: 'rolling', period: 'P90D' },
    })
    const who = await member(100)
    await buy(who, 10)
    const [first, second] = await lots(who)
    expect(first).toMatchObject({ status: 'pending', activatesAt: null })
    const told = (await change(first.id, 'activate')).body.changed[0]
    expect(Date.parse(told.expiresAt)).toBeGreaterThan(clock + 89 * DAY)
    expect((await change(second.id, 'extend', { expiresAt: new Date(clock + 60 * DAY).toISOString() })).status).toBe(
      200,
    )
    after(45 * DAY)
    await work()
    expect(await dates(who)).toEqual([
      ['active', 100],
      ['pending', 10],
    ])
    after(20 * DAY)
    await work()
    expect(await dates(who)).toEqual([['active', 100]])
    expect(await types(who)).toContain('points.cancelled')
  })

  test('that waits for longer than it would live lives from when it begins', async () => {
    await post('/v1/activity-types', {
      program: 'coffee',
      slug: 'fetched',
      name: 'Fetched',
      schema: { type: 'object' },
    })
    await settings({
      pending: { kind: 'event', activity: 'fetched', cancelAfter: 'P60D' },
      expiry: { kind: 'rolling', period: 'P10D' },
    })
    const who = await member(100)
    after(20 * DAY)
    const fetched = { program: 'coffee', type: 'fetched', externalId: `a${++n}`, member: who, data: {} }
    expect((await post('/v1/activities', { ...fetched, occurredAt: new Date(clock).toISOString() })).status).toBe(201)
    expect(await wallet(who)).toMatchObject({ available: 100, lifetimeExpired: 0 })
    after(11 * DAY)
    expect(await wallet(who)).toMatchObject({ available: 0, lifetimeExpired: 100 })
  })

  test('ends later by hand, never earlier, and is told of before it ends', async () => {
    await settings({ expiry: { kind: 'rolling', period: 'P30D' }, expiryNoticeDays: 7 })
    const who = await member(100)
    const [{ id }] = await lots(who)
    const later = { expiresAt: new Date(clock + 60 * DAY).toISOString() }
    expect(
      (await change(id, 'extend', { expiresAt: new Date(clock + DAY).toISOString() })).body.errors[0].pointer,
    ).toBe('/expiresAt')
    const told = await change(id, 'extend', later)
    expect(told.body).toMatchObject({ points: 100, changed: [later] })
    expect((await change(id, 'extend', later)).body.points).toBe(0)
    expect((await change(id, 'extend', { expiresAt: new Date(clock + 90 * DAY).toISOString() })).body.code).toBe(
      'lot_state',
    )
    after(52 * DAY)
    await work()
    expect(await types(who)).not.toContain('points.will_expire')
    after(DAY)
    await work()
    await work()
    const soon = (await events(who)).filter(({ type }) => type === 'points.will_expire')
    expect(soon.map(({ data }) => data)).toEqual([{ program: 'coffee', wallet: 'points', points: 100, ...later }])
    after(7 * DAY)
    expect(await wallet(who)).toMatchObject({ available: 0, lifetimeExpired: 100 })
  })

  test('whose points expired comes again, once, with its source', async () => {
    await settings({ expiry: { kind: 'rolling', period: 'P30D' } })
    const who = await member(100)
    const [{ id, source }] = await lots(who)
    expect((await change(id, 'reinstate')).body.code).toBe('lot_state')
    await spend(who, 40)
    after(31 * DAY)
    const again = await change(id, 'reinstate')
    expect(again.body.points).toBe(60)
    expect((await change(id, 'reinstate')).body.points).toBe(0)
    expect(await wallet(who)).toMatchObject({ available: 60, lifetimeExpired: 0 })
    expect((await lots(who))[0]).toMatchObject({ id: again.body.changed[0].entry, remaining: 60, source })
    expect((await types(who)).slice(-2)).toEqual(['points.expired', 'points.reinstated'])
    const at = new Date(clock + DAY).toISOString()
    after(31 * DAY)
    expect((await change(again.body.changed[0].entry, 'reinstate', { expiresAt: at })).body.code).toBe(
      'invalid_request',
    )
    expect((await change(id, 'reinstate')).body.points).toBe(0)
  })

  test('that does not exist is not changed', async () => {
    const who = await member(10)
    const [{ id }] = await lots(who)
    const entry = (await spend(who, 1)).body.entries[0]
    expect((await change(entry, 'activate')).body.code).toBe('entry_unknown')
    expect((await change(`${id}9`, 'activate')).body.code).toBe('entry_unknown')
    expect((await change('nonsense', 'activate')).body.code).toBe('entry_unknown')
    expect((await post('/v1/purchases/external:none/cancel', { reason: 'x' })).body.code).toBe('purchase_unknown')
    expect((await change(id, 'extend', { expiresAt: new Date(clock + DAY).toISOString() })).body.code).toBe('lot_state')
  })
})

test('what was held past its end by inactivity is explained as over later, too', async () => {
  await settings({ expiry: { kind: 'sliding', period: 'P5D' } })
  const who = await member(10)
  after(60 * 60 * MINUTE)
  expect((await hold(who, 6, { minutes: 100 * 60 })).status).toBe(201)
  after(70 * 60 * MINUTE)
  await buy(who, 5)
  const explain = async (query = '') => {
    const { at, available, held, due, lots } = (
      await api.call('GET', `/v1/members/${who}/wallets/points/explain${query}`)
    ).body
    const told = lots.map(({ state, remaining, expiresAt }: Record<string, unknown>) => [state, remaining, expiresAt])
    return { at, available, held, due, lots: told }
  }
  const seen = [await explain()]
  after(40 * 60 * MINUTE)
  seen.push(await explain()) // the hold has lapsed, and nobody has booked it
  expect(seen).toMatchObject([
    {
      available: 5,
      held: 6,
      due: 0,
      lots: [
        ['expired', 6, expect.anything()],
        ['active', 5, expect.anything()],
      ],
    },
    { available: 5, held: 0, due: 6 },
  ])
  after(60 * MINUTE)
  await buy(who, 1)
  for (const then of seen) expect(await explain(`?at=${then.at}`)).toEqual(then)
})
