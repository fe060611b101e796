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
