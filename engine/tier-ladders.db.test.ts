import { describe, expect, test, vi } from 'vitest'
import {
  type LadderShop,
  moveByHand,
  on,
  openLadder,
  pass,
  points,
  START,
  STATUS,
  until,
  wrong,
} from '../tests/ladders.ts'
import { door, NOW } from '../tests/shop.ts'
import { withTx } from './base/db.ts'
import { createActivityType } from './configure-activities.ts'
import { createLadder } from './configure-ladders.ts'
import { changeProgram } from './configure-programs.ts'

const DAY = 86_400_000

moveByHand()

describe('a ladder', () => {
  test('made on a living program counts what was before, once', async () => {
    const shop = await openLadder({ slug: 'other', tiers: [{ slug: 'one', name: 'One', threshold: 1 }] })
    await shop.buy('p1', 'external:ann', 12_000)
    await shop.buy('p2', 'external:bob', 8_000)
    await shop.giveBack('r1', 'external:bob', { purchase: 'external:p2' })
    const late = await openLate(shop)
    vi.setSystemTime(START + DAY)
    expect(points(await shop.buy('p3', 'external:ann', 1_000))).toBe(15)
    await shop.buy('p4', 'external:bob', 8_000)
    expect(await late('ann')).toEqual(['silver'])
    expect(await late('bob')).toEqual(['bronze'])
    expect(await wrong(shop)).toBeUndefined()
  })

  test('with other thresholds moves people as soon as the worker has looked, each once', async () => {
    const shop = await openLadder()
    for (const [i, name] of ['ann', 'bob', 'cat'].entries())
      await shop.buy(`p${i}`, `external:${name}`, 6_000 * (i + 1))
    expect(await pass(shop)).toBe(0)
    const thresholds = (silver: number) =>
      STATUS.tiers.map((tier) => (tier.slug === 'silver' ? { ...tier, threshold: silver } : tier))
    await shop.publish({ tiers: thresholds(15_000) })
    expect(await pass(shop)).toBe(3)
    expect(await pass(shop)).toBe(0)
    expect((await shop.holds('bob'))[0]).toBe('bronze')
    expect((await shop.holds('cat'))[0]).toBe('silver')
    expect(await shop.told('bob')).toEqual(['joined', 'upgraded', 'downgraded'])
    await shop.publish({ tiers: thresholds(40_000), keep: true })
    expect(await pass(shop)).toBe(3)
    expect((await shop.holds('cat'))[0]).toBe('silver')
    await shop.publish({ metric: { kind: 'purchases' }, tiers: STATUS.tiers.map((t, i) => ({ ...t, threshold: i })) })
    expect(await pass(shop)).toBe(3)
    expect((await shop.holds('ann'))[0]).toBe('silver')
    expect(await wrong(shop)).toBeUndefined()
  })

  test('counts everybody anew where the program moves to another time zone, and nobody falls by it', async () => {
    const shop = await openLadder({ window: { kind: 'calendar', per: 'month' } })
    await shop.buy('p1', 'external:ann', 12_000, { occurredAt: on('2026-03-01T02:00:00Z') })
    expect(await shop.holds('ann')).toEqual(['silver', '2026-04-30T23:00:00.000Z']) // summer time
    await withTx(shop.pool, shop.space, (tx) =>
      changeProgram(tx, 'coffee', { timezone: 'America/New_York' }, undefined, door()),
    )
    expect(await pass(shop)).toBe(1)
    expect(await shop.holds('ann')).toEqual(['silver', '2026-05-01T04:00:00.000Z']) // not before what was told
    expect(await shop.sql('select day::text as day from tier_progress where keeping = 2')).toEqual([
      { day: '2026-02-28' },
    ])
    await shop.buy('p2', 'external:ann', 1_000)
    await shop.giveBack('r1', 'external:ann', { purchase: 'external:p1' })
    expect((await shop.holds('ann'))[0]).toBe('bronze')
    expect(await wrong(shop)).toBeUndefined()
  })

  test('cannot wait for the end of what has none', async () => {
    for (const window of [{ kind: 'lifetime' } as const, { kind: 'rolling', period: 'P30D' } as const])
      await expect(openLadder({ window, upgrade: 'period_end' })).rejects.toMatchObject({
        refusal: { code: 'invalid_request', errors: [{ pointer: '/upgrade' }] },
      })
  })

  test('may go by activities: of one type, or of all', async () => {
    const shop = await openLadder()
    await withTx(shop.pool, shop.space, async (tx) => {
      for (const slug of ['review', 'visit'])
        await createActivityType(tx, { program: 'coffee', slug, name: slug, schema: { type: 'object' } }, door())
      const tiers = STATUS.tiers.map((tier, i) => ({ ...tier, threshold: i * 2 }))
      const ladder = { ...STATUS, slug: 'reviews', tiers, metric: { kind: 'activities', activity: 'review' } as const }
      await createLadder(tx, ladder, door())
      const metric = { kind: 'expression', expression: 'activities + 0' } as const
      await createLadder(tx, { ...ladder, slug: 'all', metric }, door())
    })
    await shop.buy('p1', 'external:ann', 100)
    const does = (type: string, i: number) =>
      shop.gate.submit(shop.space, {
        verb: 'activity',
        program: 'coffee',
        member: 'external:ann',
        type,
        externalId: `a${i}`,
        occurredAt: NOW(),
        data: {},
      })
    for (const [i, type] of ['review', 'visit', 'visit', 'review', 'review'].entries())
      expect((await does(type, i)).status).toBe(201)
    await does('review', 0) // again
    const held = await shop.sql(
      'select l.slug, t.tier from tier_states t join tier_ladders l using (ladder_id) order by l.slug',
    )
    expect(held).toEqual([
      { slug: 'all', tier: 'gold' },
      { slug: 'reviews', tier: 'silver' },
      { slug: 'status', tier: 'bronze' },
    ])
    expect(await wrong(shop)).toBeUndefined()
  })

  test('may go by a formula, by activities and purchases', async () => {
    const shop = await openLadder({
      metric: { kind: 'expression', expression: 'earned + purchases * 10 + (daysAsMember >= 0 ? 1 : 0)' },
      tiers: STATUS.tiers.map((tier, i) => ({ ...tier, threshold: i * 41 })),
    })
    await shop.buy('p1', 'external:ann', 1_000)
    expect((await shop.holds('ann'))[0]).toBe('bronze')
    await shop.buy('p2', 'external:ann', 1_000)
    expect((await shop.holds('ann'))[0]).toBe('silver')
    expect(await wrong(shop)).toBeUndefined()
  })
})

