import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { LadderTerms } from '@laurel/contract/tiers'
import { openLadder, type LadderShop, STATUS } from '../tests/ladders.ts'
import { door } from '../tests/shop.ts'
import { withRead, withTx } from './base/db.ts'
import { newId } from './base/ids.ts'
import { createProgram } from './configure-programs.ts'
import { configurations } from './earning/configuration.ts'
import { passDue } from './pass-time.ts'
import { preview } from './preview.ts'
import { verify } from './verify.ts'
import { currentConfiguration } from './views/current.ts'

/** Versions of a ladder in time, on a real database; and what ladders cost those who have none. */
const START = Date.UTC(2026, 2, 2, 10)

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})
beforeEach(() => vi.setSystemTime(START))
afterAll(() => vi.useRealTimers())

const until = (text: string) => vi.setSystemTime(Date.parse(text))
const on = (text: string) => Date.parse(text) * 1000
const pass = (shop: LadderShop) => passDue(shop.pool, shop.gate, shop.space, 100)
const wrong = async (shop: LadderShop) => (await verify(shop.pool, shop.space)).wrong
const times = (factor: number): LadderTerms['tiers'] =>
  STATUS.tiers.map((tier) => ({ ...tier, threshold: Math.round(tier.threshold * factor) }))
const progress = (shop: LadderShop) =>
  shop.sql('select keeping, measure, sum(amount)::int as amount from tier_progress group by 1, 2 order by 1, 2')

describe('a version holds from the instant it was published', () => {
  test('so purchases of before and after earn by the one of then, though nobody booked it yet', async () => {
    const shop = await openLadder()
    await shop.buy('p1', 'external:ann', 8_000)
    until('2026-03-02T11:00:00Z')
    await shop.publish({ tiers: times(0.5) })
    until('2026-03-02T13:00:00Z')
    const earns = async (name: string, when: string) =>
      (await shop.buy(name, 'external:ann', 1_000, { occurredAt: on(when) })).body.points
    expect(await earns('p2', '2026-03-02T12:00:00Z')).toBe(15)
    expect(await earns('p3', '2026-03-02T10:30:00Z')).toBe(10)
    expect((await shop.history('ann')).at(-1)).toMatchObject({
      to: 'silver',
      at: '2026-03-02T11:00:00.000Z',
      why: 'ladder_changed',
    })
    expect(await wrong(shop)).toBeUndefined()
  })

  test('so a purchase of before earns what a tier brought then, also for who joins with it, and in a preview', async () => {
    const shop = await openLadder()
    await shop.buy('p1', 'external:ann', 12_000)
    until('2026-03-03T10:00:00Z')
    const tripled = STATUS.tiers.map((tier) => ({ ...tier, benefits: { multiplier: '3' } }))
    await shop.publish({ tiers: tripled })
    const earns = async (name: string, externalId: string, when: string) => {
      const [row] = await shop.sql('select member_id from members where external_id = $1', [externalId])
      const member = { member: (row?.member_id ?? newId()) as string, isNew: !row, externalId }
      const items = [{ sku: 'beans', quantity: 1, amount: 1_000 }]
      const asked = { program: 'coffee', member, occurredAt: on(when), currency: 'GBP', items }
      const told = await withRead(shop.pool, shop.space, async (db) =>
        preview(db, await currentConfiguration(db, configurations()), asked, door().now),
      )
      const { body } = await shop.buy(name, `external:${externalId}`, 1_000, { occurredAt: on(when) })
      return [body.points, 'points' in told && told.points]
    }
    expect(await earns('p2', 'ann', '2026-03-03T09:00:00Z')).toEqual([15, 15])
    expect(await earns('p3', 'ann', '2026-03-03T10:00:00Z')).toEqual([30, 30])
    expect(await earns('p4', 'bob', '2026-03-03T09:00:00Z')).toEqual([10, 10])
    expect(await earns('p5', 'cat', '2026-03-03T10:00:00Z')).toEqual([30, 30])
    expect(await wrong(shop)).toBeUndefined()
  })

  test('and none that lets everybody keep what they hold judges a window that had ended before', async () => {
    const shop = await openLadder({ window: { kind: 'calendar', per: 'month' } })
    await shop.buy('p1', 'external:ann', 12_000, { occurredAt: on('2026-03-02T09:00:00Z') })
    until('2026-04-10T10:00:00Z') // the worker has not looked since: April holds what March came to
    await shop.publish({ tiers: times(2), keep: true })
    until('2026-04-20T10:00:00Z')
    expect(await pass(shop)).toBe(1)
    expect(await shop.holds('ann')).toEqual(['silver', '2026-04-30T23:00:00.000Z'])
    until('2026-05-20T10:00:00Z')
    await pass(shop)
    expect((await shop.history('ann')).at(-1)).toMatchObject({ to: 'bronze', at: '2026-04-30T23:00:00.000Z' })
    expect(await wrong(shop)).toBeUndefined()
  })

  test('also by other ways of counting, one after another, before anybody looked; a merge too', async () => {
    const shop = await openLadder({ window: { kind: 'lifetime' } })
    await shop.buy('p1', 'external:ann', 12_000)
    await shop.buy('p2', 'external:bob', 60_000)
    until('2026-03-03T10:00:00Z')
    const counts = (metric: 'purchases' | 'spend', factor: number) =>
      shop.publish({ metric: { kind: metric }, tiers: times(factor), keep: true })
    await counts('purchases', 0.1)
    until('2026-03-04T10:00:00Z')
    await counts('spend', 100)
    until('2026-03-05T10:00:00Z')
    expect(await pass(shop)).toBe(2)
    expect([(await shop.holds('ann'))[0], (await shop.holds('bob'))[0]]).toEqual(['silver', 'gold'])
    expect(await wrong(shop)).toBeUndefined()
    await shop.buy('p3', 'external:ann', 1_000)
    expect(await wrong(shop)).toBeUndefined()
    const both = { member: 'external:ann', from: 'external:bob', reason: 'same person' }
    await shop.gate.submit(shop.space, { verb: 'merge', ...both })
    expect((await shop.holds('ann'))[0]).toBe('gold')
    expect(await wrong(shop)).toBeUndefined()
    await shop.giveBack('r2', 'external:bob', { purchase: 'external:p2' })
    expect((await shop.holds('ann'))[0]).toBe('silver')
    await shop.giveBack('r1', 'external:ann', { purchase: 'external:p1' })
    expect((await shop.holds('ann'))[0]).toBe('bronze')
    expect(await wrong(shop)).toBeUndefined()
  })
})

