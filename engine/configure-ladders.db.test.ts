import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../tests/api.ts'
import { openDatabase } from '../tests/database.ts'
import { configurations } from './earning/configuration.ts'
import { ladderNamed } from './earning/ladders.ts'
import { withRead } from './base/db.ts'
import { currentConfiguration } from './views/current.ts'

/** How ladders are made, changed and ended, over the API. */
const database = await openDatabase()
let api: TestApi

beforeAll(async () => {
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  for (const slug of ['coffee', 'tea']) {
    const program = { slug, name: slug, timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'explicit' }
    expect((await api.call('POST', '/v1/programs', program)).status).toBe(201)
  }
})
afterAll(() => api.close())

const tiers = [
  { slug: 'green', name: 'Green', threshold: 0 },
  { slug: 'gold', name: 'Gold', threshold: 500, benefits: { multiplier: '1.5', wallets: ['points'] } },
]
const status = {
  program: 'coffee',
  slug: 'status',
  name: 'Status',
  metric: { kind: 'spend' },
  window: { kind: 'calendar', per: 'year' },
  tiers,
}
const make = (body: object) => api.call('POST', '/v1/tier-ladders', body)
const inForce = () =>
  withRead(database.pool, database.space, (db) => currentConfiguration(db, configurations())).then((c) => c.ladders)

describe('a ladder', () => {
  let id = ''

  test('is made with what was told, and the rest as it is unless told', async () => {
    const made = await make(status)
    expect(made.status, made.text).toBe(201)
    id = made.body.id
    const rest = { upgrade: 'at_once', downgrade: 'reassess', grace: null, noticeDays: null }
    expect(made.body).toMatchObject({ ...status, ...rest, status: 'active', version: 1 })
    expect(await inForce()).toMatchObject([{ slug: 'status', version: 1, keeping: 1, firm: 1, terms: { tiers } }])
  })

  test('has a slug of its own in its program', async () => {
    const again = await make(status)
    expect([again.status, again.body.code, again.body.errors[0].pointer]).toEqual([409, 'already_exists', '/slug'])
    expect((await make({ ...status, program: 'tea' })).status).toBe(201)
  })

  test('is named by its id, or by its slug where one program alone has it', async () => {
    expect((await api.call('GET', `/v1/tier-ladders/${id}`)).body.program).toBe('coffee')
    const both = await api.call('GET', '/v1/tier-ladders/status')
    expect([both.status, both.body.code]).toEqual([404, 'tier_ladder_unknown'])
    expect(both.body.detail).toContain('by its id')
    await make({ ...status, slug: 'visits', metric: { kind: 'purchases' } })
    expect((await api.call('GET', '/v1/tier-ladders/visits')).body.metric).toEqual({ kind: 'purchases' })
    const configuration = await withRead(database.pool, database.space, (db) =>
      currentConfiguration(db, configurations()),
    )
    expect(ladderNamed(configuration, 'status')).toBeUndefined()
    const coffee = configuration.programs.find(({ slug }) => slug === 'coffee')?.programId
    expect(ladderNamed(configuration, 'status', coffee)?.programId).toBe(coffee)
    expect(ladderNamed(configuration, id)?.programId).toBe(coffee)
  })

  test('counts on where the same is counted, and anew where it is not', async () => {
    const publish = (body: object) => api.call('POST', `/v1/tier-ladders/${id}/versions`, body)
    const counting = async () => (await inForce()).find((one) => one.slug === 'status' && one.terms.tiers.length > 1)
    const named = await publish({ name: 'Your status', keep: true })
    expect([named.status, named.body.version, named.body.name]).toEqual([201, 2, 'Your status'])
    expect(await counting()).toMatchObject({ version: 2, keeping: 1, firm: 1 })
    await publish({ metric: { kind: 'spend' }, window: { per: 'year', kind: 'calendar' }, grace: { period: 'P1M' } })
    expect(await counting()).toMatchObject({ version: 3, keeping: 1, firm: 3, terms: { grace: { period: 'P1M' } } })
    await publish({ window: { kind: 'rolling', period: 'P12M' }, grace: null })
    expect(await counting()).toMatchObject({ version: 4, keeping: 4, firm: 4, terms: { grace: null, tiers } })
    const { versions } = (await api.call('GET', `/v1/tier-ladders/${id}`)).body
    expect(versions.map((v: { version: number }) => v.version)).toEqual([4, 3, 2, 1])
    expect(versions[3]).toMatchObject({ name: 'Status', window: status.window })
  })

  test('takes versions that are published at once one after another, none lost', async () => {
    const visits = (await api.call('GET', '/v1/tier-ladders/visits')).body
    const publish = (i: number) => api.call('POST', `/v1/tier-ladders/${visits.id}/versions`, { name: `Visits ${i}` })
    const told = await Promise.all(Array.from({ length: 10 }, (_, i) => publish(i)))
    const versions = told.map(({ body }) => body.version).toSorted((a, b) => a - b)
    expect(versions).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    const last = told.find(({ body }) => body.version === 11)?.body
    expect((await api.call('GET', '/v1/tier-ladders/visits')).body.name).toBe(last.name)
  })

  test('ends for good, once', async () => {
    const ended = await api.call('POST', `/v1/tier-ladders/${id}/archive`)
    expect([ended.status, ended.body.status]).toEqual([200, 'archived'])
    expect((await api.call('POST', `/v1/tier-ladders/${id}/archive`)).body).toEqual(ended.body)
    expect((await inForce()).map(({ slug }) => slug)).toEqual(['status', 'visits'])
    const after = await api.call('POST', `/v1/tier-ladders/${id}/versions`, { name: 'On' })
    expect([after.status, after.body.code]).toEqual([409, 'tier_ladder_archived'])
    const { data } = (await api.call('GET', '/v1/events?limit=100')).body
    const told = data.filter((event: { type: string }) => event.type.startsWith('tier_ladder.'))
    expect(told.filter((event: { data: { ladder: string } }) => event.data.ladder === id)).toMatchObject([
      { type: 'tier_ladder.published', data: { program: 'coffee', slug: 'status', version: 1, name: 'Status' } },
      { type: 'tier_ladder.published', data: { version: 2, name: 'Your status' } },
      { type: 'tier_ladder.published', data: { version: 3 } },
      { type: 'tier_ladder.published', data: { version: 4 } },
      { type: 'tier_ladder.archived', data: { version: 4 } },
    ])
  })

  test('is listed, oldest first, of one program or of all', async () => {
    const slugs = async (query: string) => {
      const { body } = await api.call('GET', `/v1/tier-ladders${query}`)
      return [body.data.map((one: { program: string; slug: string }) => `${one.program}/${one.slug}`), body.next]
    }
    expect(await slugs('')).toEqual([['coffee/status', 'tea/status', 'coffee/visits'], null])
    expect(await slugs('?program=tea')).toEqual([['tea/status'], null])
    const [first, next] = await slugs('?limit=2')
    expect(first).toEqual(['coffee/status', 'tea/status'])
    expect(await slugs(`?after=${next}`)).toEqual([['coffee/visits'], null])
    expect((await api.call('GET', '/v1/tier-ladders?after=ldr_nope')).body.code).toBe('invalid_cursor')
    expect((await api.call('GET', '/v1/tier-ladders?program=milk')).body.code).toBe('program_unknown')
  })
})

