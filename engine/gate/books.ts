import type { NewEvent } from '../base/outbox.ts'
import type { Draft, Lot, MemberState } from '../ledger/books.ts'
import { draft } from '../ledger/ledger.rules.ts'
import { MADE_GOOD, SET_RIGHT } from '../ledger/written-off.rules.ts'
import { hasPassed, passTime, settleTime, type Told } from '../ledger/time.rules.ts'
import type { Facts } from './asks.ts'
import { termsOf } from './dates.ts'
import { tell } from './decisions.ts'
import { MovedError } from './faults.ts'
import { heldBy, type Slices } from './slices.ts'

/** A member's books while an ask is decided, and what is told of it, in order. */
export type Opened = { books: Draft; events: NewEvent[] }

/**
 * A member's books brought up to now: what time did since they were last written is booked and told first, so that
 * nothing decides on points that are past their date, however late the job. Throws `moved` where it takes lots that were not read.
 * `due`: look in any case, for there may be something to tell of though no balance changed.
 */
export function openBooks(slices: Slices, state: MemberState, facts: Facts, due = false): Opened {
  const terms = termsOf(slices.configuration)
  const held = heldBy(slices, state.member)
  const passed = due || hasPassed(state, terms, facts.now)
  if (passed && !held) throw new MovedError('time passed for a member whose lots were not read')
  const opened: Opened = { books: draft(state, held, terms), events: [] }
  if (passed) tellAll(opened, passTime(opened.books, facts.now))
  return opened
}

/** After all was booked: what came too late to be kept expires, and the wallets say what is pending and held until when. */
export function settleBooks(opened: Opened, facts: Facts): void {
  for (const { seq, reason } of opened.books.entries) {
    if (reason === MADE_GOOD || reason === SET_RIGHT)
      tellAll(opened, [{ type: 'points.reversed', data: { entry: seq } }])
  }
  tellAll(opened, settleTime(opened.books, facts.now))
}

function tellAll(opened: Opened, told: readonly Told[]): void {
  for (const { type, data } of told) opened.events.push(tell(opened.books.state, type, data))
}

/** A lot by its number: looked for where a few are asked for, looked up in merges, which take from all. */
export function lotsBySeq({ lots }: Pick<Draft, 'lots'>, asked: number): (seq: number) => Lot | undefined {
  if (asked < 10) return (seq) => lots.find((lot) => lot.seq === seq)
  const known = new Map(lots.map((lot) => [lot.seq, lot]))
  return (seq) => known.get(seq)
}
