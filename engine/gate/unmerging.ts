import type { Uuid } from '@laurel/contract/ids'
import type { Refusal } from '@laurel/contract/refusals'
import type { Lot, LotUse } from '../ledger/books.ts'
import { bookTakes, burnOrder, credit, hasEnded, takeFrom, walletOf } from '../ledger/ledger.rules.ts'
import { POINTS_MAX } from '../ledger/range.rules.ts'
import { giveBack } from '../ledger/refunds.rules.ts'
import type { Forgiven, WalletState } from '../ledger/wallets.rules.ts'
import { FORGIVEN_MAX, makeGood, SET_RIGHT } from '../ledger/written-off.rules.ts'
import type { Merge, MergedLot } from '../members/merges.sql.ts'
import type { Taken } from '../purchases/purchases.rules.ts'
import type { Facts } from './asks.ts'
import { lotsBySeq, type Opened } from './books.ts'
import { carry, seenAsOne, whyOf } from './merging.ts'
import { type Across, giveAgain, sideOfPurchase, takeAgain, takenAcross } from './setting-right.ts'
import type { Slices } from './slices.ts'

/** A merge that is being undone: `from` is the other's books, `to` those of whom it lived on as. */
type Undoing = { slices: Slices; from: Opened; to: Opened; undone: Merge; facts: Facts }

/**
 * Each has its own again, as far as it is unspent: what is left of the lots that came along, also of what went on since under other
 * dates, or by another merge and back; what one paid of what the other owed; and what returns of the other's purchases could
 * not find and owe or wrote off is the other's.
 */
export function moveBack(slices: Slices, from: Opened, to: Opened, undone: Merge, facts: Facts): Refusal | undefined {
  const u: Undoing = { slices, from, to, undone, facts }
  const across = takenAcross(slices, undone)
  if ('code' in across) return across
  const sides = { one: to, other: from }
  takeWrittenOffBack(u)
  const no = takeReturnsBack(u) ?? takeDebtsBack(u) ?? giveAgain(sides, across, undone, facts) ?? carryBack(u)
  if (no) return no
  const full = givePaidBack(u, across)
  if (full) return full
  takeAgain(sides, across, facts)
  return undefined
}

/** What the other owed when it was merged, it owes again; whoever paid it meanwhile has it back in the very lots. */
function takeDebtsBack(u: Undoing): Refusal | undefined {
  const { slices, from, to, undone, facts } = u
  for (const [walletId, points, seq] of undone.debts) {
    if (seq === undefined) continue // of before that was known
    const why = { ...whyOf(undone, facts), source: undone.id, occurredAt: facts.now }
    const uses = slices.uses.get(`${undone.member} ${seq}`) ?? []
    const paid = uses.reduce((sum, use) => sum + use.points, 0)
    bookTakes(from.books, walletId, [], { ...why, kind: 'mergeOut' }, points)
    const no = noLongerOwed(u, walletId, points - paid, seq)
    if (no) return no
    const gives = givesOf(to, uses)
    giveBack(to.books, walletId, gives, { ...why, kind: 'mergeIn', reverses: seq })
    const live = gives.map(({ lot }) => lot).filter((lot) => !hasEnded(lot, facts.now))
    const own = ([source, , then]: Forgiven) => then >= seq && theirs(slices, undone, source, walletId).writtenOff === 0
    makeGood(to.books, walletOf(to.books.state, walletId), live, { at: facts.now, now: facts.now }, own)
  }
  return undefined
}

function givesOf({ books }: Opened, uses: readonly LotUse[]): { lot: Lot; points: number }[] {
  const lotOf = lotsBySeq(books, uses.length)
  return uses.flatMap(({ lotSeq, points }) => {
    const lot = lotOf(lotSeq)
    if (!lot) throw new Error(`lot ${lotSeq} paid a debt but is not known`)
    return points > 0 ? [{ lot, points }] : []
  })
}

/** A debt that was another's: a lot that pays it, and nothing is left of. */
function noLongerOwed({ to, undone, facts }: Undoing, walletId: number, points: number, reverses: number) {
  if (points === 0) return undefined
  const why = { ...whyOf(undone, facts), source: undone.id, occurredAt: facts.now, reverses }
  first(walletOf(to.books.state, walletId), reverses)
  return credit(to.books, walletId, points, { ...why, kind: 'mergeIn' })
}

/** This debt is paid before others. */
function first(wallet: WalletState, debt: number): void {
  wallet.n = [...wallet.n.filter(([seq]) => seq === debt), ...wallet.n.filter(([seq]) => seq !== debt)]
}

/** What returns of the other's purchases took below zero since, as far as nobody has paid it, the other owes. */
function takeReturnsBack(u: Undoing): Refusal | undefined {
  const { slices, from, to, undone, facts } = u
  for (const wallet of to.books.state.wallets) {
    for (const [seq, owed] of wallet.n) {
      const entry = slices.entries.get(`${undone.member} ${seq}`)
      const points = Math.min(owed, entry ? theirs(slices, undone, entry.source, wallet.w).owed : 0)
      if (points === 0) continue
      const by = entry?.source ?? ''
      const why = { ...whyOf(undone, facts), digest: by, source: by, occurredAt: facts.now, reason: SET_RIGHT }
      bookTakes(from.books, wallet.w, [], { ...why, kind: 'reverse' }, points)
      const own = walletOf(to.books.state, wallet.w)
      first(own, seq)
      const no = credit(to.books, wallet.w, points, { ...why, kind: 'restore', reverses: seq })
      if (no) return no
    }
  }
  return undefined
}

