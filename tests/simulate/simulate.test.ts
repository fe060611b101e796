import { test } from 'vitest'
import { campaign } from './campaign.ts'
import { openMemoryDriver } from './memory-driver.ts'
import { asTest, shorten } from './shrink.ts'

const SEED = 20261122
const STEPS = 100_000

test(`${STEPS} steps of commerce on the pure core end as the model says`, { timeout: 120_000 }, async () => {
  const found = await campaign(SEED, STEPS, openMemoryDriver)
  if (found) throw new Error(`seed ${SEED}\n${asTest(await shorten(found.failure, openMemoryDriver), `seed ${SEED}`)}`)
})
