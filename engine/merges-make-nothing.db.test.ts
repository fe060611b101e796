import fc from 'fast-check'
import { expect, inject, test } from 'vitest'
import { databaseDriver, placeOn } from '../tests/simulate/database-driver.ts'
import { playMerges, POLICIES, step } from './merges-for-tests.ts'

/** As merges-make-nothing.test.ts, where what is not read from the database is not known, and verify reads it all again. */
test('merges make no points on a real database either, and verify finds what made every entry', async () => {
  const open = databaseDriver(() => placeOn(inject('server')))
  const steps = fc.array(step, { minLength: 8, maxLength: 24 })
  const end = fc.constantFrom('apart' as const, 'one' as const)
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...POLICIES), steps, end, async (negative, all, end) => {
      const { held, due, wrong } = await playMerges(open, negative, all, end)
      expect(wrong).toBeUndefined()
      expect(held).toBeLessThanOrEqual(due)
      if (negative.policy === 'allow') expect(held).toBe(due)
    }),
    { numRuns: 20, endOnFailure: true },
  )
})
