import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { decodeId } from '../../contract/ids.ts'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { verify } from '../verify.ts'

/** How members are known at the till, with the clock moved by hand. */
const database = await openDatabase()
const { pool, space } = database
const START = Date.parse('2026-03-01T12:00:00Z')
let api: TestApi
let clock = START

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(START)
  await addKey(database, space, LIVE)
  api = await openApi(database, { secret: 's'.repeat(32) })
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP' }
  await post('/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
  const pound = { program: 'coffee', name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
  await post('/v1/earning-rules', pound)
})
afterAll(async () => {
  await api.close()
  expect((await verify(pool, space)).wrong).toBeUndefined()
  vi.useRealTimers()
  expect(api.faults).toEqual([])
})
beforeEach(() => after(86_400))

const post = (path: string, body: unknown = {}, headers?: Record<string, string>) =>
  api.call('POST', path, body, headers)
const get = (path: string) => api.call('GET', path)
const after = (seconds: number) => vi.setSystemTime((clock += seconds * 1000))
const now = (seconds = 0) => new Date(clock + seconds * 1000).toISOString()
let n = 0
async function someone(profile: object = {}): Promise<string> {
  return (await post('/v1/members', { externalId: `m-${++n}`, ...profile })).body.id
}
async function cardOf(member: string, body: object = {}) {
  const told = await post(`/v1/members/${member}/card`, body)
  expect(told.status).toBe(201)
  return told.body
}
const sale = (externalId: string, member: string, occurredAt = now()) => ({
  program: 'coffee',
  externalId,
  member,
  occurredAt,
  currency: 'GBP',
  items: [{ sku: 'BEANS', quantity: 1, amount: 1000 }],
})
const buy = (externalId: string, member: string, occurredAt?: string) =>
  post('/v1/purchases', sale(externalId, member, occurredAt))
const codes = (told: { status: number; body: any }) => told.body.code ?? told.status