describe('what a ladder says is refused, and nothing is stored,', () => {
  test.each([
    ['wallets that are not there', { metric: { kind: 'earned', wallet: 'stamps' } }, '/metric/wallet'],
    ['activities that are not there', { metric: { kind: 'activities', activity: 'jump' } }, '/metric/activity'],
    ['thresholds that do not ascend', { tiers: [tiers[1], tiers[0]] }, '/tiers'],
    ['the same tier twice', { tiers: [tiers[0], { ...tiers[1], slug: 'green' }] }, '/tiers'],
    ['no tiers', { tiers: [] }, '/tiers'],
    ['windows of hours', { window: { kind: 'rolling', period: 'PT12H' } }, '/window/period'],
    [
      'multipliers in wallets that are not there',
      { tiers: [{ ...tiers[1], benefits: { multiplier: '2', wallets: ['points', 'stamps'] } }] },
      '/tiers/0/benefits/wallets/1',
    ],
    [
      'multipliers below one',
      { tiers: [{ ...tiers[1], benefits: { multiplier: '0.5' } }] },
      '/tiers/0/benefits/multiplier',
    ],
  ])('%s', async (_, differs, pointer) => {
    const told = await make({ ...status, slug: 'wrong', ...differs })
    expect(told.body).toMatchObject({ status: 400, code: 'invalid_request', errors: [{ pointer }] })
    expect((await inForce()).map(({ slug }) => slug)).not.toContain('wrong')
  })

  test('ladders of programs that are not there', async () => {
    expect((await make({ ...status, program: 'milk' })).body.code).toBe('program_unknown')
    expect((await api.call('GET', '/v1/tier-ladders/nope')).body.code).toBe('tier_ladder_unknown')
    expect((await api.call('POST', '/v1/tier-ladders/nope/versions', { name: 'x' })).body.code).toBe(
      'tier_ladder_unknown',
    )
    expect((await api.call('POST', '/v1/tier-ladders/nope/archive')).body.code).toBe('tier_ladder_unknown')
  })
})
