import type { PayAsked } from '@laurel/contract/checkouts'
import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { VoucherVerdict } from '@laurel/contract/vouchers'
import type { Pays } from '@laurel/contract/wallets'

export const STATUS = { reserved: 1, committed: 2, voided: 3 } as const

/** What was asked, in the one form in which it is stored and compared. */
export type Said = {
  currency: string
  items: unknown
  channel: string | null
  store: string | null
  /** JSON with sorted keys */
  metadata: string | null
  vouchers: string[]
  policy: 'all' | 'partial'
  sequence: 'asked' | 'priority'
  points: Record<string, PayAsked>
  minutes: number
}

/** A line of the order in minor units: what discounts, gift cards and points take of it. */
export type Line = { line: string; sku: string; amount: number; discount: number; gift: number; points: number }

/** What points of a wallet pay, in minor units. */
export type Paid = { walletId: number; points: number; amount: number }

/** A voucher that is applied: by the key of its code, and what it takes off each line. */
export type Applied = { key: Uuid; discounts: number[] }

/** How the order is paid. verdicts: of all vouchers that were asked, as clients see them. */
export type Sums = { lines: Line[]; paid: Paid[]; applied: Applied[]; verdicts: VoucherVerdict[] }

/** An order whose points and vouchers are set aside until it is paid. hold: of its points; purchase: what became of it. */
export type Checkout = {
  member: Uuid
  id: Uuid
  programId: number
  status: (typeof STATUS)[keyof typeof STATUS]
  digest: Uuid
  externalId: string
  reservedAt: Instant
  deadline: Instant
  settledAt: Instant | null
  hold: Uuid | null
  purchase: Uuid | null
  said: Said
  sums: Sums
}

/** Past its deadline it has lapsed: what was set aside for it is free again. */
export function hasLapsed({ status, deadline }: Checkout, now: Instant): boolean {
  return status === STATUS.reserved && deadline <= now
}

/** A wallet that is to pay. `available`: points that can be spent now. */
export type Paying = { walletId: number; slug: string; pays: Pays | null; asked: PayAsked; available: number }

/**
 * What wallets pay of an order, one after the other: as many points as are asked at most, and no more than buy whole minor units
 * within the wallet's bounds. `total`: what is due before gift cards (what a wallet's percentage is of); `due`: what is left to pay.
 * Refusals: payment_refused (points cannot pay, or fewer are asked than the wallet takes), insufficient_points.
 */
export function payWithPoints(total: number, due: number, wallets: readonly Paying[]): Paid[] | Refusal {
  const paid: Paid[] = []
  let left = due
  for (const { walletId, slug, pays, asked, available } of wallets) {
    if (!pays) return refusal('payment_refused', `points of the wallet "${slug}" do not pay orders`)
    if (asked !== 'max' && asked > available)
      return refusal(
        'insufficient_points',
        `${asked} points were asked for and ${Math.max(0, available)} are available`,
      )
    if (asked !== 'max' && asked < (pays.minPoints ?? 1))
      return refusal('payment_refused', `the wallet "${slug}" pays with at least ${pays.minPoints} points`)
    const amount = amountOf(pays, total, left, asked === 'max' ? available : asked)
    const points = pointsFor(pays, amount)
    if (points === 0 || points < (pays.minPoints ?? 1)) continue
    left -= amount
    paid.push({ walletId, points, amount })
  }
  return paid
}

/** How much so many points pay at most, in minor units. */
function amountOf({ points, amount, maxPercent, maxAmount }: Pays, total: number, left: number, has: number): number {
  if (has <= 0) return 0
  const share = maxPercent === undefined ? left : Number((BigInt(total) * BigInt(maxPercent)) / 100n)
  const bound = Math.min(left, share, maxAmount ?? left)
  const worth = (BigInt(has) * BigInt(amount)) / BigInt(points)
  return worth < BigInt(bound) ? Number(worth) : bound
}

/** The fewest points that pay so much. */
function pointsFor({ points, amount }: Pays, minor: number): number {
  const each = BigInt(amount)
  return Number((BigInt(minor) * BigInt(points) + each - 1n) / each)
}
