import { beforeAll, describe, expect, it } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeId, encodeId } from '../contract/ids.ts'
import { openRewards, type RewardShop } from '../tests/rewards.ts'
import { door } from '../tests/shop.ts'
import { redeemReached } from './auto-redeem.ts'
import { withTx } from './base/db.ts'
import { createWallet } from './configure-wallets.ts'
import { numberEvents } from './base/outbox.ts'
import { changeReward, turnReward } from './configure-rewards.ts'
import { configurations } from './earning/configuration.ts'
import { expireDue } from './expire-redemptions.ts'
import type { Ask } from './gate/asks.ts'
import { createGate } from './gate/gate.ts'
import { verify } from './verify.ts'

let shop: RewardShop
const known = configurations()
beforeAll(async () => {
  shop = await openRewards()
})
const wrong = async () => (await verify(shop.pool, shop.space)).wrong?.what

describe('the end of what can be used', () => {
  it('is booked and told once, at its instant, however late and however many book it', async () => {
    await shop.reward({ slug: 'brief', price: { points: 1 }, valid: { for: 'PT1H' } })
    const ann = await shop.member('ann', 100)
    const made: any[] = []
    for (let i = 0; i < 20; i++) made.push((await shop.redeem(ann, 'brief')).body)
    const used = await shop.step(made[0], 'use')
    expect(used.body.status).toBe('used')
    expect(await expireDue(shop.pool, shop.gate, shop.space, 100)).toBe(0)
    // An hour later: the digest goes by the end, so both are put back.
    const ids = made.map(({ id }) => decodeId('rdm', id))
    await shop.sql(
      "update redemptions set valid_until = valid_until - interval '2 hours' where redemption_id = any ($1)",
      [ids],
    )
    const other = createGate({ pool: shop.pool })
    const asks = ids
      .flatMap((id) => [id, id])
      .map((id) => ({ verb: 'expireRedemption', member: made[0].member, redemption: id }) as Ask)
    await Promise.all([
      ...asks.map((ask) => shop.send(ask)),
      ...asks.map((ask) => shop.send(ask, other)),
      expireDue(shop.pool, shop.gate, shop.space, 100),
    ])
    expect(await expireDue(shop.pool, shop.gate, shop.space, 100)).toBe(0)
    const told = (await shop.told(ann)).filter(({ type }) => type === 'redemption.expired')
    expect(told.length).toBe(19)
    expect(new Set(told.map(({ data }) => data.redemption)).size).toBe(19)
    const rows = await shop.sql('select status, count(*)::int as n from redemptions group by 1 order by 1')
    expect(rows).toEqual([
      { status: 5, n: 1 },
      { status: 6, n: 19 },
    ])
    await shop.sql(
      "update redemptions set valid_until = valid_until + interval '2 hours' where redemption_id = any ($1)",
      [ids],
    )
    expect(await wrong()).toBeUndefined()
  })
})

