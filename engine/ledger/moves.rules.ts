import type { Refusal } from '@laurel/contract/refusals'
import type { Dates, Draft, Entry, Lot, Why } from './books.ts'
import { bookTakes, openLot, restart, walletOf } from './ledger.rules.ts'
import { count, outOfRange } from './range.rules.ts'

/**
 * What is left of a lot (but for what is held) goes on as a new lot under other dates, with the same source: the entry takes
 * from the old one and opens the new one. So a lot's dates never change, and every change of them has an entry that says why.
 */
export function moveLot(d: Draft, lot: Lot, dates: Dates, why: Omit<Why, 'kind' | 'source' | 'occurredAt'>): Lot {
  const points = lot.remaining - lot.held
  if (points <= 0) throw new Error(`nothing of lot ${lot.seq} can go on under other dates`)
  const wallet = walletOf(d.state, lot.walletId)
  const moved = openLot(
    d,
    wallet,
    points,
    {
      ...why,
      kind: 'move',
      source: lot.source,
      occurredAt: lot.occurredAt,
      ...(lot.ruleVersionId === null ? {} : { ruleVersionId: lot.ruleVersionId }),
    },
    { activatesAt: Math.max(dates.activatesAt, why.now), expiresAt: dates.expiresAt },
  )
  lot.remaining -= points
  d.uses.push({ seq: moved.seq, lotSeq: lot.seq, points })
  return moved
}

/** Gives up a pending lot, but for what is held of it: back to the program. */
export function cancelLot(d: Draft, lot: Lot, why: Omit<Why, 'kind'>): Entry | undefined {
  return bookTakes(d, lot.walletId, [{ lot, points: lot.remaining - lot.held }], { ...why, kind: 'cancel' })
}

/**
 * So many points of a lot, which expired by the entry `reverses`, come again: as a new lot under these dates, with the same source.
 * Refuses amount_out_of_range.
 */
export function reinstateLot(
  d: Draft,
  lot: Lot,
  points: number,
  dates: Dates,
  why: Omit<Why, 'kind' | 'source' | 'occurredAt'> & { reverses: number },
): Lot | Refusal {
  const wallet = walletOf(d.state, lot.walletId)
  const full = outOfRange(wallet, 'reinstate', points)
  if (full) return full
  wallet.b += points
  count(wallet, 'reinstate', points)
  if (dates.expiresAt === null) restart(d, lot.walletId, why.now)
  return openLot(
    d,
    wallet,
    points,
    {
      ...why,
      kind: 'reinstate',
      source: lot.source,
      occurredAt: lot.occurredAt,
      ...(lot.ruleVersionId === null ? {} : { ruleVersionId: lot.ruleVersionId }),
    },
    dates,
  )
}
