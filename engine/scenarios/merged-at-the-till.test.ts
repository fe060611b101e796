import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { decodeId } from '../../contract/ids.ts'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { verify } from '../verify.ts'

/** Two accounts turn out to be one person while they use what is limited: neither a way to have it twice, nor to be stuck. */
const database = await openDatabase()
const { pool, space } = database
const MINUTE = 60_000
let api: TestApi
let clock = Date.parse('2026-03-02T12:00:00Z')

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(clock)
  await addKey(database, space, LIVE)
  api = await openApi(database)
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP' }
  await post('/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
})
afterAll(async () => {
  await api.close()
  expect((await verify(pool, space)).wrong).toBeUndefined()
  vi.useRealTimers()
  expect(api.faults).toEqual([])
})

type Told = { status: number; body: any }
const post = (path: string, body?: unknown): Promise<Told> => api.call('POST', path, body)
const get = (path: string): Promise<Told> => api.call('GET', path)
const code = (told: Told) => told.body.code ?? told.status
const after = (ms: number) => vi.setSystemTime((clock += ms))
const items = [{ sku: 'BEANS', quantity: 1, amount: 2000 }]
const order = { currency: 'GBP', items }

let n = 0
async function someone(): Promise<string> {
  return (await post('/v1/members', { externalId: `m-${++n}` })).body.id
}
async function voucher(perMember: number): Promise<string> {
  const value = { kind: 'amount', amount: 500 }
  const told = await post('/v1/vouchers', { program: 'coffee', code: `V-${++n}`, value, uses: { perMember } })
  return told.body.code
}
const merge = (member: string, from: string) => post(`/v1/members/${member}/merge`, { from, reason: 'the same person' })
const unmerge = (member: string, from: string) => post(`/v1/members/${member}/unmerge`, { from, reason: 'two of them' })

describe('a voucher for one use of each member, that both have locked', () => {
  const lock = (member: string, session: string, used: string) =>
    post('/v1/vouchers/lock', { program: 'coffee', member, codes: [used], session, order })
  const redeem = (member: string, session: string, used: string) =>
    post('/v1/vouchers/redeem', { program: 'coffee', member, codes: [used], session, externalId: `r-${++n}`, order })

  test('is used by the checkout of the one who lives on; the other hears that it is locked, then that it is used', async () => {
    const [one, other, used] = [await someone(), await someone(), await voucher(1)]
    expect((await lock(one, `a-${one}`, used)).status).toBe(200)
    expect((await lock(other, `b-${one}`, used)).status).toBe(200)
    expect((await merge(one, other)).status).toBe(201)
    expect(code(await redeem(other, `b-${one}`, used))).toBe('voucher_locked')
    expect(code(await lock(one, `c-${one}`, used))).toBe('voucher_locked')
    expect((await lock(one, `a-${one}`, used)).status).toBe(200)
    expect((await redeem(one, `a-${one}`, used)).status).toBe(201)
    expect(code(await redeem(other, `b-${one}`, used))).toBe('voucher_used_up')
  })

  test('where the one who lives on lets go, the other goes on', async () => {
    const [one, other, used] = [await someone(), await someone(), await voucher(1)]
    await lock(one, `a-${one}`, used)
    await lock(other, `b-${one}`, used)
    await merge(one, other)
    await post('/v1/vouchers/unlock', { program: 'coffee', session: `a-${one}` })
    expect((await redeem(other, `b-${one}`, used)).status).toBe(201)
  })

  test('as checkouts: that of the one who lives on is paid', async () => {
    const [one, other, used] = [await someone(), await someone(), await voucher(1)]
    const reserve = (member: string) =>
      post('/v1/checkouts', { program: 'coffee', member, vouchers: [used], externalId: `c-${++n}`, order })
    const [mine, theirs] = [(await reserve(one)).body, (await reserve(other)).body]
    await merge(one, other)
    expect(code(await post(`/v1/checkouts/${theirs.id}/commit`, {}))).toBe('member_merged')
    expect((await post(`/v1/checkouts/${mine.id}/commit`, {})).status).toBe(200)
    expect((await post(`/v1/checkouts/${theirs.id}/void`)).status).toBe(200)
    expect(code(await reserve(other))).toBe('voucher_used_up')
  })

  test('used by both accounts, it is used up for the one they are; apart again, each has used it once', async () => {
    const [one, other, used] = [await someone(), await someone(), await voucher(2)]
    await redeem(one, 'x', used)
    await redeem(other, 'x', used)
    await merge(one, other)
    expect(code(await redeem(one, 'x', used))).toBe('voucher_used_up')
    await unmerge(one, other)
    expect((await redeem(one, 'x', used)).status).toBe(201)
    expect((await redeem(other, 'x', used)).status).toBe(201)
    expect(code(await redeem(other, 'x', used))).toBe('voucher_used_up')
  })
})

