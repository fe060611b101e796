import { createServer, connect, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { OPERATIONS } from '@laurel/contract/operations'
import { SCOPES } from '@laurel/contract/scopes'
import { keyOf } from '@laurel/engine/base/keys'
import { openPool } from '@laurel/engine/base/db'
import { openDatabase } from '../tests/database.ts'
import { addKey, LIVE, openApi, TEST, type TestApi } from '../tests/api.ts'

/** The conventions that hold for every operation. What single ones do is in the scenarios. */
const database = await openDatabase()
let api: TestApi
const made = { program: '', rule: '', member: '', purchase: '', entry: '', wallet: 'points', ladder: '', voucher: '' }
const PURCHASE = {
  program: 'coffee',
  member: 'external:C1',
  occurredAt: '2026-11-01T10:00:00+01:00',
  currency: 'GBP',
  items: [{ sku: 'BEANS', quantity: 2, amount: 1250 }],
}

beforeAll(async () => {
  await addKey(database, database.space, LIVE)
  await addKey(database, database.otherSpace, TEST)
  api = await openApi(database)
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'explicit' }
  made.program = (await api.call('POST', '/v1/programs', program)).body.id
  const rule = { program: 'coffee', name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
  made.rule = (await api.call('POST', '/v1/earning-rules', rule)).body.id
  made.member = (await api.call('POST', '/v1/members', { externalId: 'C1', email: 'ada@example.com' })).body.id
  made.purchase = (await api.call('POST', '/v1/purchases', { ...PURCHASE, externalId: 'P1' })).body.id
  made.entry = (await api.call('GET', `/v1/members/${made.member}/entries`)).body.data[0].id
  const tiers = [{ slug: 'gold', name: 'Gold', threshold: 100 }]
  const ladder = { program: 'coffee', slug: 'club', name: 'Club', metric: { kind: 'spend' }, tiers }
  const kept = { window: { kind: 'lifetime' }, upgrade: 'at_once', downgrade: 'none' }
  made.ladder = (await api.call('POST', '/v1/tier-ladders', { ...ladder, ...kept })).body.id
  const voucher = { program: 'coffee', code: 'TEN-OFF', value: { kind: 'percent', percent: 10 } }
  made.voucher = (await api.call('POST', '/v1/vouchers', voucher)).body.id
})
afterAll(() => api.close())

const pathOf = (op: (typeof OPERATIONS)[number]) =>
  op.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => made[name as keyof typeof made])
const as = (key: string) => ({ authorization: `Bearer ${key}` })

