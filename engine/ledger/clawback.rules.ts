import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Draft, Lot, Why } from './books.ts'
import { bookTakes, burnOrder, credit, isActive, takeFrom, walletOf, sliding } from './ledger.rules.ts'
import { giveBack } from './refunds.rules.ts'
import { debtOf, type Forgiven } from './wallets.rules.ts'
import { forget, FORGIVEN_MAX } from './written-off.rules.ts'

/** What was taken back in one wallet of what one source gave, up to now. */
export type Clawed = {
  walletId: number
  /** taken from these lots and not given back since, with what must be known to give back to one that is used up */
  lots: ClawedLot[]
  /** not to be found any more, and let go */
  writtenOff: number
  /** not to be found, and owed: taken below zero, where the wallet's policy says so; absent where nothing is */
  owed?: number
}

export type ClawedLot = {
  seq: number
  taken: number
  source: Uuid
  points: number
  activatesAt: Instant
  expiresAt: Instant | null
}

/** One step of it, lots as [seq, points]. Negative: given back, and no longer written off. */
export type Step = { points: number; writtenOff: number; owed?: number; lots: [seq: number, points: number][] }

/**
 * Brings what was taken back (and written off) to `due`: takes more, from the source's own lots first (pending before active), then from
 * the member's others in burn order, and writes off what is not to be found; or gives back, to the lots from which it
 * came, at their original age.
 */
export function claw(books: Draft, source: Uuid, before: Clawed, due: number, why: Omit<Why, 'kind'>): [Clawed, Step?] {
  const owed = before.owed ?? 0
  const difference = due - before.lots.reduce((sum, lot) => sum + lot.taken, 0) - before.writtenOff - owed
  if (difference === 0) return [before]
  const step =
    difference > 0
      ? takeMore(books, source, before.walletId, difference, { ...why, kind: 'reverse' })
      : giveUp(books, before, -difference, { ...why, kind: 'restore' })
  const after: Clawed = {
    walletId: before.walletId,
    lots: merge(books, before.lots, step.lots),
    writtenOff: before.writtenOff + step.writtenOff,
  }
  if (owed + (step.owed ?? 0) !== 0) after.owed = owed + (step.owed ?? 0)
  return [after, step]
}

/** What the lots do not hold is owed, as far below zero as the wallet may go; the rest is written off. */
function takeMore(books: Draft, source: Uuid, walletId: number, points: number, why: Why): Step {
  const lots = books.lots
    .filter((lot) => lot.walletId === walletId && lot.remaining > lot.held)
    .sort(ownFirst(source, why.now))
  const takes = takeFrom(lots, points)
  const found = takes.reduce((sum, take) => sum + take.points, 0)
  const { floor } = books.terms(walletId)
  const owed = Math.min(points - found, Math.max(0, floor - debtOf(walletOf(books.state, walletId))))
  bookTakes(books, walletId, takes, why, owed)
  const step: Step = {
    points: found + owed,
    writtenOff: points - found - owed,
    lots: takes.map((take) => [take.lot.seq, take.points]),
  }
  if (owed > 0) step.owed = owed
  if (step.writtenOff > 0) {
    const wallet = walletOf(books.state, walletId)
    wallet.k = [...wallet.k, [why.source, step.writtenOff, books.state.entrySeq] as Forgiven].slice(-FORGIVEN_MAX)
  }
  return step
}

/**
 * First what was written off is taken up again, then what was owed is given (a lot of its own, which pays what is still
 * owed); then points go back to lots, to what was taken from last first.
 */
function giveUp(books: Draft, before: Clawed, points: number, why: Why): Step {
  const forgiven = Math.min(points, before.writtenOff)
  forget(walletOf(books.state, before.walletId), forgiven)
  const repaid = Math.min(points - forgiven, before.owed ?? 0)
  if (repaid > 0) {
    const no = credit(books, before.walletId, repaid, why)
    if (no) throw new Error(`what was owed cannot be given back: ${no.detail}`)
  }
  let left = points - forgiven - repaid
  const gives: { lot: Lot; points: number }[] = []
  for (const clawed of before.lots.toReversed()) {
    const given = Math.min(left, clawed.taken)
    if (given === 0) continue
    left -= given
    gives.push({ lot: lotOf(books, clawed, before.walletId), points: given })
  }
  giveBack(books, before.walletId, gives, why)
  const step: Step = {
    points: forgiven - points,
    writtenOff: -forgiven,
    lots: gives.map((give): [number, number] => [give.lot.seq, -give.points]),
  }
  if (repaid > 0) step.owed = -repaid
  return step
}

/** A lot that was used up is not among the open ones: it is known all the same, with nothing left. */
function lotOf(books: Draft, clawed: ClawedLot, walletId: number): Lot {
  let lot = books.lots.find((l) => l.seq === clawed.seq)
  if (!lot) {
    const { seq, source, points, activatesAt, expiresAt } = clawed
    lot = {
      seq,
      walletId,
      source,
      points,
      remaining: 0,
      held: 0,
      activatesAt,
      expiresAt,
      slides: false,
      bookedAt: 0, // not known: whether it is pending its activation alone says
      occurredAt: activatesAt,
      ruleVersionId: null,
    }
    books.lots.push(sliding(books.state, lot, books.terms))
  }
  return lot
}

function ownFirst(source: Uuid, now: number): (a: Lot, b: Lot) => number {
  const rank = (lot: Lot) => (lot.source !== source ? 2 : isActive(lot, now) ? 1 : 0)
  return (a, b) => rank(a) - rank(b) || burnOrder(a, b)
}

function merge(books: Draft, before: readonly ClawedLot[], now: Step['lots']): ClawedLot[] {
  const merged = new Map(before.map((lot) => [lot.seq, lot]))
  for (const [seq, points] of now) {
    const lot = books.lots.find((l) => l.seq === seq)
    if (!lot) throw new Error(`lot ${seq} was taken from but is not known`)
    const { source, activatesAt } = lot
    merged.set(seq, {
      seq,
      taken: (merged.get(seq)?.taken ?? 0) + points,
      source,
      points: lot.points,
      activatesAt,
      expiresAt: lot.slides ? null : lot.expiresAt,
    })
  }
  return [...merged.values()].filter((lot) => lot.taken !== 0)
}
