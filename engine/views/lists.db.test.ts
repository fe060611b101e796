import { expect, test } from 'vitest'
import { openRewards } from '../../tests/rewards.ts'
import { NOW } from '../../tests/shop.ts'
import { type Db, withRead } from '../base/db.ts'
import { numberEvents, readEvents } from '../base/outbox.ts'
import { configurations } from '../earning/configuration.ts'
import { currentConfiguration } from './current.ts'
import { expand } from './events.ts'
import { listRedemptions } from './redemptions.ts'
import { listRewards } from './rewards.ts'
import { listVouchers } from './vouchers.ts'

/** What reading lists costs: as many statements for a page of fifty as for one. */
const shop = await openRewards()
const { pool, space } = shop
const known = configurations()

/** With the configuration known already. */
async function statements(work: (db: Db) => Promise<unknown>): Promise<number> {
  let count = 0
  await withRead(pool, space, async (db) => {
    await currentConfiguration(db, known)
    const query: Db['query'] = (...args) => {
      count += 1
      return db.query(...args)
    }
    await work({ ...db, query })
  })
  return count
}

test('what was redeemed, vouchers, rewards and their events', async () => {
  await shop.reward({ slug: 'off', kind: 'coupon', value: { kind: 'amount', amount: 5 }, code: { generate: {} } })
  const ann = await shop.member('ann', 10_000)
  for (let i = 0; i < 50; i++) {
    await shop.reward({ slug: `more-${i}` })
    const one = (await shop.redeem(ann, 'off')).body
    if (i % 2) await shop.cancel(one)
  }
  const pages: ((limit: number) => (db: Db) => Promise<{ data: unknown[] }>)[] = [
    (limit) => (db) => listRedemptions(db, known, ann, {}, { limit }, NOW()),
    (limit) => (db) => listVouchers(db, known, { member: ann }, { limit }, NOW()),
    (limit) => (db) => listRewards(db, known, { program: 'coffee' }, { limit }),
  ]
  for (const page of pages) {
    expect((await withRead(pool, space, page(50))).data.length).toBe(50)
    const one = await statements(page(1))
    expect(await statements(page(50))).toBe(one)
    expect(one).toBeLessThanOrEqual(5)
  }
  await numberEvents(pool, space)
  const events = await withRead(pool, space, (db) => readEvents(db, 0, 500))
  expect(events.length).toBeGreaterThan(100)
  const cost = await statements((db) => expand(db, known, events))
  const few = events.filter(({ type }, i) => events.findIndex((one) => one.type === type) === i)
  expect(await statements((db) => expand(db, known, few))).toBe(cost)
})