describe('bodies', () => {
  const good = JSON.stringify({ ...PURCHASE, externalId: 'X' })
  const bytes = (...parts: (string | number[])[]) =>
    new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part as string))))
  const cases: [string, string | Uint8Array, string][] = [
    ['nothing', '', 'invalid_json'],
    ['a cut text', good.slice(0, -1), 'invalid_json'],
    ['a byte order mark', `\uFEFF${good}`, 'invalid_json'],
    ['invalid UTF-8', bytes(good.slice(0, -1), ',"store":"', [0xff], '"}'), 'invalid_json'],
    ['a key twice', good.replace('{', '{"externalId":"Y",'), 'invalid_json'],
    ['a key twice within', good.replace('"quantity":2', '"quantity":2,"quantity":1'), 'invalid_json'],
    ['__proto__', good.replace('{', '{"__proto__":{"a":1},'), 'invalid_json'],
    ['NUL', good.replace('"X"', '"X\\u0000"'), 'invalid_json'],
    ['a lone surrogate', good.replace('"X"', '"X\\ud800"'), 'invalid_json'],
    ['2^53', good.replace('1250', '9007199254740992'), 'invalid_json'],
    ['2^53 + 1', good.replace('1250', '9007199254740993'), 'invalid_json'],
    ['1e400', good.replace('1250', '1e400'), 'invalid_json'],
    ['a fraction', good.replace('1250', '1250.5'), 'invalid_request'],
    ['a negative amount', good.replace('1250', '-1'), 'invalid_request'],
    ['no quantity', good.replace('"quantity":2', '"quantity":0'), 'invalid_request'],
    ['a number as text', good.replace('1250', '"1250"'), 'invalid_request'],
    ['nesting of 100,000', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'invalid_json'],
    ['a list', `[${good}]`, 'invalid_request'],
    ['an unknown field', good.replace('{', '{"tenant":"other",'), 'invalid_request'],
    ['30 February', good.replace('2026-11-01', '2026-02-30'), 'invalid_request'],
    ['no offset', good.replace('+01:00', ''), 'invalid_request'],
    ['an ancient date', good.replace('2026-11-01', '1999-12-31'), 'invalid_request'],
    ['a date to come', good.replace('2026-11-01', '2126-11-01'), 'invalid_request'],
  ]
  test.each(cases)('%s: refused, nothing stored', async (_, body, code) => {
    const { status, body: told } = await api.call('POST', '/v1/purchases', body)
    expect([status, told.code]).toEqual([400, code])
    expect((await api.call('GET', '/v1/purchases/external:X')).status).toBe(404)
  })

  test('the same through the common way as through the short one', async () => {
    const charset = { 'content-type': 'application/json;charset=UTF-8' }
    for (const [name, body, code] of cases) {
      const { status, body: told } = await api.call('POST', '/v1/purchases', body, charset)
      expect([status, told.code], name).toEqual([400, code])
    }
  })

  test('totals that overflow', async () => {
    const most = { sku: 'A', quantity: 1, amount: Number.MAX_SAFE_INTEGER }
    for (const items of [
      [most, most],
      [most, { ...most, amount: 1 }],
    ]) {
      const { body } = await api.call('POST', '/v1/purchases', { ...PURCHASE, externalId: 'X', items })
      expect(body.code).toBe('amount_out_of_range')
    }
  })

  test('exact numbers may be written as one likes', async () => {
    const body = good.replace('1250', '1.25e3').replace('"X"', '"E"')
    expect((await api.call('POST', '/v1/purchases', body)).body.total).toBe(1250)
  })

  test.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['application/json-patch+json'],
    ['application/jsonx'],
  ])('%s is not taken', async (type) => {
    for (const path of ['/v1/purchases', '/v1/programs']) {
      expect((await api.call('POST', path, good, { 'content-type': type })).status).toBe(415)
    }
  })

  test('a compressed body is not taken', async () => {
    for (const path of ['/v1/purchases', '/v1/programs']) {
      expect((await api.call('POST', path, good, { 'content-encoding': 'gzip' })).status).toBe(415)
    }
  })

  test('1 MB is the most, 4 MB for a batch', async () => {
    for (const path of ['/v1/purchases', '/v1/programs']) {
      expect((await api.call('POST', path, ' '.repeat(1_000_001))).status).toBe(413)
    }
    expect((await api.call('POST', '/v1/purchases/batch', ' '.repeat(1_000_001))).status).toBe(400)
    expect((await api.call('POST', '/v1/purchases/batch', ' '.repeat(4_000_001))).status).toBe(413)
  })
})

