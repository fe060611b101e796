import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Paying, payWithPoints } from './checkouts.rules.ts'

const amount = fc.integer({ min: 1, max: 100_000 })
const pays = fc.record(
  { points: amount, amount, maxPercent: fc.integer({ min: 1, max: 100 }), maxAmount: amount, minPoints: amount },
  { requiredKeys: ['points', 'amount'] },
)
const paying = fc.record({
  slug: fc.constant('points'),
  pays,
  asked: fc.oneof(fc.constant('max' as const), amount),
  available: fc.integer({ min: -1000, max: 200_000 }),
})
const wallets = fc
  .array(paying, { minLength: 1, maxLength: 3 })
  .map((all): (Paying & { pays: NonNullable<Paying['pays']> })[] => all.map((one, walletId) => ({ ...one, walletId })))

test('points never pay more than is due, than a wallet has, or than it may', () => {
  fc.assert(
    fc.property(wallets, fc.nat(1_000_000), fc.nat(1_000_000), (all, due, gift) => {
      const total = due + gift
      const paid = payWithPoints(total, due, all)
      fc.pre(Array.isArray(paid))
      expect(paid.reduce((sum, one) => sum + one.amount, 0)).toBeLessThanOrEqual(due)
      for (const { walletId, points, amount: worth } of paid) {
        const { pays: rate, asked, available } = all[walletId] as (typeof all)[number]
        expect(points).toBeLessThanOrEqual(available)
        if (asked !== 'max') expect(points).toBeLessThanOrEqual(asked)
        expect(points).toBeGreaterThanOrEqual(rate.minPoints ?? 1)
        expect(worth).toBeGreaterThan(0)
        expect(worth).toBeLessThanOrEqual(rate.maxAmount ?? worth)
        expect(worth * 100).toBeLessThanOrEqual(total * (rate.maxPercent ?? 100))
        // Each minor unit is paid, and with no point more than it takes.
        expect(points * rate.amount).toBeGreaterThanOrEqual(worth * rate.points)
        expect((points - 1) * rate.amount).toBeLessThan(worth * rate.points)
      }
    }),
  )
})

test('as much is paid as can be', () => {
  fc.assert(
    fc.property(pays, fc.nat(200_000), fc.integer({ min: 1, max: 1_000_000 }), (rate, available, due) => {
      const { minPoints: _, ...free } = rate
      const paid = payWithPoints(due, due, [{ walletId: 1, slug: 'points', pays: free, asked: 'max', available }])
      if (!Array.isArray(paid)) throw new Error('max is never refused')
      const worth = paid[0]?.amount ?? 0
      const more = worth + 1
      const could =
        more <= due &&
        more <= (free.maxAmount ?? due) &&
        more * 100 <= due * (free.maxPercent ?? 100) &&
        more * free.points <= available * free.amount
      expect(could).toBe(false)
    }),
  )
})

const one = (said: Partial<Paying>): Paying => ({
  walletId: 1,
  slug: 'points',
  pays: { points: 100, amount: 100 },
  asked: 'max',
  available: 1000,
  ...said,
})
const codeOf = (paid: ReturnType<typeof payWithPoints>) => (Array.isArray(paid) ? paid : paid.code)

test('what is said of paying is exact', () => {
  expect(payWithPoints(5000, 5000, [one({})])).toEqual([{ walletId: 1, points: 1000, amount: 1000 }])
  expect(payWithPoints(5000, 600, [one({})])).toEqual([{ walletId: 1, points: 600, amount: 600 }])
  expect(payWithPoints(5000, 5000, [one({ pays: { points: 3, amount: 2 }, asked: 10 })])).toEqual([
    { walletId: 1, points: 9, amount: 6 },
  ])
  const half = { points: 1, amount: 1, maxPercent: 50 }
  expect(payWithPoints(101, 101, [one({ pays: half })])).toEqual([{ walletId: 1, points: 50, amount: 50 }])
  const big = { points: 1, amount: Number.MAX_SAFE_INTEGER }
  const due = Number.MAX_SAFE_INTEGER
  expect(payWithPoints(due, due, [one({ pays: big, available: due })])).toEqual([
    { walletId: 1, points: 1, amount: due },
  ])
})

test('what cannot pay is refused, or pays nothing where it may', () => {
  expect(codeOf(payWithPoints(5000, 5000, [one({ pays: null })]))).toBe('payment_refused')
  expect(codeOf(payWithPoints(5000, 5000, [one({ asked: 1001 })]))).toBe('insufficient_points')
  const least = { points: 1, amount: 1, minPoints: 500 }
  expect(codeOf(payWithPoints(5000, 5000, [one({ pays: least, asked: 499 })]))).toBe('payment_refused')
  expect(payWithPoints(5000, 499, [one({ pays: least, asked: 500 })])).toEqual([])
  expect(payWithPoints(5000, 5000, [one({ pays: least, available: 499 })])).toEqual([])
  expect(payWithPoints(5000, 5000, [one({ available: -5 })])).toEqual([])
  expect(payWithPoints(0, 0, [one({ asked: 10 })])).toEqual([])
})
