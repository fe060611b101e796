import pino from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openLadder, STATUS } from '../tests/ladders.ts'
import { startWorker } from './worker.ts'

test('moves those whom a new version of a ladder moves, and ends what is over, while nobody asks', async () => {
  const shop = await openLadder()
  for (const [i, name] of ['ann', 'bob'].entries()) await shop.buy(`p${i}`, `external:${name}`, 12_000 * (i + 1))
  const worker = startWorker({ databaseUrl: shop.url, logger: pino({ level: 'silent' }) })
  onTestFinished(() => worker.close())
  const tiers = STATUS.tiers.map((tier) => (tier.slug === 'silver' ? { ...tier, threshold: 20_000 } : tier))
  await shop.publish({ tiers })
  const soon = { timeout: 8_000, interval: 50 }
  await vi.waitUntil(async () => (await shop.holds('ann'))[0] === 'bronze', soon)
  expect(await shop.told('ann')).toEqual(['joined', 'upgraded', 'downgraded'])
  await vi.waitUntil(async () => {
    const [behind] = await shop.sql('select count(*)::int as n from tier_states where version = 1')
    return behind?.n === 0
  }, soon)
  expect((await shop.holds('bob'))[0]).toBe('silver')

  const { status } = await shop.assign({ until: Date.now() * 1000 + 1_000_000 })
  expect(status).toBe(200)
  expect((await shop.holds('ann'))[0]).toBe('gold')
  await vi.waitUntil(async () => (await shop.holds('ann'))[0] === 'bronze', soon)
  expect(await shop.told('ann')).toEqual(['joined', 'upgraded', 'downgraded', 'upgraded', 'downgraded'])
})
