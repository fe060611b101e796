import fc from 'fast-check'
import { DAY } from '@laurel/contract/instants'
import { describe, expect, test } from 'vitest'
import type { WalletTerms } from './books.ts'
import { Life, type Step } from './life-for-tests.ts'
import { decodeWallets, encodeWallets, type WalletState } from './wallets.rules.ts'

const earn = (points: number, lives: number, pending = 0, after = 0): Step => ({
  do: 'earn',
  points,
  pending,
  lives,
  after,
})
const OWING: WalletTerms = { notice: 0, floor: 1000 }
const SLIDING: WalletTerms = {
  ...OWING,
  slideEnd: (last) => last + 3 * DAY,
  slidesOn: new Set(['earn', 'spend']),
}
const available = (life: Life) => life.standing().available

describe('what happened between two looks', () => {
  test('a lapsed hold pays what is owed before its lot ends, though both are booked later', () => {
    const [often, late] = [new Life(OWING), new Life(OWING)]
    for (const life of [often, late]) {
      life.step(earn(10, 5))
      life.step({ do: 'hold', points: 10, hours: 24, after: 0 })
      life.step({ do: 'return', which: 0, share: 100, after: 1 })
      expect(available(life)).toBe(-10)
      expect(life.audit()).toBeUndefined()
    }
    often.step({ do: 'wait', after: 48 })
    expect(available(often)).toBe(0)
    often.step({ do: 'wait', after: 24 * 10 })
    late.step({ do: 'wait', after: 24 * 10 + 48 })
    expect([available(often), available(late)]).toEqual([0, 0])
    for (const life of [often, late]) expect(life.state.wallets[0]).toMatchObject({ x: 0, r: 10, n: [], b: 0 })
    expect([often.audit(), late.audit()]).toEqual([undefined, undefined])
  })

  test('what a hold frees after its lot ended by inactivity is over, whatever was done meanwhile', () => {
    const life = new Life(SLIDING)
    life.step(earn(10, 0))
    life.step({ do: 'hold', points: 6, hours: 200, after: 71 }) // holding is no activity
    life.step(earn(5, 0, 0, 2))
    expect(life.standing()).toMatchObject({ available: 5, held: 6 })
    life.step({ do: 'spend', points: 1, after: 24 })
    life.step({ do: 'release', which: 0, after: 1 })
    expect(life.standing()).toMatchObject({ available: 4, held: 0 })
    expect(life.state.wallets[0]).toMatchObject({ x: 10, z: [] })
    expect(life.audit()).toBeUndefined()
  })
})

test('a wallet is stored whole', () => {
  const units = fc.maxSafeInteger()
  const triples = fc.array(fc.tuple(fc.uuid(), units, fc.nat()), { maxLength: 3 })
  const pairs = fc.array(fc.tuple(fc.nat(), units), { maxLength: 3 })
  const wallet: fc.Arbitrary<WalletState> = fc.record({
    w: fc.nat(),
    b: units,
    e: units,
    s: units,
    r: units,
    x: units,
    a: units,
    m: units,
    o: fc.nat(),
    p: units,
    h: units,
    u: units,
    t: units,
    n: pairs,
    z: pairs,
    k: triples,
  })
  fc.assert(
    fc.property(fc.array(wallet), (wallets) => {
      expect(decodeWallets(encodeWallets(wallets))).toEqual(wallets.map((one) => JSON.parse(JSON.stringify(one))))
    }),
  )
})
