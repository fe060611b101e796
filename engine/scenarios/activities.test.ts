import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { configurations } from '../earning/configuration.ts'
import { createGate, type Gate } from '../gate/gate.ts'
import { lookAtLives } from '../member-moments.ts'
import { verify } from '../verify.ts'

/** A year of activities at the coffee shop: as the guide shows it, then what it says in words. The clock is moved by hand. */
const database = await openDatabase()
const known = configurations()
let api: TestApi
let gate: Gate

const setClock = (text: string) => vi.setSystemTime(Date.parse(text))

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-03T08:00:00Z') })
  await addKey(database, database.space, LIVE)
  gate = createGate({ pool: database.pool })
  api = await openApi(database, { gate })
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'explicit' }
  expect((await api.call('POST', '/v1/programs', program)).status).toBe(201)
  const ada = { externalId: 'ada', birthDate: '1984-02-29' }
  expect((await api.call('POST', '/v1/members', ada)).status).toBe(201)
})
afterAll(async () => {
  vi.useRealTimers()
  await api.close()
  await gate.close()
  expect(api.faults).toEqual([])
})

const guide = readFileSync(new URL('../../docs/guides/activities.md', import.meta.url), 'utf8')
const steps = [...guide.matchAll(/```http\n([^`]*)```\s*```json (\d+)\n([^`]*)```/g)].map(
  ([, request = '', status, answer = '']) => {
    const [line = '', ...body] = request.trim().split('\n\n')
    const [method = '', url = ''] = line.split(' ')
    return { line, method, url, body: body.join('\n\n'), status: Number(status), answer: JSON.parse(answer) as object }
  },
)

describe('the guide to activities', () => {
  test('has requests', () => expect(steps.length).toBeGreaterThan(8))

  test.each(steps)('$line → $status', async ({ method, url, body, status, answer }) => {
    const told = await api.call(method, url, body === '' ? undefined : body)
    expect(told.body).toMatchObject(answer)
    expect(told.status).toBe(status)
  })
})

let count = 0
const done = (type: string, more: object = {}) =>
  api.call('POST', '/v1/activities', {
    program: 'coffee',
    type,
    externalId: `s-${++count}`,
    member: 'external:ada',
    occurredAt: new Date(Date.now()).toISOString(),
    ...more,
  })
const type = async (slug: string, schema: object = { type: 'object' }) =>
  (await api.call('POST', '/v1/activity-types', { program: 'coffee', slug, name: slug, schema })).body
const rule = async (name: string, on: object, points: number, more: object = {}) => {
  const told = await api.call('POST', '/v1/earning-rules', {
    program: 'coffee',
    name,
    kind: 'fixed',
    args: { points },
    on,
    ...more,
  })
  expect([told.status, told.body.errors]).toEqual([201, undefined])
}
const wallet = async (member = 'ada', slug = 'points') => {
  const { body } = await api.call('GET', `/v1/members/external:${member}/wallets`)
  return body.data.find((w: { wallet: string }) => w.wallet === slug)
}
const events = async (after = 0) => {
  const all: { type: string; data: any }[] = []
  for (let from = String(after), more = true; more; ) {
    const { body } = await api.call('GET', `/v1/events?after=${from}&limit=100`)
    all.push(...body.data)
    from = body.next
    more = body.hasMore
  }
  return all
}
const look = async () => {
  while ((await lookAtLives({ pool: database.pool, gate, known }, database.space, Date.now() * 1000, 50)) > 0);
}
const agrees = async () => expect((await verify(database.pool, database.space)).wrong).toBeUndefined()

