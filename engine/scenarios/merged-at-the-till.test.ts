import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
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
