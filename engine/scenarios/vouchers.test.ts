import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { addKey, LIVE, openApi, TEST, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { codeOf } from '../base/codes.ts'
import { verify } from '../verify.ts'

/** Vouchers at the till, with the clock moved by hand. */
const database = await openDatabase()
const { space } = database
let api: TestApi
const START = Date.parse('2026-03-01T12:00:00Z')
const MINUTE = 60_000
const PROGRAM = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'explicit' }

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(START)
  await addKey(database, space, LIVE)
  await addKey(database, database.otherSpace, TEST)
  api = await openApi(database)
  await post('/v1/programs', PROGRAM)
  for (const externalId of ['ada', 'bea', 'cem']) await post('/v1/members', { externalId })
})
afterAll(async () => {
  await api.close()
  expect((await verify(database.pool, space)).wrong).toBeUndefined()
  vi.useRealTimers()
  expect(api.faults).toEqual([])
})

const post = (path: string, body?: unknown, headers?: Record<string, string>) => api.call('POST', path, body, headers)
const after = (ms: number) => vi.setSystemTime(Date.now() + ms)
let n = 0
async function made(code: string, value: object, more: object = {}): Promise<string> {
  const told = await post('/v1/vouchers', { program: 'coffee', code, value, ...more })
  expect(told.status).toBe(201)
  return told.body.id
}
const pounds = (amount: number) => ({ kind: 'amount', amount })
const lines = (...amounts: number[]) => amounts.map((amount, i) => ({ sku: `S${i + 1}`, quantity: 1, amount }))
const asked = (codes: string[], more: object = {}, ...amounts: number[]) => ({
  program: 'coffee',
  codes,
  order: { currency: 'GBP', items: lines(...(amounts.length > 0 ? amounts : [10_000])) },
  ...more,
})
const redeem = (codes: string[], more: object = {}, ...amounts: number[]) =>
  post('/v1/vouchers/redeem', asked(codes, { externalId: `T${++n}`, ...more }, ...amounts))
const lock = (codes: string[], session: string, more: object = {}, ...amounts: number[]) =>
  post('/v1/vouchers/lock', asked(codes, { session, ...more }, ...amounts))
const rollBack = (id: string, body: object = {}) => post(`/v1/vouchers/redemptions/${id}/roll-back`, body)
const voucher = async (id: string) => (await api.call('GET', `/v1/vouchers/${id}`)).body
async function eventsOf(redemptionOrVoucher: string): Promise<any[]> {
  const all: any[] = []
  for (let next = '0', more = true; more; ) {
    const { body } = await api.call('GET', `/v1/events?after=${next}&limit=100`)
    all.push(...body.data)
    next = body.next
    more = body.hasMore
  }
  return all.filter(
    ({ type, data }) => type.startsWith('voucher.') && JSON.stringify(data).includes(redemptionOrVoucher),
  )
}

