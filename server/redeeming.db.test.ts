import pg from 'pg'
import { expect, test } from 'vitest'
import { numberEvents } from '../engine/base/outbox.ts'
import { openRewards } from '../tests/rewards.ts'
import { decodeId } from '../contract/ids.ts'
import { createRedeeming } from './redeeming.ts'

test('the worker books ends and redeems what thresholds redeem, also of rewards that come while it runs', async () => {
  const shop = await openRewards()
  const owner = new pg.Client({ connectionString: shop.url })
  await owner.connect()
  const redeeming = createRedeeming(shop.pool, shop.gate)
  const stop = new AbortController().signal
  const look = async () => {
    await numberEvents(shop.pool, shop.space)
    return await redeeming.look(owner, stop)
  }
  expect(await look()).toBe(0)

  const ann = await shop.member('ann', 25)
  await shop.reward({ slug: 'brief', price: { points: 1 }, valid: { for: 'PT1H' } })
  const one = (await shop.redeem(ann, 'brief')).body
  await shop.sql("update redemptions set valid_until = now() - interval '1 minute' where redemption_id = $1", [
    decodeId('rdm', one.id),
  ])
  expect(await look()).toBe(1)

  await shop.reward({ slug: 'cup', price: { points: 10 }, auto: { wallet: 'points', threshold: 10 } })
  const bob = await shop.member('bob', 10)
  while ((await look()) > 0);
  expect([await shop.available(ann), await shop.available(bob)]).toEqual([24, 0]) // Ann has had hers since before there was one
  await shop.send({ verb: 'adjust', member: ann, wallet: 'points', points: 1, reason: 'more' })
  while ((await look()) > 0);
  expect(await shop.available(ann)).toBe(5)
  expect(await look()).toBe(0)
  await owner.end()
})
