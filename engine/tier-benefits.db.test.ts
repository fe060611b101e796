import { describe, expect, test } from 'vitest'
import { moveByHand, on, openLadder, type STATUS, until, wrong } from '../tests/ladders.ts'
import { door, NOW } from '../tests/shop.ts'
import { withTx } from './base/db.ts'
import { createActivityType } from './configure-activities.ts'
import { createProgram } from './configure-programs.ts'
import { createRule } from './configure-rules.ts'
import { createWallet } from './configure-wallets.ts'
import { verify } from './verify.ts'

/** Everyone is at least silver: what a tier brings is seen with the first purchase. */
const silver = (benefits: NonNullable<(typeof STATUS.tiers)[number]['benefits']>) => ({
  tiers: [{ slug: 'silver', name: 'Silver', threshold: 0, benefits }],
})

test('a multiplier adds to what each rule gave, rounded down once a wallet; rules that multiply do not see it', async () => {
  const shop = await openLadder(silver({ multiplier: '1.25' }))
  await shop.rule('fixed', { points: 3 })
  await shop.rule('multiplier', { factor: 2 })
  const { body } = await shop.buy('p1', 'external:ann', 1_100)
  expect(body.awards.map((a: any) => [a.points, a.why])).toEqual([
    [11, '1 point per 1.00 GBP on 11.00 GBP'],
    [3, '3 points for the purchase'],
    [14, '2 times 14 points'],
    [2, '1.25 times 11, as Silver'],
    [1, '1.25 times 3, as Silver'], // a quarter of 14 is 3.5: 2 of the first 11, 3 of all
  ])
  expect(body.points).toBe(31)
  expect((await shop.giveBack('r1', 'external:ann', { purchase: 'external:p1' })).body.points).toBe(31)
  expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
})

test('what a tier adds is within the caps and budgets of its rule, and of the wallet', async () => {
  const shop = await openLadder(silver({ multiplier: '2', wallets: ['points'] }))
  await shop.rule('fixed', { points: 10 }, { caps: [{ per: 'lifetime', points: 35 }], budget: { points: 32 } })
  const given = async (name: string) => (await shop.buy(name, 'external:ann', 99)).body.awards.map((a: any) => a.points)
  expect(await given('p1')).toEqual([10, 10])
  expect(await given('p2')).toEqual([10, 2])
  expect(await given('p3')).toEqual([])
  expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
})

test('of other wallets than those of the multiplier nothing is added', async () => {
  const shop = await openLadder()
  await withTx(shop.pool, shop.space, (tx) => createWallet(tx, 'coffee', { slug: 'stars' }, door()))
  await shop.publish(silver({ multiplier: '3', wallets: ['stars'] }))
  await shop.rule('fixed', { points: 5 }, { wallet: 'stars' })
  const { body } = await shop.buy('p1', 'external:ann', 1_000)
  expect(body.awards.map((a: any) => [a.wallet, a.points])).toEqual([
    ['points', 10],
    ['stars', 5],
    ['stars', 10],
  ])
})

test('points earned in the tier end as the tier says, where their rule says nothing', async () => {
  const shop = await openLadder(silver({ expiry: { kind: 'rolling', period: 'P1D' } }))
  await shop.rule('fixed', { points: 7 }, { expiry: { kind: 'never' } })
  await shop.buy('p1', 'external:ann', 1_000)
  expect(
    await shop.sql('select points::int, expires_at - occurred_at as lasts from entries order by seq'),
  ).toMatchObject([
    { points: 10, lasts: { days: 1 } },
    { points: 7, lasts: null },
  ])
})

