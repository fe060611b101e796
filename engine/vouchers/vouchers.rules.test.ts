import { describe, expect, test } from 'vitest'
import {
  type Asker,
  available,
  type Lock,
  rollBackOf,
  STATUS,
  statusOf,
  type VoucherRedemption,
} from './vouchers.rules.ts'
import { aVoucher } from './vouchers-for-tests.ts'

const NOW = 1_000_000
const off = (more: object = {}, perMember: number | null = null) =>
  aVoucher('OFF', { value: { kind: 'amount', amount: 100 }, perMember }, more)
const asker = (more: Partial<Asker> = {}): Asker => ({
  member: 'ada',
  family: new Set(['ada']),
  memberUses: 0,
  sessionKey: undefined,
  now: NOW,
  ...more,
})
const lock = (sessionKey: string, more: Partial<Lock> = {}): Lock => ({
  key: 'OFF',
  sessionKey,
  session: sessionKey,
  member: null,
  until: NOW + 1,
  amount: null,
  ...more,
})
const code = (found: object) => ('code' in found ? found.code : null)

describe('dates are half open', () => {
  test.each([
    [{ endsAt: NOW }, 'voucher_expired', 'expired'],
    [{ endsAt: NOW + 1 }, null, 'active'],
    [{ startsAt: NOW }, null, 'active'],
    [{ startsAt: NOW + 1 }, 'voucher_not_applicable', 'scheduled'],
    [{ status: STATUS.blocked }, 'voucher_not_applicable', 'blocked'],
    [{ status: STATUS.withdrawn }, 'voucher_not_applicable', 'withdrawn'],
    [{ usesTotal: 2, used: 2 }, 'voucher_used_up', 'used_up'],
    [{ usesTotal: 2, used: 1 }, null, 'active'],
  ])('%j: %s, %s', (more, why, status) => {
    expect(code(available(off(more), [], asker()))).toBe(why)
    expect(statusOf(off(more), NOW)).toBe(status)
  })
})

describe('locks of members who are one since', () => {
  const family = new Set(['ada', 'eve', 'bob'])
  const locks = [lock('3', { member: 'ada' }), lock('1', { member: 'eve' }), lock('2', { member: 'bob' })]
  const may = (perMember: number, of: readonly Lock[] = locks, memberUses = 0) =>
    ['1', '2', '3', '4'].filter(
      (sessionKey) => code(available(off({}, perMember), of, asker({ family, sessionKey, memberUses }))) === null,
    )

  test('never block one another: as many can go on as may be used, those of the one who lives on first', () => {
    expect(may(1)).toEqual(['3'])
    expect(may(2)).toEqual(['1', '3'])
    expect(may(3)).toEqual(['1', '2', '3'])
    expect(may(4)).toEqual(['1', '2', '3', '4'])
    expect(may(1, locks.slice(1))).toEqual(['1'])
    expect(may(2, locks, 1)).toEqual(['3'])
    expect(may(1, locks, 1)).toEqual([])
    expect(may(1, [...locks, lock('0', { member: 'zoe' })])).toEqual(['3'])
  })
})

describe('locks', () => {
  test('so many as uses are left; one whose deadline has passed is none', () => {
    const two = off({ usesTotal: 2 })
    expect(code(available(two, [lock('a')], asker()))).toBeNull()
    expect(code(available(two, [lock('a'), lock('b')], asker()))).toBe('voucher_locked')
    expect(code(available(two, [lock('a'), lock('b', { until: NOW })], asker()))).toBeNull()
    expect(code(available({ ...two, used: 1 }, [lock('a')], asker()))).toBe('voucher_locked')
  })

  test("the session's own is no hindrance, and outlives the voucher's end", () => {
    const one = off({ usesTotal: 1, endsAt: NOW })
    expect(code(available(one, [lock('a')], asker({ sessionKey: 'a' })))).toBeNull()
    expect(code(available(one, [lock('a', { until: NOW })], asker({ sessionKey: 'a' })))).toBe('voucher_expired')
    expect(code(available({ ...one, status: STATUS.blocked }, [lock('a')], asker({ sessionKey: 'a' })))).toBe(
      'voucher_not_applicable',
    )
  })

  test('of a gift card, what others have locked is not there', () => {
    const card = aVoucher('OFF', { value: { kind: 'gift', balance: 500 } })
    expect(available(card, [lock('a', { amount: 200 })], asker())).toEqual({ balance: 300 })
    expect(available(card, [lock('a', { amount: 200 })], asker({ sessionKey: 'a' }))).toEqual({ balance: 500 })
    expect(code(available(card, [lock('a', { amount: 500 })], asker()))).toBe('voucher_locked')
    expect(code(available({ ...card, balance: 0 }, [], asker()))).toBe('voucher_used_up')
  })
})

describe('members', () => {
  test('a voucher that is bound is for that member, or whom that one lives on as', () => {
    const bound = off({ member: 'bea' })
    expect(code(available(bound, [], asker()))).toBe('voucher_not_applicable')
    expect(code(available(bound, [], asker({ family: new Set(['ada', 'bea']) })))).toBeNull()
    expect(code(available(bound, [], asker({ member: undefined, family: new Set() })))).toBe('voucher_not_applicable')
  })

  test('so often a member: what other checkouts of the member have locked counts', () => {
    const twice = off({}, 2)
    expect(code(available(twice, [], asker({ memberUses: 1 })))).toBeNull()
    expect(code(available(twice, [], asker({ memberUses: 2 })))).toBe('voucher_used_up')
    expect(code(available(twice, [lock('a', { member: 'ada' })], asker({ memberUses: 1 })))).toBe('voucher_locked')
    expect(code(available(twice, [lock('a', { member: 'bea' })], asker({ memberUses: 1 })))).toBeNull()
  })
})

describe('rolling back', () => {
  const part = (key: string, amount: number, givenBack = 0) => ({
    key,
    id: key,
    code: key,
    kind: 'amount' as const,
    amount,
    givenBack,
    lines: [],
  })
  const redeemed = (...parts: ReturnType<typeof part>[]) => ({ parts }) as unknown as VoucherRedemption
  const back = (found: ReturnType<typeof rollBackOf>) =>
    'code' in found ? found.code : found.map(({ part: { key }, amount }) => [key, amount])

  test('what was applied last goes back first', () => {
    const both = redeemed(part('a', 100), part('b', 50))
    expect(back(rollBackOf(both, undefined, undefined))).toEqual([
      ['b', 50],
      ['a', 100],
    ])
    expect(back(rollBackOf(both, undefined, 60))).toEqual([
      ['b', 50],
      ['a', 10],
    ])
    expect(back(rollBackOf(both, [['x', 'a']], undefined))).toEqual([['a', 100]])
  })

  test('never more than is left, nothing twice, nothing of others', () => {
    const some = redeemed(part('a', 100, 40))
    expect(back(rollBackOf(some, undefined, 61))).toBe('refund_exceeds_spend')
    expect(back(rollBackOf(some, undefined, 60))).toEqual([['a', 60]])
    expect(back(rollBackOf(redeemed(part('a', 100, 100)), undefined, undefined))).toEqual([])
    expect(back(rollBackOf(some, [['c']], undefined))).toBe('voucher_unknown')
  })

  test('a code that may be read as another too names the one that it is', () => {
    const both = redeemed(part('01', 100), part('O1', 50))
    expect(back(rollBackOf(both, [['O1', '01']], undefined))).toEqual([['O1', 50]])
  })
})
