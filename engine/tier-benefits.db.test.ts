import { expect, test } from 'vitest'
import { openLadder, type STATUS } from '../tests/ladders.ts'
import { door, NOW } from '../tests/shop.ts'
import { withTx } from './base/db.ts'
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
