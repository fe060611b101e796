import type { Instant } from '@laurel/contract/instants'
import { ACCOUNTS, KINDS } from './accounts.ts'
import type { Entry, Hold, LotUse } from './books.ts'
import type { Forgiven } from './wallets.rules.ts'

/** What an explanation needs of an entry. */
export type Line = Pick<Entry, 'seq' | 'kind' | 'from' | 'to' | 'points' | 'bookedAt'> & {
  activatesAt: Instant | null
  expiresAt: Instant | null
}

/** `written`: with which version of the member's state, where that is known. */
export type UseThen = LotUse & { written?: number }

/** A hold, whatever became of it. */
export type HeldThen = Pick<Hold, 'id' | 'placedAt' | 'deadline' | 'settledAt' | 'reason' | 'parts'>

/**
 * All of one wallet of one member: lines ascending by seq, and of the uses and holds no matter which besides. `forgiven`: what returns
 * wrote off, as the wallet remembers it. `late`: entries that made such good by the instant, and were booked after it.
 */
export type WalletBooks = {
  lines: readonly Line[]
  uses: readonly UseThen[]
  holds: readonly HeldThen[]
  forgiven: readonly Forgiven[]
  late: ReadonlySet<number>
}

/** Where points end by inactivity: when a lot without a date of its own ends, by the lines that count; null: never. */
export type SlideEnd = (lines: readonly Line[]) => (lot: Line) => Instant | null
const NEVER = () => null

/** An entry that took more than the lots held: what of that is not made up for. */
export type DebtThen = { seq: number; points: number }

/**
 * Columns by the place of a line: of lots what is left, held and when they end, of what takes how much it found in
 * lots.
 */
export type Lots = {
  at: Instant
  lines: readonly Line[]
  uses: UseThen[]
  holds: readonly HeldThen[]
  remaining: Float64Array
  held: Float64Array
  /** of what is left: what came free, and makes good what returns wrote off once it is booked */
  sought: Float64Array
  ends: Float64Array
  found: Float64Array
  /** of a use: what it took of points that were not free yet */
  early: Map<UseThen, number>
}

export function lotsOf(books: WalletBooks, at: Instant, slideEnd: SlideEnd | undefined): Lots {
  const lines = bookedBy(books.lines, at)
  const endOf = slideEnd?.(lines) ?? NEVER
  const lots: Lots = {
    at,
    lines,
    uses: [...books.uses],
    holds: books.holds.filter((hold) => isHolding(hold, at)),
    remaining: new Float64Array(lines.length),
    held: new Float64Array(lines.length),
    sought: new Float64Array(lines.length),
    ends: new Float64Array(lines.length),
    found: new Float64Array(lines.length),
    early: new Map(),
  }
  for (const [i, line] of lines.entries()) {
    if (line.activatesAt === null) continue
    lots.remaining[i] = line.points
    lots.ends[i] = line.expiresAt ?? endOf(line) ?? Number.POSITIVE_INFINITY
  }
  for (const [seq, points] of lots.holds.flatMap((hold) => hold.parts.flatMap((part) => part.l))) {
    const i = placeOf(lines, seq)
    if (i >= 0) lots.held[i] = of(lots.held, i) + points
  }
  return lots
}

/** Up to the first that was booked later: clocks of several machines may differ, the order of booking does not. */
function bookedBy(lines: readonly Line[], at: Instant): readonly Line[] {
  const first = lines.findIndex((line) => line.bookedAt > at)
  return first < 0 ? lines : lines.slice(0, first)
}

/** From placing until its deadline, or until it was captured or released before that. */
function isHolding(hold: HeldThen, at: Instant): boolean {
  return hold.placedAt <= at && at < hold.deadline && (hold.settledAt === null || at < hold.settledAt)
}

/** Of the line with this seq, by halves; below zero where there is none. */
export function placeOf(lines: readonly Line[], seq: number): number {
  let low = 0
  let high = lines.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = (lines[middle] as Line).seq
    if (found === seq) return middle
    if (found < seq) low = middle + 1
    else high = middle - 1
  }
  return -1
}

export function of(column: Float64Array, i: number): number {
  return column[i] as number
}

/** Takes the uses off the lots, and counts how much each entry found in lots. */
export function useUp(lots: Lots, late: ReadonlySet<number>): void {
  const { lines, uses, remaining, held, sought, found } = lots
  for (const { seq, lotSeq, points } of uses) {
    const [entry, lot] = [placeOf(lines, seq), placeOf(lines, lotSeq)]
    if (lot >= 0 && late.has(seq)) sought[lot] = of(sought, lot) + points
    if (entry < 0 || lot < 0) continue
    remaining[lot] = of(remaining, lot) - points
    found[entry] = of(found, entry) + points
  }
  for (let lot = 0; lot < lines.length; lot++) {
    if (of(remaining, lot) < of(held, lot)) takeBackEarly(lots, lot)
  }
}