describe('a card', () => {
  test('is made when it is first asked for, and is the answer from then on', async () => {
    const member = await someone()
    expect(codes(await get(`/v1/members/${member}/card`))).toBe('card_unknown')
    const card = await cardOf(member)
    expect(card).toMatchObject({ member, status: 'active', rotating: false, blockedAt: null })
    expect(card.code).toMatch(/^C(-[0-9A-HJKMNP-TV-Z]{4}){3}$/)
    const again = await post(`/v1/members/${member}/card`)
    expect([again.status, again.body]).toEqual([200, card])
    expect((await get(`/v1/cards/${card.code.toLowerCase()}`)).body).toEqual(card)
    expect((await get(`/v1/cards/${card.id}`)).body).toEqual(card)
    expect((await get(`/v1/members/${member}/cards`)).body.data).toEqual([card])
  })

  test('is shown as a QR code and a Code 128 of what a till sends', async () => {
    const member = await someone()
    const { code } = await cardOf(member)
    const { face } = (await get(`/v1/members/${member}/card`)).body
    expect(face).toMatchObject({ payload: code.replaceAll('-', ''), until: null })
    for (const svg of [face.qr, face.code128]) expect(svg).toMatch(/^<svg [^>]*viewBox[\s\S]*<\/svg>\s*$/)
    expect((await buy(`b-${member}`, `card:${face.payload}`)).body.member).toBe(member)
  })

  test('names its member wherever one is named, however it is written', async () => {
    const member = await someone()
    const { code } = await cardOf(member)
    expect((await buy(`w-${member}`, `card:${code.toLowerCase().replaceAll('-', ' ')}`)).body.points).toBe(10)
    const ref = encodeURIComponent(`card:${code}`)
    expect((await get(`/v1/members/${ref}`)).body.id).toBe(member)
    expect((await get(`/v1/members/${ref}/wallets`)).body.data[0].available).toBe(10)
    expect((await get(`/v1/members/${ref}/entries`)).body.data).toHaveLength(1)
    const spent = await post(`/v1/members/${ref}/spend`, { wallet: 'points', points: 4, reason: 'mug' })
    expect(spent.body.member).toBe(member)
    const other = await someone()
    const transfers = { transfers: {} }
    await api.call('PATCH', '/v1/programs/coffee/wallets/points', transfers)
    const gift = { to: `card:${code}`, wallet: 'points', points: 1, reason: 'thanks' }
    await buy(`o-${member}`, other)
    expect((await post(`/v1/members/${other}/transfers`, gift)).status).toBe(201)
    expect((await get(`/v1/members/${ref}/wallets`)).body.data[0].available).toBe(7)
  })

  test('that is mistyped is told apart from one that does not exist', async () => {
    const { code } = await cardOf(await someone())
    const slip = code.slice(0, -1) + (code.at(-1) === 'Z' ? 'Y' : 'Z')
    expect(codes(await buy('slip', `card:${slip}`))).toBe('code_mistyped')
    expect(codes(await get(`/v1/members/card:${slip}`))).toBe('code_mistyped')
    expect(codes(await get(`/v1/cards/${slip}`))).toBe('code_mistyped')
    expect(codes(await buy('none', 'card:4006381333931'))).toBe('card_unknown')
    expect(codes(await get('/v1/members/card:4006381333931/wallets'))).toBe('card_unknown')
    expect(codes(await get('/v1/cards/4006381333931'))).toBe('card_unknown')
    expect(codes(await buy('no', 'card:!'))).toBe('member_unknown')
  })

  test('from elsewhere is taken as it is, once', async () => {
    const [one, two] = [await someone(), await someone()]
    const card = await cardOf(one, { code: 'old-0001' })
    expect(card.code).toBe('OLD0001')
    expect((await post(`/v1/members/${one}/card`, { code: 'OLD 0001' })).status).toBe(200)
    expect(codes(await post(`/v1/members/${one}/card`, { code: 'OLD0002' }))).toBe('already_exists')
    expect(codes(await post(`/v1/members/${two}/card`, { code: 'OLD0001' }))).toBe('already_exists')
    expect((await buy('old', 'card:old0001')).body.member).toBe(one)
    expect(codes(await post(`/v1/members/${two}/card`, { code: 'a' }))).toBe('invalid_request')
    expect(codes(await post(`/v1/members/${two}/card`, { code: 'C-4K97-M2QX-8TB0' }))).toBe('code_mistyped')
  })

  test('is not made for who is suspended or unknown', async () => {
    const member = await someone()
    await api.call('PATCH', `/v1/members/${member}`, { status: 'suspended' })
    expect(codes(await post(`/v1/members/${member}/card`))).toBe('member_suspended')
    expect(codes(await post('/v1/members/external:nobody/card'))).toBe('member_unknown')
  })
})

describe('a card that is lost', () => {
  test('is blocked: nobody is known by it, and nothing is recorded', async () => {
    const member = await someone()
    const { code, id } = await cardOf(member)
    const before = await buy(`p-${member}`, `card:${code}`)
    after(60)
    const { body } = await post(`/v1/cards/${code}/block`, { reason: 'lost' })
    expect(body).toMatchObject({ id, status: 'blocked', reason: 'lost', blockedAt: now() })
    expect((await post(`/v1/cards/${id}/block`, { reason: 'again' })).body).toEqual(body)
    for (const path of ['', '/wallets', '/entries'])
      expect(codes(await get(`/v1/members/card:${code}${path}`))).toBe('card_blocked')
    expect(codes(await buy(`q-${member}`, `card:${code}`))).toBe('card_blocked')
    // What was recorded stays so, and what was bought before it was blocked may come late.
    const again = await post('/v1/purchases', sale(`p-${member}`, `card:${code}`, before.body.occurredAt))
    expect([again.status, again.body.id]).toEqual([200, before.body.id])
    expect((await buy(`late-${member}`, `card:${code}`, now(-30))).status).toBe(201)
    expect((await get(`/v1/members/${member}/wallets`)).body.data[0].available).toBe(20)
    expect(codes(await get(`/v1/members/${member}/card`))).toBe('card_unknown')
  })

  test('is replaced in the same moment, once, and its place is remembered', async () => {
    const member = await someone()
    const first = await cardOf(member, { rotating: true })
    const replace = { replaces: first.code, reason: 'lost' }
    const second = await cardOf(member, replace)
    expect(second).toMatchObject({ member, status: 'active', rotating: true })
    const again = await post(`/v1/members/${member}/card`, replace)
    expect([again.status, again.body]).toEqual([200, second])
    const [, old] = (await get(`/v1/members/${member}/cards`)).body.data
    expect(old).toMatchObject({ id: first.id, status: 'blocked', reason: 'lost', replacedBy: second.id })
    const third = await cardOf(member, { replaces: second.code, reason: 'stolen', rotating: false })
    expect((await post(`/v1/members/${member}/card`, replace)).body.id).toBe(third.id)
    await post(`/v1/cards/${third.code}/block`, { reason: 'lost' })
    expect((await cardOf(member, { replaces: third.code, reason: 'lost' })).status).toBe('active')
    const stranger = await someone()
    expect(codes(await post(`/v1/members/${stranger}/card`, replace))).toBe('card_unknown')
    expect(codes(await post(`/v1/members/${member}/card`, { replaces: first.code }))).toBe('invalid_request')
  })

  test('tells it, and never its code', async () => {
    const after = (await get('/v1/events?after=0&limit=1')).status
    expect(after).toBe(200)
    const member = await someone()
    const first = await cardOf(member)
    const second = await cardOf(member, { replaces: first.code, reason: 'lost' })
    await post(`/v1/cards/${second.code}/block`, { reason: 'stolen' })
    const told = (await events()).filter((event) => event.member === member)
    expect(told.map(({ type, data }) => [type, data])).toEqual([
      ['member.enrolled', { externalId: `m-${n}` }],
      ['card.issued', { card: first.id }],
      ['card.replaced', { card: first.id, by: second.id }],
      ['card.issued', { card: second.id }],
      ['card.blocked', { card: second.id }],
    ])
  })
})

