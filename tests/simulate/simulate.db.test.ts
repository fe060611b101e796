import { inject, test } from 'vitest'
import { campaign } from './campaign.ts'
import { databaseDriver, placeOn } from './database-driver.ts'
import { asTest, shorten } from './shrink.ts'

const SEED = 20261122
const STEPS = 5_000

test(`${STEPS} steps of commerce on a real database end as the model says`, { timeout: 180_000 }, async () => {
  const open = databaseDriver(() => placeOn(inject('server')))
  const found = await campaign(SEED, STEPS, open)
  if (found) throw new Error(`seed ${SEED}\n${asTest(await shorten(found.failure, open), `seed ${SEED}`)}`)
})