describe('by hand', () => {
  test('a tier is given and taken away again', async () => {
    const shop = await openLadder()
    await shop.buy('p1', 'external:ann', 1_000)
    expect((await shop.assign({ until: on('2026-05-01T00:00:00Z') })).body).toMatchObject({
      tier: 'gold',
      until: '2026-05-01T00:00:00.000Z',
      assigned: { tier: 'gold', reason: 'status match' },
    })
    expect(points(await shop.buy('p2', 'external:ann', 1_000))).toBe(20)
    until('2026-05-01T00:00:00Z')
    expect(await pass(shop)).toBe(1)
    expect(await shop.holds('ann')).toEqual(['bronze', null])
    expect((await shop.assign({ tier: 'silver' })).status).toBe(200)
    expect((await shop.assign({ verb: 'releaseTier' })).body).toMatchObject({ tier: 'bronze', assigned: null })
    expect((await shop.assign({ verb: 'releaseTier' })).body).toMatchObject({ tier: 'bronze', assigned: null })
    expect(await shop.told('ann')).toEqual(['joined', 'upgraded', 'downgraded', 'upgraded', 'downgraded'])
    expect(await wrong(shop)).toBeUndefined()
  })

  test('what cannot be is refused, and changes nothing', async () => {
    const shop = await openLadder()
    await shop.buy('p1', 'external:ann', 1_000)
    const code = async (ask: object) => (await shop.assign(ask)).body.code
    expect(await code({ member: 'external:zoe' })).toBe('member_unknown')
    expect(await code({ ladder: 'nothing' })).toBe('tier_ladder_unknown')
    expect(await code({ tier: 'nothing' })).toBe('tier_unknown')
    expect(await code({ until: on('2026-03-02T09:59:00Z') })).toBe('invalid_request')
    expect(await shop.holds('ann')).toEqual(['bronze', null])
  })
})

