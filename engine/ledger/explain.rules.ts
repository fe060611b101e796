import { type Instant, isFar } from '@laurel/contract/instants'
import { KINDS, kindOf } from './accounts.ts'
import {
  type DebtThen,
  debtsOf,
  type HeldThen,
  type Line,
  type Lots,
  lotsOf,
  of,
  payFreed,
  placeOf,
  type SlideEnd,
  useUp,
  type WalletBooks,
} from './explain-columns.rules.ts'
import { isPending, signed } from './ledger.rules.ts'

/** Points of one wallet at an instant: balance = available + pending + held + due; available is less what is owed. */
export type Split = {
  balance: number
  available: number
  pending: number
  held: number
  /** what nobody can spend and is not booked yet: past its end, or what makes good what returns wrote off */
  due: number
  /** taken back beyond what there was, and not made up for yet */
  debt: number
}

export type LotState = 'pending' | 'active' | 'expired' | 'used'

/** What an entry took from a lot (negative) or gave back to it. */
export type Change = { seq: number; kind: number; points: number }

/** A lot as it stood; changes in booking order. */
export type LotThen = {
  seq: number
  state: LotState
  points: number
  remaining: number
  held: number
  /** of what is left: what nobody can spend and is not booked yet */
  due: number
  activatesAt: Instant
  expiresAt: Instant | null
  changes: Change[]
  holds: { hold: HeldThen; points: number }[]
}

export type Lifetime = Record<'earned' | 'spent' | 'reversed' | 'expired' | 'adjusted' | 'moved', number>
export type Explained = {
  split: Split
  /** as it is once all that is due is booked */
  lifetime: Lifetime
  debts: DebtThen[]
  /**
   * Lots behind the one of this seq: those that hold anything first, in burn order, then those that are used up,
   * newest first. Undefined where there is no such lot.
   */
  lots(after: number | undefined, limit: number): { lots: LotThen[]; more: boolean } | undefined
}

const COUNTERS = { e: 'earned', s: 'spent', r: 'reversed', x: 'expired', a: 'adjusted', m: 'moved' } as const

/**
 * What a wallet held at `at`, from its books alone: the entries booked by then, what is left of each lot, and in which
 * state its dates and the holds put it, everything half-open. For an instant ahead: what today's books come to by
 * their dates. A member may have very many lots: they are columns here, and objects only once a page of them is asked
 * for.
 */
export function explainAt(books: WalletBooks, at: Instant, slideEnd?: SlideEnd): Explained {
  const lots = lotsOf(books, at, slideEnd)
  useUp(lots, books.late)
  payFreed(lots, books)
  const debts = debtsOf(lots)
  const split = splitOf(lots, debts)
  return {
    split,
    lifetime: lifetimeOf(lots.lines, split.due, backOf(lots)),
    debts,
    lots: (after, limit) => pageOf(lots, after, limit),
  }
}

/** Half-open: at the instant of its activation it is active, at the instant of its end no longer. */
function stateOf({ at, lines, remaining, ends }: Lots, i: number): LotState {
  if (of(remaining, i) === 0) return 'used'
  if (of(ends, i) <= at) return 'expired'
  const { activatesAt, bookedAt } = lines[i] as Line
  return isPending({ activatesAt: activatesAt ?? 0, bookedAt }, at) ? 'pending' : 'active'
}

function splitOf(lots: Lots, debts: readonly DebtThen[]): Split {
  const split: Split = { balance: 0, available: 0, pending: 0, held: 0, due: 0, debt: 0 }
  for (const debt of debts) split.debt += debt.points
  for (const [i, line] of lots.lines.entries()) {
    split.balance += signed(line)
    if (line.activatesAt === null) continue
    const held = of(lots.held, i)
    const free = of(lots.remaining, i) - held
    split.held += held
    if (free === 0) continue
    const state = stateOf(lots, i)
    if (state === 'pending') split.pending += free
    else {
      const due = dueOf(lots, i)
      split.due += due
      split.available += free - due
    }
  }
  split.available -= split.debt
  return split
}

