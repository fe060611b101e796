import type { Uuid } from '@laurel/contract/ids'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { Why } from '../ledger/books.ts'
import { bookTakes, burnOrder, credit, hasEnded, takeFrom, walletOf } from '../ledger/ledger.rules.ts'
import type { TakenOf } from '../ledger/taken.sql.ts'
import { debtOf, type Forgiven } from '../ledger/wallets.rules.ts'
import { FORGIVEN_MAX, MADE_GOOD, makeGood, SET_RIGHT } from '../ledger/written-off.rules.ts'
import type { Merge } from '../members/merges.sql.ts'
import type { Facts } from './asks.ts'
import type { Opened } from './books.ts'
import { isOf } from './merge-slices.ts'
import type { Slices } from './slices.ts'

/** One of two whom a merge had made one: who lived on, or the other. */
export type Side = 'one' | 'other'

/** What a return of one side's purchases took of the other side's points. */
type Across = { of: Side; took: TakenOf }

/**
 * What returns took of the wrong one while two were one: that one has it again, as a lot of the same source and age, and it is taken of the
 * one whose purchases came back; what that one does not have and may not owe is written off, to be made good by what comes back of what was
 * spent before. Else the one would be short of points that the other, once its spends are refunded, had for nothing.
 */
export function setRight(
  slices: Slices,
  sides: Record<Side, Opened>,
  undone: Merge,
  facts: Facts,
): Refusal | undefined {
  const across = takenAcross(slices, undone)
  if ('code' in across) return across
  for (const { of, took } of across) {
    const { books } = sides[of === 'one' ? 'other' : 'one']
    const { walletId, took: points, activatesAt, expiresAt, source, by } = took
    const rule = took.ruleVersionId === null ? {} : { ruleVersionId: took.ruleVersionId }
    const why = { ...whyOf(took, facts), ...rule, source, occurredAt: took.occurredAt, kind: 'restore' } as const
    const no = credit(books, walletId, points, why, { activatesAt, expiresAt })
    if (no) return no
    const when = { at: facts.now, now: facts.now }
    makeGood(books, walletOf(books.state, walletId), books.lots.slice(-1), when, ([of]) => of >= by)
  }
  for (const { of, took } of across) takeOf(sides[of], took, facts)
  return undefined
}

function takeOf({ books }: Opened, took: TakenOf, facts: Facts): void {
  const { walletId, took: points, by } = took
  const wallet = walletOf(books.state, walletId)
  const lots = books.lots.filter((lot) => lot.walletId === walletId && !hasEnded(lot, facts.now)).sort(burnOrder)
  const takes = takeFrom(lots, points)
  const missing = points - takes.reduce((sum, take) => sum + take.points, 0)
  const owed = Math.min(missing, Math.max(0, books.terms(walletId).floor - debtOf(wallet)))
  bookTakes(books, walletId, takes, { ...whyOf(took, facts), source: by, occurredAt: facts.now, kind: 'reverse' }, owed)
  if (missing === owed) return
  const forgiven: Forgiven = [by, missing - owed, books.state.entrySeq, facts.id]
  wallet.k = [...wallet.k, forgiven].slice(-FORGIVEN_MAX)
}

function whyOf({ by }: TakenOf, { now, actor }: Facts): Omit<Why, 'kind' | 'source' | 'occurredAt'> {
  return { digest: by, now, reason: SET_RIGHT, ...(actor ? { actor } : {}) }
}

/** Net of what was given back since, a lot and return. What of them paid what the one owed before is the merge's own (unmerging.ts). */
function takenAcross(slices: Slices, undone: Merge): Across[] | Refusal {
  const paid = new Map(undone.lots.flatMap(([, , to, , , then = 0]) => (then > 0 ? [[to, then]] : [])))
  const sums = new Map<string, Across>()
  for (const took of slices.together?.taken ?? []) {
    const from = sideOfLot(slices, undone, took.member, took)
    const of = from && sideOfReturn(slices, undone, took)
    if (of === 'unclear') return refusal('merge_over', 'a return took for purchases of both at once: adjust instead')
    if (!from || !of || from === of) continue
    const before = took.member === undone.member ? Math.min(took.took, paid.get(took.lotSeq) ?? 0) : 0
    if (before > 0) paid.set(took.lotSeq, (paid.get(took.lotSeq) ?? 0) - before)
    const key = `${took.member} ${took.lotSeq} ${of}`
    const sum = (sums.get(key)?.took.took ?? 0) + took.took - Math.max(0, before)
    sums.set(key, { of, took: { ...took, took: sum } })
  }
  return [...sums.values()].filter(({ took }) => took.took > 0)
}

/** Whose a lot was that a return took from, in whose books ever; undefined: of neither. */
function sideOfLot(slices: Slices, undone: Merge, member: Uuid, lot: TakenOf): Side | undefined {
  const key = `${lot.walletId} ${lot.source}`
  let books = member
  for (const seen = new Set<Uuid>(); !seen.has(books); ) {
    seen.add(books)
    if (books === undone.member && slices.together?.came.has(key)) return 'other'
    const came = [...slices.merges.values()].filter(
      (one) => one.member === books && one.id !== undone.id && brought(one, lot),
    )
    const last = came.sort((a, b) => a.mergedAt - b.mergedAt).at(-1)
    if (books === undone.member && (!last || last.undoneAt === null)) return 'one'
    if (last) books = last.other
  }
  return undefined
}

function brought({ lots, undone }: Merge, lot: TakenOf): boolean {
  return [...lots, ...(undone ?? [])].some(([w, , , , source]) => w === lot.walletId && source === lot.source)
}

/** Whose purchases a return took for; a return of several says of each what it took. */
function sideOfReturn(slices: Slices, undone: Merge, took: TakenOf): Side | 'unclear' | undefined {
  const steps = (slices.returns.get(took.by)?.taken ?? []).filter((one) => one.walletId === took.walletId)
  const all = new Set(steps.map(({ purchase }) => sideOfPurchase(slices, undone, purchase)))
  if (all.size < 2) return [...all][0]
  const late = took.reason === MADE_GOOD || took.reason === SET_RIGHT
  const like = steps.filter((one) => (late ? one.writtenOff > 0 : Math.abs(one.points) === took.points))
  const some = new Set(like.map(({ purchase }) => sideOfPurchase(slices, undone, purchase)))
  return some.size === 1 ? [...some][0] : 'unclear'
}

export function sideOfPurchase(slices: Slices, undone: Merge, purchase: Uuid): Side | undefined {
  const buyer = slices.purchases.get(purchase)?.member
  if (buyer === undefined) return undefined
  if (isOf(slices, buyer, undone.other)) return 'other'
  return isOf(slices, buyer, undone.member) ? 'one' : undefined
}
