import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { openPool } from '../base/db.ts'
import { createGate } from '../gate/gate.ts'
import type { Ask } from '../gate/asks.ts'
import { verify } from '../verify.ts'

/** What a till says of an order arrives in any order and more than once; and an order's id may be used for vouchers alone, too. */
const database = await openDatabase()
const { pool, space } = database
let api: TestApi

beforeAll(async () => {
  await addKey(database, space, LIVE)
  api = await openApi(database)
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP' }
  await post('/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
  await api.call('PATCH', '/v1/programs/coffee/wallets/points', { pays: { points: 1, amount: 100 } })
})
afterAll(async () => {
  await api.close()
  expect((await verify(pool, space)).wrong).toBeUndefined()
  expect(api.faults).toEqual([])
})

type Told = { status: number; body: any }
const post = (path: string, body?: unknown): Promise<Told> => api.call('POST', path, body)
const get = (path: string): Promise<Told> => api.call('GET', path)
const code = (told: Told) => told.body.code ?? told.status
const items = [{ sku: 'BEANS', quantity: 1, amount: 2000 }]

let n = 0
/** Somebody new with a hundred points, a voucher for one use, and an order that wants both. */
async function order() {
  const name = `any-${++n}`
  const member = (await post('/v1/members', { externalId: name })).body.id
  const points = { program: 'coffee', wallet: 'points', points: 100, reason: 'to begin with' }
  await post(`/v1/members/${member}/adjust`, points)
  const value = { kind: 'amount', amount: 500 }
  await post('/v1/vouchers', { program: 'coffee', code: name, value })
  const body = { program: 'coffee', member, vouchers: [name], externalId: name, order: { currency: 'GBP', items } }
  return { name, member, body: { ...body, points: { points: 'max' } } }
}
type Order = Awaited<ReturnType<typeof order>>
type Step = 'reserve' | 'commit' | 'void'

/** By itself, or in a till's queue. */
async function tell({ name, body }: Order, step: Step, queued: boolean): Promise<Told> {
  if (step === 'reserve') return await post('/v1/checkouts', body)
  const path = `/v1/checkouts/external:${name}/${step}`
  if (!queued) return await post(path, step === 'commit' ? {} : undefined)
  const item = { type: `checkout_${step}`, checkout: `external:${name}` }
  const [result] = (await post('/v1/till/queue', { items: [item] })).body.results
  return { status: result.status, body: result.error ?? result.result }
}

/** What the guide says: what it answers, and what the order is then. */
const SAID: Record<string, Record<Step, [answer: number | string, then: string]>> = {
  unknown: { reserve: [201, 'reserved'], commit: ['checkout_unknown', 'unknown'], void: [202, 'closed'] },
  closed: { reserve: ['checkout_closed', 'closed'], commit: ['checkout_closed', 'closed'], void: [202, 'closed'] },
  reserved: { reserve: [200, 'reserved'], commit: [200, 'committed'], void: [200, 'voided'] },
  committed: { reserve: [200, 'committed'], commit: [200, 'committed'], void: ['checkout_closed', 'committed'] },
  voided: { reserve: [200, 'voided'], commit: ['checkout_closed', 'voided'], void: [200, 'voided'] },
}

function permutations<T>(all: readonly T[]): T[][] {
  if (all.length === 0) return [[]]
  const found = all.flatMap((one, i) => permutations(all.toSpliced(i, 1)).map((rest) => [one, ...rest]))
  return [...new Map(found.map((one) => [one.join(), one])).values()]
}

describe('whatever comes first', () => {
  const sets: Step[][] = [
    ['reserve', 'commit', 'reserve', 'commit'],
    ['reserve', 'void', 'reserve', 'void'],
    ['reserve', 'commit', 'void', 'reserve'],
  ]
  test.each(sets.flatMap(permutations).map((steps, i) => [steps.join(', '), steps, i] as const))(
    '%s',
    async (_name, steps, i) => {
      const one = await order()
      let state = 'unknown'
      for (const [k, step] of [...steps, ...steps.toReversed()].entries()) {
        const [answer, then] = SAID[state]?.[step] ?? []
        const told = await tell(one, step, (i + k) % 2 === 0)
        expect([step, code(told)]).toEqual([step, answer])
        if (told.status < 300 && step !== 'void') expect(told.body.status).toBe(then)
        state = then ?? ''
      }
      const [wallet] = (await get(`/v1/members/${one.member}/wallets`)).body.data
      const { uses } = (await get(`/v1/vouchers/code:${one.name}`)).body
      const aside = state === 'reserved' ? 1 : 0
      expect([state, wallet.held, uses.locked]).toEqual([state, 15 * aside, aside])
      expect([wallet.available, uses.used]).toEqual(state === 'committed' ? [85, 1] : [100 - 15 * aside, 0])
    },
  )

  test('what is to come again is said: a commit of what is not known yet, and nothing that was decided', async () => {
    const name = `again-${++n}`
    const send = async (type: string) =>
      (await post('/v1/till/queue', { items: [{ type, checkout: `external:${name}` }] })).body.results[0]
    expect(await send('checkout_commit')).toMatchObject({ status: 404, again: true })
    expect(await send('checkout_void')).toEqual({
      type: 'checkout_void',
      status: 202,
      result: { externalId: name, status: 'voided' },
    })
    expect(await send('checkout_commit')).toMatchObject({ status: 409, again: false })
    expect(code(await get(`/v1/checkouts/external:${name}`))).toBe('checkout_unknown')
  })

  test('a void and its reservation at once, through two processes: one order of them, and nothing is set aside', async () => {
    const pools = [openPool(database.url, { max: 4 }), openPool(database.url, { max: 4 })]
    const gates = pools.map((one) => createGate({ pool: one }))
    const seen = new Set<number>()
    for (let round = 0; round < 8; round++) {
      const one = await order()
      const { order: said, vouchers, ...rest } = one.body
      const asked = { ...rest, order: said, codes: vouchers, policy: 'all', sequence: 'asked', minutes: 15 }
      const [reserved, voided] = await Promise.all([
        gates[0]?.submit(space, { verb: 'reserve', ...asked } as Ask),
        gates[1]?.submit(space, { verb: 'voidUnknown', externalId: one.name }),
      ])
      expect([
        [201, 200],
        [409, 202],
      ]).toContainEqual([reserved?.status, voided?.status])
      seen.add(reserved?.status ?? 0)
      const [wallet] = (await get(`/v1/members/${one.member}/wallets`)).body.data
      expect([wallet.held, (await get(`/v1/vouchers/code:${one.name}`)).body.uses.locked]).toEqual([0, 0])
    }
    expect(seen.size).toBeGreaterThan(0)
    for (const one of pools) await one.end()
  })
})

describe('the id of an order whose vouchers are redeemed by themselves', () => {
  const redeem = ({ name, member }: Order, externalId = name) =>
    post('/v1/vouchers/redeem', {
      program: 'coffee',
      member,
      codes: [name],
      externalId,
      order: { currency: 'GBP', items },
    })

  test('cannot be reserved any more with vouchers: it could never be committed', async () => {
    const [one, other] = [await order(), await order()]
    expect((await redeem(other, one.name)).status).toBe(201)
    expect(code(await tell(one, 'reserve', false))).toBe('external_id_conflict')
    expect((await get(`/v1/vouchers/code:${one.name}`)).body.uses).toMatchObject({ used: 0, locked: 0 })
    const { vouchers: _, ...without } = one.body
    expect((await post('/v1/checkouts', without)).status).toBe(201)
    expect((await tell(one, 'commit', false)).status).toBe(200)
    expect((await redeem(other, one.name)).status).toBe(200)
  })

  test('is not used for them while it is reserved, nor after it was committed; then a void frees it', async () => {
    const [one, other] = [await order(), await order()]
    await tell(one, 'reserve', false)
    expect(code(await redeem(other, one.name))).toBe('external_id_conflict')
    expect((await tell(one, 'commit', true)).status).toBe(200)
    expect(code(await redeem(other, one.name))).toBe('external_id_conflict')
    const next = await order()
    await tell(next, 'reserve', false)
    await tell(next, 'void', true)
    expect((await redeem(next)).status).toBe(201)
    expect((await redeem(next)).status).toBe(200)
    expect((await get(`/v1/vouchers/code:${next.name}`)).body.uses).toMatchObject({ used: 1, locked: 0 })
  })

  test('at once, through two processes: the reserved one can be committed, or the other was first', async () => {
    const pools = [openPool(database.url, { max: 4 }), openPool(database.url, { max: 4 })]
    const gates = pools.map((each) => createGate({ pool: each }))
    for (let round = 0; round < 8; round++) {
      const [one, other] = [await order(), await order()]
      const { order: said, vouchers, ...rest } = one.body
      const asked = { order: said, policy: 'all', sequence: 'asked' }
      const [reserved, redeemed] = await Promise.all([
        gates[0]?.submit(space, { verb: 'reserve', ...rest, ...asked, codes: vouchers, minutes: 15 } as Ask),
        gates[1]?.submit(space, {
          verb: 'redeemVouchers',
          program: 'coffee',
          member: other.member,
          ...asked,
          codes: [other.name],
          externalId: one.name,
        } as Ask),
      ])
      expect(new Set([reserved?.status, redeemed?.status])).toEqual(new Set([201, 409]))
      if (reserved?.status === 201) expect((await tell(one, 'commit', false)).status).toBe(200)
    }
    for (const each of pools) await each.end()
  })
})
