import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Ask } from './gate/asks.ts'
import { passDue } from './pass-time.ts'
import { verify } from './verify.ts'
import {
  DAY,
  START,
  shop,
  lateShop,
  settings,
  send,
  balance,
  give,
  spend,
  hold,
  sound,
  later,
  passed,
} from '../tests/late.ts'

/** What is looked at or arrives late, or is seen by clocks that differ: balances, worker and verify agree all the same. */
lateShop()

describe('holds', () => {
  it('of points without dates lapse by the worker too', async () => {
    await shop.buy('h1', 'external:h1', 10_000)
    await hold('external:h1', 60)
    later(16 * 60_000)
    expect(await passed()).toBe(1)
    const [row] = await shop.sql('select status from holds')
    expect(row?.status).toBe(4)
    await sound()
  })

  it('two of one lot that has ended meanwhile are no fault', async () => {
    await settings({ expiry: { kind: 'rolling', period: 'P30D' } })
    await shop.buy('h2', 'external:h2', 10_000)
    later(29 * DAY)
    await hold('external:h2', 10, 3 * 24 * 60)
    await hold('external:h2', 20, 4 * 24 * 60)
    later(2 * DAY)
    await passed()
    expect(await balance('external:h2')).toMatchObject({ available: 0, held: 30, lifetimeExpired: 70 })
    await sound()
    await settings({ expiry: { kind: 'never' } })
  })

  it('captured by a process whose clock is behind are sound', async () => {
    await shop.buy('h3', 'external:h3', 10_000)
    const one = await hold('external:h3', 10)
    later(-20)
    expect((await send({ verb: 'capture', ...one })).status).toBe(200)
    await sound()
  })
})

describe('clocks', () => {
  it('points are spent at once by a process whose clock is behind', async () => {
    await shop.buy('c1', 'external:c1', 10_000)
    later(-20)
    expect((await spend('external:c1', 40)).status).toBe(201)
    expect(await balance('external:c1')).toMatchObject({ available: 60, pending: 0 })
    await sound()
  })

  it('verify by a process whose clock is behind sees nothing wrong', async () => {
    await shop.buy('c2', 'external:c2', 10_000)
    later(-20)
    expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
  })
})

describe('late', () => {
  it('points that ended before they would have begun leave nothing pending', async () => {
    await shop.buy('l1', 'external:l1', 10_000)
    await settings({ pending: { kind: 'until', date: '2027-02-01' }, expiry: { kind: 'rolling', period: 'P30D' } })
    const { body } = await shop.buy('l2', 'external:l1', 5_000, { occurredAt: (START - 40 * DAY) * 1000 })
    expect(body.wallets[0]).toMatchObject({ available: 100, pending: 0, lifetimeExpired: 50 })
    await settings({ pending: { kind: 'none' }, expiry: { kind: 'never' } })
    await sound()
  })
})

describe('sliding', () => {
  const slide = { expiry: { kind: 'sliding', period: 'P30D' } }
  afterEach(() => settings({ expiry: { kind: 'never' } }))

  it('no activity brings back what ended while it was held', async () => {
    await settings(slide)
    await shop.buy('s1', 'external:s1', 10_000)
    later(29 * DAY)
    const one = await hold('external:s1', 50, 3 * 24 * 60)
    later(2 * DAY)
    await shop.buy('s2', 'external:s1', 1_000)
    expect(await balance('external:s1')).toMatchObject({ available: 10, held: 50, lifetimeExpired: 50 })
    await send({ verb: 'release', ...one })
    expect(await balance('external:s1')).toMatchObject({ available: 10, held: 0, lifetimeExpired: 100 })
    await sound()
  })

  it('what is given while the rest is over and held does not end at once', async () => {
    await settings(slide)
    await shop.buy('s3', 'external:s3', 10_000)
    later(29 * DAY)
    await hold('external:s3', 50, 3 * 24 * 60)
    later(2 * DAY)
    const { body } = await give('external:s3', 7)
    expect(body.wallets[0]).toMatchObject({ available: 7, held: 50 })
    await sound()
  })

  it('who was active while points did not end by inactivity was not away', async () => {
    await settings(slide)
    await shop.buy('s12', 'external:s12', 10_000)
    await settings({ expiry: { kind: 'never' } })
    later(60 * DAY)
    await shop.buy('s13', 'external:s12', 1_000)
    later(DAY)
    await settings(slide)
    expect(await balance('external:s12')).toMatchObject({ available: 110 })
    await sound()
  })
})

