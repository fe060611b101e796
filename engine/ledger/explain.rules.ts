import type { Instant } from '@laurel/contract/instants'
import { ACCOUNTS, KINDS, kindOf } from './accounts.ts'
import type { Entry, Hold, Lot, LotUse } from './books.ts'
import { burnOrder, signed } from './ledger.rules.ts'

/** What an explanation needs of an entry. */
export type Line = Pick<
  Entry,
  'seq' | 'walletId' | 'kind' | 'from' | 'to' | 'points' | 'occurredAt' | 'bookedAt' | 'source'
> & { activatesAt: Instant | null; expiresAt: Instant | null; ruleVersionId: number | null }

/** A hold, whatever became of it. */
export type HeldThen = Pick<Hold, 'id' | 'placedAt' | 'deadline' | 'settledAt' | 'reason' | 'parts'>

/** All of one wallet of one member: lines ascending by seq, and of the uses and holds no matter which besides. */
export type WalletBooks = { lines: readonly Line[]; uses: readonly LotUse[]; holds: readonly HeldThen[] }

/** Where points end by inactivity: when a lot without a date of its own ends, by the lines that count; null: never. */
export type SlideEnd = (lines: readonly Line[]) => (lot: Line) => Instant | null
const NEVER = () => null

/** Points of one wallet at an instant: balance = available + pending + held + due; available is less what is owed. */
export type Split = {
  balance: number
  available: number
  pending: number
  held: number
  /** past their end, whether or not that is booked yet */
  due: number
  /** taken back beyond what there was, and not made up for yet */
  debt: number
}

export type LotState = 'pending' | 'active' | 'expired' | 'used'

/** A lot as it stood. `changes`: what took from it (negative) or gave back to it, in booking order. */
export type LotThen = Lot & {
  kind: number
  from: number
  state: LotState
  changes: { seq: number; points: number }[]
  holds: { hold: HeldThen; points: number }[]
}

/** An entry that took more than the lots held: what of that is not made up for. */
export type DebtThen = { seq: number; points: number }

export type Lifetime = Record<'earned' | 'spent' | 'reversed' | 'expired' | 'adjusted' | 'moved', number>
export type Explained = { split: Split; lifetime: Lifetime; lots: LotThen[]; debts: DebtThen[] }

const COUNTERS = { e: 'earned', s: 'spent', r: 'reversed', x: 'expired', a: 'adjusted', m: 'moved' } as const

/**
 * What a wallet held at `at`, from its books alone: the entries booked by then, what is left of each lot, and in which
 * state its dates and the holds put it, everything half-open. For an instant ahead: what today's books come to by their dates.
 * Lots that hold anything come first, in burn order; then those that are used up, newest first.
 */
export function explainAt(books: WalletBooks, at: Instant, slideEnd?: SlideEnd): Explained {
  const lines = bookedBy(books.lines, at)
  const endOf = slideEnd?.(lines) ?? NEVER
  const lots = new Map<number, LotThen>()
  for (const line of lines) {
    if (line.activatesAt !== null) lots.set(line.seq, whole(line, line.activatesAt, endOf(line)))
  }
  holdBack(lots, books.holds, at)
  const found = useUp(lots, lines, books.uses)
  for (const lot of lots.values()) lot.state = stateOf(lot, at)
  const debts = debtsOf(lines, found)
  return {
    split: splitOf(lines, lots.values(), debts),
    lifetime: lifetimeOf(lines),
    lots: [...lots.values()].sort(byUse),
    debts,
  }
}

/** Up to the first that was booked later: clocks of several machines may differ, the order of booking does not. */
function bookedBy(lines: readonly Line[], at: Instant): readonly Line[] {
  const first = lines.findIndex((line) => line.bookedAt > at)
  return first < 0 ? lines : lines.slice(0, first)
}

function whole(line: Line, activatesAt: Instant, slide: Instant | null): LotThen {
  const { seq, walletId, source, points, expiresAt, bookedAt, occurredAt, ruleVersionId, kind, from } = line
  const slides = expiresAt === null && slide !== null
  return {
    ...{
      seq,
      walletId,
      source,
      points,
      remaining: points,
      held: 0,
      activatesAt,
      expiresAt: expiresAt ?? slide,
      slides,
    },
    ...{ bookedAt, occurredAt, ruleVersionId, kind, from, state: 'active', changes: [], holds: [] },
  }
}

