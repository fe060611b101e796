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
  /** of the source's own lots, ended before anybody used it: counted, and taken from nowhere; absent where nothing is */
  gone?: number
}

export type ClawedLot = {
  seq: number
  taken: number
  source: Uuid
  points: number
  activatesAt: Instant
  expiresAt: Instant | null
}

/** One step of it, lots as [seq, points]. Negative: given back, no longer written off, and no longer gone. */
export type Step = {
  points: number
  writtenOff: number
  owed?: number
  gone?: number
  lots: [seq: number, points: number][]
}

/**
 * Brings what was taken back (and written off) to `due`: takes more, from the source's own lots first (pending before active); counts what of
 * these ended unused; then takes from the member's others in burn order, and writes off what is not to be found. Or gives
 * back, to the lots from which it came, at their original age. `ended`: points of the source's lots in this wallet that ended unused, less what
 * came again; what an earlier step counted and came again since is taken now.
 */
export function claw(
  books: Draft,
  source: Uuid,
  before: Clawed,
  due: number,
  why: Omit<Why, 'kind'>,
  ended = 0,
): [Clawed, Step?] {
  const [owed, counted] = [before.owed ?? 0, before.gone ?? 0]
  const still = Math.min(counted, ended)
  const difference = due - sumOf(before.lots.map((lot) => lot.taken)) - before.writtenOff - owed - still
  if (difference === 0 && still === counted) return [before]
  const { gone = 0, ...moved } =
    difference > 0
      ? takeMore(books, source, before.walletId, difference, ended - still, { ...why, kind: 'reverse' })
      : giveUp(books, source, { ...before, gone: still }, -difference, { ...why, kind: 'restore' })
  const more = still + gone - counted
  const step: Step = more === 0 ? moved : { ...moved, gone: more }
  const after: Clawed = {
    walletId: before.walletId,
    lots: merge(books, before.lots, step.lots),
    writtenOff: before.writtenOff + step.writtenOff,
  }
  if (owed + (step.owed ?? 0) !== 0) after.owed = owed + (step.owed ?? 0)
  if (still + gone !== 0) after.gone = still + gone
  return [after, step]
}

/** What the lots do not hold is owed, as far below zero as the wallet may go; the rest is written off. */
function takeMore(books: Draft, source: Uuid, walletId: number, points: number, ended: number, why: Why): Step {
  const lots = books.lots
    .filter((lot) => lot.walletId === walletId && lot.remaining > lot.held)
    .sort(pendingFirst(why.now))
  const [own, others] = [lots.filter((lot) => lot.source === source), lots.filter((lot) => lot.source !== source)]
  const first = takeFrom(own, points)
  const missing = points - sumOf(first.map((take) => take.points))
  const gone = Math.min(missing, ended)
  const takes = [...first, ...takeFrom(others.sort(burnOrder), missing - gone)]
  const found = sumOf(takes.map((take) => take.points))
  const { floor } = books.terms(walletId)
  const owed = Math.min(points - gone - found, Math.max(0, floor - debtOf(walletOf(books.state, walletId))))
  bookTakes(books, walletId, takes, why, owed)
  const step: Step = {
    points: found + owed,
    writtenOff: points - gone - found - owed,
    lots: takes.map((take) => [take.lot.seq, take.points]),
  }
  if (owed > 0) step.owed = owed
  if (gone > 0) step.gone = gone
  if (step.writtenOff > 0) {
    const wallet = walletOf(books.state, walletId)
    wallet.k = [...wallet.k, [why.source, step.writtenOff, books.state.entrySeq] as Forgiven].slice(-FORGIVEN_MAX)
  }
  return step
}

/**
 * First what was written off is taken up again, then what was owed is given (a lot of its own, which pays what is still
 * owed); then points go back to lots, to what was taken from last first: to the member's others, and to the source's own after what
 * of those is gone. That gives nothing: it ended before the return.
 */
function giveUp(books: Draft, source: Uuid, before: Clawed, points: number, why: Why): Step {
  const forgiven = Math.min(points, before.writtenOff)
  forget(walletOf(books.state, before.walletId), forgiven)
  const repaid = Math.min(points - forgiven, before.owed ?? 0)
  if (repaid > 0) {
    const no = credit(books, before.walletId, repaid, why)
    if (no) throw new Error(`what was owed cannot be given back: ${no.detail}`)
  }
  let left = points - forgiven - repaid
  const gives: { lot: Lot; points: number }[] = []
  const giveTo = (lots: readonly ClawedLot[]) => {
    for (const clawed of lots.toReversed()) {
      const given = Math.min(left, clawed.taken)
      if (given === 0) continue
      left -= given
      gives.push({ lot: lotOf(books, clawed, before.walletId), points: given })
    }
  }
  giveTo(before.lots.filter((lot) => lot.source !== source))
  const gone = Math.min(left, before.gone ?? 0)
  left -= gone
  giveTo(before.lots.filter((lot) => lot.source === source))
  giveBack(books, before.walletId, gives, why)
  const step: Step = {
    points: forgiven + gone - points,
    writtenOff: -forgiven,
    lots: gives.map((give): [number, number] => [give.lot.seq, -give.points]),
  }
  if (repaid > 0) step.owed = -repaid
  if (gone > 0) step.gone = -gone
  return step
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0)
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

function pendingFirst(now: Instant): (a: Lot, b: Lot) => number {
  return (a, b) => Number(isActive(a, now)) - Number(isActive(b, now)) || burnOrder(a, b)
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