async function events(): Promise<{ type: string; member: string; data: unknown }[]> {
  const all = []
  for (let from = '0', more = true; more; ) {
    const { data, next, hasMore } = (await get(`/v1/events?after=${from}&limit=100`)).body
    all.push(...data)
    from = next
    more = hasMore
  }
  return all
}

test('what a card did once is done, though it could not do it any more: a repeat is not judged again', async () => {
  const member = await someone()
  await cardOf(member, { rotating: true })
  await buy(`rich-${member}`, member)
  const { payload } = (await get(`/v1/members/${member}/card`)).body.face
  const ref = encodeURIComponent(`card:${payload}`)
  const spend = (externalId: string) =>
    post(`/v1/members/${ref}/spend`, { wallet: 'points', points: 1, reason: 'mug', externalId })
  const first = await spend(`spend-${member}`)
  expect(first.status).toBe(201)
  after(3600)
  const again = await spend(`spend-${member}`)
  expect([again.status, again.body.id]).toEqual([200, first.body.id])
  expect(codes(await spend(`other-${member}`))).toBe('card_code_stale')
  await post(`/v1/cards/${payload.slice(0, 13)}/block`, { reason: 'lost' })
  expect((await spend(`spend-${member}`)).body.id).toBe(first.body.id)
  expect(codes(await spend(`other-${member}`))).toBe('card_blocked')
})

describe('a rotating card', () => {
  test('is taken with the digits of the moment only, so that a picture of it is worth nothing', async () => {
    const member = await someone()
    const { code } = await cardOf(member, { rotating: true })
    const { face } = (await get(`/v1/members/${member}/card`)).body
    expect(face.payload).toMatch(/^C[0-9A-Z]{12}\.\d{6}$/)
    expect(Date.parse(face.until) - clock).toBeGreaterThan(0)
    expect(Date.parse(face.until) - clock).toBeLessThanOrEqual(30_000)
    const shown = now()
    expect((await buy(`r-${member}`, `card:${face.payload}`)).body.member).toBe(member)
    expect(codes(await buy(`s-${member}`, `card:${code}`))).toBe('card_code_stale')
    expect(codes(await buy(`t-${member}`, `card:${code}.000000`))).toBe('card_code_stale')
    after(90)
    expect(codes(await buy(`u-${member}`, `card:${face.payload}`))).toBe('card_code_stale')
    // A till that was offline sends what it saw: the digits are those of when it happened.
    expect((await buy(`v-${member}`, `card:${face.payload}`, shown)).status).toBe(201)
    const next = (await get(`/v1/members/${member}/card`)).body.face.payload
    expect(next).not.toBe(face.payload)
    expect((await buy(`w-${member}`, `card:${next}`)).status).toBe(201)
  })

  test('needs a server that has a secret', async () => {
    const other = await openApi(database, {})
    const member = await someone()
    const refused = await other.call('POST', `/v1/members/${member}/card`, { rotating: true })
    expect([refused.body.code, refused.body.errors[0].pointer]).toEqual(['invalid_request', '/rotating'])
    await cardOf(member, { rotating: true })
    expect((await other.call('GET', `/v1/members/${member}/card`)).body.code).toBe('unavailable')
    await other.close()
  })

  test('is not judged again when the vouchers that it redeemed are asked for once more', async () => {
    const member = await someone()
    await cardOf(member, { rotating: true })
    const shown = (await get(`/v1/members/${member}/card`)).body.face.payload
    const value = { kind: 'amount', amount: 100 }
    await post('/v1/vouchers', { program: 'coffee', code: 'ROTATE', value })
    const items = [{ sku: 'BEANS', quantity: 1, amount: 1000 }]
    const asked = { program: 'coffee', member: `card:${shown}`, codes: ['ROTATE'], order: { currency: 'GBP', items } }
    const first = await post('/v1/vouchers/redeem', { ...asked, externalId: 'rotate' })
    after(300)
    const again = await post('/v1/vouchers/redeem', { ...asked, externalId: 'rotate' })
    expect([first.status, again.status, again.body]).toEqual([201, 200, first.body])
    expect(codes(await post('/v1/vouchers/redeem', { ...asked, externalId: 'other' }))).toBe('card_code_stale')
  })
})

