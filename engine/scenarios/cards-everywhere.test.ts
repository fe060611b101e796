import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Operation } from '../../contract/operation.ts'
import { OPERATIONS } from '../../contract/operations.ts'
import { QUEUED } from '../../contract/till.ts'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { verify } from '../verify.ts'

/** A picture of a rotating card is worth nothing, wherever a member can be named: every place of every operation is tried. */
const database = await openDatabase()
const { pool, space } = database
const STALE = 'card_code_stale'
let api: TestApi
let n = 0

const sale = {
  program: 'coffee',
  occurredAt: new Date().toISOString(),
  currency: 'GBP',
  items: [{ sku: 'BEANS', quantity: 1, amount: 500 }],
}

beforeAll(async () => {
  await addKey(database, space, LIVE)
  api = await openApi(database, { secret: 's'.repeat(32) })
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP' }
  await api.call('POST', '/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
  await api.call('POST', '/v1/members', { externalId: 'somebody' })
  await api.call('POST', '/v1/purchases', { ...sale, externalId: 'nobodys' })
  const metric = { kind: 'earned', wallet: 'points' }
  const terms = { metric, window: { kind: 'lifetime' }, upgrade: 'at_once', downgrade: 'none' }
  const tiers = [{ slug: 'gold', name: 'Gold', threshold: 50 }]
  await api.call('POST', '/v1/tier-ladders', { program: 'coffee', slug: 'status', name: 'Status', ...terms, tiers })
})
afterAll(async () => {
  await api.close()
  expect((await verify(pool, space)).wrong).toBeUndefined()
  expect(api.faults).toEqual([])
})

/** Somebody new, with a rotating card: a picture of it is without digits, or with `old` ones; `shown` are those of the moment. */
async function holder() {
  const { id } = (await api.call('POST', '/v1/members', { externalId: `holder-${++n}` })).body
  const { code } = (await api.call('POST', `/v1/members/${id}/card`, { rotating: true })).body
  const { payload } = (await api.call('GET', `/v1/members/${id}/card`)).body.face
  return { id, picture: `card:${code}`, old: `card:${code}.000000`, shown: `card:${payload}` }
}

type Shape = {
  $ref?: string
  pattern?: string
  properties?: Record<string, Shape>
  items?: Shape
  anyOf?: Shape[]
  $defs?: Record<string, Shape>
}

/** Where a shape takes a reference to a member: the steps to it. */
function places(shape: Shape, root: Shape, at: string[] = []): string[][] {
  const { $ref, pattern, properties, items, anyOf } = shape
  if ($ref) return places(root.$defs?.[$ref.split('/').at(-1) ?? ''] ?? {}, root, at)
  if (pattern?.startsWith('^(mem_|external:|card:')) return [at]
  return [
    ...Object.entries(properties ?? {}).flatMap(([name, one]) => places(one, root, [...at, name])),
    ...(items ? places(items, root, [...at, '0']) : []),
    ...(anyOf ?? []).flatMap((one) => places(one, root, at)),
  ]
}
function placesOf(schema: z.ZodType): string[][] {
  const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape
  return places(shape, shape)
}

/** Where an example names members: items of a batch have no shape of their own. */
function named(value: unknown, at: string[] = []): string[][] {
  const isRef = typeof value === 'string' && /^(mem_|external:|card:)/.test(value)
  if (isRef && ['member', 'to', 'from'].includes(at.at(-1) ?? '')) return [at]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, one]) => named(one, [...at, key]))
}

/** What examples say has happened happens now, and for the first time: repeats are not looked at again. */
function today(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(today)
  const now: Record<string, string> = { occurredAt: sale.occurredAt, externalId: `new-${++n}` }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, now[key] ?? today(one)]))
}

type Case = { op: Operation; at: string; ask: (ref: string) => Promise<{ status: number; body: any }> }
const KNOWN: Record<string, string> = { purchase: 'external:nobodys', wallet: 'points', ladder: 'status' }

