import type { Uuid } from '@laurel/contract/ids'
import type { Refusal } from '@laurel/contract/refusals'
import type { Configuration } from '../earning/configuration.ts'
import { credit, debit } from '../ledger/ledger.rules.ts'
import type { Facts } from './asks.ts'
import type { Opened } from './books.ts'
import { givenDates } from './dates.ts'
import { tell } from './decisions.ts'
import { adjustDigest } from './digests.ts'

/**
 * Books an adjustment and tells of it: points are given (a new lot) or taken (in burn order). The number of its entry.
 * Refusals: insufficient_points, amount_out_of_range.
 */
export function bookAdjustment(
  configuration: Configuration,
  { books, events }: Opened,
  said: { id: Uuid; walletId: number; points: number; reason: string },
  facts: Facts,
): number | Refusal {
  const { id, walletId, points, reason } = said
  const why = {
    source: id,
    digest: adjustDigest(books.state.member, walletId, points, reason),
    occurredAt: facts.now,
    now: facts.now,
    reason,
    ...(facts.actor ? { actor: facts.actor } : {}),
  }
  const no =
    points > 0
      ? credit(books, walletId, points, { ...why, kind: 'adjustUp' }, givenDates(configuration, walletId, facts.now))
      : debit(books, walletId, -points, { ...why, kind: 'adjustDown' })
  if (no) return no
  const seq = books.state.entrySeq
  events.push(tell(books.state, 'points.adjusted', { entry: seq }))
  return seq
}
