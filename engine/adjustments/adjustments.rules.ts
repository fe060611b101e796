import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'

/** As they are stored. booked: at once; waiting, then approved or rejected: above the wallet's limit. */
export const STATUS = { booked: 1, waiting: 2, approved: 3, rejected: 4 } as const
export type Status = (typeof STATUS)[keyof typeof STATUS]
export const STATUS_NAMES = ['', 'booked', 'waiting', 'approved', 'rejected'] as const

/** Points added (positive) or taken by hand. `entry`: what it made, and of whom. */
export type Adjustment = {
  id: Uuid
  member: Uuid
  walletId: number
  points: number
  reason: string
  code: string | null
  status: Status
  requestedAt: Instant
  requestedBy: Uuid | null
  decidedAt: Instant | null
  decidedBy: Uuid | null
  decision: string | null
  entry: { member: Uuid; seq: number } | null
}

/** Whether so many points, added or taken, wait for somebody else. */
export function mustWait(points: number, limit: number | null): boolean {
  return limit !== null && Math.abs(points) > limit
}

export type Way = 'approve' | 'reject'
const LEADS_TO = { approve: STATUS.approved, reject: STATUS.rejected } as const

/**
 * Whether it can be decided so: `again` when it was decided so before. Who asked for it may take it back, but not approve it; a
 * key that is not known is nobody else's. Refusals: adjustment_decided, same_key.
 */
export function decidable(adjustment: Adjustment, way: Way, by: Uuid | null): 'now' | 'again' | Refusal {
  const { status, requestedBy } = adjustment
  if (status === LEADS_TO[way]) return 'again'
  if (status !== STATUS.waiting) {
    const was = status === STATUS.booked ? 'booked at once' : STATUS_NAMES[status]
    return refusal('adjustment_decided', `the adjustment was ${was}`)
  }
  if (way === 'approve' && (by === null || by === requestedBy || requestedBy === null))
    return refusal('same_key', 'another key has to approve it than the one that asked for it')
  return 'now'
}

/** What stands after it was decided. */
export function decided(
  adjustment: Adjustment,
  way: Way,
  by: { key: Uuid | null; reason: string; at: Instant; entry: Adjustment['entry'] },
): Adjustment {
  return {
    ...adjustment,
    status: LEADS_TO[way],
    decidedAt: by.at,
    decidedBy: by.key,
    decision: by.reason,
    entry: by.entry,
  }
}
