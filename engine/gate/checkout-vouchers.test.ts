import { expect, test } from 'vitest'
import type { Checkout } from '../checkouts/checkouts.rules.ts'
import { type Lock, STATUS, type Voucher } from '../vouchers/vouchers.rules.ts'
import { lockedQuote } from './checkout-vouchers.ts'
import { noVouchers } from './voucher-slices.ts'

const NOW = 1_000_000
const key = '00000000-0000-7000-8000-000000000001'
const sessionKey = '00000000-0000-7000-8000-000000000002'
const line = { line: '1', sku: 'BEANS', amount: 1000, discount: 300, gift: 0, points: 100 }
const checkout: Pick<Checkout, 'sums'> = {
  sums: { lines: [line], paid: [], applied: [{ key, discounts: [300] }], verdicts: [] },
}

function slices(lock: Partial<Lock> | undefined) {
  const all = noVouchers()
  all.vouchers.set(key, { key, code: 'TEN' } as Voucher)
  const mine: Lock = { key, sessionKey, session: 's', member: null, until: NOW + 1, amount: null }
  if (lock) all.locks.set(key, [{ ...mine, ...lock }])
  return all
}

test('what a checkout has locked is used as it was worked out', () => {
  const quoted = lockedQuote(slices({}), checkout, sessionKey, NOW)
  expect(quoted).toMatchObject({
    applied: [{ code: 'TEN', discounts: [300] }],
    totals: { amount: 1000, discount: 300, gift: 0, toPay: 700 },
  })
})

test.each([
  ['unlocked', undefined],
  ["another's", { sessionKey: '00000000-0000-7000-8000-000000000003' }],
  ['past its deadline', { until: NOW }],
  ['locked anew for less', { amount: 299 }],
])('what is %s is not used', (_what, lock) => {
  expect(lockedQuote(slices(lock), checkout, sessionKey, NOW)).toMatchObject({ code: 'checkout_closed' })
})

test('what was blocked since is not used', () => {
  const blocked = slices({})
  blocked.vouchers.set(key, { key, code: 'TEN', status: STATUS.blocked } as Voucher)
  expect(lockedQuote(blocked, checkout, sessionKey, NOW)).toMatchObject({ code: 'checkout_closed' })
})