describe('a batch', () => {
  test('one item at fault spoils no other, whatever its fault', async () => {
    const item = (externalId: string) => JSON.stringify({ ...PURCHASE, externalId })
    const items = [
      item('B0'),
      item('B1\u0000'),
      item('B2').replace('{', '{"store":"a","store":"b",'),
      item('B3').replace('1250', '9007199254740993'),
      '7',
      item('B5').replace('GBP', 'EUR'),
      item('B6').replace('C1', 'nobody'),
      item('B0'),
      item('B8').replace('"quantity":2', '"quantity":0'),
      item('B9'),
    ]
    const { status, body } = await api.call('POST', '/v1/purchases/batch', `{"purchases":[${items.join(',')}]}`)
    expect(status).toBe(200)
    const results = body.results.map((r: { status: number; error?: { code: string } }) => r.error?.code ?? r.status)
    const bad = 'invalid_request'
    expect(results).toEqual([201, bad, bad, bad, bad, 'currency_mismatch', 'member_unknown', 200, bad, 201])
    expect(body.results[2].error.errors[0].pointer).toBe('/store')
    expect(body.results[8].error.errors[0].pointer).toBe('/items/0/quantity')
  })

  test.each([
    ['no items', { purchases: [] }],
    ['too many', { purchases: Array(1001).fill(1) }],
    ['another field', { purchases: [1], x: 1 }],
  ])('%s: refused as a whole', async (_, body) => {
    expect((await api.call('POST', '/v1/purchases/batch', body)).body.code).toBe('invalid_request')
  })

  test('a key twice outside of the items is refused as a whole', async () => {
    const body = '{"purchases":[1],"purchases":[2]}'
    expect((await api.call('POST', '/v1/purchases/batch', body)).body.code).toBe('invalid_json')
  })
})

describe('methods and paths', () => {
  test.each(OPERATIONS.map((op) => [op.path]))('%s: other methods are told which it takes', async (path) => {
    const allowed = OPERATIONS.filter((op) => op.path === path).map((op) => op.method)
    const url = path.replaceAll(/\{\w+\}/g, 'x')
    for (const method of ['PUT', 'DELETE', 'PROPFIND']) {
      const { status, headers } = await api.call(method, url)
      expect(status).toBe(405)
      for (const one of allowed) expect(headers.get('allow')).toContain(one)
    }
    const options = await api.call('OPTIONS', url)
    expect([options.status, options.text]).toEqual([204, ''])
    expect(options.headers.get('allow')).toContain(allowed[0])
  })

  test.each(['/', '/v1', '/v2/programs', '/v1/purchases/P1/x', '/v1/program', '/v1//programs', '/V1/programs'])(
    '%s is not there',
    async (path) => {
      const response = await fetch(api.url + path, { redirect: 'manual' })
      expect([302, 404]).toContain(response.status)
    },
  )

  test('HEAD is GET without the body', async () => {
    const { status, text, headers } = await api.call('HEAD', '/v1/programs')
    expect([status, text]).toEqual([200, ''])
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
  })

  test('a path that is not UTF-8, or holds NUL', async () => {
    expect((await api.call('GET', '/v1/programs/%C3%28')).status).toBe(404)
    expect((await api.call('GET', '/v1/programs/%00')).status).toBe(400)
    expect((await api.call('GET', `/v1/members/external:${'%F0%9F%98%80'.repeat(100)}`)).body.code).toBe(
      'member_unknown',
    )
  })
})