test('a schema that changes holds from the next request; what was recorded stays', async () => {
  const { id } = await type('survey', { type: 'object', properties: { score: { type: 'integer' } } })
  const before = (await done('survey', { externalId: 'survey-1', data: { score: 7 } })).body
  const { headers } = await api.call('GET', `/v1/activity-types/${id}`)
  const closed = { type: 'object', properties: { rating: { type: 'integer' } }, additionalProperties: false }
  const path = `/v1/activity-types/${id}`
  const tag = { 'if-match': headers.get('etag') ?? '' }
  const changed = await api.call('PATCH', path, { schema: closed }, tag)
  expect(changed.body).toMatchObject({ version: 2, versions: [{ version: 2 }, { version: 1 }] })
  expect((await api.call('PATCH', path, { name: 'Other' }, tag)).body.code).toBe('etag_mismatch')
  expect((await api.call('PATCH', path, { schema: closed })).body.version).toBe(2) // nothing new
  expect((await done('survey', { data: { score: 7 } })).body.errors).toEqual([
    { pointer: '/data/score', detail: 'unknown field' },
  ])
  // the first one again: it is compared with what was stored, not with today's schema
  const again = await done('survey', { externalId: 'survey-1', occurredAt: before.occurredAt, data: { score: 7 } })
  expect([again.status, again.body.id]).toEqual([200, before.id])

  expect((await api.call('PATCH', path, { status: 'archived' })).body.status).toBe('archived')
  expect((await done('survey', { data: {} })).body.code).toBe('activity_type_archived')
  expect((await api.call('GET', `/v1/activities/${before.id}`)).body.data).toEqual({ score: 7 })
  expect((await api.call('GET', '/v1/activities/external:survey-1')).body.id).toBe(before.id)
  expect((await api.call('GET', '/v1/activities/external:member.birthday')).body.code).toBe('activity_unknown')
  expect((await api.call('PATCH', path, { status: 'active' })).body.status).toBe('active')
})

test('types are listed a page at a time, and a slug is taken once', async () => {
  const first = (await api.call('GET', '/v1/activity-types?program=coffee&limit=1')).body
  expect(first.data.map((t: { slug: string }) => t.slug)).toEqual(['review'])
  const rest = (await api.call('GET', `/v1/activity-types?after=${first.next}`)).body
  expect(rest.data.map((t: { slug: string }) => t.slug)).toContain('survey')
  expect((await type('review')).code).toBe('already_exists')
  expect((await type('earn')).errors[0].pointer).toBe('/slug')
  expect((await api.call('GET', '/v1/activity-types?after=x')).body.code).toBe('invalid_cursor')
  expect((await api.call('GET', '/v1/activity-types/aty_x')).body.code).toBe('activity_type_unknown')
})

test('hostile bodies are refused, each at its place', async () => {
  const raw = '{"program":"coffee","type":"review","externalId":"h","member":"external:ada",'
  const at = `"occurredAt":"2026-11-02T09:30:00Z"`
  const send = async (text: string) => (await api.call('POST', '/v1/activities', text)).body
  expect((await send(`${raw}${at},"data":{"__proto__":{"stars":1}}}`)).errors[0].pointer).toMatch(/^\/data/)
  expect((await send(`${raw}${at},"data":{"text":"${'x'.repeat(20_000)}"}}`)).errors[0].pointer).toBe('/data')
  expect((await send(`${raw}${at},"data":[]}`)).errors[0].pointer).toBe('/data')
  expect((await send(`${raw}"occurredAt":"soon"}`)).code).toBe('invalid_request')
  expect((await send(`${raw.replace('"review"', '"member.birthday"')}${at}}`)).errors[0].pointer).toBe('/type')
  const batch = { activities: [1, null, {}, { program: 'coffee' }] }
  const { results } = (await api.call('POST', '/v1/activities/batch', batch)).body
  expect(results.map((r: { status: number }) => r.status)).toEqual([400, 400, 400, 400])
})

test('rules see the data, and limits count activities as they do purchases', async () => {
  await type('visit', { type: 'object', properties: { minutes: { type: 'integer' } } })
  const on = { event: 'activity', activity: 'visit' }
  await rule('Long visits', on, 3, { when: 'activity.data.minutes >= 30', caps: [{ per: 'month', points: 7 }] })
  const points = async (minutes: number) => (await done('visit', { data: { minutes } })).body.points
  expect([await points(10), await points(30), await points(45), await points(60), await points(90)]).toEqual([
    0, 3, 3, 1, 0,
  ])
  await agrees()
})