/** Kinds that may take more than there is: returns, and taking over what a merged member owes. */
const OWING: ReadonlySet<number> = new Set([KINDS.reverse.code, KINDS.mergeOut.code])

/**
 * What was taken below zero is found in points that come free later: a use of its entry. At an instant before that,
 * the lot has no room for such a use, and the points are still owed. Uses that were written later came later; of those that were written
 * at once, the debt that was made last was paid last.
 */
function takeBackEarly(lots: Lots, lot: number): void {
  const { lines, remaining, held, found } = lots
  for (const use of lots.uses.filter(({ lotSeq }) => lotSeq === lines[lot]?.seq).sort(lastWritten)) {
    const entry = placeOf(lines, use.seq)
    const early = Math.min(of(held, lot) - of(remaining, lot), use.points)
    if (early <= 0 || entry < 0 || !OWING.has((lines[entry] as Line).kind)) continue
    remaining[lot] = of(remaining, lot) + early
    found[entry] = of(found, entry) - early
    lots.early.set(use, early)
  }
}

function lastWritten(a: UseThen, b: UseThen): number {
  return (b.written ?? 0) - (a.written ?? 0) || b.seq - a.seq
}

/**
 * What comes free as a hold lapses makes good what returns wrote off since it was placed, and then pays what is owed, oldest first: from
 * lots that are not over by then. Nobody may have looked since: no use says so yet, and this adds those that will pay what is owed.
 */
export function payFreed(lots: Lots, { holds, forgiven }: WalletBooks): void {
  const { at, lines, ends } = lots
  const debts = debtsOf(lots)
  const written = forgiven.map(([source, points]) => ({ source, points }))
  const lapsed = debts.length === 0 && written.length === 0 ? [] : holds.filter((hold) => hasLapsed(hold, at))
  const stillHeld = lots.held.slice()
  const parts = (hold: HeldThen) =>
    hold.parts.flatMap((part) => part.l.map(([seq, points]) => ({ lot: placeOf(lines, seq), points })))
  for (const { lot, points } of lapsed.flatMap(parts)) if (lot >= 0) stillHeld[lot] = of(stillHeld, lot) + points
  for (const hold of lapsed.sort((a, b) => a.deadline - b.deadline)) {
    const freed = parts(hold).filter(({ lot }) => lot >= 0)
    for (const { lot, points } of freed) stillHeld[lot] = of(stillHeld, lot) - points
    const live = freed.map(({ lot }) => lot).filter((lot) => of(ends, lot) > hold.deadline)
    for (const lot of live) {
      // ids of one clock are in order
      for (const one of written.filter(({ source }) => hold.id < source)) {
        const points = Math.max(0, Math.min(one.points, freeOf(lots, lot, stillHeld)))
        one.points -= points
        lots.sought[lot] = of(lots.sought, lot) + points
      }
    }
    for (const lot of live.toSorted((a, b) => a - b)) payFrom(lots, lot, stillHeld, debts)
  }
}

function freeOf({ remaining, sought }: Lots, lot: number, held: Float64Array): number {
  return of(remaining, lot) - of(held, lot) - of(sought, lot)
}

function payFrom(lots: Lots, lot: number, held: Float64Array, debts: readonly DebtThen[]): void {
  const { lines, uses, remaining, found } = lots
  for (const debt of debts) {
    const paid = Math.min(debt.points, freeOf(lots, lot, held))
    if (paid <= 0) continue
    const entry = placeOf(lines, debt.seq)
    debt.points -= paid
    remaining[lot] = of(remaining, lot) - paid
    found[entry] = of(found, entry) + paid
    uses.push({ seq: debt.seq, lotSeq: (lines[lot] as Line).seq, points: paid })
  }
}

function hasLapsed({ deadline, settledAt }: HeldThen, at: Instant): boolean {
  return deadline <= at && (settledAt === null || settledAt >= deadline)
}

export function debtsOf({ lines, found }: Lots): DebtThen[] {
  const debts: DebtThen[] = []
  for (const [i, line] of lines.entries()) {
    const owed = line.from === ACCOUNTS.member ? line.points - of(found, i) : 0
    if (owed > 0) debts.push({ seq: line.seq, points: owed })
  }
  return debts
}
