import { expect, test } from 'vitest'
import { codeChecks } from '../base/codes.ts'
import { MovedError } from './faults.ts'
import { noRedemptions } from './redemption-slices.ts'
import { takeCode } from './redeeming.ts'

const facts = { chance: '0123456789abcdef0123456789abcdef' } as never
const configuration = { pools: [{ poolId: 7, programId: 1, slug: 'film', reusable: false }] }
const found = (code: object) => ({ program: { programId: 1 }, reward: { terms: { code } } }) as never

test('a code that is somebody’s already is made anew, the same each time that it is decided', () => {
  const redemptions = noRedemptions()
  const slices = { configuration, redemptions } as never
  const first = takeCode(slices, found({ generate: {} }), facts)
  expect(takeCode(slices, found({ generate: {} }), facts)).toEqual(first)
  redemptions.taken.add(first?.key ?? '')
  const second = takeCode(slices, found({ generate: {} }), facts)
  expect(second?.code).not.toBe(first?.code)
  expect([first, second].map((made) => codeChecks(made?.code ?? ''))).toEqual([true, true])
})

test('the next code of a pool is taken, and one that was not read is read first', () => {
  const redemptions = noRedemptions()
  const slices = { configuration, redemptions } as never
  redemptions.pools.set(7, {
    pool: { poolId: 7, next: 2, last: 9 },
    codes: new Map([[3, { code: 'F-3', key: 'k-3' }]]),
  })
  expect(takeCode(slices, found({ pool: 'film' }), facts)).toMatchObject({ code: 'F-3', taken: { next: 3, last: 9 } })
  redemptions.pools.get(7)?.codes.clear()
  expect(() => takeCode(slices, found({ pool: 'film' }), facts)).toThrow(MovedError)
})