describe('the worker', () => {
  it('goes on with others where the books of one contradict themselves', async () => {
    later(50 * DAY)
    while ((await passed()) > 0);
    await shop.buy('w1', 'external:w1', 10_000)
    await hold('external:w1', 10)
    await shop.sql(`update holds set parts = replace(parts, '"l":[[1,', '"l":[[99,') where status = 1`)
    later(1)
    await shop.buy('w2', 'external:w2', 10_000)
    await hold('external:w2', 10)
    later(16 * 60_000)
    const failed = new Map()
    expect(await passDue(shop.pool, shop.gate, shop.space, 1, failed)).toBe(0)
    expect(failed.size).toBe(1)
    expect(await passDue(shop.pool, shop.gate, shop.space, 1, failed)).toBe(1)
    expect(await passDue(shop.pool, shop.gate, shop.space, 1, failed)).toBe(0)
    later(60_000)
    await shop.sql(`update holds set parts = replace(parts, '"l":[[99,', '"l":[[1,') where status = 1`)
    expect(await passDue(shop.pool, shop.gate, shop.space, 1, failed)).toBe(1)
    await sound()
  })
})

describe('one list', () => {
  it('decides asks between which points begin and end, and a day passes', async () => {
    await settings({
      pending: { kind: 'period', period: 'PT1H' },
      expiry: { kind: 'rolling', period: 'PT2H' },
      transfers: { min: 1, perDay: 10 },
    })
    await shop.buy('y1', 'external:y1', 10_000)
    const at = Date.now()
    const asks: Promise<any>[] = []
    const soon = (ms: number, ask: Ask) => {
      vi.setSystemTime(at + ms)
      asks.push(send(ask))
    }
    const spending: Ask = { verb: 'spend', member: 'external:y1', wallet: 'points', points: 10, reason: 'x' }
    soon(3_599_999, spending)
    soon(3_600_000, spending)
    soon(7_199_999, spending)
    soon(7_200_000, spending)
    const codes = (await Promise.all(asks)).map(({ status }) => status)
    expect(codes).toEqual([409, 201, 201, 409])
    expect(await balance('external:y1')).toMatchObject({ lifetimeExpired: 80, lifetimeSpent: 20, available: 0 })
    await sound()
    await settings({ pending: { kind: 'none' }, expiry: { kind: 'never' } })
  })

  it('counts what was transferred today by the day of each', async () => {
    await shop.buy('y2', 'external:y2', 10_000)
    const midnight = Date.UTC(2027, 0, 11)
    const sending: Ask = {
      verb: 'transfer',
      member: 'external:y2',
      to: 'external:y1',
      wallet: 'points',
      points: 10,
      reason: 'x',
    }
    const asks = [midnight - 2, midnight - 1, midnight, midnight + 1].map((ms) => {
      vi.setSystemTime(ms)
      return send(sending)
    })
    expect((await Promise.all(asks)).map(({ status }) => status)).toEqual([201, 409, 201, 409])
    await sound()
    await settings({ transfers: null })
  })
})

describe('a clock that goes back an hour', () => {
  it('loses nothing and tells nothing twice', async () => {
    await settings({ pending: { kind: 'period', period: 'PT1H' }, expiry: { kind: 'rolling', period: 'PT3H' } })
    await shop.buy('k1', 'external:k1', 10_000)
    later(3_700_000)
    await passed()
    await spend('external:k1', 10)
    const one = await hold('external:k1', 20)
    later(-3_600_000)
    expect(await balance('external:k1')).toMatchObject({ lifetimeSpent: 10, held: 20 })
    await spend('external:k1', 5)
    await passed()
    await send({ verb: 'release', ...one })
    await sound()
    later(3_600_000)
    await passed()
    expect((await spend('external:k1', 5)).status).toBe(201)
    later(10_800_000)
    await passed()
    await sound()
    const [who] = await shop.sql("select member_id from members where external_id = 'k1'")
    const told = (await shop.sql('select events from outbox order by 1'))
      .flatMap(({ events }) => JSON.parse(String(events)) as [string, string, ...unknown[]][])
      .flatMap(([type, member]) => (member === who?.member_id ? [type] : []))
    const times = (type: string) => told.filter((one) => one === type).length
    expect(['activated', 'released', 'expired'].map((type) => times(`points.${type}`))).toEqual([1, 1, 1])
    await settings({ pending: { kind: 'none' }, expiry: { kind: 'never' } })
  })
})