test('points that wait for an activity begin with it', async () => {
  setClock('2026-11-05T09:00:00Z')
  await type('delivered')
  await type('order')
  const pending = { kind: 'event', activity: 'delivered', cancelAfter: 'P60D' }
  const expiry = { kind: 'rolling', period: 'P1Y', roundUp: 'year' }
  await rule('Orders', { event: 'activity', activity: 'order' }, 500, { pending, expiry })
  const { available } = await wallet()
  await done('order')
  await done('order')
  expect(await wallet()).toMatchObject({ available, pending: 1000 })
  await done('visit', { data: { minutes: 1 } })
  expect(await wallet()).toMatchObject({ available, pending: 1000 })

  const before = (await events()).length
  const { body } = await done('delivered', { externalId: 'delivery-1' })
  expect(body.activated).toHaveLength(2)
  expect(await wallet()).toMatchObject({ available: available + 1000, pending: 0 })
  const told = (await events(before)).map(({ type, data }) => [type, data.points])
  expect(told).toEqual([
    ['activity.recorded', 0],
    ['points.activated', 500],
    ['points.activated', 500],
  ])
  const { body: entry } = await api.call('GET', `/v1/entries/${body.activated[0]}`)
  expect(entry).toMatchObject({ kind: 'move', lot: { remaining: 500, expiresAt: '2028-01-01T00:00:00.000Z' } })
  expect((await done('delivered')).body.activated).toBeUndefined() // nothing waits any more
  await agrees()
})

test('points that are given and activated in one list begin, too', async () => {
  const before = gate.stats()
  const { available } = await wallet()
  const told = await Promise.all(
    ['order', 'delivered', 'order'].map((slug, i) =>
      gate.submit(database.space, {
        verb: 'activity',
        program: 'coffee',
        type: slug,
        externalId: `list-${i}`,
        member: 'external:ada',
        occurredAt: Date.now() * 1000,
        data: {},
      }),
    ),
  )
  expect(told.map(({ status }) => status)).toEqual([201, 201, 201])
  expect(gate.stats().lists - before.lists).toBe(1)
  expect(await wallet()).toMatchObject({ available: available + 500, pending: 500 })
  await done('delivered')
  expect(await wallet()).toMatchObject({ available: available + 1000, pending: 0 })
  await agrees()
})

test('what waits too long is cancelled, and a late delivery changes nothing', async () => {
  await done('order')
  const { available, pending } = await wallet()
  expect(pending).toBe(500)
  setClock('2027-01-05T09:00:00Z')
  expect((await done('delivered')).body.activated).toBeUndefined()
  expect(await wallet()).toMatchObject({ available, pending: 0 })
  await agrees()
})

test('an activity that a wallet lists keeps points alive that expire by inactivity', async () => {
  await type('login')
  const expiry = { kind: 'sliding', period: 'P90D', on: ['login', 'earn'] }
  const made = await api.call('POST', '/v1/programs/coffee/wallets', { slug: 'stars', expiry })
  expect(made.status).toBe(201)
  await rule('Stars', { event: 'activity', activity: 'visit' }, 4, { wallet: 'stars' })
  await done('visit')
  expect(await wallet('ada', 'stars')).toMatchObject({ available: 4 })
  setClock('2027-03-05T09:00:00Z')
  await done('login')
  setClock('2027-05-05T09:00:00Z') // 120 days after the visit, 61 after the login
  expect(await wallet('ada', 'stars')).toMatchObject({ available: 4 })
  setClock('2027-06-05T09:00:00Z')
  expect(await wallet('ada', 'stars')).toMatchObject({ available: 0 })
  await done('login')
  expect(await wallet('ada', 'stars')).toMatchObject({ available: 0, lifetimeExpired: 4 })
  await agrees()
})

