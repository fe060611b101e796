import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { LadderPreview } from '@laurel/contract/member-tiers'
import { addKey, LIVE, openApi, type TestApi } from '../tests/api.ts'
import { openDatabase } from '../tests/database.ts'
import { withRead } from './base/db.ts'
import { configurations } from './earning/configuration.ts'
import { createGate, type Gate } from './gate/gate.ts'
import { passDue } from './pass-time.ts'
import { previewLadder } from './preview-ladder.ts'
import { verify } from './verify.ts'
import { currentConfiguration } from './views/current.ts'

/**
 * What a preview says is what happens: for versions of every sort, who moves when one is published is whom its preview named, in the
 * readers' eyes at once and in the rows when the worker has looked.
 */
const database = await openDatabase()
const { pool, space } = database
const MEMBERS = 24
const DAY = 86_400_000
const START = Date.parse('2027-01-10T12:00:00Z')
let api: TestApi
let gate: Gate
let ladder = ''

/** The same commerce each time: a multiplicative generator, so that a failure can be looked at again. */
let seed = 42
const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
const member = (i: number) => `external:m${i}`
const call = async (method: string, path: string, body?: object) => {
  const told = await api.call(method, path, body)
  expect(told.status, told.text).toBeLessThan(300)
  return told.body
}

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  await addKey(database, space, LIVE)
  api = await openApi(database)
  gate = createGate({ pool })
  const program = {
    slug: 'coffee',
    name: 'Coffee',
    timezone: 'Europe/London',
    currency: 'GBP',
    joinPolicy: 'on_first_purchase',
  }
  await call('POST', '/v1/programs', program)
  const rule = { program: 'coffee', name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
  await call('POST', '/v1/earning-rules', rule)
  await commerce(30)
  const status = { program: 'coffee', slug: 'status', name: 'Status', metric: { kind: 'spend' } }
  const tiers = [tier('green', 0), tier('silver', 200_00), tier('gold', 500_00)]
  ladder = (await call('POST', '/v1/tier-ladders', { ...status, window: { kind: 'calendar', per: 'year' }, tiers })).id
  await commerce(130)
})
afterAll(async () => {
  expect((await verify(pool, space)).wrong).toBeUndefined()
  vi.useRealTimers()
  await gate.close()
  await api.close()
  expect(api.faults.map(({ err }) => err?.stack)).toEqual([])
})

const tier = (slug: string, threshold: number) => ({ slug, name: slug, threshold })

/** So many purchases by anybody over as many days, and now and then something comes back or is given by hand. */
let sales = 0
async function commerce(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    vi.setSystemTime(Date.now() + random(3 * DAY))
    const buyer = member(random(MEMBERS))
    const sale = { program: 'coffee', externalId: `S-${++sales}`, member: buyer, currency: 'GBP' }
    const occurredAt = new Date(Date.now() - random(20) * DAY).toISOString()
    const items = [{ sku: 'beans', quantity: 1, amount: 1000 + random(150_00) }]
    await call('POST', '/v1/purchases', { ...sale, occurredAt, items })
    if (random(9) === 0) {
      const back = { program: 'coffee', externalId: `R-${sales}`, member: buyer, purchase: `external:S-${sales}` }
      await call('POST', '/v1/returns', { ...back, occurredAt: new Date().toISOString(), items: 'all' })
    }
    if (ladder && random(40) === 0)
      await call('POST', `/v1/members/${buyer}/tiers/status`, { tier: 'gold', reason: 'Guest' })
  }
}

async function held(slug = 'status'): Promise<Map<string, string | null>> {
  const tiers = new Map<string, string | null>()
  for (let i = 0; i < MEMBERS; i++) {
    const told = await api.call('GET', `/v1/members/${member(i)}/tiers`)
    for (const one of told.body.data ?? []) if (one.ladder === slug) tiers.set(one.member, one.tier)
  }
  return tiers
}
async function stored(): Promise<Map<string, string | null>> {
  for (let last = 1; last > 0; ) last = await passDue(pool, gate, space, 100)
  return await held()
}

function movesBetween(before: Map<string, string | null>, after: Map<string, string | null>) {
  const moves = new Map<string, number>()
  for (const [id, from] of before) {
    const to = after.get(id) ?? null
    if (from !== to) moves.set(`${from} → ${to}`, (moves.get(`${from} → ${to}`) ?? 0) + 1)
  }
  return Object.fromEntries(moves)
}
const movesOf = ({ moves }: LadderPreview) =>
  Object.fromEntries(moves.map(({ from, to, members }) => [`${from} → ${to}`, members]))