describe('e-mail and phone', () => {
  test('name whoever has them', async () => {
    const member = await someone({ email: 'Grace@Example.com', phone: '+44 20 7946 0123' })
    expect((await buy('by-mail', 'email:grace@example.COM')).body.member).toBe(member)
    expect((await buy('by-phone', 'phone:+44 (20) 7946-0123')).body.member).toBe(member)
    const path = `/v1/members/${encodeURIComponent('phone:+442079460123')}/wallets`
    expect((await get(path)).body.data[0].available).toBe(20)
    expect(codes(await buy('by-nobody', 'email:nobody@example.com'))).toBe('member_unknown')
    expect((await get('/v1/members/email:nobody@example.com')).body.code).toBe('member_unknown')
  })
})

test('a card of a member who was merged leads to the one it lives on as', async () => {
  const [into, from] = [await someone(), await someone()]
  const { code } = await cardOf(from)
  await post(`/v1/members/${into}/merge`, { from, reason: 'the same person' })
  expect((await buy(`merged-${into}`, `card:${code}`)).body.member).toBe(into)
  expect((await get(`/v1/members/card:${code}/wallets`)).body.data[0].available).toBe(10)
  await cardOf(into)
  expect((await post(`/v1/cards/${code}/block`, { reason: 'lost' })).body.status).toBe('blocked')
  expect(codes(await buy(`blocked-${into}`, `card:${code}`))).toBe('card_blocked')
})

describe('verify names', () => {
  const tampered: [string, string, string][] = [
    [
      'a card that changed hands',
      `update cards set code = 'STOLEN1' where card_id = $1`,
      'its code does not lead to it',
    ],
    [
      'a card that was unblocked',
      'update cards set blocked_at = null, reason = null, replaced_by = null where card_id = $1',
      'more than one',
    ],
    [
      'a successor that is not there',
      'update cards set replaced_by = gen_random_uuid() where card_id = $1',
      'is not there',
    ],
    [
      'a card that was blocked too early',
      `update cards set blocked_at = issued_at - interval '1 day' where card_id = $1`,
      'before it was issued',
    ],
  ]
  test.each(tampered)('%s', async (_what, sql, said) => {
    const member = await someone()
    const first = await cardOf(member)
    await cardOf(member, { replaces: first.code, reason: 'lost' })
    const id = decodeId('crd', first.id)
    const [row] = await database.sql('select * from cards where card_id = $1', [id])
    await database.sql(sql, [id])
    const { wrong } = await verify(pool, space)
    expect(wrong?.member).toBe(member)
    expect(wrong?.what).toContain(said)
    await database.sql(
      'update cards set code = $2, blocked_at = $3, reason = $4, replaced_by = $5 where card_id = $1',
      [id, row?.code, row?.blocked_at, row?.reason, row?.replaced_by],
    )
    expect((await verify(pool, space)).wrong).toBeUndefined()
  })
})