function casesOf(op: Operation): Case[] {
  const example = () => (today(op.examples.body) ?? {}) as Record<string, unknown>
  const path = (member: string) =>
    op.path.replace('{member}', encodeURIComponent(member)).replaceAll(/\{(\w+)\}/g, (_, name) => KNOWN[name] ?? 'none')
  const send = (member: string, body?: unknown, query = '') => api.call(op.method, path(member) + query, body)
  const body = op.body ? example : () => undefined
  const cases: Case[] = []
  if (op.path.includes('{member}')) cases.push({ op, at: 'path', ask: (ref) => send(ref, body()) })
  for (const [name = ''] of op.query ? placesOf(op.query) : []) {
    const ask = (ref: string) => send('external:somebody', undefined, `?${name}=${encodeURIComponent(ref)}`)
    cases.push({ op, at: `?${name}`, ask })
  }
  const inBody = op.body ? [...placesOf(op.body), ...named(op.examples.body)] : []
  for (const [at, place] of new Map(inBody.map((one) => [`/${one.join('/')}`, one])))
    cases.push({ op, at, ask: (ref) => send('external:somebody', put(example(), place, ref)) })
  return cases
}

function put(body: Record<string, any>, [step = '', ...rest]: string[], ref: string): Record<string, any> {
  body[step] = rest.length === 0 ? ref : put(body[step], rest, ref)
  return body
}

/** Nothing is changed by what is no POST that takes an Idempotency-Key and no PATCH; but digits are shown by one that reads. */
const acts = ({ op }: Case) => op.idempotent || op.method === 'PATCH' || op.id === 'showCard'

/** Of what stands by itself in a batch or a queue, too. */
function isStale({ body }: { body: any }): boolean {
  const each = body.results?.map((one: { error?: { code: string } }) => one.error?.code) ?? []
  return [body.code, ...each].includes(STALE)
}

const cases = OPERATIONS.flatMap(casesOf)

test('the walk finds where members are named', () => {
  const found = cases.map(({ op, at }) => `${op.id} ${at}`)
  for (const known of ['mergeMembers /from', 'transferPoints /to', 'createVoucher /member', 'changeMember path'])
    expect(found).toContain(known)
  for (const path of OPERATIONS.filter((op) => op.path.includes('{member}'))) expect(found).toContain(`${path.id} path`)
  for (const op of OPERATIONS.filter((one) => /Batch$|^record.*s$|sendQueue/.test(one.id)))
    expect(found.some((one) => one.startsWith(`${op.id} /`))).toBe(true)
  expect(cases.filter(acts).length).toBeGreaterThan(24)
})

describe('who is acted upon by a picture of a rotating card', () => {
  test.each(cases.filter(acts).map((one) => [one.op.id, one.at, one] as const))('%s %s', async (_id, _at, one) => {
    const { picture, old, shown } = await holder()
    expect(isStale(await one.ask(picture))).toBe(true)
    expect(isStale(await one.ask(old))).toBe(true)
    expect(isStale(await one.ask(shown))).toBe(false)
  })

  test.each(Object.entries(QUEUED))('a till that was offline: %s', async (type, schema) => {
    const back = { externalId: 'q-2', occurredAt: sale.occurredAt, purchase: 'external:q-1', items: 'all' }
    const order = { currency: 'GBP', items: sale.items }
    const said: Record<string, object> = {
      purchase: { ...sale, externalId: 'q-1' },
      return: { program: 'coffee', ...back },
      spend: { program: 'coffee', wallet: 'points', points: 1, reason: 'mug', externalId: 'q-3' },
      refund: { spend: 'external:q-3', reason: 'mug', externalId: 'q-5' },
      redeem_vouchers: { program: 'coffee', codes: ['NONE'], externalId: 'q-4', order },
    }
    expect(placesOf(schema)).toEqual(said[type] ? [['member']] : [])
    if (!said[type]) return
    const { picture, shown } = await holder()
    const queued = (member: string) => api.call('POST', '/v1/till/queue', { items: [{ type, ...said[type], member }] })
    expect(isStale(await queued(picture))).toBe(true)
    expect(isStale(await queued(shown))).toBe(false)
  })
})

describe('who is only read', () => {
  test.each(cases.filter((one) => !acts(one)).map((one) => [one.op.id, one.at, one] as const))(
    '%s %s needs no digits',
    async (_id, _at, one) => expect(isStale(await one.ask((await holder()).picture))).toBe(false),
  )
})

test('a claim is made now, whenever it was bought: the card is to be shown now', async () => {
  const then = new Date(Date.now() - 3_600_000).toISOString()
  await api.call('POST', '/v1/purchases', { ...sale, externalId: 'an-hour-ago', occurredAt: then })
  const claim = (member: string) => api.call('POST', '/v1/purchases/external:an-hour-ago/claim', { member })
  const { id, picture, shown } = await holder()
  expect(isStale(await claim(picture))).toBe(true)
  expect((await claim(shown)).body.member).toBe(id)
})