describe('queries', () => {
  const lists = OPERATIONS.filter((op) => op.query && 'limit' in (op.query as z.ZodObject).shape)
  /** What a list cannot do without. */
  const always: Record<string, string> = { listUnclaimedPurchases: 'status=unclaimed&' }
  const listOf = (op: (typeof lists)[number]) => `${pathOf(op)}?${always[op.id] ?? ''}`
  test.each(lists.map((op) => [op.id, op] as const))('%s: limit, after and what it does not know', async (_, op) => {
    for (const limit of ['0', '101', '-1', '1.5', '', 'x', '1e1', '010', '٣']) {
      expect((await api.call('GET', `${listOf(op)}limit=${limit}`)).body.code, limit).toBe('invalid_request')
    }
    for (const query of ['limit=1&limit=1', 'colour=red', '__proto__=1', 'limit[$gt]=1', 'after=%FF', 'after=a%00']) {
      expect((await api.call('GET', `${listOf(op)}${query}`)).body.code, query).toBe('invalid_request')
    }
    for (const after of ['x', "'%20or%201=1--", 'pur_00000000000000000000000000x', 'mem_zzzzzzzzzzzzzzzzzzzzzzzzzz']) {
      const { status, body } = await api.call('GET', `${listOf(op)}after=${after}`)
      expect([status, ['invalid_cursor', 'invalid_request'].includes(body.code)], after).toEqual([400, true])
    }
    expect((await api.call('GET', `${listOf(op)}limit=100`)).status).toBe(200)
  })

  test('operations without parameters take none', async () => {
    expect((await api.call('GET', `/v1/programs/${made.program}?x=1`)).status).toBe(400)
    expect((await api.call('POST', '/v1/purchases?x=1', { ...PURCHASE, externalId: 'Q' })).status).toBe(400)
  })

  test('a list holds all, once, while others are added', async () => {
    for (let i = 0; i < 5; i++) await api.call('POST', '/v1/members', { externalId: `L${i}` })
    const seen: string[] = []
    for (let next: string | null = ''; next !== null; ) {
      const { body } = await api.call('GET', `/v1/members?limit=2${next && `&after=${next}`}`)
      seen.push(...body.data.map((m: { externalId: string }) => m.externalId))
      next = body.next
      await api.call('POST', '/v1/members', { externalId: `Late${seen.length}` })
    }
    expect(seen.toSorted()).toEqual(['C1', 'L0', 'L1', 'L2', 'L3', 'L4'])
  })
})