describe('a threshold', () => {
  const look = async () => {
    await numberEvents(shop.pool, shop.space)
    return await redeemReached({ pool: shop.pool, gate: shop.gate, known }, shop.space, 100)
  }
  const lookAll = async () => {
    while ((await look()) > 0);
  }
  const named = async (slug: string) =>
    encodeId('rwd', (await shop.sql('select id from rewards where slug = $1', [slug]))[0]?.id as string)
  const own = async (member: string) =>
    (await shop.told(member))
      .filter(({ type, data }) => type === 'reward.redeemed' && data.automatic)
      .map(({ data }) => data.slug)

  it('redeems as often as the balance allows, once however often it is looked', async () => {
    await shop.reward({ slug: 'cup', price: { points: 10 }, auto: { wallet: 'points', threshold: 10 } })
    const [bob, cat] = [await shop.member('bob', 25), await shop.member('cat', 9)]
    await lookAll()
    expect(await own(bob)).toEqual(['cup', 'cup'])
    expect(await own(cat)).toEqual([])
    expect([await shop.available(bob), await shop.available(cat)]).toEqual([5, 9])
    await shop.sql('update auto_redemptions set position = 0') // as if it had died before it noted how far it came
    await Promise.all([look(), look(), look()])
    await lookAll()
    expect([await own(bob), await own(cat)]).toEqual([['cup', 'cup'], []])
    await shop.send({ verb: 'adjust', member: cat, wallet: 'points', points: 1, reason: 'one more' })
    await lookAll()
    expect([await own(cat), await shop.available(cat)]).toEqual([['cup'], 0])
    expect(await wrong()).toBeUndefined()
  })

  it('is what counts, not the price', async () => {
    await shop.reward({ slug: 'half', price: { points: 50 }, auto: { wallet: 'points', threshold: 100 } })
    const gil = await shop.member('gil', 9) // below what the others need
    await shop.send({ verb: 'adjust', member: gil, wallet: 'points', points: -9, reason: 'none' })
    const rewards = await shop.sql("update rewards set status = 'archived' where slug = 'cup' returning reward_id")
    await shop.sql('update spaces set config_version = config_version + 1')
    await shop.send({ verb: 'adjust', member: gil, wallet: 'points', points: 149, reason: 'much' })
    await lookAll()
    expect([await own(gil), await shop.available(gil)]).toEqual([['half'], 99])
    await shop.sql("update rewards set status = 'active' where reward_id = $1", [rewards[0]?.reward_id])
    await shop.sql('update spaces set config_version = config_version + 1')
  })

  it('is not reached again by what comes back when its redemption is cancelled', async () => {
    const joe = await shop.member('joe', 10)
    await lookAll()
    const [one] = (await shop.told(joe)).filter(({ type }) => type === 'reward.redeemed')
    await shop.cancel({ id: one.data.redemption, member: one.member })
    await lookAll()
    expect([await own(joe), await shop.available(joe)]).toEqual([['cup'], 10])
  })

  it('is reached by a merge too', async () => {
    const [hal, ida] = [await shop.member('hal', 6), await shop.member('ida', 6)]
    await lookAll()
    await shop.send({ verb: 'merge', member: hal, from: ida, reason: 'one person' })
    await lookAll()
    expect([await own(hal), await shop.available(hal)]).toEqual([['cup'], 2])
  })

  it('redeems what costs nothing of its wallet once a member', async () => {
    await shop.reward({ slug: 'badge', price: {}, auto: { wallet: 'points', threshold: 3 } })
    const dan = await shop.member('dan', 5)
    await lookAll()
    await shop.send({ verb: 'adjust', member: dan, wallet: 'points', points: 1, reason: 'more' })
    await lookAll()
    expect(await own(dan)).toEqual(['badge'])
  })

  it('is of a wallet of whatever name', async () => {
    await withTx(shop.pool, shop.space, (tx) => createWallet(tx, 'coffee', { slug: 'constructor' }, door()))
    await shop.reward({ slug: 'medal', price: {}, auto: { wallet: 'constructor', threshold: 3 } })
    const pat = await shop.member('pat', 0)
    await shop.send({ verb: 'adjust', member: pat, wallet: 'constructor', points: 9, reason: 'some' })
    await lookAll()
    expect(await own(pat)).toEqual(['medal'])
  })

  it('is not reached by what was there before a reward was redeemed so', async () => {
    await withTx(shop.pool, shop.space, async (tx) => {
      for (const slug of ['cup', 'half', 'badge', 'medal']) await turnReward(tx, await named(slug), 'archive', door())
    })
    const id = await shop.reward({ slug: 'by-hand', price: { points: 100 } })
    const [kim, leo] = [await shop.member('kim', 500), await shop.member('leo', 500)]
    const auto = { wallet: 'points', threshold: 100 }
    await withTx(shop.pool, shop.space, (tx) => changeReward(tx, id, { auto }, undefined, door()))
    await lookAll()
    const mia = await shop.member('mia', 530) // nobody has looked when the next one is made
    await sleep(2)
    await shop.reward({ slug: 'later', price: { points: 10 }, auto: { wallet: 'points', threshold: 10 } })
    await lookAll()
    expect([await own(kim), await own(leo), await own(mia)]).toEqual([[], [], Array(5).fill('by-hand')])
    await shop.send({ verb: 'adjust', member: leo, wallet: 'points', points: 9, reason: 'next points' })
    await lookAll()
    expect(await own(leo)).toEqual([...Array(5).fill('by-hand')])
    await withTx(shop.pool, shop.space, async (tx) => {
      for (const slug of ['by-hand', 'later']) await turnReward(tx, await named(slug), 'archive', door())
    })
    const ned = await shop.member('ned', 100)
    await withTx(shop.pool, shop.space, async (tx) => turnReward(tx, await named('later'), 'publish', door()))
    await lookAll()
    expect(await own(ned)).toEqual([])
    expect(await wrong()).toBeUndefined()
  })

  it('does not redeem what is refused, and goes on', async () => {
    await shop.reward({
      slug: 'last',
      price: { points: 2 },
      stock: { total: 1 },
      auto: { wallet: 'points', threshold: 2 },
    })
    const [eve, fay] = [await shop.member('eve', 2), await shop.member('fay', 2)]
    await lookAll()
    expect([...(await own(eve)), ...(await own(fay))].filter((slug) => slug === 'last')).toEqual(['last'])
    expect(await look()).toBe(0)
    expect(await wrong()).toBeUndefined()
  })
})
