import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { decodeId } from '../contract/ids.ts'
import { door, openShop, type Shop } from '../tests/shop.ts'
import { withTx } from './base/db.ts'
import { changeWallet } from './configure-wallets.ts'
import { configurations } from './earning/configuration.ts'
import type { Ask } from './gate/asks.ts'
import { passDue } from './pass-time.ts'
import { verify } from './verify.ts'
import { createWalletReader } from './views/wallets.ts'

/** Goods come back whose points ended before anybody used them: the member's other points are not taken for those. */
const DAY = 86_400_000
const START = Date.UTC(2027, 0, 10, 12)
let shop: Shop
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(START)
  shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  await settings({ expiry: { kind: 'rolling', period: 'P30D' } })
})
afterEach(() => vi.setSystemTime(START))
afterAll(() => vi.useRealTimers())

const settings = (patch: object) =>
  withTx(shop.pool, shop.space, (tx) =>
    changeWallet(tx, { program: 'coffee', wallet: 'points' }, patch as never, undefined, door()),
  )
const send = async (ask: Ask): Promise<{ status: number; body: any }> => {
  const { status, body } = await shop.gate.submit(shop.space, ask)
  return { status, body: JSON.parse(body) }
}
const available = async (member: string) =>
  (await createWalletReader(shop.pool, configurations()).read(shop.space, member))?.[0]?.available
const spend = (member: string, points: number) =>
  send({ verb: 'spend', member, wallet: 'points', points, reason: 'mug' })
const worker = () => passDue(shop.pool, shop.gate, shop.space, 500)
const later = (days: number) => vi.setSystemTime(Date.now() + days * DAY)
const look = async () => (await verify(shop.pool, shop.space)).wrong?.what
const sound = async () => expect(await look()).toBeUndefined()
/** Three of a kind, for a hundred points each. */
const three = { items: [{ sku: 'pot', quantity: 3, amount: 30_000 }] }
const onePot = { items: [{ sku: 'pot', quantity: 1 }] }

describe('buy, let it expire, buy again, bring back the first', () => {
  it('the points of the second stay, and the answer says what had ended', async () => {
    await shop.buy('a1', 'external:a', 10_000)
    later(31)
    await worker()
    await shop.buy('a2', 'external:a', 5_000)
    const returns = { purchase: 'external:a1', occurredAt: Date.now() * 1000 }
    const { status, body } = await shop.giveBack('ar', 'external:a', returns)
    expect([status, body.points, body.wallets[0]]).toMatchObject([201, 0, { available: 50, lifetimeReversed: 0 }])
    expect(body.reversed).toEqual([
      { purchase: body.purchase, wallet: 'points', points: 0, writtenOff: 0, gone: 100, lots: [] },
    ])
    const again = await shop.giveBack('ar', 'external:a', returns)
    expect([again.status, again.body.reversed]).toEqual([200, body.reversed])
    await sound()
  })

  it('whether or not the worker came by; and what was spent is still taken', async () => {
    await shop.buy('b1', 'external:b', 10_000)
    await spend('external:b', 40)
    later(31)
    await shop.buy('b2', 'external:b', 5_000)
    const { body } = await shop.giveBack('br', 'external:b', { purchase: 'external:b1' })
    expect(body).toMatchObject({ points: 40, reversed: [{ points: 40, writtenOff: 0, gone: 60 }] })
    expect(await available('external:b')).toBe(10)
    await sound()
  })

  it('nothing is owed for what ended, where a balance may go below zero', async () => {
    await settings({ negative: { policy: 'allow' } })
    await shop.buy('c1', 'external:c', 10_000)
    await spend('external:c', 40)
    later(31)
    const { body } = await shop.giveBack('cr', 'external:c', { purchase: 'external:c1' })
    await settings({ negative: { policy: 'forbid' } })
    expect(body).toMatchObject({ points: 40, reversed: [{ points: 40, writtenOff: 0, gone: 60 }] })
    expect(await available('external:c')).toBe(-40)
    await sound()
  })

  it('a return that names no purchase counts the same', async () => {
    await shop.buy('d1', 'external:d', 10_000, { items: [{ sku: 'old', quantity: 1, amount: 10_000 }] })
    later(31)
    await shop.buy('d2', 'external:d', 5_000)
    const { body } = await send({
      verb: 'return',
      program: 'coffee',
      externalId: 'dr',
      member: 'external:d',
      occurredAt: Date.now() * 1000,
      items: [{ sku: 'old', quantity: 1 }],
    })
    expect(body).toMatchObject({ points: 0, reversed: [{ gone: 100 }] })
    expect(await available('external:d')).toBe(50)
    await sound()
  })
})

