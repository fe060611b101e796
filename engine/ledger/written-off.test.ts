import { expect, test } from 'vitest'
import { NO_TERMS } from './books.ts'
import { Life, type Step } from './life-for-tests.ts'

/** Points are spent, their goods come back (nothing is there: written off), and then the spend is refunded. */
const spentAndBack = (days: number): Step[] => [
  { do: 'earn', points: 10, pending: 0, lives: 2, after: 0 },
  { do: 'spend', points: 10, after: 0 },
  { do: 'return', which: 0, share: 60, after: 0 },
  { do: 'wait', after: 24 * days },
]
const lived = (steps: Step[]): Life => {
  const life = new Life(NO_TERMS)
  for (const step of steps) life.step(step)
  expect(life.audit()).toBeUndefined()
  return life
}

test.each([
  ['in time', 1],
  ['after their end, with a grace', 3],
])('what a refund gives back makes good what was written off: %s', (_when, days) => {
  const life = lived([...spentAndBack(days), { do: 'refund', which: 0, points: 10, grace: true, after: 0 }])
  expect(life.standing().available).toBe(4)
  expect(life.state.wallets[0]).toMatchObject({ r: 6, k: [] })
})

test('what a hold lets go of makes good what was written off before it pays what is owed: that can wait for what comes later', () => {
  const life = new Life({ ...NO_TERMS, floor: 6 })
  const steps: Step[] = [
    { do: 'earn', points: 14, pending: 0, lives: 0, after: 0 },
    { do: 'hold', points: 14, hours: 4, after: 0 },
    { do: 'return', which: 0, share: 60, after: 0 }, // of 8, 6 are owed
    { do: 'spend', points: 14, after: 0 },
    { do: 'capture', which: 0, points: 9, after: 0 }, // 5 are let go
  ]
  for (const step of steps) life.step(step)
  expect(life.audit()).toBeUndefined()
  expect(life.state.wallets[0]).toMatchObject({ r: 8, k: [], n: [[2, 3]] })
})

test('in parts, with a grace: until all is made good, and not further', () => {
  const life = lived(spentAndBack(3))
  const refund: Step = { do: 'refund', which: 0, points: 4, grace: true, after: 0 }
  const left = [4, 4, 2].map(() => {
    life.step(refund)
    expect(life.audit()).toBeUndefined()
    return life.standing().available
  })
  expect(left).toEqual([0, 2, 4])
})

test('what was set aside before the return is made good though it is captured, and that refunded, after it; what was earned since is not', () => {
  const life = lived([
    { do: 'earn', points: 10, pending: 0, lives: 9, after: 0 },
    { do: 'hold', points: 8, hours: 48, after: 0 },
    { do: 'return', which: 0, share: 100, after: 0 }, // finds 2
    { do: 'earn', points: 5, pending: 0, lives: 9, after: 0 },
    { do: 'capture', which: 0, points: 8, after: 0 },
    { do: 'spend', points: 5, after: 0 },
    { do: 'refund', which: 1, points: 5, grace: false, after: 0 },
  ])
  expect(life.standing().available).toBe(5)
  life.step({ do: 'refund', which: 0, points: 8, grace: false, after: 0 })
  expect(life.audit()).toBeUndefined()
  expect(life.standing().available).toBe(5)
  expect(life.state.wallets[0]).toMatchObject({ r: 10, k: [] })
})