describe('limits of earning', () => {
  const rule = async (terms: object, args: object = { points: 1, per: 100 }) => {
    const said = { program: 'coffee', name: `rule ${++n}`, kind: 'per_amount', args, ...terms }
    const told = await post('/v1/earning-rules', said)
    expect(told.status).toBe(201)
    return async () => void (await post(`/v1/earning-rules/${told.body.id}/archive`))
  }
  let bought = 0
  const sale = (member: string, pounds: number) => ({
    program: 'coffee',
    externalId: `p-${++bought}`,
    member,
    occurredAt: new Date(clock).toISOString(),
    currency: 'GBP',
    items: [{ sku: 'BEANS', quantity: 1, amount: pounds * 100 }],
  })
  const buy = async (member: string, pounds: number): Promise<number> => {
    const told = await post('/v1/purchases', sale(member, pounds))
    expect(told.status).toBe(201)
    return told.body.points
  }
  const sound = async () => expect((await verify(pool, space)).wrong).toBeUndefined()

  test('a cap a day that a second account has used is used for the one they are, and its own again when they are two', async () => {
    const archive = await rule({ caps: [{ per: 'day', points: 10 }] })
    const [one, other] = [await someone(), await someone()]
    expect(await buy(other, 30)).toBe(10)
    await merge(one, other)
    expect([await buy(one, 30), await buy(other, 30)]).toEqual([0, 0])
    await sound()
    await unmerge(one, other)
    expect([await buy(one, 4), await buy(other, 30), await buy(one, 30)]).toEqual([4, 0, 6])
    await sound()
    await merge(one, other)
    after(1440 * MINUTE)
    expect([await buy(one, 4), await buy(other, 30)]).toEqual([4, 6])
    await merge(await someone(), one)
    expect(await buy(other, 30)).toBe(0)
    await sound()
    await archive()
  })

  test("a cap on a wallet, and a cap that was set since: what nobody counted is counted from both accounts' entries", async () => {
    const archive = await rule({})
    const [one, other] = [await someone(), await someone()]
    await buy(other, 7)
    await merge(one, other)
    await buy(one, 5)
    const caps = (value: unknown) => api.call('PATCH', '/v1/programs/coffee/wallets/points', { caps: value })
    expect((await caps([{ per: 'month', points: 20 }])).status).toBe(200)
    expect([await buy(one, 30), await buy(other, 1)]).toEqual([8, 0])
    await unmerge(one, other)
    expect([await buy(one, 30), await buy(other, 30)]).toEqual([7, 13])
    await sound()
    await caps([])
    await archive()
  })

  test('a cooldown, a first time and the number of a purchase', async () => {
    const archive = await rule({ cooldown: 'P7D' })
    const numbered = await rule({ when: 'purchase.number == 1' }, { points: 100, per: 100 })
    const [one, other] = [await someone(), await someone()]
    expect(await buy(other, 1)).toBe(101)
    after(1440 * MINUTE)
    await merge(one, other)
    expect(await buy(one, 1)).toBe(0)
    await sound()
    await unmerge(one, other)
    expect([await buy(one, 1), await buy(other, 1)]).toEqual([1, 0])
    await sound()
    await archive()
    await numbered()
  })

  test('while purchases of both come: what verify derives is what was given, and nothing is given beyond once they are one', async () => {
    const archive = await rule({ caps: [{ per: 'day', points: 10 }] })
    for (let round = 0; round < 5; round++) {
      const [one, other] = [await someone(), await someone()]
      const all = Array.from({ length: 12 }, (_, i) => buy(i % 2 ? one : other, 2))
      const [given] = await Promise.all([Promise.all(all), merge(one, other)])
      expect(given.reduce((sum, points) => sum + points, 0)).toBeLessThanOrEqual(20)
      expect((await get(`/v1/members/${one}`)).body.id).toBe(one)
      expect(await buy(other, 30)).toBeLessThanOrEqual(Math.max(0, 10 - given.reduce((sum, points) => sum + points, 0)))
    }
    await sound()
    await archive()
  })

  test('what verify finds: a purchase that says it was counted with somebody else', async () => {
    const archive = await rule({ caps: [{ per: 'day', points: 10 }] })
    const [one, other, stranger] = [await someone(), await someone(), await someone()]
    await buy(other, 6)
    await merge(one, other)
    expect(await buy(one, 6)).toBe(4)
    const [elder, alien] = [decodeId('mem', other) ?? '', decodeId('mem', stranger) ?? '']
    const change = (from: string, to: string) =>
      database.sql('update purchases set frozen = replace(frozen, $1, $2)', [from, to])
    await change(elder, alien)
    expect((await verify(pool, space)).wrong).toBeDefined()
    await change(alien, elder)
    await sound()
    await archive()
  })
})