describe('what a version lets everybody keep', () => {
  test('over a lifetime goes when it comes back', async () => {
    const shop = await openLadder({ window: { kind: 'lifetime' } })
    await shop.buy('p1', 'external:ann', 12_000)
    until('2026-03-03T10:00:00Z')
    await shop.publish({ tiers: times(2), keep: true })
    await pass(shop)
    expect(await shop.holds('ann')).toEqual(['silver', null])
    await shop.giveBack('r1', 'external:ann', { purchase: 'external:p1' })
    expect(await shop.holds('ann')).toEqual(['bronze', null])
    expect(await wrong(shop)).toBeUndefined()
  })

  test('and was counted otherwise is counted on, until it goes', async () => {
    const shop = await openLadder()
    await shop.buy('p1', 'external:ann', 12_000)
    until('2026-03-03T10:00:00Z')
    await shop.publish({ metric: { kind: 'purchases' }, keep: true })
    await shop.buy('p2', 'external:ann', 500)
    expect(await progress(shop)).toEqual([
      { keeping: 1, measure: 2, amount: 12_500 },
      { keeping: 2, measure: 3, amount: 2 },
    ])
    expect((await shop.holds('ann'))[0]).toBe('silver')
    expect(await wrong(shop)).toBeUndefined()
    expect(await tampered(shop, 'update tier_progress set amount = amount + 1 where keeping = 1')).toMatch(
      /progress of 2026-03-0\d lacks -1 \(spend\)/,
    )
    await shop.giveBack('r1', 'external:ann', { purchase: 'external:p1' })
    expect((await shop.holds('ann'))[0]).toBe('bronze')
    expect(await wrong(shop)).toBeUndefined()
  })
})

async function tampered(shop: LadderShop, sql: string): Promise<string | undefined> {
  await shop.sql(sql)
  const said = await wrong(shop)
  await shop.sql(sql.replace('+ 1', '- 1'))
  return said?.what
}

test('a member whose points and tiers go on in one program is looked at in another without a statement more', async () => {
  const shop = await openLadder()
  await withTx(shop.pool, shop.space, (tx) =>
    createProgram(
      tx,
      { slug: 'books', name: 'Books', timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'on_first_purchase' },
      door(),
    ),
  )
  await shop.rule('per_amount', { points: 1, per: 100 }, { program: 'books' })
  const seen = vi.spyOn(pg.Client.prototype, 'query')
  const tiersRead = async (work: () => Promise<{ status: number }>) => {
    seen.mockClear()
    expect((await work()).status).toBeLessThan(300)
    const names = seen.mock.calls.map(([said]) => (said as unknown as { name?: string }).name ?? '')
    return names.filter((name) => name.startsWith('tiers-')).sort()
  }
  await shop.buy('p1', 'external:ann', 12_000)
  await shop.buy('p2', 'external:ann', 1_000, { program: 'books' })
  expect(await tiersRead(() => shop.buy('p3', 'external:ann', 1_000, { program: 'books' }))).toEqual([])
  expect(await tiersRead(() => shop.buy('p4', 'external:ann', 1_000))).toEqual([
    'tiers-count',
    'tiers-load',
    'tiers-progress',
  ])
  until('2026-03-03T10:00:00Z')
  await shop.publish({ name: 'Another' })
  await pass(shop)
  expect(await tiersRead(() => shop.buy('p5', 'external:ann', 1_000))).toHaveLength(3)
  expect(await tiersRead(() => shop.buy('p6', 'external:ann', 1_000, { program: 'books' }))).toEqual([])
  seen.mockRestore()
  await shop.sql(`update wallets set settings = settings || '{"expiry": {"kind": "rolling", "period": "P1M"}}'`)
  await shop.sql('update spaces set config_version = config_version + 1')
  await shop.buy('p8', 'external:ann', 1_000, { program: 'books' })
  until('2026-05-03T10:00:00Z')
  await shop.buy('p9', 'external:ann', 1_000, { program: 'books' }) // points ended: when to look next is worked out again
  expect(await wrong(shop)).toBeUndefined()
  until('2028-01-01T12:00:00Z')
  await shop.buy('p7', 'external:ann', 1_000, { program: 'books' })
  expect((await shop.holds('ann'))[0]).toBe('bronze')
  expect(await wrong(shop)).toBeUndefined()
})