describe('making and changing', () => {
  test('a code that is made can be read out, and a slip in it is told', async () => {
    const { body } = await post('/v1/vouchers', { program: 'coffee', prefix: 'XMAS', value: pounds(500) })
    expect(body.code).toMatch(/^XMAS-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
    expect(body).toMatchObject({ status: 'active', uses: { total: 1, used: 0, left: 1 }, member: null })
    const typed = body.code.toLowerCase().replaceAll('-', ' ').replace('0', 'o')
    expect((await post('/v1/vouchers/validate', asked([typed]))).body.vouchers[0].applicable).toBe(true)
    const last = body.code.at(-1)
    const slip = body.code.slice(0, -1) + (last === '7' ? '8' : '7')
    expect((await redeem([slip])).body).toMatchObject({ status: 422, code: 'code_mistyped' })
    expect((await redeem(['NOSUCH'])).body.code).toBe('voucher_unknown')
    // One that was made in other characters and is typed right is not there: another program's, perhaps.
    for (const alphabet of ['digits', 'letters'] as const) {
      const elsewhere = Array.from({ length: 5 }, (_, i) => codeOf({ alphabet }, `${i}f`.repeat(16)))
      for (const right of elsewhere) expect((await redeem([right])).body.code).toBe('voucher_unknown')
    }
  })

  test('a code is one whatever its dashes and capitals, and taken once', async () => {
    const id = await made('Spring-10', { kind: 'percent', percent: 10 })
    expect((await post('/v1/vouchers', { program: 'coffee', code: 'SPRING 10', value: pounds(1) })).body.code).toBe(
      'already_exists',
    )
    expect((await voucher('code:spring10')).id).toBe(id)
    expect((await api.call('GET', '/v1/vouchers?code=SPRING10')).body.data[0].id).toBe(id)
  })

  test('what it gives never changes; its dates and uses do', async () => {
    const id = await made('CHANGE', pounds(100), { uses: { total: 3 } })
    const patch = { uses: { total: null, perMember: 2 }, endsAt: '2026-04-01T00:00:00+01:00', category: 'never' }
    const told = await api.call('PATCH', `/v1/vouchers/${id}`, patch)
    expect(told.body).toMatchObject({
      category: 'never',
      uses: { total: null, perMember: 2 },
      endsAt: '2026-03-31T23:00:00.000Z',
    })
    expect((await api.call('PATCH', `/v1/vouchers/${id}`, { value: pounds(1) })).status).toBe(400)
    const before = { startsAt: '2026-05-01T00:00:00Z' }
    expect((await api.call('PATCH', `/v1/vouchers/${id}`, before)).body.errors[0].pointer).toBe('/endsAt')
    expect((await eventsOf(id)).map(({ type }) => type)).toEqual(['voucher.created', 'voucher.changed'])
  })

  test('what is refused', async () => {
    const make = async (more: object) =>
      (await post('/v1/vouchers', { program: 'coffee', value: pounds(1), ...more })).body
    expect(await make({ program: 'tea' })).toMatchObject({ code: 'program_unknown' })
    expect(await make({ member: 'external:nobody' })).toMatchObject({ code: 'member_unknown' })
    expect(await make({ value: { kind: 'percent', percent: 10.001 } })).toMatchObject({ code: 'invalid_request' })
    expect(await make({ endsAt: '2026-03-01T12:00:00Z' })).toMatchObject({ code: 'invalid_request' })
    expect(await make({ prefix: 'loud' })).toMatchObject({ code: 'invalid_request' })
  })

  test('blocked, it cannot be used even by who has locked it; and again when it is not', async () => {
    const id = await made('BLOCK', pounds(100))
    expect((await lock(['BLOCK'], 'b1')).status).toBe(200)
    expect((await post(`/v1/vouchers/${id}/block`, { reason: 'Shared' })).body).toMatchObject({
      status: 'blocked',
      reason: 'Shared',
    })
    expect((await redeem(['BLOCK'], { session: 'b1' })).body.code).toBe('voucher_not_applicable')
    expect((await post(`/v1/vouchers/${id}/unblock`, { reason: 'Fine' })).body.status).toBe('active')
    expect((await redeem(['BLOCK'], { session: 'b1' })).status).toBe(201)
  })
})

describe('an order', () => {
  test('is validated line by line, and redeemed so', async () => {
    await made('TEN', { kind: 'percent', percent: 10 }, { uses: {} })
    const card = await made('CARD', { kind: 'gift', balance: 500 })
    const body = asked(['TEN', 'CARD'], { member: 'external:ada' }, 1000, 3000)
    const quote = (await post('/v1/vouchers/validate', body)).body
    expect(quote).toMatchObject({
      valid: true,
      totals: { amount: 4000, discount: 400, gift: 500, toPay: 3100 },
      lines: [
        { line: '1', discount: 100, gift: 125, toPay: 775 },
        { line: '2', discount: 300, gift: 375, toPay: 2325 },
      ],
    })
    const told = await post('/v1/vouchers/redeem', { ...body, externalId: 'O1' })
    expect(told.status).toBe(201)
    expect(told.body).toMatchObject({ status: 'redeemed', totals: quote.totals, lines: quote.lines })
    expect(await voucher(card)).toMatchObject({ balance: 0, status: 'used_up', uses: { used: 1 } })
    const again = await post('/v1/vouchers/redeem', { ...body, externalId: 'O1' })
    expect([again.status, again.body]).toEqual([200, told.body])
    const other = { ...body, codes: ['TEN'], externalId: 'O1' }
    expect((await post('/v1/vouchers/redeem', other)).body.code).toBe('external_id_conflict')
    expect((await api.call('GET', '/v1/vouchers/redemptions/external:O1')).body).toEqual(told.body)
    expect((await api.call('GET', `/v1/vouchers/${card}/redemptions`)).body.data).toEqual([told.body])
    const [event] = await eventsOf(told.body.id)
    expect(event).toMatchObject({ type: 'voucher.redeemed', data: { externalId: 'O1', discount: 400, gift: 500 } })
    expect(event.member).toBeUndefined()
  })

  test('all or none, or those that can be used', async () => {
    await made('BOTH1', pounds(100))
    await made('BOTH2', pounds(100), { category: 'never' })
    const validated = (await post('/v1/vouchers/validate', asked(['BOTH1', 'BOTH2']))).body
    expect(validated).toMatchObject({ valid: false, vouchers: [{ applicable: true }, { applicable: false }] })
    expect((await redeem(['BOTH1', 'BOTH2'])).body.code).toBe('vouchers_do_not_stack')
    const some = await redeem(['BOTH1', 'BOTH2'], { policy: 'partial' })
    expect(some.body.skipped).toMatchObject([{ code: 'BOTH2', why: { code: 'vouchers_do_not_stack' } }])
    expect(some.body.totals.discount).toBe(100)
    expect(await voucher('code:BOTH2')).toMatchObject({ uses: { used: 0 } })
  })

  test('refusals name what is wrong, and store nothing', async () => {
    await made('PLAIN', pounds(100))
    const codes = ['PLAIN']
    const bad = async (body: object) =>
      (await post('/v1/vouchers/redeem', { externalId: `B${++n}`, ...body })).body.code
    expect(await bad(asked(codes, { program: 'tea' }))).toBe('program_unknown')
    expect(await bad(asked(codes, { member: 'external:nobody' }))).toBe('member_unknown')
    expect(await bad({ ...asked(codes), order: { currency: 'EUR', items: lines(100) } })).toBe('currency_mismatch')
    const most = Number.MAX_SAFE_INTEGER
    expect(await bad({ ...asked(codes), order: { currency: 'GBP', items: lines(most, most) } })).toBe(
      'amount_out_of_range',
    )
    expect(await bad(asked(Array(31).fill('PLAIN')))).toBe('invalid_request')
    expect(await voucher('code:PLAIN')).toMatchObject({ uses: { used: 0 } })
  })

  test('another space has none of it', async () => {
    await made('MINE', pounds(100))
    const key = { authorization: `Bearer ${TEST}` }
    expect((await post('/v1/programs', PROGRAM, key)).status).toBe(201)
    expect((await post('/v1/vouchers/redeem', asked(['MINE'], { externalId: 'X1' }), key)).body.code).toBe(
      'voucher_unknown',
    )
    expect((await api.call('GET', '/v1/vouchers/code:MINE', undefined, key)).body.code).toBe('voucher_unknown')
    expect((await api.call('GET', '/v1/vouchers', undefined, key)).body.data).toEqual([])
    expect((await api.call('GET', '/v1/vouchers/redemptions/external:O1', undefined, key)).status).toBe(404)
  })
})

describe('who and where', () => {
  test("another program's voucher is none here, and a code of a pool is nobody else's", async () => {
    await post('/v1/programs', { ...PROGRAM, slug: 'tea', name: 'Tea' })
    await made('TEAONLY', pounds(100), { program: 'tea' })
    expect((await redeem(['TEAONLY'])).body.code).toBe('voucher_unknown')
    expect((await redeem(['TEAONLY'], { program: 'tea' })).status).toBe(201)
    const pool = (await post('/v1/code-pools', { program: 'coffee', slug: 'pool', name: 'Pool' })).body
    expect((await post(`/v1/code-pools/${pool.id}/codes`, { codes: ['POOL-1'] })).status).toBe(200)
    expect((await post('/v1/vouchers', { program: 'coffee', code: 'pool1', value: pounds(1) })).body.code).toBe(
      'already_exists',
    )
  })

  test('a member who is suspended uses none, and a paused program takes none; what was done is still told', async () => {
    await made('STOPPED', pounds(100), { uses: {} })
    const said = { externalId: 'STOP-1', member: 'external:dee' }
    await post('/v1/members', { externalId: 'dee' })
    const first = await redeem(['STOPPED'], said)
    expect(first.status).toBe(201)
    expect((await api.call('PATCH', '/v1/members/external:dee', { status: 'suspended' })).status).toBe(200)
    expect((await redeem(['STOPPED'], { member: 'external:dee' })).body.code).toBe('member_suspended')
    expect((await redeem(['STOPPED'], said)).body).toEqual(first.body)
    expect((await post('/v1/programs/coffee/pause')).status).toBe(200)
    expect((await redeem(['STOPPED'])).body.code).toBe('program_paused')
    expect((await lock(['STOPPED'], 's1')).body.code).toBe('program_paused')
    expect((await redeem(['STOPPED'], said)).body).toEqual(first.body)
    expect((await rollBack(first.body.id)).body.status).toBe('rolled_back') // what is undone is undone
    expect((await post('/v1/programs/coffee/resume')).status).toBe(200)
  })
})

describe('members', () => {
  test('a voucher that is bound is for one member, and for whom that one is merged into', async () => {
    const id = await made('BOUND', pounds(100), { member: 'external:bea', uses: { total: 5 } })
    expect((await redeem(['BOUND'])).body.code).toBe('voucher_not_applicable')
    expect((await redeem(['BOUND'], { member: 'external:ada' })).body.code).toBe('voucher_not_applicable')
    expect((await redeem(['BOUND'], { member: 'external:bea' })).status).toBe(201)
    await made('ONCE', pounds(100), { uses: { perMember: 1 } })
    const once = { member: 'external:bea', externalId: 'ONCE-1' }
    expect((await redeem(['ONCE'], once)).status).toBe(201)
    expect((await redeem(['ONCE'], { member: 'external:bea' })).body.code).toBe('voucher_used_up')
    const merged = await post('/v1/members/external:cem/merge', { from: 'external:bea', reason: 'Same person' })
    expect(merged.status).toBe(201)
    expect((await redeem(['BOUND'], { member: 'external:cem' })).status).toBe(201)
    expect((await redeem(['ONCE'], { member: 'external:cem' })).body.code).toBe('voucher_used_up') // no second go
    expect((await redeem(['ONCE'], once)).status).toBe(200) // the repeat still is one
    expect((await redeem(['ONCE'], { member: 'external:ada' })).status).toBe(201)
    expect((await api.call('GET', '/v1/vouchers?member=external:cem')).body.data[0].id).toBe(id)
    const listed = async (query: string) =>
      (await api.call('GET', `/v1/vouchers?${query}`)).body.data.map((one: { code: string }) => one.code)
    expect(await listed('member=external:cem&code=bound')).toEqual(['BOUND'])
    expect(await listed('member=external:cem&code=once')).toEqual([])
    expect(await listed('program=tea')).toEqual(['TEAONLY'])
    const [first, second] = [await listed('limit=1'), (await api.call('GET', '/v1/vouchers?limit=1')).body.next]
    expect([first, await listed(`limit=1&after=${second}`)]).toEqual([['ONCE'], ['BOUND']])
    const uses = await api.call('GET', '/v1/vouchers/code:once/redemptions?limit=1')
    const older = await api.call('GET', `/v1/vouchers/code:once/redemptions?limit=1&after=${uses.body.next}`)
    expect([uses.body.data[0].member === older.body.data[0].member, older.body.next]).toEqual([false, null])
  })
})

describe('a checkout', () => {
  test('locks what it names, so that nobody else can use it up; the same session changes its mind', async () => {
    await made('LOCK1', pounds(100))
    await made('LOCK2', pounds(200))
    const locked = await lock(['LOCK1'], 'till-1')
    expect(locked.body).toMatchObject({
      session: 'till-1',
      until: '2026-03-01T12:15:00.000Z',
      totals: { discount: 100 },
    })
    expect(await voucher('code:LOCK1')).toMatchObject({ uses: { locked: 1, left: 0, used: 0 } })
    expect((await lock(['LOCK1'], 'till-2')).body.code).toBe('voucher_locked')
    expect((await redeem(['LOCK1'])).body.code).toBe('voucher_locked')
    expect((await lock(['LOCK2'], 'till-1', { minutes: 5 })).status).toBe(200) // and lets go of the first
    expect((await lock(['LOCK1'], 'till-2')).status).toBe(200)
    expect((await redeem(['LOCK2'], { session: 'till-1' })).status).toBe(201)
    const freed = await post('/v1/vouchers/unlock', { program: 'coffee', session: 'till-2' })
    expect(freed.body.unlocked).toEqual(['LOCK1'])
    expect((await post('/v1/vouchers/unlock', { program: 'coffee', session: 'till-2' })).body.unlocked).toEqual([])
    const { id } = await voucher('code:LOCK1')
    const told = await eventsOf(id)
    expect(told.map(({ type }) => type)).toEqual([
      'voucher.created',
      'voucher.locked',
      'voucher.locked',
      'voucher.unlocked',
    ])
    expect(told.map(({ data }) => data.vouchers ?? data.voucher)).toEqual([
      id,
      [{ voucher: id, discount: 100 }],
      [{ voucher: id, discount: 100 }],
      [{ voucher: id }],
    ])
    expect(await eventsOf('LOCK1')).toEqual([]) // whoever reads events is not told what can be used
  })

  test('until its deadline, after which anybody may; before it, though the voucher ends', async () => {
    await made('LAPSE', pounds(100), { endsAt: new Date(Date.now() + 6 * MINUTE).toISOString(), uses: { total: 2 } })
    await lock(['LAPSE'], 'a', { minutes: 10 })
    await lock(['LAPSE'], 'b', { minutes: 1 })
    after(2 * MINUTE)
    expect((await lock(['LAPSE'], 'c', { minutes: 1 })).status).toBe(200)
    after(5 * MINUTE)
    expect((await redeem(['LAPSE'])).body.code).toBe('voucher_expired')
    expect((await redeem(['LAPSE'], { session: 'a' })).status).toBe(201)
    const rows = await database.sql(
      "select session from voucher_locks l join vouchers v using (space_id, code_key) where code = 'LAPSE'",
    )
    expect(rows).toEqual([]) // those whose deadline has passed went along
  })

  test('locks of a gift card what it takes of it', async () => {
    await made('GIFT', { kind: 'gift', balance: 1000 })
    expect((await lock(['GIFT'], 'g1', {}, 700)).body.totals).toMatchObject({ gift: 700, toPay: 0 })
    expect((await redeem(['GIFT'], {}, 700)).body.totals).toMatchObject({ gift: 300, toPay: 400 })
    expect((await redeem(['GIFT'], { session: 'g1' }, 700)).body.totals.gift).toBe(700)
    expect(await voucher('code:GIFT')).toMatchObject({ balance: 0, uses: { used: 2 } })
  })
})

describe('rolling back', () => {
  test('whole: uses and balance are back, once however often it is asked', async () => {
    await made('BACK', pounds(100))
    await made('BACKCARD', { kind: 'gift', balance: 1000 })
    const { id } = (await redeem(['BACK', 'BACKCARD'], {}, 500)).body
    const told = await rollBack(id, { reason: 'Cancelled' })
    expect(told.body).toMatchObject({
      status: 'rolled_back',
      vouchers: [
        { rolledBack: 100, undone: true },
        { rolledBack: 400, undone: true },
      ],
      rollBacks: [{ amount: 500, reason: 'Cancelled' }],
    })
    expect((await rollBack(id)).body).toEqual(told.body)
    expect(await voucher('code:BACK')).toMatchObject({ status: 'active', uses: { used: 0 } })
    expect(await voucher('code:BACKCARD')).toMatchObject({ balance: 1000 })
    expect((await eventsOf(id)).map(({ type }) => type)).toEqual(['voucher.redeemed', 'voucher.rolled_back'])
    expect((await redeem(['BACK'])).status).toBe(201)
  })

  test('in part: what was applied last goes back first; a use only when all of its discount has', async () => {
    await made('PART', pounds(300))
    await made('PARTCARD', { kind: 'gift', balance: 200 })
    const { id } = (await redeem(['PART', 'PARTCARD'], {}, 1000)).body
    const part = { amount: 250, externalId: 'R1' }
    const told = await rollBack(id, part)
    expect(told.body).toMatchObject({
      status: 'partly_rolled_back',
      vouchers: [
        { rolledBack: 50, undone: false },
        { rolledBack: 200, undone: true },
      ],
    })
    expect((await rollBack(id, part)).body).toEqual(told.body)
    expect((await rollBack(id, { ...part, amount: 1 })).body.code).toBe('external_id_conflict')
    expect((await rollBack(id, { amount: 251 })).body.code).toBe('refund_exceeds_spend')
    expect((await rollBack(id, { codes: ['part card'] })).body).toEqual(told.body)
    expect((await rollBack(id, { codes: ['NOSUCH'] })).body.code).toBe('voucher_unknown')
    expect(await voucher('code:PART')).toMatchObject({ status: 'used_up', uses: { used: 1 } })
    expect((await rollBack(id, { codes: ['PART'] })).body.status).toBe('rolled_back')
    expect(await voucher('code:PART')).toMatchObject({ status: 'active', uses: { used: 0 } })
    expect((await rollBack('vrd_00000000000000000000000000')).body.code).toBe('redemption_unknown')
  })
})
