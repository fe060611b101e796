import type { Dates, Draft, Entry, Lot, Why } from './books.ts'
import { bookTakes, openLot, walletOf } from './ledger.rules.ts'

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