test('a birthday on 29 February, the fifth anniversary, and who was away: told and explained', async () => {
  await rule('Anniversary', { event: 'member', moment: 'anniversary' }, 10, { when: 'activity.data.years == 2' })
  await rule('We miss you', { event: 'member', moment: 'inactive', days: 60 }, 25)
  setClock('2028-02-28T23:59:00Z')
  await look()
  const moments = async () => {
    const { body } = await api.call('GET', '/v1/members/external:ada/activities')
    return body.data
      .filter((a: { externalId: string | null }) => a.externalId === null)
      .map((a: { type: string; occurredAt: string; points: number }) => [a.type, a.occurredAt, a.points])
  }
  expect(await moments()).toEqual([]) // her silence of last summer was found too late
  setClock('2028-02-29T00:00:00Z')
  await look()
  setClock('2028-11-03T00:00:00Z')
  await look()
  expect(await moments()).toEqual([
    ['member.anniversary', '2028-11-03T00:00:00.000Z', 10],
    ['member.birthday', '2028-02-29T00:00:00.000Z', 50],
  ])
  await done('visit')
  setClock('2029-01-02T09:00:00Z')
  await look()
  expect((await moments())[0]).toEqual(['member.inactive', '2029-01-02T00:00:00.000Z', 25])
  const told = (await events()).filter(({ type }) => type.startsWith('member.') && type !== 'member.enrolled')
  expect(told.map(({ type, data }) => [type, data.type, data.points, data.data])).toEqual([
    ['member.birthday', 'member.birthday', 50, { year: 2028 }],
    ['member.anniversary', 'member.anniversary', 10, { years: 2 }],
    ['member.inactive', 'member.inactive', 25, { days: 60, since: '2028-11-03T00:00:00.000Z' }],
  ])
  const { body: entries } = await api.call('GET', '/v1/members/external:ada/entries?limit=1')
  expect(entries.data[0]).toMatchObject({ kind: 'earn', points: 25, source: { type: 'member' } })
  await agrees()
})

test('a paused program takes no activities; an Idempotency-Key answers again word for word', async () => {
  expect((await api.call('POST', '/v1/programs/coffee/pause')).status).toBe(200)
  expect((await done('visit')).body.code).toBe('program_paused')
  expect((await api.call('POST', '/v1/programs/coffee/resume')).status).toBe(200)
  const body = {
    program: 'coffee',
    type: 'visit',
    externalId: 'key-1',
    member: 'external:ada',
    occurredAt: '2029-01-02T08:00:00Z',
  }
  const key = { 'idempotency-key': 'visit-1' }
  const first = await api.call('POST', '/v1/activities', body, key)
  const again = await api.call('POST', '/v1/activities', body, key)
  expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([201, first.text, 'true'])
  expect((await api.call('POST', '/v1/activities', { ...body, type: 'login' }, key)).body.code).toBe(
    'idempotency_mismatch',
  )
})

test('after a merge an activity is still the same one, and belongs to the one who lives on', async () => {
  expect((await api.call('POST', '/v1/members', { externalId: 'ada-2' })).status).toBe(201)
  const said = { externalId: 'merged-1', member: 'external:ada-2', occurredAt: '2028-12-31T09:00:00Z' }
  const first = await done('visit', said)
  expect(first.status).toBe(201)
  const merge = { from: 'external:ada-2', reason: 'Two cards' }
  const merged = await api.call('POST', '/v1/members/external:ada/merge', merge)
  expect([merged.status, merged.body.code]).toEqual([201, undefined])
  const again = await done('visit', said)
  expect([again.status, again.body.id]).toEqual([200, first.body.id])
  expect((await done('visit', { ...said, member: 'external:ada' })).body.id).toBe(first.body.id)
  const { body } = await api.call('GET', '/v1/members/external:ada/activities?type=visit&limit=100')
  expect(body.data.map((a: { externalId: string }) => a.externalId)).toContain('merged-1')
  await agrees()
})
