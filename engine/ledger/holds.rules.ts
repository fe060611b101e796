import { type Refusal, refusal } from '@laurel/contract/refusals'
import { type Captured, type Draft, type Hold, HOLD_STATUS, type HoldPart, type Why } from './books.ts'
import { available, bookTakes, burnOrder, isActive, takeFrom, walletOf } from './ledger.rules.ts'
import { outOfRange } from './range.rules.ts'
import { freeLot, payOwed } from './time.rules.ts'

/**
 * Sets points aside, in burn order, until the hold's deadline: nobody else can spend, transfer or take them back meanwhile. No
 * entry is booked: they are still the member's. Refuses insufficient_points.
 */
export function place(
  d: Draft,
  asked: readonly { walletId: number; points: number }[],
  hold: Omit<Hold, 'parts' | 'status' | 'settledAt' | 'captured'>,
): Hold | Refusal {
  const parts: HoldPart[] = []
  for (const { walletId, points } of asked) {
    const has = available(d.lots, walletId, hold.placedAt)
    if (has < points) return refusal('insufficient_points', `${points} points were asked for and ${has} are available`)
    const lots = d.lots.filter((lot) => lot.walletId === walletId && isActive(lot, hold.placedAt)).sort(burnOrder)
    const takes = takeFrom(lots, points)
    for (const take of takes) take.lot.held += take.points
    parts.push({ w: walletId, p: points, l: takes.map((take) => [take.lot.seq, take.points]) })
  }
  const placed: Hold = { ...hold, status: HOLD_STATUS.open, settledAt: null, captured: null, parts }
  d.holds.push(placed)
  d.changedHolds.push(placed)
  return placed
}

/**
 * Spends what a hold set aside, from the very lots, though they may have expired since; `points` a part in the order of its
 * parts, no more than each holds. The rest is free again. Entries in the order of the parts; a part of which nothing is taken has none.
 */
export function capture(d: Draft, hold: Hold, points: readonly number[], why: Omit<Why, 'kind'>): Refusal | undefined {
  for (const [i, part] of hold.parts.entries()) {
    const full = outOfRange(walletOf(d.state, part.w), 'spend', points[i] ?? 0)
    if (full) return full
  }
  for (const part of hold.parts) for (const [seq, held] of part.l) freeLot(d, seq, held)
  hold.captured = hold.parts.map((part, i): Captured => {
    const takes = takenOf(part, points[i] ?? 0).flatMap(([seq, taken]) => {
      const lot = d.lots.find((l) => l.seq === seq)
      return lot ? [{ lot, points: taken }] : []
    })
    const entry = bookTakes(d, part.w, takes, { ...why, kind: 'spend' })
    return [entry?.points ?? 0, entry?.seq ?? 0]
  })
  settle(d, hold, HOLD_STATUS.captured, why.now)
  return undefined
}

/** The lots that so many points of a part come from: those that it took first. */
export function takenOf(part: HoldPart, points: number): HoldPart['l'] {
  let wanted = points
  return part.l.flatMap(([seq, held]): HoldPart['l'] => {
    const taken = Math.min(wanted, held)
    wanted -= taken
    return taken > 0 ? [[seq, taken]] : []
  })
}

/** Frees what a hold set aside. What expired meanwhile expires at once (settleTime). */
export function release(d: Draft, hold: Hold, now: number): void {
  for (const part of hold.parts) for (const [seq, held] of part.l) freeLot(d, seq, held)
  settle(d, hold, HOLD_STATUS.released, now)
}

function settle(d: Draft, hold: Hold, status: Hold['status'], now: number): void {
  hold.status = status
  hold.settledAt = Math.max(now, hold.placedAt) // clocks of two processes differ
  if (!d.changedHolds.includes(hold)) d.changedHolds.push(hold)
  payOwed(d, hold, now, now)
}
