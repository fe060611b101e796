import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openMemoryDriver } from '../tests/simulate/memory-driver.ts'
import { playMerges, POLICIES, type Step, step } from './merges-for-tests.ts'

/**
 * Whatever is bought, returned, spent, refunded, merged and unmerged in between: when every merge is undone (or all are one) and every
 * spend refunded, nobody holds more than what is left of what was bought gave. Without merges it is exactly that.
 */
test.each(POLICIES)('merges make no points; where all can be owed, they lose none either: %j', async (negative) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
      for (const end of ['apart', 'one'] as const) {
        const { held, due, wrong } = await playMerges(openMemoryDriver, negative, steps, end)
        expect(wrong).toBeUndefined()
        expect(held).toBeLessThanOrEqual(due)
        if (negative.policy === 'allow') expect(held).toBe(due)
      }
    }),
    { numRuns: 200 },
  )
})

const FOUND: [policy: 'forbid' | 'floor', what: string, steps: Step[], end?: 'one' | 'apart'][] = [
  [
    'forbid',
    'a refund into the one of what the other had spent',
    [
      { do: 'buy', who: 0, pounds: 1 },
      { do: 'buy', who: 0, pounds: 1 },
      { do: 'spend', who: 0, quarters: 2 },
      { do: 'merge', who: 1, from: 0 },
      { do: 'refund', which: 0, points: 1 },
      { do: 'return', which: 1, units: 5 },
      { do: 'unmerge', which: 0 },
      { do: 'refund', which: 0, points: 1 },
      { do: 'return', which: 0, units: 5 },
    ],
  ],
  [
    'forbid',
    "a return of the other's took what was the one's",
    [
      { do: 'buy', who: 0, pounds: 1 },
      { do: 'spend', who: 0, quarters: 4 },
      { do: 'buy', who: 1, pounds: 1 },
      { do: 'merge', who: 1, from: 0 },
      { do: 'return', which: 0, units: 5 },
      { do: 'unmerge', which: 0 },
      { do: 'return', which: 1, units: 5 },
    ],
  ],
  [
    'forbid',
    "what is the one's again makes good only what its own returns wrote off",
    [
      { do: 'buy', who: 2, pounds: 2 },
      { do: 'spend', who: 2, quarters: 1 },
      { do: 'buy', who: 1, pounds: 2 },
      { do: 'merge', who: 2, from: 0 },
      { do: 'spend', who: 0, quarters: 1 },
      { do: 'merge', who: 1, from: 2 },
      { do: 'spend', who: 0, quarters: 2 },
      { do: 'return', which: 0, units: 3 },
      { do: 'return', which: 0, units: 1 },
      { do: 'return', which: 7, units: 5 },
      { do: 'unmerge', which: 0 },
      { do: 'return', which: 0, units: 1 },
    ],
  ],
  [
    'forbid',
    'written off while one of three, and refunded past it',
    [
      { do: 'buy', who: 0, pounds: 4 },
      { do: 'spend', who: 0, quarters: 3 },
      { do: 'merge', who: 2, from: 0 },
      { do: 'return', which: 0, units: 2 },
      { do: 'merge', who: 1, from: 2 },
      { do: 'refund', which: 0, points: 25 },
      { do: 'buy', who: 0, pounds: 1 },
    ],
  ],
  [
    'forbid',
    'written off while one of two, who became one with a third',
    [
      { do: 'buy', who: 0, pounds: 4 },
      { do: 'spend', who: 0, quarters: 3 },
      { do: 'merge', who: 2, from: 0 },
      { do: 'return', which: 0, units: 2 },
      { do: 'merge', who: 1, from: 2 },
      { do: 'refund', which: 0, points: 25 },
    ],
    'one',
  ],
  [
    'forbid',
    'spent as one, written off, and refunded when they are one again',
    [
      { do: 'buy', who: 0, pounds: 2 },
      { do: 'merge', who: 1, from: 0 },
      { do: 'spend', who: 0, quarters: 4 },
      { do: 'return', which: 0, units: 1 },
      { do: 'unmerge', which: 0 },
      { do: 'merge', who: 1, from: 0 },
      { do: 'buy', who: 0, pounds: 1 },
      { do: 'spend', who: 0, quarters: 1 },
      { do: 'refund', which: 0, points: 17 },
      { do: 'spend', who: 0, quarters: 1 },
    ],
  ],
  [
    'forbid',
    'a spend of an earlier merge, refunded in the next',
    [
      { do: 'buy', who: 0, pounds: 1 },
      { do: 'merge', who: 1, from: 0 },
      { do: 'buy', who: 0, pounds: 2 },
      { do: 'spend', who: 0, quarters: 2 },
      { do: 'unmerge', which: 0 },
      { do: 'merge', who: 1, from: 0 },
      { do: 'refund', which: 0, points: 1 },
      { do: 'return', which: 0, units: 1 },
      { do: 'refund', which: 0, points: 14 },
    ],
  ],
  [
    'floor',
    "the other's debts, and what the one paid of them",
    [
      { do: 'buy', who: 0, pounds: 3 },
      { do: 'spend', who: 0, quarters: 3 },
      { do: 'return', which: 0, units: 2 },
      { do: 'merge', who: 1, from: 0 },
      { do: 'buy', who: 0, pounds: 1 },
      { do: 'return', which: 0, units: 1 },
      { do: 'return', which: 0, units: 2 },
      { do: 'spend', who: 0, quarters: 1 },
      { do: 'return', which: 7, units: 4 },
    ],
  ],
  [
    'floor',
    'refunded home to one who owes and has something written off',
    [
      { do: 'buy', who: 0, pounds: 8 },
      { do: 'return', which: 0, units: 1 },
      { do: 'merge', who: 2, from: 0 },
      { do: 'spend', who: 2, quarters: 2 },
      { do: 'buy', who: 1, pounds: 8 },
      { do: 'unmerge', which: 0 },
      { do: 'spend', who: 0, quarters: 1 },
      { do: 'return', which: 0, units: 4 },
      { do: 'spend', who: 1, quarters: 1 },
      { do: 'return', which: 1, units: 5 },
      { do: 'merge', who: 2, from: 1 },
      { do: 'refund', which: 0, points: 24 },
      { do: 'buy', who: 1, pounds: 1 },
    ],
    'one',
  ],
  [
    'floor',
    'debts that went through two merges',
    [
      { do: 'buy', who: 2, pounds: 2 },
      { do: 'buy', who: 0, pounds: 1 },
      { do: 'merge', who: 2, from: 0 },
      { do: 'merge', who: 1, from: 2 },
      { do: 'spend', who: 0, quarters: 2 },
      { do: 'spend', who: 0, quarters: 1 },
      { do: 'return', which: 0, units: 5 },
      { do: 'refund', which: 0, points: 1 },
      { do: 'return', which: 7, units: 2 },
    ],
  ],
]

test.each(FOUND)('found before, where the policy is %s: %s', async (policy, _what, steps, end = 'apart') => {
  const negative = POLICIES.find((one) => one.policy === policy)
  const { held, due, wrong } = await playMerges(openMemoryDriver, negative ?? {}, steps, end)
  expect(wrong).toBeUndefined()
  expect(held).toBe(due)
})