describe('several returns of one purchase', () => {
  it('in one list, as it expires, count it once', async () => {
    await shop.buy('e1', 'external:e', 0, three)
    await spend('external:e', 120)
    later(15)
    const second = { occurredAt: Date.now() * 1000 }
    await shop.buy('e2', 'external:e', 50_000, second)
    later(16)
    // What is asked first goes alone, and changes nothing; the others wait for it, and go together.
    const repeat = shop.buy('e2', 'external:e', 50_000, second)
    const each = ['er1', 'er2', 'er3'].map((id) =>
      shop.giveBack(id, 'external:e', { purchase: 'external:e1', ...onePot }),
    )
    const answers = await Promise.all(each)
    expect((await repeat).status).toBe(200)
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
    const counted = answers.flatMap(({ body }) => body.reversed as { points: number; gone?: number }[])
    expect(counted.map(({ points, gone = 0 }) => [points, gone])).toEqual([
      [0, 100],
      [20, 80],
      [100, 0],
    ])
    expect(await available('external:e')).toBe(380)
    await sound()
  })

  it('one after the other, over time: as if all had come back at the end', async () => {
    for (const who of ['f', 'g']) {
      await shop.buy(`${who}1`, `external:${who}`, 0, three)
      await spend(`external:${who}`, 120)
    }
    await shop.giveBack('fr1', 'external:f', { purchase: 'external:f1', ...onePot })
    later(31)
    for (const who of ['f', 'g']) await shop.buy(`${who}2`, `external:${who}`, 50_000)
    await shop.giveBack('fr2', 'external:f', { purchase: 'external:f1' })
    await shop.giveBack('gr', 'external:g', { purchase: 'external:g1' })
    expect([await available('external:f'), await available('external:g')]).toEqual([380, 380])
    await sound()
  })

  it('a purchase so late that its points end at once, and its return in the same list', async () => {
    await shop.buy('h1', 'external:h', 5_000)
    const asks = [
      spend('external:h', 1),
      shop.buy('h0', 'external:h', 10_000, { occurredAt: (START - 60 * DAY) * 1000 }),
      shop.giveBack('hr', 'external:h', { purchase: 'external:h0' }),
    ]
    const [, , back] = await Promise.all(asks)
    expect(back?.body).toMatchObject({ points: 0, reversed: [{ gone: 100 }] })
    expect(await available('external:h')).toBe(49)
    await sound()
  })
})

it('what is reinstated after a return counted it is taken by the next return of the purchase', async () => {
  const { body: bought } = await shop.buy('i1', 'external:i', 0, three)
  later(31)
  await shop.giveBack('ir1', 'external:i', { purchase: 'external:i1', ...onePot })
  const [lot] = await shop.sql(`select member_id as member, seq from entries where kind = 1 and source_id = $1`, [
    decodeId('pur', bought.id),
  ])
  const ask = { verb: 'changeLot', change: 'reinstate', reason: 'sorry' } as const
  const { status } = await send({ ...ask, member: bought.member, of: { lot: Number(lot?.seq) } })
  expect([status, await available('external:i')]).toEqual([200, 300])
  await sound()
  const { body } = await shop.giveBack('ir2', 'external:i', { purchase: 'external:i1' })
  expect(body).toMatchObject({ points: 300, reversed: [{ points: 300, writtenOff: 0, gone: -100 }] })
  await sound()
})