describe('members who become one', () => {
  test('have what both counted, and the higher tier; undone, each its own', async () => {
    const shop = await openLadder()
    await shop.buy('p1', 'external:ann', 12_000)
    await shop.buy('p2', 'external:bob', 60_000)
    const both = { member: 'external:ann', from: 'external:bob', reason: 'same person' }
    await shop.gate.submit(shop.space, { verb: 'merge', ...both })
    expect(await shop.holds('ann')).toEqual(['gold', '2028-01-01'])
    expect(await wrong(shop)).toBeUndefined()
    await shop.buy('p3', 'external:bob', 1_000)
    await shop.giveBack('r1', 'external:bob', { purchase: 'external:p2' })
    expect((await shop.holds('ann'))[0]).toBe('silver')
    expect(await wrong(shop)).toBeUndefined()
    await shop.gate.submit(shop.space, { verb: 'unmerge', ...both })
    expect(await shop.holds('ann')).toEqual(['silver', '2028-01-01'])
    expect((await shop.holds('bob'))[0]).toBe('bronze')
    expect(await wrong(shop)).toBeUndefined()
    until('2028-01-01T00:00:00Z')
    await pass(shop)
    expect((await shop.holds('ann'))[0]).toBe('bronze')
    expect(await wrong(shop)).toBeUndefined()
  })
})

test('who lives on keeps the higher tier as long as it would have been kept, where windows roll', async () => {
  const tiers = STATUS.tiers.map((tier, i) => ({ ...tier, threshold: [0, 100, 300][i] ?? 0 }))
  const shop = await openLadder({ window: { kind: 'rolling', period: 'P1Y' }, tiers })
  await shop.buy('p1', 'external:ann', 100)
  await shop.buy('p2', 'external:bob', 150)
  vi.setSystemTime(START + 300 * DAY)
  await shop.buy('p3', 'external:bob', 150)
  expect([await shop.holds('ann'), await shop.holds('bob')]).toEqual([
    ['silver', '2027-03-03'],
    ['gold', '2027-12-28'],
  ])
  vi.setSystemTime(START + 364 * DAY)
  await shop.gate.submit(shop.space, { verb: 'merge', member: 'external:ann', from: 'external:bob', reason: 'same' })
  expect(await shop.holds('ann')).toEqual(['gold', '2027-12-28'])
  vi.setSystemTime(START + 370 * DAY)
  await pass(shop)
  expect(await shop.holds('ann')).toEqual(['gold', '2027-12-28'])
  expect(await wrong(shop)).toBeUndefined()
})

describe('members who become one before anybody counted them', () => {
  test('have what both bought, and each its own again', async () => {
    const shop = await openLadder({ slug: 'other', tiers: [{ slug: 'one', name: 'One', threshold: 1 }] })
    await shop.sql('delete from tier_ladder_versions')
    await shop.sql('delete from tier_ladders')
    await shop.sql('update spaces set config_version = config_version + 1')
    await shop.buy('p1', 'external:ann', 6_000)
    await shop.buy('p2', 'external:bob', 5_000)
    const late = await openLate(shop)
    const both = { member: 'external:ann', from: 'external:bob', reason: 'same person' }
    await shop.gate.submit(shop.space, { verb: 'merge', ...both })
    expect([await late('ann'), await late('bob')]).toEqual([['silver'], []])
    expect(await wrong(shop)).toBeUndefined()
    await shop.gate.submit(shop.space, { verb: 'unmerge', ...both })
    expect([await late('ann'), await late('bob')]).toEqual([['bronze'], ['bronze']])
    expect(await wrong(shop)).toBeUndefined()
  })
})

/** A second ladder on the same program. */
async function openLate(shop: LadderShop) {
  await withTx(shop.pool, shop.space, (tx) => createLadder(tx, STATUS, door()))
  return async (name: string) => {
    const rows = await shop.sql(
      `select t.tier from tier_states t join tier_ladders l using (ladder_id) join members m using (member_id)
        where l.slug = 'status' and m.external_id = $1`,
      [name],
    )
    return rows.map(({ tier }) => tier)
  }
}
