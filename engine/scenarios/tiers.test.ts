import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { createGate, type Gate } from '../gate/gate.ts'
import { passDue } from '../pass-time.ts'
import { verify } from '../verify.ts'

/** Tiers over the API, with the clock moved by hand. */
const database = await openDatabase()
const { pool, space } = database
let api: TestApi
let gate: Gate

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  clock('2027-03-01T12:00:00Z')
  await addKey(database, space, LIVE)
  api = await openApi(database)
  gate = createGate({ pool })
})
afterAll(async () => {
  await gate.close()
  await api.close()
  expect((await verify(pool, space)).wrong).toBeUndefined()
  vi.useRealTimers()
  expect(api.faults.map(({ err }) => err?.stack)).toEqual([])
})

function clock(text: string): void {
  vi.setSystemTime(Date.parse(text))
}
const now = () => new Date(Date.now()).toISOString()
const work = () => passDue(pool, gate, space, 1000)

async function made(path: string, body: object): Promise<any> {
  const told = await api.call('POST', path, body)
  expect([200, 201], told.text).toContain(told.status)
  return told.body
}
const get = async (path: string) => (await api.call('GET', path)).body

/** A program where a pound is a point, and a ladder of it. */
async function program(slug: string, ladder: object, more: object = {}): Promise<void> {
  const joins = { timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'on_first_purchase' }
  await made('/v1/programs', { slug, name: slug, ...joins })
  const rule = { program: slug, name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
  await made('/v1/earning-rules', { ...rule, ...more })
  await made('/v1/tier-ladders', { program: slug, slug: `${slug}-status`, name: 'Status', tiers: TIERS, ...ladder })
}
const TIERS = [
  { slug: 'green', name: 'Green', threshold: 0 },
  { slug: 'silver', name: 'Silver', threshold: 20_000, benefits: { multiplier: '1.25' } },
  { slug: 'gold', name: 'Gold', threshold: 50_000, benefits: { multiplier: '1.5', perks: [{ en: 'Refills' }] } },
]
const SMALL = [
  { slug: 'green', name: 'Green', threshold: 0 },
  { slug: 'silver', name: 'Silver', threshold: 200, benefits: { multiplier: '2' } },
  { slug: 'gold', name: 'Gold', threshold: 500 },
]
let n = 0
async function buy(slug: string, member: string, pence: number, occurredAt = now()): Promise<any> {
  const sale = { program: slug, externalId: `T-${++n}`, member: `external:${member}`, occurredAt, currency: 'GBP' }
  return await made('/v1/purchases', { ...sale, items: [{ sku: 'beans', quantity: 1, amount: pence }] })
}
const tierOf = async (member: string, slug: string) =>
  (await get(`/v1/members/external:${member}/tiers?program=${slug}`)).data[0]
async function events(type: string, member?: string): Promise<any[]> {
  const found: any[] = []
  for (let after = '0', more = true; more; ) {
    const page = await get(`/v1/events?after=${after}&limit=100`)
    found.push(...page.data.filter((one: any) => one.type.startsWith(type) && (!member || one.member === member)))
    after = page.next
    more = page.hasMore
  }
  return found
}

describe('a year and what comes after it', () => {
  let ada = ''

  test('a purchase earns at the tier that was held before it', async () => {
    await program('coffee', {
      metric: { kind: 'spend' },
      window: { kind: 'calendar', per: 'year' },
      grace: { period: 'P1M' },
      noticeDays: 30,
    })
    expect((await buy('coffee', 'ada', 15_000)).points).toBe(150)
    expect(await tierOf('ada', 'coffee')).toMatchObject({
      ladder: 'coffee-status',
      tier: 'green',
      until: null,
      next: { tier: 'silver', missing: 5000, percent: 75, deadline: '2028-01-01T00:00:00.000Z' },
      keep: null,
    })
    const second = await buy('coffee', 'ada', 6_000)
    expect(second.tiers).toEqual({ 'coffee-status': 'silver' }) // what it reached
    ada = second.member
    expect(second.points).toBe(60)
    const third = await buy('coffee', 'ada', 10_000)
    expect(third.points).toBe(125)
    expect(third.awards.map((one: any) => one.why)).toEqual([
      '1 point per 1.00 GBP on 100.00 GBP',
      '1.25 times 100, as Silver',
    ])
    expect(await tierOf('ada', 'coffee')).toMatchObject({
      tier: 'silver',
      since: '2027-03-01T12:00:00.000Z',
      until: '2029-02-01T00:00:00.000Z',
      benefits: { multiplier: '1.25' },
      counted: 31_000,
      keep: { tier: 'silver', missing: 20_000, deadline: '2029-01-01T00:00:00.000Z' },
    })
  })

  test('one that comes late earns as it would have then', async () => {
    expect((await buy('coffee', 'ada', 10_000, '2027-02-28T12:00:00Z')).points).toBe(100)
  })

  test('the preview of a purchase knows the tier', async () => {
    const asks = {
      program: 'coffee',
      currency: 'GBP',
      member: 'external:ada',
      items: [{ sku: 'x', quantity: 1, amount: 10_000 }],
    }
    expect((await made('/v1/purchases/preview', asks)).points).toBe(125)
  })

  test('explained, the balance says which tier multiplied', async () => {
    const { lots } = await get('/v1/members/external:ada/wallets/points/explain?program=coffee')
    expect(lots.map((lot: any) => lot.rule.why)).toContain('1.25 times 100, as Silver')
  })

  test('what would end is told ahead, kept through the grace, and falls when that is over: each once', async () => {
    clock('2028-12-31T12:00:00Z')
    await work()
    expect(await events('member.tier_will', ada)).toEqual([])
    clock('2029-01-03T12:00:00Z')
    await work()
    await work()
    const [told, ...rest] = await events('member.tier_will', ada)
    expect(rest).toEqual([])
    expect(told.data).toMatchObject({
      program: 'coffee',
      slug: 'coffee-status',
      tier: 'silver',
      to: 'green',
      until: '2029-02-01T00:00:00.000Z',
    })
    expect(await tierOf('ada', 'coffee')).toMatchObject({
      tier: 'silver',
      keep: { deadline: '2029-02-01T00:00:00.000Z' },
    })
    clock('2029-02-01T00:00:00Z')
    expect((await tierOf('ada', 'coffee')).tier).toBe('green') // before any job
    expect((await buy('coffee', 'ada', 1_000)).points).toBe(10)
    await work()
    const changes = await get('/v1/members/external:ada/tiers/coffee-status/history')
    expect(changes.data).toMatchObject([
      { from: 'silver', to: 'green', at: '2029-02-01T00:00:00.000Z', why: 'period_ended', by: null },
      { from: 'green', to: 'silver', at: '2027-03-01T12:00:00.000Z', why: 'reached' },
      { from: null, to: 'green' },
    ])
    expect((await events('member.tier_', ada)).map((one) => one.type)).toEqual([
      'member.tier_joined',
      'member.tier_upgraded',
      'member.tier_will_downgrade',
      'member.tier_downgraded',
    ])
  })

  test('a history is read in pages', async () => {
    const path = '/v1/members/external:ada/tiers/coffee-status/history'
    const first = await get(`${path}?limit=2`)
    expect([first.data.length, first.next]).toEqual([2, '2'])
    const second = await get(`${path}?limit=2&after=${first.next}`)
    expect([second.data, second.next]).toMatchObject([[{ from: null, to: 'green' }], null])
    expect((await api.call('GET', `${path}?after=x`)).body.code).toBe('invalid_cursor')
  })
})

describe('by hand', () => {
  const path = '/v1/members/external:bea/tiers/bakery-status'

  test('a member holds at least what was assigned, until then; what is earned higher stands', async () => {
    clock('2029-03-01T12:00:00Z')
    await program('bakery', {
      metric: { kind: 'earned', wallet: 'points' },
      window: { kind: 'lifetime' },
      tiers: SMALL,
    })
    await buy('bakery', 'bea', 1_000)
    const given = { tier: 'silver', until: '2029-04-01T00:00:00+01:00', reason: 'Guest of honour' }
    const told = await made(path, given)
    const until = '2029-03-31T23:00:00.000Z'
    expect(told).toMatchObject({ tier: 'silver', since: now(), until, assigned: { ...given, until } })
    expect(await made(path, given)).toEqual(told) // twice is once
    expect((await buy('bakery', 'bea', 10_000)).points).toBe(200)
    expect(await tierOf('bea', 'bakery')).toMatchObject({ tier: 'silver', counted: 210, next: { missing: 290 } })
    await buy('bakery', 'bea', 14_500)
    expect(await tierOf('bea', 'bakery')).toMatchObject({ tier: 'gold', until: null, next: null, keep: null })
  })

  test('what was assigned ends by itself, or is taken away; either is told once', async () => {
    const cat = '/v1/members/external:cat/tiers/bakery-status'
    const { member } = await buy('bakery', 'cat', 1_000)
    await made(cat, { tier: 'gold', until: '2029-04-01T00:00:00+01:00', reason: 'Guest' })
    clock('2029-04-01T00:00:00+01:00')
    expect((await tierOf('cat', 'bakery')).tier).toBe('green')
    await work()
    await made(cat, { tier: 'silver', reason: 'For ever' })
    expect(await tierOf('cat', 'bakery')).toMatchObject({ tier: 'silver', until: null, keep: null })
    expect(await made(`${cat}/release`, { reason: 'Enough' })).toMatchObject({ tier: 'green', assigned: null })
    expect(await made(`${cat}/release`, { reason: 'Enough' })).toMatchObject({ tier: 'green', assigned: null })
    await work()
    expect((await get(`${cat}/history`)).data).toMatchObject([
      { from: 'silver', to: 'green', why: 'assignment_ended', reason: 'Enough', by: expect.stringMatching(/^key_/) },
      { from: 'green', to: 'silver', why: 'assigned', reason: 'For ever', by: expect.stringMatching(/^key_/) },
      { from: 'gold', to: 'green', why: 'assignment_ended', reason: null, by: null },
      { from: 'green', to: 'gold', why: 'assigned', reason: 'Guest' },
      { from: null, to: 'green', why: 'reached' },
    ])
    const types = (await events('member.tier_', member)).map(({ type }) => type.slice('member.tier_'.length))
    expect(types).toEqual(['joined', 'upgraded', 'downgraded', 'upgraded', 'downgraded'])
  })

  test.each([
    ['/v1/members/external:nobody/tiers/bakery-status', {}, 'member_unknown'],
    ['/v1/members/external:bea/tiers/nope', {}, 'tier_ladder_unknown'],
    ['/v1/members/external:bea/tiers/bakery-status?program=nope', {}, 'program_unknown'],
    ['/v1/members/external:bea/tiers/bakery-status?program=coffee', {}, 'tier_ladder_unknown'],
    ['/v1/members/external:bea/tiers/bakery-status', { tier: 'platinum' }, 'tier_unknown'],
    ['/v1/members/external:bea/tiers/bakery-status', { until: '2001-01-01T00:00:00Z' }, 'invalid_request'],
    ['/v1/members/external:bea/tiers/bakery-status', { until: '9999-12-31T00:00:00Z' }, 'invalid_request'],
  ])('%s %j is refused: %s', async (where, differs, code) => {
    const before = await tierOf('bea', 'bakery')
    expect((await api.call('POST', where, { tier: 'gold', reason: 'x', ...differs })).body.code).toBe(code)
    expect(await tierOf('bea', 'bakery')).toEqual(before)
  })
})

describe('what counts goes back', () => {
  test('with what comes back, to the unit', async () => {
    await buy('bakery', 'dan', 19_900)
    const { id, externalId } = await buy('bakery', 'dan', 200)
    expect((await tierOf('dan', 'bakery')).tier).toBe('silver')
    const back = { program: 'bakery', externalId: 'R-1', member: 'external:dan', purchase: id, occurredAt: now() }
    await made('/v1/returns', { ...back, items: 'all' })
    expect(await tierOf('dan', 'bakery')).toMatchObject({ tier: 'green', counted: 199, next: { missing: 1 } })
    const { data } = await get('/v1/members/external:dan/tiers/bakery-status/history')
    expect([externalId !== '', data[0]]).toMatchObject([true, { from: 'silver', to: 'green', why: 'taken_back' }])
  })

  test('with a balance that is spent, or expires', async () => {
    const balance = {
      metric: { kind: 'balance', wallet: 'points' },
      window: { kind: 'lifetime' },
      tiers: SMALL.slice(0, 2),
    }
    await program('pub', balance, { expiry: { kind: 'rolling', period: 'P30D' } })
    await buy('pub', 'eve', 30_000)
    expect(await tierOf('eve', 'pub')).toMatchObject({ tier: 'silver', counted: 300, keep: null })
    await made('/v1/members/external:eve/spend', { program: 'pub', wallet: 'points', points: 101, reason: 'Pint' })
    expect(await tierOf('eve', 'pub')).toMatchObject({ tier: 'green', counted: 199, next: { missing: 1 } })
    await buy('pub', 'eve', 10_000)
    expect((await tierOf('eve', 'pub')).tier).toBe('silver')
    vi.setSystemTime(Date.now() + 31 * 86_400_000)
    expect(await tierOf('eve', 'pub')).toMatchObject({ tier: 'green', counted: 0 }) // before any job
    await work()
    expect((await get('/v1/members/external:eve/tiers/pub-status/history')).data[0]).toMatchObject({ to: 'green' })
  })
})

test('two members who become one hold the higher tier; a condition of a rule reads it', async () => {
  await buy('bakery', 'fay', 15_000)
  await buy('bakery', 'gus', 12_000)
  await made('/v1/members/external:fay/merge', { from: 'external:gus', reason: 'Two cards' })
  expect(await tierOf('gus', 'bakery')).toMatchObject({ tier: 'silver', counted: 270 })
  const when = "member.tiers['bakery-status'] == 'silver'"
  await made('/v1/earning-rules', { program: 'bakery', name: 'For silver', kind: 'fixed', args: { points: 7 }, when })
  const { awards } = await buy('bakery', 'fay', 100)
  expect(awards.map((one: any) => one.points)).toEqual([1, 7, 1, 7])
  const plain = await buy('bakery', 'hal', 100)
  expect(plain.points).toBe(1)
})

test('a ladder that is archived is held by nobody; its history stays', async () => {
  const bea = await tierOf('bea', 'bakery')
  expect(bea.tier).toBe('gold')
  expect((await api.call('POST', `/v1/tier-ladders/${bea.ladderId}/archive`)).body.status).toBe('archived')
  expect((await get('/v1/members/external:bea/tiers?program=bakery')).data).toEqual([])
  expect((await buy('bakery', 'bea', 10_000)).points).toBe(100)
  expect((await get('/v1/members/external:bea/tiers/bakery-status/history')).data[0]).toMatchObject({ to: 'gold' })
  expect(
    (await api.call('POST', '/v1/members/external:bea/tiers/bakery-status', { tier: 'gold', reason: 'x' })).status,
  ).toBe(404)
})