describe('of members who were merged', () => {
  const merged = (from: string, to: string) =>
    send({ verb: 'merge', member: `external:${to}`, from: `external:${from}`, reason: 'twins' })

  it('what ended before, and what ended with the one it came to, is taken from nobody', async () => {
    await shop.buy('j1', 'external:j', 10_000)
    later(10)
    await shop.buy('j2', 'external:j', 10_000)
    later(21)
    await shop.buy('k1', 'external:k', 5_000)
    await merged('j', 'k')
    later(10)
    const first = await shop.giveBack('jr1', 'external:k', { purchase: 'external:j1' })
    const second = await shop.giveBack('jr2', 'external:j', { purchase: 'external:j2' })
    for (const { body } of [first, second]) expect(body).toMatchObject({ points: 0, reversed: [{ gone: 100 }] })
    expect(await available('external:k')).toBe(50)
    await sound()
  })

  it('what was counted before is not counted again', async () => {
    await shop.buy('o1', 'external:o', 0, three)
    later(31)
    await shop.giveBack('or1', 'external:o', { purchase: 'external:o1', ...onePot })
    await shop.buy('p1', 'external:p', 5_000)
    await merged('o', 'p')
    const { body } = await shop.giveBack('or2', 'external:p', { purchase: 'external:o1' })
    expect(body).toMatchObject({ points: 0, reversed: [{ gone: 200 }] })
    await sound()
  })

  it('so is what ended with somebody who is another again', async () => {
    await shop.buy('l1', 'external:l', 0, { ...three, occurredAt: (START - 5 * DAY) * 1000 })
    await shop.buy('m1', 'external:m', 5_000)
    await merged('l', 'm')
    await shop.giveBack('lr1', 'external:l', { purchase: 'external:l1', ...onePot })
    later(26)
    await worker()
    const undo = { verb: 'unmerge', member: 'external:m', from: 'external:l', reason: 'not so' } as const
    expect((await send(undo)).status).toBe(200)
    await shop.buy('l2', 'external:l', 7_000)
    const { body } = await shop.giveBack('lr2', 'external:l', { purchase: 'external:l1' })
    expect(body).toMatchObject({ points: 0, reversed: [{ gone: 200 }] })
    expect(await available('external:l')).toBe(70)
    await sound()
  })
})

describe('verify', () => {
  const change = (table: string, column: string, from: string, to: string) =>
    shop.sql(`update ${table} set ${column} = replace(${column}, '${from}', '${to}')`)

  it.each([
    ['purchases', 'returned', /purchase pur_.*counted as gone/],
    ['returns', 'taken', /purchase pur_.*/],
  ])('names what was counted as gone in %s, changed', async (table, column, named) => {
    await sound()
    await change(table, column, '"gone":60', '"gone":61')
    expect(await look()).toMatch(named)
    await change(table, column, '"gone":61', '"gone":60')
    await sound()
  })

  it('names more that is said to be gone than ended, though all of it adds up', async () => {
    await shop.buy('n1', 'external:n', 10_000)
    await spend('external:n', 40)
    later(31)
    await shop.giveBack('nr', 'external:n', { purchase: 'external:n1' })
    for (const [table, column] of [
      ['purchases', 'returned'],
      ['returns', 'taken'],
    ] as const) {
      await shop.sql(
        `update ${table} set ${column} = replace(replace(${column}, '"writtenOff":40', '"writtenOff":30'), '"gone":60', '"gone":70')
          where ${column} like '%"writtenOff":40%'`,
      )
    }
    expect(await look()).toMatch(/purchase pur_.*count 70 points as gone, 60 ended/)
  })
})
