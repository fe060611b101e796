import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseInstant } from '@laurel/contract/instants'
import type { RewardTerms } from '@laurel/contract/rewards'
import {
  countedSince,
  eligible,
  memberLimit,
  missing,
  offered,
  type Reward,
  type RewardFacts,
  stockOf,
  validityOf,
} from './rewards.rules.ts'

const at = (text: string) => parseInstant(text) as number
const NOW = at('2027-03-28T12:00:00Z')
const aReward = (terms: Partial<RewardTerms> = {}, more: Partial<Reward> = {}): Reward => ({
  rewardId: 1,
  id: '01930000-0000-7000-8000-000000000001',
  programId: 1,
  slug: 'mug',
  kind: 'physical',
  status: 'active',
  version: 1,
  name: 'Mug',
  terms: { price: [{ points: 100 }], ...terms },
  ...more,
})
const holding = (points: Record<string, number>) => (wallet: string) => points[wallet] ?? 0
const facts = (more: Partial<RewardFacts> = {}): RewardFacts => ({
  at: NOW,
  tiers: {},
  store: null,
  when: true,
  spendable: holding({ points: 1000 }),
  left: {},
  redeemed: 0,
  ...more,
})
const why = (reward: Reward, more: Partial<RewardFacts> = {}) => {
  const told = eligible(reward, facts(more))
  return 'code' in told ? told.code : told
}
const PAID = { price: 0, spent: { points: 100 } }

describe('who may redeem', () => {
  test.each<[string, Partial<RewardTerms>, Partial<RewardFacts>, unknown]>([
    ['nothing is in the way', {}, {}, PAID],
    ['a point is missing', {}, { spendable: holding({ points: 99 }) }, 'insufficient_points'],
    ['it costs nothing', { price: [{}] }, { spendable: holding({}) }, { price: 0, spent: {} }],
    ['it begins now', { visibility: { startsAt: '2027-03-28T12:00:00Z' } }, {}, PAID],
    ['it begins later', { visibility: { startsAt: '2027-03-28T12:00:00.000001Z' } }, {}, 'not_eligible'],
    ['it ends now', { visibility: { endsAt: '2027-03-28T13:00:00+01:00' } }, {}, 'not_eligible'],
    [
      'it is for another tier',
      { visibility: { tiers: { club: ['gold'] } } },
      { tiers: { club: 'silver' } },
      'not_eligible',
    ],
    ['it is for members with a tier', { visibility: { tiers: { club: ['gold'] } } }, {}, 'not_eligible'],
    [
      'it is for two tiers',
      { visibility: { tiers: { club: ['gold', 'silver'] } } },
      { tiers: { club: 'silver' } },
      PAID,
    ],
    [
      'one of two ladders is missing',
      { visibility: { tiers: { a: ['x'], b: ['y'] } } },
      { tiers: { a: 'x' } },
      'not_eligible',
    ],
    ['it is in that store', { visibility: { stores: ['Soho'] } }, { store: 'Soho' }, PAID],
    ['it is in another store', { visibility: { stores: ['Soho'] } }, { store: 'Bow' }, 'not_eligible'],
    ['no store is told', { visibility: { stores: ['Soho'] } }, {}, 'not_eligible'],
    ['the condition is not met', { visibility: { when: 'false' } }, { when: false }, 'not_eligible'],
    ['the condition fails', { visibility: { when: '1/0 > 1' } }, { when: { error: 'x' } }, 'not_eligible'],
    ['once, and had', { stock: { perMember: 1 } }, { redeemed: 1 }, 'limit_reached'],
    ['twice a day, and had one', { stock: { perMember: { per: 'day', times: 2 } } }, { redeemed: 1 }, PAID],
    ['the last one is gone', { stock: { total: 5 } }, { left: { total: 0 } }, 'out_of_stock'],
    ['there is one', { stock: { total: 5 } }, { left: { total: 1 } }, PAID],
    [
      'the day is sold out',
      { stock: { perPeriod: { per: 'day', total: 5 } } },
      { left: { total: 9, period: 0 } },
      'out_of_stock',
    ],
    ['no code is left', { code: { pool: 'p' } }, { codes: 0 }, 'out_of_stock'],
    [
      'what cannot be helped is told first',
      { stock: { total: 0 } },
      { left: { total: 0 }, spendable: holding({}) },
      'out_of_stock',
    ],
  ])('%s', (_, terms, more, expected) => {
    expect(why(aReward(terms), more)).toEqual(expected)
  })

  test('a draft is as if it were not there; what is archived is not offered', () => {
    expect(why(aReward({}, { status: 'draft' }))).toBe('reward_unknown')
    expect(why(aReward({}, { status: 'archived' }))).toBe('not_eligible')
    expect([offered(aReward(), NOW), offered(aReward({}, { status: 'draft' }), NOW)]).toEqual([true, false])
  })
})