describe('points that waited for an event end as the tier says that was held when they were earned', () => {
  moveByHand()

  test('however they begin, and whatever is known or held by then', async () => {
    const tiers = [
      { slug: 'bronze', name: 'Bronze', threshold: 0 },
      { slug: 'silver', name: 'Silver', threshold: 10_000, benefits: { expiry: { kind: 'on', date: '2026-12-31' } } },
    ] as const
    const shop = await openLadder({ tiers: [...tiers] })
    await withTx(shop.pool, shop.space, (tx) =>
      createActivityType(tx, { program: 'coffee', slug: 'sent', name: 'Sent', schema: { type: 'object' } }, door()),
    )
    await shop.rule('fixed', { points: 7 }, { pending: { kind: 'event', activity: 'sent', cancelAfter: 'P60D' } })
    const ends = {
      pending: { kind: 'event', activity: 'sent', cancelAfter: 'P60D' },
      expiry: { kind: 'never' },
    } as const
    await shop.rule('fixed', { points: 3 }, ends)
    const send = (ask: object) =>
      shop.gate.submit(shop.space, { member: 'external:ann', ...ask } as never) as Promise<{ status: number }>
    const bought: [name: string, amount: number, day: string][] = [
      ['before', 12_000, '2026-03-02'], // reaches silver, and is before it
      ['by hand', 100, '2026-03-03'],
      ['by event', 100, '2026-03-04'],
      ['late', 100, '2026-03-01'],
    ]
    until('2026-03-05T12:00:00Z')
    for (const [name, amount, day] of bought)
      await shop.buy(name, 'external:ann', amount, { occurredAt: on(`${day}T12:00:00Z`) })
    await shop.buy('not known', 'external:ben', 100, { occurredAt: on('2026-03-04T12:00:00Z') })
    until('2026-03-06T12:00:00Z')
    await shop.buy('told late', 'external:ben', 12_000, { occurredAt: on('2026-03-02T12:00:00Z') })
    await shop.publish({ tiers: [...tiers.slice(0, 1), { slug: 'silver', name: 'Silver', threshold: 90_000 }] })
    until('2026-03-07T12:00:00Z')
    const [one] = await shop.sql("select purchase_id as id from purchases where external_id = 'by hand'")
    const byHand = { verb: 'changeLot', of: { purchase: one?.id }, change: 'activate', reason: 'sent' }
    expect((await send(byHand)).status).toBe(200)
    const activity = { verb: 'activity', program: 'coffee', type: 'sent', occurredAt: NOW(), data: {} }
    for (const member of ['ann', 'ben'])
      expect((await send({ ...activity, member: `external:${member}`, externalId: member })).status).toBe(201)
    const begun = await shop.sql(
      `select p.external_id as name, max(e.expires_at) filter (where e.points = 7)::text as ends,
              max(e.expires_at) filter (where e.points = 3) as none
         from entries e join purchases p on p.purchase_id = e.source_id and p.member_id = e.member_id
        where e.activates_at = e.booked_at and e.points in (3, 7) group by 1 order by 1`,
    )
    expect(begun).toEqual([
      { name: 'before', ends: null, none: null },
      { name: 'by event', ends: '2027-01-01 00:00:00+00', none: null },
      { name: 'by hand', ends: '2027-01-01 00:00:00+00', none: null },
      { name: 'late', ends: null, none: null },
      { name: 'not known', ends: null, none: null },
      { name: 'told late', ends: null, none: null },
    ])
    expect(await wrong(shop)).toBeUndefined()
  })
})

test('conditions read the tier that was held, also when something comes back', async () => {
  const shop = await openLadder()
  await shop.rule('fixed', { points: 100 }, { when: 'member.tiers.status == "silver"' })
  expect((await shop.buy('p1', 'external:ann', 12_000)).body.points).toBe(120)
  const two = { items: [{ sku: 'beans', quantity: 2, amount: 2_000 }] }
  expect((await shop.buy('p2', 'external:ann', 0, two)).body.points).toBe(180)
  await shop.giveBack('r1', 'external:ann', { purchase: 'external:p1' })
  expect(await shop.holds('ann')).toEqual(['bronze', null])
  const one = { purchase: 'external:p2', items: [{ sku: 'beans', quantity: 1 }] }
  expect((await shop.giveBack('r2', 'external:ann', one)).body.points).toBe(15)
  expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
})

test('a program without ladders neither counts nor multiplies, beside one that has some', async () => {
  const shop = await openLadder(silver({ multiplier: '2' }))
  await withTx(shop.pool, shop.space, async (tx) => {
    const tea = { slug: 'tea', name: 'Tea', timezone: 'Europe/London', currency: 'GBP' }
    await createProgram(tx, { ...tea, joinPolicy: 'on_first_purchase' }, door())
    await createRule(tx, { program: 'tea', name: 'tea', kind: 'fixed', args: { points: 5 } }, door())
  })
  expect((await shop.buy('t1', 'external:ann', 1_000, { program: 'tea' })).body.points).toBe(5)
  expect(await shop.sql('select count(*)::int as n from tier_states')).toEqual([{ n: 0 }])
  expect((await shop.buy('c1', 'external:ann', 1_000, { occurredAt: NOW() })).body.points).toBe(20)
  expect((await shop.buy('t2', 'external:ann', 1_000, { program: 'tea' })).body.points).toBe(5)
  expect(await shop.sql('select sum(amount)::int as sum from tier_progress')).toEqual([{ sum: 1_000 }])
  expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
})