describe('keys', () => {
  test.each([
    ['none', ''],
    ['another scheme', `Basic ${LIVE}`],
    ['no key', 'Bearer '],
    ['an unknown key', 'Bearer lk_live_nobody'],
    ['a key with something after it', `Bearer ${LIVE} x`],
    ['a long one', `Bearer ${'x'.repeat(201)}`],
    ['SQL', "Bearer ';select--"],
  ])('%s: 401, and no word more', async (_, authorization) => {
    for (const [method, path, body] of [
      ['GET', '/v1/programs'],
      ['POST', '/v1/purchases', PURCHASE],
    ] as const) {
      const told = await api.call(method, path, body, { authorization })
      expect([told.status, told.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    }
  })

  test('a revoked key stops, an expired one too', async () => {
    await addKey(database, database.space, 'lk_live_short')
    expect((await api.call('GET', '/v1/programs', undefined, as('lk_live_short'))).status).toBe(200)
    await database.sql("update api_keys set revoked_at = now() where key_hash = sha256('lk_live_short')")
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect((await api.call('GET', '/v1/programs', undefined, as('lk_live_short'))).status).toBe(401)
    await database.sql(
      "update api_keys set revoked_at = null, expires_at = now() where key_hash = sha256('lk_live_short')",
    )
    expect((await api.call('GET', '/v1/programs', undefined, as('lk_live_short'))).status).toBe(401)
  })

  test('a key in the address is not looked at', async () => {
    const { status } = await api.call('GET', `/v1/programs?key=${LIVE}`, undefined, { authorization: '' })
    expect(status).toBe(401)
  })

  test('a key that shows rewards does not read what members redeemed: their codes, and where it is sent', async () => {
    await addKey(database, database.space, 'lk_live_catalogue', ['rewards:read'])
    for (const path of ['/v1/members/external:ada/redemptions', '/v1/redemptions/code:ABC'])
      expect((await api.call('GET', path, undefined, as('lk_live_catalogue'))).status, path).toBe(403)
    expect((await api.call('GET', '/v1/rewards', undefined, as('lk_live_catalogue'))).status).toBe(200)
  })

  test('every operation needs its scope and no other', async () => {
    for (const scope of SCOPES) {
      await addKey(database, database.space, `lk_live_${scope}`, [scope])
      await addKey(
        database,
        database.space,
        `lk_live_not_${scope}`,
        SCOPES.filter((other) => other !== scope),
      )
    }
    for (const op of OPERATIONS) {
      const body = op.body ? {} : undefined
      const without = await api.call(op.method, pathOf(op), body, as(`lk_live_not_${op.scope}`))
      expect([without.status, without.body.code], op.id).toEqual([403, 'forbidden'])
      const limited =
        op.id.endsWith('Program') && op.method === 'POST' && !op.body ? '/v1/programs/none/pause' : pathOf(op)
      if (op.body || op.method === 'GET') {
        expect((await api.call(op.method, limited, body, as(`lk_live_${op.scope}`))).status, op.id).not.toBe(403)
      }
    }
  })
})

describe('spaces', () => {
  // by paths: spaces.db.test.ts
  test('are not reached by bodies', async () => {
    const program = { slug: 'coffee', name: 'Ours', timezone: 'UTC', currency: 'GBP', joinPolicy: 'explicit' }
    expect((await api.call('POST', '/v1/programs', program, as(TEST))).status).toBe(201)
    const buy = { ...PURCHASE, externalId: 'P1' }
    const told = async (path: string, body: unknown) => (await api.call('POST', path, body, as(TEST))).body.code
    expect(await told('/v1/purchases', { ...buy, program: made.program })).toBe('program_unknown')
    expect(await told('/v1/purchases', { ...buy, member: made.member })).toBe('member_unknown')
    expect(await told('/v1/purchases', buy)).toBe('member_unknown')
    expect(await told('/v1/purchases/preview', { ...buy, program: made.program })).toBe('program_unknown')
    expect(await told('/v1/purchases/preview', { ...buy, member: made.member })).toBe('member_unknown')
    const rule = { program: made.program, name: 'x', kind: 'fixed', args: { points: 1 } }
    expect(await told('/v1/earning-rules', rule)).toBe('program_unknown')
    const back = {
      program: 'coffee',
      member: made.member,
      externalId: 'R',
      occurredAt: PURCHASE.occurredAt,
      items: 'all',
    }
    expect(await told('/v1/returns', { ...back, purchase: made.purchase })).toBe('member_unknown')
    const mine = (await api.call('POST', '/v1/members', { externalId: 'C1' }, as(TEST))).body.id
    expect(await told('/v1/returns', { ...back, member: mine, purchase: made.purchase })).toBe('purchase_unknown')
    expect((await api.call('GET', '/v1/members', undefined, as(TEST))).body.data).toHaveLength(1)
    const events = (await api.call('GET', '/v1/events', undefined, as(TEST))).body.data
    expect(events.map((event: { type: string }) => event.type)).toEqual(['member.enrolled'])
  })
})

describe('Idempotency-Key', () => {
  const program = (slug: string) => ({ slug, name: slug, timezone: 'UTC', currency: 'GBP', joinPolicy: 'explicit' })
  const keyed = (key: string, more: Record<string, string> = {}) => ({ 'idempotency-key': key, ...more })

  test('the same again gets the first answer, something else 422', async () => {
    const first = await api.call('POST', '/v1/programs', program('once'), keyed('k1'))
    const again = await api.call('POST', '/v1/programs', program('once'), keyed('k1'))
    expect([first.status, first.headers.has('idempotent-replayed')]).toEqual([201, false])
    expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([201, first.text, 'true'])
    const other = await api.call('POST', '/v1/programs', program('other'), keyed('k1'))
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_mismatch'])
  })

  test('a key is of its operation and its space', async () => {
    expect((await api.call('POST', '/v1/members', { externalId: 'K' }, keyed('k1'))).status).toBe(201)
    const elsewhere = await api.call('POST', '/v1/programs', program('once'), keyed('k1', as(TEST)))
    expect([elsewhere.status, elsewhere.headers.has('idempotent-replayed')]).toEqual([201, false])
  })

  test('another path is another request', async () => {
    expect((await api.call('POST', '/v1/programs/once/pause', undefined, keyed('k2'))).status).toBe(200)
    expect((await api.call('POST', '/v1/programs/coffee/pause', undefined, keyed('k2'))).status).toBe(422)
  })

  test('executed refusals are kept, validation errors are not', async () => {
    const taken = await api.call('POST', '/v1/programs', program('coffee'), keyed('k3'))
    expect([taken.status, taken.body.code]).toEqual([409, 'already_exists'])
    const again = await api.call('POST', '/v1/programs', program('coffee'), keyed('k3'))
    expect([again.text, again.headers.get('idempotent-replayed')]).toEqual([taken.text, 'true'])
    const rule = { program: 'coffee', name: 'x', kind: 'fixed', args: { points: 1 }, startsAt: '2026-02-01T00:00:00Z' }
    const late = { ...rule, endsAt: '2026-01-01T00:00:00Z', status: 'draft' }
    expect((await api.call('POST', '/v1/earning-rules', late, keyed('k4'))).status).toBe(400)
    expect((await api.call('POST', '/v1/earning-rules', { ...rule, status: 'draft' }, keyed('k4'))).status).toBe(201)
  })

  test.each([
    ['POST', '/v1/programs', program('race')],
    ['POST', '/v1/members', { externalId: 'race' }],
    ['POST', '/v1/purchases', { ...PURCHASE, externalId: 'race' }],
    ['POST', '/v1/purchases/batch', { purchases: [{ ...PURCHASE, externalId: 'race2' }] }],
    ['POST', '/v1/members/external:C1/adjust', { program: 'coffee', wallet: 'points', points: 5, reason: 'race' }],
  ])('%s %s: thirty at once are one', async (method, path, body) => {
    const all = await Promise.all(Array.from({ length: 30 }, () => api.call(method, path, body, keyed('race'))))
    expect(new Set(all.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(all.filter(({ headers }) => !headers.has('idempotent-replayed'))).toHaveLength(1)
  })

  test('what is still running after five seconds is said to be', { timeout: 15_000 }, async () => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    await client.query('begin')
    await client.query(
      'insert into idempotency_keys (space_id, key, request, status, answer, created_at) values ($1, $2, $2, 0, $3, now())',
      [database.space, keyOf('createProgram', 'slow'), ''],
    )
    const { status, body } = await api.call('POST', '/v1/programs', program('slow'), keyed('slow'))
    expect([status, body.code]).toEqual([409, 'idempotency_in_progress'])
    await client.query('rollback')
    await client.end()
    expect((await api.call('POST', '/v1/programs', program('slow'), keyed('slow'))).status).toBe(201)
  })

  test('a batch whose process died is repeated after a minute', async () => {
    const body = { purchases: [{ ...PURCHASE, externalId: 'died' }] }
    const first = await api.call('POST', '/v1/purchases/batch', body, keyed('died'))
    await database.sql(
      "update idempotency_keys set status = 0, answer = '', created_at = now() - interval '2 minutes' where answer = $1",
      [first.text],
    )
    const again = await api.call('POST', '/v1/purchases/batch', body, keyed('died'))
    expect([again.body.results[0].status, again.headers.has('idempotent-replayed')]).toEqual([200, false])
  })

  test.each([
    ['empty', ''],
    ['256 characters', 'x'.repeat(256)],
    ['not ASCII', 'ké'],
    ['a tab', 'a\tb'],
  ])('%s: refused', async (_, key) => {
    for (const path of ['/v1/purchases', '/v1/programs']) {
      const { body } = await api.call('POST', path, { ...PURCHASE, externalId: 'I' }, keyed(key))
      expect(body.code).toBe('idempotency_key_invalid')
    }
  })
})

describe('ETag', () => {
  test('a lost update is refused', async () => {
    for (const path of [`/v1/members/${made.member}`, '/v1/programs/coffee']) {
      const seen = (await api.call('GET', path)).headers.get('etag') ?? ''
      const first = await api.call('PATCH', path, { name: 'First' }, { 'if-match': seen })
      expect([first.status, first.headers.get('etag') === seen]).toEqual([200, false])
      expect((await api.call('PATCH', path, { name: 'Second' }, { 'if-match': seen })).body.code).toBe('etag_mismatch')
      for (const wrong of ['1', 'W/"1"', '"x"', '"0"']) {
        expect((await api.call('PATCH', path, { name: 'x' }, { 'if-match': wrong })).status, wrong).toBe(412)
      }
      expect((await api.call('PATCH', path, { name: 'Any' }, { 'if-match': '*' })).body.name).toBe('Any')
    }
  })
})

test('nobody joins by buying under a longer external id than a profile takes', async () => {
  const open = { slug: 'open', name: 'Open', timezone: 'Europe/London', currency: 'GBP' }
  await api.call('POST', '/v1/programs', { ...open, joinPolicy: 'on_first_purchase' })
  const longest = '😀'.repeat(200)
  for (const [externalId, status, code] of [
    [longest, 201, undefined],
    [`${longest}x`, 404, 'member_unknown'],
    ['', 404, 'member_unknown'],
  ] as const) {
    const basket = { ...PURCHASE, program: 'open', member: `external:${externalId}` }
    const bought = await api.call('POST', '/v1/purchases', { ...basket, externalId: `long-${externalId.length}` })
    const previewed = await api.call('POST', '/v1/purchases/preview', basket)
    expect([bought.status, bought.body.code]).toEqual([status, code])
    expect([previewed.status, previewed.body.code]).toEqual([status === 201 ? 200 : 404, code])
  }
})

test('what is too large is answered, and not read to its end', async () => {
  for (const [authorization, status] of [
    [`Bearer ${LIVE}`, '413 Payload Too Large'],
    ['Bearer nobody', '401 Unauthorized'],
  ]) {
    const { hostname, port } = new URL(api.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {}) // closed while it writes
    const closed = new Promise((done) => socket.once('close', done))
    let said = ''
    socket.on('data', (data) => (said += String(data)))
    socket.write(`POST /v1/purchases HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n`)
    socket.write('Content-Type: application/json\r\nContent-Length: 10000000000\r\n\r\n')
    const more = setInterval(() => socket.write(Buffer.alloc(1_000, 32)), 20)
    const ended = await Promise.race([closed.then(() => true), sleep(5_000, false)])
    clearInterval(more)
    socket.destroy()
    expect([said.split('\r\n')[0], ended]).toEqual([`HTTP/1.1 ${status}`, true])
  }
})

test('a key may ask so often and no more; others are not held up', async () => {
  const limited = await openApi(database, { rateLimit: 3 })
  try {
    const all = await Promise.all(Array.from({ length: 5 }, () => limited.call('GET', '/v1/programs')))
    expect(all.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 429, 429])
    const [last] = all.filter(({ status }) => status === 429)
    expect(last?.headers.get('ratelimit-policy')).toBe('"key";q=3;w=1')
    expect(last?.headers.get('ratelimit')).toBe('"key";r=0;t=1')
    const hot = await limited.call('POST', '/v1/purchases', { ...PURCHASE, externalId: 'L' })
    expect([hot.status, hot.headers.get('retry-after')]).toEqual([429, '1'])
    expect((await limited.call('GET', '/v1/programs', undefined, as(TEST))).status).toBe(200)
  } finally {
    await limited.close()
  }
})

test('a fault is logged under the id that the caller sees, and tells nothing', async () => {
  await database.sql('alter table programs rename to programs_gone')
  const { status, body, headers } = await api.call('GET', '/v1/programs')
  await database.sql('alter table programs_gone rename to programs')
  expect([status, body.code]).toEqual([500, 'internal'])
  expect(body.requestId).toBe(headers.get('request-id'))
  expect(api.faults.find((fault) => fault.requestId === body.requestId)?.err?.message).toContain('programs')
  expect((await api.call('GET', '/v1/programs')).status).toBe(200)
})

test('without its database it says so, and recovers by itself', async () => {
  const { hostname, port, pathname, username, password } = new URL(database.url)
  const sockets = new Set<Socket>()
  const proxy = createServer((socket) => {
    const there = connect(Number(port), hostname)
    for (const one of [socket, there]) sockets.add(one.on('error', () => {}))
    socket.pipe(there).pipe(socket)
  })
  const listen = (at: number) => new Promise<void>((done) => void proxy.listen(at, '127.0.0.1', done))
  await listen(0)
  const at = (proxy.address() as AddressInfo).port
  const pool = openPool(`postgres://${username}${password && `:${password}`}@127.0.0.1:${at}${pathname}`, { max: 3 })
  const behind = await openApi(database, { pool })
  try {
    expect((await behind.call('GET', '/v1/programs')).status).toBe(200)
    proxy.close()
    for (const socket of sockets) socket.destroy()
    for (const [method, path, body] of [
      ['GET', '/v1/programs'],
      ['POST', '/v1/purchases', { ...PURCHASE, externalId: 'D' }],
    ] as const) {
      const told = await behind.call(method, path, body)
      expect([told.status, told.body.code, told.headers.get('retry-after')]).toEqual([503, 'unavailable', '1'])
    }
    expect((await fetch(`${behind.url}/health/ready`)).status).toBe(503)
    expect((await fetch(`${behind.url}/health/live`)).status).toBe(200)
    await listen(at)
    expect((await behind.call('GET', '/v1/programs')).status).toBe(200)
    expect((await fetch(`${behind.url}/health/ready`)).status).toBe(200)
    expect(behind.faults).toEqual([])
  } finally {
    await behind.close()
    await pool.end()
    proxy.close()
    for (const socket of sockets) socket.destroy()
  }
})

test('stopping under load loses no answer, on any connection', async () => {
  const stopping = await openApi(database)
  const agent = new Agent({ keepAlive: true, maxSockets: 20 })
  const failures: unknown[] = []
  let stopped = false
  let answered = 0
  const buy = async (n: number) => {
    for (let i = 0; !stopped; i++) {
      await new Promise<void>((done) => {
        const body = JSON.stringify({ ...PURCHASE, externalId: `stop-${n}-${i}` })
        const headers = {
          authorization: `Bearer ${LIVE}`,
          'content-type': 'application/json',
          'content-length': body.length,
        }
        const path = i % 2 === 0 ? '/v1/purchases' : '/v1/purchases/preview'
        const sent = request(stopping.url + path, { agent, method: 'POST', headers: { ...headers } }, (response) => {
          if (response.statusCode === 503 && stopped) return done()
          answered++
          response.resume().on('end', done)
        })
        sent.on('error', (error) => {
          if (sent.reusedSocket) failures.push(error) // a new connection may find the door shut
          stopped = true
          done()
        })
        sent.end(body)
      })
    }
  }
  const load = Promise.all(Array.from({ length: 20 }, (_, n) => buy(n)))
  await sleep(200)
  const started = performance.now()
  await stopping.close()
  stopped = true
  await load
  agent.destroy()
  expect(failures).toEqual([])
  expect(answered).toBeGreaterThan(20)
  expect(performance.now() - started).toBeLessThan(1_500)
})

test('measures, readiness and the reference are there for all', async () => {
  const get = async (path: string) => {
    const response = await fetch(api.url + path)
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  const measures = await get('/metrics')
  expect(measures.text).toContain('laurel_requests_total{operation="recordPurchase",status="201"}')
  expect(measures.text).toContain('laurel_gate_lists_total')
  expect(measures.text).not.toMatch(/lk_|mem_|@example/)
  expect(JSON.parse((await get('/health/ready')).text).parts).toMatchObject({
    database: { status: 'ok' },
    outbox: { status: 'ok' },
  })
  expect(JSON.parse((await get('/openapi.json')).text).openapi).toBe('3.1.0')
  const page = await get('/docs')
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  for (const [, path = ''] of page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g))
    expect((await get(path)).status, path).toBe(200)
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect((await get('/docs/')).text).toBe(page.text)
})