describe('prices', () => {
  const two = aReward({ price: [{ points: 100, stamps: 5 }, { points: 300 }] })

  test('the first that can be paid whole is taken, or the one that is asked for', () => {
    expect(why(two, { spendable: holding({ points: 1000, stamps: 5 }) })).toEqual({
      price: 0,
      spent: { points: 100, stamps: 5 },
    })
    expect(why(two, { spendable: holding({ points: 1000, stamps: 4 }) })).toEqual({ price: 1, spent: { points: 300 } })
    expect(why(two, { spendable: holding({ points: 1000, stamps: 4 }), price: 0 })).toBe('insufficient_points')
    expect(why(two, { price: 2 })).toBe('invalid_request')
  })

  test('what is missing is told by wallet, never less than what is missing', () => {
    expect(missing({ points: 100, stamps: 5 }, holding({ points: 30, stamps: 9 }))).toEqual({ points: 70 })
    expect(missing({ points: 100 }, holding({ points: -20 }))).toEqual({ points: 100 })
    const amount = fc.integer({ min: 0, max: 1000 })
    const wallets = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 1000 }), { minKeys: 1 })
    fc.assert(
      fc.property(fc.array(wallets, { minLength: 1, maxLength: 4 }), amount, amount, amount, (price, a, b, c) => {
        const spendable = holding({ a, b, c })
        const told = eligible(aReward({ price }), facts({ spendable }))
        const paid = price.findIndex((cost) => Object.keys(cost).every((w) => spendable(w) >= (cost[w] ?? 0)))
        if ('code' in told) expect([told.code, paid]).toEqual(['insufficient_points', -1])
        else expect([told.price, told.spent]).toEqual([paid, price[paid]])
      }),
    )
  })
})

describe('what time says', () => {
  const zone = 'Europe/London'

  test('a stock is of the local period, beside the whole', () => {
    const reward = aReward({ stock: { total: 9, perPeriod: { per: 'day', total: 2 } } })
    expect(stockOf(reward, at('2027-03-28T22:59:59Z'), zone)).toEqual([
      { rewardId: 1, period: 'all', limit: 9 },
      { rewardId: 1, period: '2027-03-28', limit: 2 },
    ])
    expect(stockOf(reward, at('2027-03-28T23:00:00Z'), zone)[1]?.period).toBe('2027-03-29') // summer has begun
    expect(stockOf(aReward(), NOW, zone)).toEqual([])
  })

  test('a limit of a member counts from the beginning of its local period', () => {
    const { terms } = aReward({ stock: { perMember: { per: 'month', times: 1 } } })
    expect(countedSince(memberLimit(terms) as never, at('2027-04-15T00:00:00Z'), zone)).toBe(at('2027-03-31T23:00:00Z'))
    expect(memberLimit({ price: [], stock: { perMember: 3 } })).toEqual({ per: 'lifetime', times: 3 })
    expect(countedSince({ per: 'lifetime' }, NOW, zone)).toBe(0)
    expect(memberLimit({ price: [] })).toBeUndefined()
  })

  test('validity is half-open, on the local calendar, and never ends before it begins', () => {
    const valid = (terms: RewardTerms['valid']) => validityOf({ price: [], valid: terms }, NOW, zone)
    expect(valid(undefined)).toEqual({ from: NOW, until: null, uses: 1 })
    expect(valid({ activatesAfter: 'P1D', for: 'P30D', roundUp: 'day', uses: 3 })).toEqual({
      from: at('2027-03-29T12:00:00Z'),
      until: at('2027-04-27T23:00:00Z'),
      uses: 3,
    })
    expect(valid({ for: 'P1Y', until: '2027-12-31' }).until).toBe(at('2028-01-01T00:00:00Z'))
    const late = valid({ activatesAfter: 'P1M', for: 'P1D' })
    expect(late.until).toBe(late.from)
  })
})
