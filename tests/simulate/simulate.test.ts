import { expect, test } from 'vitest'
import { campaign } from './campaign.ts'
import { openMemoryDriver } from './memory-driver.ts'
import { told } from './shrink.ts'

const SEED = 20261122
const STEPS = 100_000

test(`${STEPS} steps of commerce on the pure core end as the model says`, { timeout: 300_000 }, async () => {
  expect(await told(await campaign(SEED, STEPS, openMemoryDriver), SEED, openMemoryDriver)).toBe('')
})