const higher = [tier('green', 0), tier('silver', 300_00), tier('gold', 700_00)]
const VERSIONS: [string, object, moves: boolean][] = [
  ['other words only', { name: 'Your status' }, false],
  ['thresholds that rise', { tiers: higher }, true],
  ['thresholds that fall', { tiers: [tier('green', 0), tier('silver', 100_00), tier('gold', 200_00)] }, true],
  ['thresholds that rise, and nobody falls', { tiers: higher, keep: true }, false],
  [
    'a tier more',
    { tiers: [tier('green', 0), tier('bronze', 50_00), tier('silver', 300_00), tier('gold', 700_00)] },
    true,
  ],
  ['a tier that is gone', { tiers: [tier('green', 0), tier('silver', 150_00), tier('gold', 400_00)] }, true],
  ['no tier for everyone', { tiers: [tier('silver', 800_00), tier('gold', 1500_00)] }, true],
  ['another window', { window: { kind: 'rolling', period: 'P60D' } }, true],
  ['years of membership', { window: { kind: 'join_anniversary' } }, true],
  [
    'another metric',
    { metric: { kind: 'purchases' }, tiers: [tier('green', 0), tier('silver', 5), tier('gold', 9)] },
    true,
  ],
  [
    'a balance',
    { metric: { kind: 'balance', wallet: 'points' }, tiers: [tier('silver', 150), tier('gold', 400)] },
    true,
  ],
  [
    'an expression',
    {
      metric: { kind: 'expression', expression: 'spend / 100 + purchases * 30' },
      window: { kind: 'lifetime' },
      tiers: [tier('silver', 700), tier('gold', 1000)],
    },
    true,
  ],
]

describe('who would move is who moves, by', () => {
  test.each(VERSIONS)('%s', async (_, version, anybody) => {
    await commerce(10)
    await stored()
    const before = await held()
    const preview: LadderPreview = await call('POST', `/v1/tier-ladders/${ladder}/preview`, version)
    expect(await held()).toEqual(before)
    const { version: published } = await call('POST', `/v1/tier-ladders/${ladder}/versions`, version)
    expect(preview).toMatchObject({
      ladder,
      version: published,
      total: before.size,
      members: before.size,
      complete: true,
    })
    const after = await held()
    expect(movesOf(preview)).toEqual(movesBetween(before, after))
    expect(Object.keys(movesOf(preview)).length > 0).toBe(anybody)
    expect(preview.unchanged).toBe(before.size - preview.moves.reduce((sum, { members }) => sum + members, 0))
    for (const { member: id, from, to } of preview.sample) expect([from, to]).toEqual([before.get(id), after.get(id)])
    expect(await stored()).toEqual(after)
  })

  test('a version that cannot be is refused as if it were published; an archived ladder has none', async () => {
    const wrong = { metric: { kind: 'expression', expression: 'spend +' } }
    for (const where of ['preview', 'versions']) {
      const told = await api.call('POST', `/v1/tier-ladders/${ladder}/${where}`, wrong)
      expect([told.status, told.body.errors[0].pointer]).toEqual([400, '/metric/expression'])
    }
    const other = {
      program: 'coffee',
      slug: 'old',
      name: 'Old',
      metric: { kind: 'spend' },
      window: { kind: 'lifetime' },
    }
    const { id } = await call('POST', '/v1/tier-ladders', { ...other, tiers: [tier('one', 1)] })
    await call('POST', `/v1/tier-ladders/${id}/archive`)
    const told = await api.call('POST', `/v1/tier-ladders/${id}/preview`, { name: 'x' })
    expect(told.body.code).toBe('tier_ladder_archived')
    expect((await api.call('POST', '/v1/tier-ladders/nope/preview', {})).body.code).toBe('tier_ladder_unknown')
  })

  test('a ladder that is made: who would hold what is who holds it', async () => {
    const visits = { program: 'coffee', slug: 'visits', name: 'Visits', metric: { kind: 'purchases' } }
    const body = { ...visits, window: { kind: 'rolling', period: 'P200D' }, tiers: [tier('some', 2), tier('many', 5)] }
    const preview: LadderPreview = await call('POST', '/v1/tier-ladders/preview', body)
    expect(preview).toMatchObject({ ladder: null, version: 1, complete: true })
    const { id } = await call('POST', '/v1/tier-ladders', body)
    const nobody = new Map([...(await held()).keys()].map((one) => [one, null]))
    const after = await held('visits')
    expect(movesOf(preview)).toEqual(movesBetween(nobody, after))
    expect(preview.moves.map(({ to }) => to)).toEqual(['many', 'some'])
    expect((await api.call('POST', '/v1/tier-ladders/preview', { ...body, program: 'nope' })).body.code).toBe(
      'program_unknown',
    )
    await call('POST', `/v1/tier-ladders/${id}/archive`)
  })

  test('where there are many, a sample stands for them, the same each time', async () => {
    const known = configurations()
    const ask = (looks: number) =>
      withRead(pool, space, async (db) =>
        previewLadder(
          db,
          ladder,
          { name: 'x' },
          { configuration: await currentConfiguration(db, known), now: Date.now() * 1000, looks },
        ),
      )
    const [some, again, all] = [await ask(10), await ask(10), await ask(1000)]
    expect(all).toMatchObject({ complete: true, members: all.total })
    expect(some.complete).toBe(false)
    expect(some.members).toBeGreaterThan(0)
    expect(some.members).toBeLessThan(all.total)
    expect(again).toEqual({ ...some, at: again.at })
  })
})