/** Of a lot that is active or over: what nobody can spend and is not booked yet. */
function dueOf(lots: Lots, i: number): number {
  return stateOf(lots, i) === 'expired' ? of(lots.remaining, i) - of(lots.held, i) : of(lots.sought, i)
}

/** Of what is due, what is taken back when it is booked: it makes good what returns wrote off, or waited for an event in vain. */
function backOf(lots: Lots): number {
  let back = 0
  for (const [i, { activatesAt }] of lots.lines.entries()) {
    if (activatesAt === null) continue
    back += isFar(activatesAt) && stateOf(lots, i) === 'expired' ? of(lots.remaining, i) : of(lots.sought, i)
  }
  return back
}

function lifetimeOf(lines: readonly Line[], due: number, back: number): Lifetime {
  const lifetime: Lifetime = { earned: 0, spent: 0, reversed: back, expired: due - back, adjusted: 0, moved: 0 }
  const ways = new Map<number, { line: Line; points: number }>()
  for (const line of lines) {
    const way = (line.kind * 100 + line.from) * 100 + line.to
    const sum = ways.get(way)
    if (sum) sum.points += line.points
    else ways.set(way, { line, points: line.points })
  }
  for (const { line, points } of ways.values()) {
    const kind = kindOf(line)
    const counts = kind && KINDS[kind].counts
    if (counts) lifetime[COUNTERS[counts.counter]] += counts.sign * points
  }
  return lifetime
}

function pageOf(lots: Lots, after: number | undefined, limit: number) {
  const order = inOrder(lots)
  const from = after === undefined ? 0 : order.findIndex((i) => lots.lines[i]?.seq === after) + 1
  if (from === 0 && after !== undefined) return undefined
  const places = order.slice(from, from + limit)
  return { lots: lotsAt(lots, places), more: from + limit < order.length }
}

/** Burn order (ledger.rules.ts) of those that hold anything: soonest end, then earliest activation, then seq. */
function inOrder(lots: Lots): number[] {
  const open: number[] = []
  const used: number[] = []
  for (let i = lots.lines.length - 1; i >= 0; i--) {
    if (lots.lines[i]?.activatesAt !== null) (of(lots.remaining, i) > 0 ? open : used).push(i)
  }
  const activation = (i: number) => lots.lines[i]?.activatesAt ?? 0
  const end = (i: number) => of(lots.ends, i)
  open.reverse().sort((a, b) => (end(a) === end(b) ? 0 : end(a) - end(b)) || activation(a) - activation(b) || a - b)
  return [...open, ...used]
}

function lotsAt(lots: Lots, places: readonly number[]): LotThen[] {
  const made = new Map<number, LotThen>()
  for (const i of places) {
    const { seq, points, activatesAt } = lots.lines[i] as Line
    const end = of(lots.ends, i)
    made.set(seq, {
      seq,
      points,
      remaining: of(lots.remaining, i),
      held: of(lots.held, i),
      due: dueOf(lots, i),
      state: stateOf(lots, i),
      activatesAt: activatesAt ?? 0,
      expiresAt: end === Number.POSITIVE_INFINITY ? null : end,
      changes: [],
      holds: [],
    })
  }
  for (const use of lots.uses) {
    const lot = made.get(use.lotSeq)
    const entry = lot ? placeOf(lots.lines, use.seq) : -1
    const points = (lots.early.get(use) ?? 0) - use.points
    if (!lot || entry < 0 || points === 0) continue
    lot.changes.push({ seq: use.seq, kind: (lots.lines[entry] as Line).kind, points })
  }
  for (const hold of lots.holds) {
    for (const [seq, points] of hold.parts.flatMap((part) => part.l)) made.get(seq)?.holds.push({ hold, points })
  }
  for (const lot of made.values()) lot.changes = oneAnEntry(lot.changes.sort((a, b) => a.seq - b.seq))
  return [...made.values()]
}

/** What an entry took below zero it may take later from a lot that it took from before. */
function oneAnEntry(changes: readonly Change[]): Change[] {
  const sums: Change[] = []
  for (const change of changes) {
    const last = sums.at(-1)
    if (last?.seq === change.seq) last.points += change.points
    else sums.push(change)
  }
  return sums
}