test('what both transferred today counts together: two accounts are no way to send twice as much', async () => {
  const transfers = (value: unknown) => api.call('PATCH', '/v1/programs/coffee/wallets/points', { transfers: value })
  await transfers({ perDay: 100 })
  const [one, other, friend] = [await someone(), await someone(), await someone()]
  for (const member of [one, other])
    await post(`/v1/members/${member}/adjust`, { program: 'coffee', wallet: 'points', points: 200, reason: 'x' })
  const send = (member: string, points: number) =>
    post(`/v1/members/${member}/transfers`, { to: friend, wallet: 'points', points, reason: 'a gift' })
  expect((await send(other, 70)).status).toBe(201)
  await merge(one, other)
  expect(code(await send(one, 31))).toBe('transfer_refused')
  expect((await send(one, 30)).status).toBe(201)
  await unmerge(one, other)
  expect((await send(one, 70)).status).toBe(201)
  expect(code(await send(other, 31))).toBe('transfer_refused')
  await transfers(null)
})

test('a debt that goes back when a merge is undone is explained to the point', async () => {
  const wallet = (value: object) => api.call('PATCH', '/v1/programs/coffee/wallets/points', value)
  await wallet({ negative: { policy: 'allow' } })
  const rule = { program: 'coffee', name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
  const { id } = (await post('/v1/earning-rules', rule)).body
  const [one, other] = [await someone(), await someone()]
  const sale = (externalId: string, member: string) => ({
    program: 'coffee',
    externalId,
    member,
    occurredAt: new Date(clock).toISOString(),
    currency: 'GBP',
    items,
  })
  await post('/v1/purchases', sale('owes', other))
  await post(`/v1/members/${other}/spend`, { program: 'coffee', wallet: 'points', points: 20, reason: 'mug' })
  const back = { program: 'coffee', member: other, externalId: 'owes-r', purchase: 'external:owes', items: 'all' }
  await post('/v1/returns', { ...back, occurredAt: new Date(clock).toISOString() })
  await post('/v1/purchases', sale('pays', one))
  expect((await merge(one, other)).body.wallets[0].available).toBe(0)
  expect((await unmerge(one, other)).body.moved[0].points).toBe(-20)
  for (const [member, available] of [
    [one, 20],
    [other, -20],
  ] as const) {
    const told = (await get(`/v1/members/${member}/wallets/points/explain`)).body
    expect([told.balance, (await get(`/v1/members/${member}/wallets`)).body.data[0].available]).toEqual([
      available,
      available,
    ])
    const debts = told.debts.reduce((sum: number, debt: { points: number }) => sum + debt.points, 0)
    expect(debts).toBe(Math.max(0, -available))
  }
  await post(`/v1/earning-rules/${id}/archive`)
  await wallet({ negative: { policy: 'forbid' } })
})

describe('what one of two had done before they were one', () => {
  const wallet = async (member: string) => (await get(`/v1/members/${member}/wallets`)).body.data[0]
  const points = { program: 'coffee', wallet: 'points', reason: 'mug' }
  const rich = async (member: string, n: number) =>
    expect((await post(`/v1/members/${member}/adjust`, { ...points, points: n })).status).toBe(201)

  test('asked for again says what the one has by now, not what the other left behind', async () => {
    const settings = (patch: object) => api.call('PATCH', '/v1/programs/coffee/wallets/points', patch)
    await settings({ pays: { points: 1, amount: 1 }, expiry: { kind: 'rolling', period: 'PT1H' } })
    const [one, other] = [await someone(), await someone()]
    await rich(one, 7)
    await settings({ expiry: null })
    await rich(other, 100)
    const to = `/v1/members/${other}`
    const hold = async (externalId: string) =>
      (await post(`${to}/holds`, { ...points, points: 10, externalId })).body.id as string
    const of = { program: 'coffee', member: other, order, points: { points: 5 } }
    const checkout = async () => {
      const { status, body } = await post('/v1/checkouts', { ...of, externalId: `c-${++n}` })
      expect(status, JSON.stringify(body)).toBe(201)
      return body.id as string
    }
    const [released, captured] = [await hold('a-hold'), await hold('another')]
    const [voided, paid] = [await checkout(), await checkout()]
    const sale = { program: 'coffee', externalId: 'a-sale', member: other, occurredAt: new Date(clock).toISOString() }
    await post('/v1/purchases', { ...sale, currency: 'GBP', items })
    const asks: [path: string, body: object][] = [
      [`/v1/holds/${released}/release`, {}],
      [`/v1/holds/${captured}/capture`, {}],
      [`/v1/checkouts/${voided}/void`, {}],
      [`/v1/checkouts/${paid}/commit`, {}],
      ['/v1/returns', { ...sale, externalId: 'a-return', purchase: 'external:a-sale', items: 'all' }],
      [`${to}/spend`, { ...points, points: 3, externalId: 'a-spend' }],
    ]
    for (const [path, body] of asks) expect((await post(path, body)).status, path).toBeLessThan(300)
    asks.push([`${to}/holds`, { ...points, points: 10, externalId: 'a-hold' }])
    expect((await merge(one, other)).status).toBe(201)
    for (const left of [89, 82]) {
      expect(await wallet(one)).toMatchObject({ available: left })
      for (const [path, body] of asks) {
        const again = await post(path, body)
        expect([path, again.status, again.body.wallets]).toEqual([path, 200, [await wallet(one)]])
      }
      after(60 * MINUTE) // nobody books that its 7 have ended
    }
    await settings({ pays: null })
  })

  test('and so does a purchase that nobody had made and the other has claimed', async () => {
    const settings = (patch: object) => api.call('PATCH', '/v1/programs/coffee/wallets/points', patch)
    await settings({ expiry: { kind: 'rolling', period: 'PT1H' } })
    const [one, other] = [await someone(), await someone()]
    await rich(one, 7)
    await settings({ expiry: null })
    const kept = {
      program: 'coffee',
      externalId: 'kept',
      occurredAt: new Date(clock).toISOString(),
      currency: 'GBP',
      items,
    }
    expect((await post('/v1/purchases', kept)).status).toBe(201)
    expect((await post('/v1/purchases/external:kept/claim', { member: other })).status).toBeLessThan(300)
    await merge(one, other)
    for (const left of [7, 0]) {
      const again = await post('/v1/purchases', kept)
      expect([again.status, again.body.wallets]).toEqual([200, [await wallet(one)]])
      expect(again.body.wallets[0]).toMatchObject({ available: left })
      after(61 * MINUTE) // nobody books that its 7 have ended
    }
  })

  test('is explained as its own for every instant before the merge, though there was nothing to move', async () => {
    const [one, other] = [await someone(), await someone()]
    await rich(one, 7)
    await rich(other, 4)
    await post(`/v1/members/${other}/spend`, { ...points, points: 4 })
    after(MINUTE)
    const before = new Date(clock).toISOString()
    after(MINUTE)
    await merge(one, other)
    const merged = new Date(clock).toISOString()
    after(MINUTE)
    const explained = async (at: string) => (await get(`/v1/members/${other}/wallets/points/explain?at=${at}`)).body
    expect(await explained(before)).toMatchObject({ member: other, balance: 0, lifetime: { adjusted: 4, spent: 4 } })
    expect(await explained(merged)).toMatchObject({ member: one, balance: 7, lifetime: { adjusted: 7, spent: 0 } })
  })

  test('and when it did so last counts for what came along, also when that is explained later', async () => {
    const DAY = 1440 * MINUTE
    const rule = { program: 'coffee', name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
    const { id } = (await post('/v1/earning-rules', rule)).body
    const settings = (patch: object) => api.call('PATCH', '/v1/programs/coffee/wallets/points', patch)
    await settings({ expiry: { kind: 'sliding', period: 'P20D' } })
    const [one, other] = [await someone(), await someone()]
    const buy = (member: string) =>
      post('/v1/purchases', {
        program: 'coffee',
        externalId: `slides-${++n}`,
        member,
        occurredAt: new Date(clock).toISOString(),
        currency: 'GBP',
        items,
      })
    await buy(one)
    after(10 * DAY)
    await buy(other)
    after(DAY)
    await merge(one, other)
    const explain = async (at: string) => {
      const { body } = await get(`/v1/members/${one}/wallets/points/explain${at}`)
      const { available, due, lots } = body
      return { at: body.at, available, due, lots: lots.map((lot: any) => [lot.state, lot.remaining, lot.expiresAt]) }
    }
    const said = []
    for (const days of [0, 10, 9, 1]) {
      after(days * DAY)
      said.push(await explain(''))
    }
    expect(said.map(({ available, due }) => [available, due])).toEqual([
      [40, 0],
      [40, 0],
      [0, 40],
      [0, 40],
    ])
    after(DAY)
    await buy(one)
    expect((await unmerge(one, other)).status).toBe(200)
    for (const then of said) expect(await explain(`?at=${then.at}`)).toEqual(then)
    expect((await get(`/v1/members/${one}/wallets`)).body.data[0]).toMatchObject({ available: 20, lifetimeExpired: 40 })
    await settings({ expiry: null })
    await post(`/v1/earning-rules/${id}/archive`)
  })

  test('and came back since is explained as the one’s, though it was booked in what the other had', async () => {
    const [one, other] = [await someone(), await someone()]
    await rich(one, 7)
    await rich(other, 4)
    const spend = (await post(`/v1/members/${other}/spend`, { ...points, points: 4 })).body.entries[0]
    await merge(one, other)
    after(MINUTE)
    const between = new Date(clock).toISOString()
    after(MINUTE)
    expect((await post(`/v1/members/${one}/refunds`, { spend, reason: 'broken' })).status).toBe(201)
    const { body } = await get(`/v1/members/${other}/wallets/points/explain?at=${between}`)
    expect(body).toMatchObject({ member: one, balance: 7, available: 7 })
  })
})

describe('a return without a receipt, of what both had bought while they were two', () => {
  let rule = ''
  beforeAll(async () => {
    const said = { program: 'coffee', name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
    rule = (await post('/v1/earning-rules', said)).body.id
  })
  afterAll(() => post(`/v1/earning-rules/${rule}/archive`))

  const now = () => new Date(clock).toISOString()
  async function buys(member: string, sku: string, amount: number): Promise<void> {
    const items = [{ sku, quantity: 1, amount }]
    const sale = { program: 'coffee', externalId: `s-${++n}`, member, occurredAt: now(), currency: 'GBP', items }
    expect((await post('/v1/purchases', sale)).status).toBe(201)
  }
  const brings = (member: string, ...skus: string[]) =>
    post('/v1/returns', {
      program: 'coffee',
      member,
      externalId: `r-${++n}`,
      occurredAt: now(),
      items: skus.map((sku) => ({ sku, quantity: 1 })),
    })
  /** The two as one, who bring both things back; where points were spent before, the one's return takes of the other's. */
  async function bothBack(amounts: [number, number], spent = 0) {
    const [one, other] = [await someone(), await someone()]
    await buys(one, `KETTLE-${one}`, amounts[0])
    await buys(other, `GRINDER-${one}`, amounts[1])
    const mug = { program: 'coffee', wallet: 'points', points: spent, reason: 'mug' }
    if (spent > 0) await post(`/v1/members/${other}/adjust`, { ...mug, reason: 'a present' })
    await merge(one, other)
    if (spent > 0) expect((await post(`/v1/members/${one}/spend`, mug)).status).toBe(201)
    const told = await brings(one, `KETTLE-${one}`, `GRINDER-${one}`)
    expect(told.body.reversed).toHaveLength(2)
    return { one, other }
  }
  /** All that can be seen of them. */
  async function seen(one: string, other: string): Promise<unknown[]> {
    const paths = [one, other].flatMap((who) =>
      ['', '/wallets', '/entries?limit=100', '/wallets/points/explain'].map((what) => `/v1/members/${who}${what}`),
    )
    const said = []
    for (const path of [...paths, '/v1/events?limit=1&after=0']) said.push((await get(path)).body)
    const rows = `select (select count(*) from entries) as entries, (select count(*) from outbox) as told,
                         (select string_agg(version::text, ',' order by member_id) from member_states) as versions`
    return [...said, await database.sql(rows)]
  }

  test.each([0, 15])(
    'leaves two who stay one, where it took as much for each (%i spent): staff are told to adjust instead, and nothing changes',
    async (spent) => {
      const { one, other } = await bothBack([2000, 2000], spent)
      expect((await get(`/v1/members/${one}/wallets`)).body.data[0]).toMatchObject({ available: 0, pending: 0 })
      const before = await seen(one, other)
      const refused = await unmerge(one, other)
      expect(refused).toMatchObject({
        status: 409,
        body: {
          code: 'merge_over',
          title: 'There is no merge that could be undone',
          detail: 'a return took for purchases of both at once: adjust instead',
        },
      })
      expect(await seen(one, other)).toEqual(before)
      expect((await get(`/v1/members/${other}`)).body.id).toBe(one)
      const present = { program: 'coffee', wallet: 'points', points: 5, reason: 'what was his' }
      expect((await post(`/v1/members/${other}/adjust`, present)).body.member).toBe(one)
    },
  )

  test('can be told apart, where it took another amount for each: then the merge is undone', async () => {
    const { one, other } = await bothBack([2000, 3000])
    expect((await unmerge(one, other)).status).toBe(200)
    for (const who of [one, other])
      expect((await get(`/v1/members/${who}/wallets`)).body.data[0]).toMatchObject({ available: 0, pending: 0 })
  })
})
