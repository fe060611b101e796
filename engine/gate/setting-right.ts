import type { Uuid } from '@laurel/contract/ids'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { Why } from '../ledger/books.ts'
import { bookTakes, burnOrder, credit, hasEnded, takeFrom, walletOf } from '../ledger/ledger.rules.ts'
import { giveBack } from '../ledger/refunds.rules.ts'
import type { TakenOf } from '../ledger/taken.sql.ts'
import { debtOf, type Forgiven } from '../ledger/wallets.rules.ts'
import { FORGIVEN_MAX, MADE_GOOD, makeGood, SET_RIGHT } from '../ledger/written-off.rules.ts'
import type { Merge } from '../members/merges.sql.ts'
import type { Facts } from './asks.ts'
import type { Opened } from './books.ts'
import { MovedError } from './faults.ts'
import { isOf } from './merge-slices.ts'
import type { Slices } from './slices.ts'

/** One of two whom a merge had made one: who lived on, or the other. */
export type Side = 'one' | 'other'

/** What a return of one side's purchases took of the other side's points. */
export type Across = { of: Side; took: TakenOf }

/**
 * What returns took of the wrong one while two were one, that one has again, in the very lots: what is the other's goes home from there, and
 * pays nothing of the one's. `takeAgain` takes it of the one whose purchases came back: else one would be short of points that the other,
 * once its spends are refunded, had for nothing.
 */
export function giveAgain(
  sides: Record<Side, Opened>,
  across: readonly Across[],
  undone: Merge,
  facts: Facts,
): Refusal | undefined {
  for (const { of, took } of across) {
    const whose = sides[of === 'one' ? 'other' : 'one']
    const { walletId, took: points, activatesAt, expiresAt, source, by } = took
    const why = { ...whyOf(took, facts), kind: 'restore' } as const
    const when = { at: facts.now, now: facts.now }
    const since = ([of]: Forgiven) => of >= by
    if (took.member === undone.member) {
      const { books } = sides.one
      const lot = books.lots.find(({ seq }) => seq === took.lotSeq)
      if (!lot) throw new MovedError(`lot ${took.lotSeq}, from which a return took, was not read`)
      giveBack(books, walletId, [{ lot, points }], { ...why, source: by, occurredAt: facts.now }, () => of === 'other')
      if (of === 'other' && !hasEnded(lot, facts.now))
        makeGood(books, walletOf(books.state, walletId), [lot], when, since)
      continue
    }
    const rule = took.ruleVersionId === null ? {} : { ruleVersionId: took.ruleVersionId }
    const said = { ...why, ...rule, source, occurredAt: took.occurredAt }
    const no = credit(whose.books, walletId, points, said, { activatesAt, expiresAt })
    if (no) return no
    makeGood(whose.books, walletOf(whose.books.state, walletId), whose.books.lots.slice(-1), when, since)
  }
  return undefined
}

/** What is not there and may not be owed is written off, to be made good by what comes back of what was spent before. */
export function takeAgain(sides: Record<Side, Opened>, across: readonly Across[], facts: Facts): void {
  for (const { of, took } of across) {
    const { books } = sides[of === 'one' ? 'other' : 'one']
    const came = books.lots.filter((lot) => lot.source === took.source && lot.bookedAt === facts.now)
    const live = came.filter((lot) => lot.walletId === took.walletId && !hasEnded(lot, facts.now))
    const when = { at: facts.now, now: facts.now }
    makeGood(books, walletOf(books.state, took.walletId), live, when, ([of]) => of >= took.by)
  }
  for (const { of, took } of across) takeOf(sides[of], took, facts)
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

/** Less what was given back since. */
export function takenAcross(slices: Slices, undone: Merge): Across[] | Refusal {
  const across: Across[] = []
  for (const took of slices.together?.taken ?? []) {
    const from = sideOfLot(slices, undone, took.member, took)
    const of = from && sideOfReturn(slices, undone, took)
    if (of === 'unclear') return refusal('merge_over', 'a return took for purchases of both at once: adjust instead')
    if (!from || !of || from === of) continue
    if (took.took > 0) across.push({ of, took: { ...took } })
    let back = Math.max(0, -took.took)
    for (const one of across.toReversed()) {
      if (back === 0 || one.of !== of || one.took.member !== took.member || one.took.lotSeq !== took.lotSeq) continue
      const less = Math.min(back, one.took.took)
      one.took.took -= less
      back -= less
    }
  }
  return across.filter(({ took }) => took.took > 0)
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