function carryBack({ slices, from, to, undone, facts }: Undoing): Refusal | undefined {
  const came = slices.together?.came ?? new Set()
  const left = to.books.lots
    .filter((lot) => lot.remaining > lot.held && came.has(`${lot.walletId} ${lot.source}`))
    .map((lot) => ({ lot, points: lot.remaining - lot.held }))
  for (const [walletId, own] of Map.groupBy(left, ({ lot }) => lot.walletId)) {
    seenAsOne(to, from, walletId)
    const no = carry(to, from, own, undone, (undone.undone ??= []), facts)
    if (no) return no
  }
  rememberCame(came, undone)
  return undefined
}

/** What came along later, of spends that were refunded, and is not there to go back: of no points, so that it goes home when it comes back. */
function rememberCame(came: ReadonlySet<string>, undone: Merge): void {
  const rows = [...undone.lots, ...(undone.undone ?? [])]
  const said = new Set(rows.map(([walletId, , , , source]) => `${walletId} ${source}`))
  for (const key of came) {
    const [walletId, source = ''] = key.split(' ')
    if (!said.has(key)) (undone.undone ??= []).push([Number(walletId), 0, 0, 0, source])
  }
}

/** What returns of the other's purchases wrote off, before the merge or since, is made good by what comes back to the other (apart.ts). */
function takeWrittenOffBack({ slices, from, to, undone }: Undoing): void {
  const then = from.books.state.entrySeq
  for (const wallet of to.books.state.wallets) {
    const other = walletOf(from.books.state, wallet.w)
    wallet.k = wallet.k.flatMap(([source, points, seq, ...rest]): Forgiven[] => {
      const moved = Math.min(points, theirs(slices, undone, source, wallet.w).writtenOff)
      const since = (slices.returns.get(source)?.recordedAt ?? 0) >= undone.mergedAt
      if (moved > 0) other.k = [...other.k, [source, moved, since ? then : 0, ...rest] as Forgiven].slice(-FORGIVEN_MAX)
      return moved === points ? [] : [[source, points - moved, seq, ...rest]]
    })
  }
}

/** What the other's lots paid of what the one owed when they were merged, the other has again; the one's lots pay it, or it is owed. */
function givePaidBack({ from, to, undone, facts }: Undoing, across: readonly Across[]): Refusal | undefined {
  const why = { ...whyOf(undone, facts), occurredAt: facts.now }
  const right = new Map<number, number>()
  for (const { took } of across)
    if (took.seq < took.lotSeq) right.set(took.lotSeq, (right.get(took.lotSeq) ?? 0) + took.took)
  const paid = undone.lots.flatMap(([w, from, to, points, source, then = 0]): MergedLot[] => {
    const again = then - Math.min(then, right.get(to) ?? 0)
    return again > 0 ? [[w, from, to, points, source, again]] : []
  })
  for (const [walletId, lots] of Map.groupBy(paid, ([w]) => w)) {
    const points = lots.reduce((sum, lot) => sum + (lot[5] ?? 0), 0)
    const own = to.books.lots.filter((lot) => lot.walletId === walletId && !hasEnded(lot, facts.now)).sort(burnOrder)
    const takes = takeFrom(own, points)
    const found = takes.reduce((sum, take) => sum + take.points, 0)
    bookTakes(to.books, walletId, takes, { ...why, kind: 'mergeOut', source: undone.id }, points - found)
    const lotOf = lotsBySeq(to.books, lots.length)
    for (const [, , seq, , , again = 0] of lots) {
      const lot = lotOf(seq)
      if (!lot) throw new Error(`lot ${seq} came along but is not known`)
      const rule = lot.ruleVersionId === null ? {} : { ruleVersionId: lot.ruleVersionId }
      const { source, occurredAt, activatesAt } = lot
      const said = { ...why, ...rule, kind: 'mergeIn', source, occurredAt } as const
      const no = credit(from.books, walletId, again, said, {
        activatesAt,
        expiresAt: lot.slides ? null : lot.expiresAt,
      })
      if (no) return no
      ;(undone.undone ??= []).push([walletId, seq, from.books.state.entrySeq, again, source])
      const came = from.books.lots.slice(-1)
      const when = { at: facts.now, now: facts.now }
      const since = ([by, , , then = by]: Forgiven) => undone.id < then // before, it was there to be found
      makeGood(from.books, walletOf(from.books.state, walletId), came, when, since)
    }
  }
  return undefined
}

/** What a return took of the other's purchases in a wallet beyond what was there; all that it did, where it is only theirs. */
function theirs(slices: Slices, undone: Merge, id: Uuid, walletId: number): { owed: number; writtenOff: number } {
  const steps = (slices.returns.get(id)?.taken ?? []).filter((one: Taken) => one.walletId === walletId)
  const own = steps.filter(({ purchase }) => sideOfPurchase(slices, undone, purchase) === 'other')
  if (own.length > 0 && own.length === steps.length) return { owed: POINTS_MAX, writtenOff: POINTS_MAX }
  const sum = (of: (one: Taken) => number) =>
    Math.max(
      0,
      own.reduce((all, one) => all + of(one), 0),
    )
  return { owed: sum((one) => one.owed ?? 0), writtenOff: sum((one) => one.writtenOff) }
}