/** A hold holds from placing until its deadline, or until it was captured or released before that. */
function holdBack(lots: Map<number, LotThen>, holds: readonly HeldThen[], at: Instant): void {
  for (const hold of holds) {
    if (hold.placedAt > at || hold.deadline <= at || (hold.settledAt !== null && hold.settledAt <= at)) continue
    for (const [seq, points] of hold.parts.flatMap((part) => part.l)) {
      const lot = lots.get(seq)
      if (!lot) continue
      lot.held += points
      lot.holds.push({ hold, points })
    }
  }
}

/** Takes the uses off the lots, and answers how much each entry found in lots. */
function useUp(lots: Map<number, LotThen>, lines: readonly Line[], uses: readonly LotUse[]): Map<number, number> {
  const counted = new Map(lines.map((line) => [line.seq, line]))
  const found = new Map<number, number>()
  for (const use of uses) {
    const lot = lots.get(use.lotSeq)
    if (!lot || !counted.has(use.seq)) continue
    lot.remaining -= use.points
    lot.changes.push({ seq: use.seq, points: -use.points })
    found.set(use.seq, (found.get(use.seq) ?? 0) + use.points)
  }
  for (const lot of lots.values()) {
    lot.changes.sort((a, b) => a.seq - b.seq)
    if (lot.remaining < lot.held) takeBackEarly(lot, counted, found)
  }
  return found
}

/** Kinds that may take more than there is: returns, and taking over what a merged member owes. */
const OWING: ReadonlySet<number | undefined> = new Set([KINDS.reverse.code, KINDS.mergeOut.code])

/**
 * What was taken below zero is found in points that come free later: a use of its entry. At an instant before that,
 * the lot has no room for such a use, and the points are still owed; the debt that was made last is paid last.
 */
function takeBackEarly(lot: LotThen, lines: ReadonlyMap<number, Line>, found: Map<number, number>): void {
  for (const change of lot.changes.toReversed()) {
    const early = Math.min(lot.held - lot.remaining, -change.points)
    if (early <= 0 || !OWING.has(lines.get(change.seq)?.kind)) continue
    lot.remaining += early
    change.points += early
    found.set(change.seq, (found.get(change.seq) ?? 0) - early)
  }
  lot.changes = lot.changes.filter((change) => change.points !== 0)
}

/** Half-open: at `activatesAt` it is active, at `expiresAt` no longer. */
function stateOf(lot: LotThen, at: Instant): LotState {
  if (lot.remaining === 0) return 'used'
  if (lot.expiresAt !== null && lot.expiresAt <= at) return 'expired'
  return lot.activatesAt > at ? 'pending' : 'active'
}

function debtsOf(lines: readonly Line[], found: ReadonlyMap<number, number>): DebtThen[] {
  return lines.flatMap((line) => {
    if (line.from !== ACCOUNTS.member) return []
    const points = line.points - (found.get(line.seq) ?? 0)
    return points > 0 ? [{ seq: line.seq, points }] : []
  })
}

function splitOf(lines: readonly Line[], lots: Iterable<LotThen>, debts: readonly DebtThen[]): Split {
  const split: Split = { balance: 0, available: 0, pending: 0, held: 0, due: 0, debt: 0 }
  for (const line of lines) split.balance += signed(line)
  for (const debt of debts) split.debt += debt.points
  for (const lot of lots) {
    const free = lot.remaining - lot.held
    split.held += lot.held
    if (lot.state === 'pending') split.pending += free
    else if (lot.state === 'expired') split.due += free
    else split.available += free
  }
  split.available -= split.debt
  return split
}

function lifetimeOf(lines: readonly Line[]): Lifetime {
  const lifetime: Lifetime = { earned: 0, spent: 0, reversed: 0, expired: 0, adjusted: 0, moved: 0 }
  for (const line of lines) {
    const kind = kindOf(line)
    const counts = kind && KINDS[kind].counts
    if (counts) lifetime[COUNTERS[counts.counter]] += counts.sign * line.points
  }
  return lifetime
}

function byUse(a: LotThen, b: LotThen): number {
  const [left, right] = [a.remaining > 0, b.remaining > 0]
  if (left !== right) return left ? -1 : 1
  return left ? burnOrder(a, b) : b.seq - a.seq
}
