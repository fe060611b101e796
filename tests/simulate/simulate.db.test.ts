import { expect, inject, test } from 'vitest'
import { campaign } from './campaign.ts'
import { databaseDriver, placeOn } from './database-driver.ts'
import { told } from './shrink.ts'

const SEED = 20261122
const STEPS = 5_000

test(`${STEPS} steps of commerce on a real database end as the model says`, { timeout: 300_000 }, async () => {
  const open = databaseDriver(() => placeOn(inject('server')))
  expect(await told(await campaign(SEED, STEPS, open), SEED, open)).toBe('')
})
