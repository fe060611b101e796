import type { Uuid } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'
import { loadStates } from '../ledger/states.sql.ts'
import { type GoneOn, loadGoneOnSince, loadTakenSince, type TakenOf } from '../ledger/taken.sql.ts'
import { loadElders, loadEverOne, loadHeirs, loadMergesOf, type Merge } from '../members/merges.sql.ts'
import { loadPurchases, loadReturns, loadReturnsSince } from '../purchases/purchases.sql.ts'
import { ownersOf } from './apart.ts'
import type { FurtherNeeds, Slices } from './slices.ts'

/**
 * What a merge that is to be undone needs, once it is known: what paid the debts that came along, the lots that paid what was owed, and
 * what was returned since, of whosever purchases.
 */
export async function loadUndoing(db: Db, needs: FurtherNeeds, slices: Slices): Promise<void> {
  const merge = needUndoing(slices, needs)
  if (!merge) return
  const { member, other, mergedAt } = merge
  const [elders, heirs, ever, others, since] = await Promise.all([
    loadElders(db, [member]),
    loadHeirs(db, [member]),
    loadEverOne(db, [member]), // what returns wrote off has gone along with any of them
    loadElders(db, [other]),
    loadReturnsSince(db, member, mergedAt),
  ])
  const books = [...new Set([member, ...heirs.map(({ heir }) => heir)])]
  const theirs = [other, ...others.map(({ elder }) => elder)]
  const family = [...new Set(elders.map(({ elder }) => elder))]
  const [states, taken, goneOn, merges] = await Promise.all([
    loadStates(db, family),
    loadTakenSince(db, books, mergedAt),
    loadGoneOnSince(db, theirs, mergedAt),
    loadMergesOf(db, [...books, ...theirs]),
  ])
  for (const one of merges) slices.merges.set(one.id, one)
  for (const state of states) if (!slices.states.has(state.member)) slices.states.set(state.member, state)
  slices.together = togetherOf(slices, merge, taken, goneOn)
  for (const one of taken) if (one.member === member) needs.lotsBySeq.push({ member, seq: one.lotSeq })
  const sources = new Set([...writtenOffBy(slices, merge), ...taken.map(({ by }) => by)])
  const keys = [member, ...ever.map((one) => one.with)].flatMap((of) => [...sources].map((id) => ({ member: of, id })))
  const returns = [...since, ...(keys.length === 0 ? [] : await loadReturns(db, keys))]
  for (const one of returns) slices.returns.set(one.id, one)
  const touched = [...new Set(returns.flatMap((one) => one.taken.map(({ purchase }) => purchase)))]
  if (touched.length === 0) return
  const purchases = await loadPurchases(
    db,
    [merge.member, ...family].flatMap((member) => touched.map((id) => ({ member, id }))),
  )
  for (const purchase of purchases) slices.purchases.set(purchase.id, purchase)
}

/** What happened since two became one: what returns took of whom, and what came along since, as `wallet source`. */
export type Together = { taken: readonly TakenOf[]; came: ReadonlySet<string> }

/** What was given back of what the other had spent before came along later, and is the other's all the same. */
export function togetherOf(
  slices: Slices,
  merge: Merge,
  taken: readonly TakenOf[],
  goneOn: readonly GoneOn[],
): Together {
  const before = [...slices.merges.values()].filter(
    (one) => one.member === merge.member && one.undoneAt !== null && isOf(slices, one.other, merge.other),
  )
  const rows = [merge, ...before].flatMap(({ lots, undone }) => [...lots, ...(undone ?? [])])
  const came = new Set(rows.map(([walletId, , , , source]) => `${walletId} ${source}`))
  const owners = new Map<string, ReturnType<typeof ownersOf>>() // each wallet's once: as much has gone on as came along
  const own = goneOn.filter(({ member, walletId, source }) => {
    const wallet = `${member} ${walletId}`
    const ownerOf = owners.get(wallet) ?? ownersOf(slices, member, walletId)
    owners.set(wallet, ownerOf)
    return ownerOf(source) === undefined
  })
  // what the other had had of the one by an earlier merge the other way round is the one's
  const away = [...slices.merges.values()].filter(
    (one) => one.undoneAt !== null && !isOf(slices, one.other, merge.other),
  )
  const ours = new Set<string>()
  for (const { member, lots } of away)
    if (isOf(slices, member, merge.other)) for (const [w, , , , source] of lots) ours.add(`${w} ${source}`)
  for (const { walletId, source } of own) if (!ours.has(`${walletId} ${source}`)) came.add(`${walletId} ${source}`)
  return { taken, came }
}

/** The merge that is to be undone; says which lots and uses of it are to be read. */
export function needUndoing(slices: Slices, needs: FurtherNeeds): Merge | undefined {
  const { member, other } = needs.undoing ?? {}
  let merge: Merge | undefined
  for (const one of slices.merges.values())
    if (one.member === member && one.other === other && one.undoneAt === null) merge = one
  if (!merge || member === undefined) return undefined
  for (const [, , seq] of merge.debts) if (seq !== undefined) needs.uses.push({ member, seq })
  for (const [, , seq, , , paid = 0] of merge.lots) if (paid > 0) needs.lotsBySeq.push({ member, seq })
  return merge
}

/** The returns that wrote something off, perhaps while the member was yet another. */
export function writtenOffBy(slices: Slices, { member }: Merge): Uuid[] {
  return (slices.states.get(member)?.wallets ?? []).flatMap(({ k }) => k.map(([source]) => source))
}

/** Whether who bought lives on as the other by now, or is the other. */
export function isOf(slices: Slices, buyer: Uuid, other: Uuid): boolean {
  if (buyer === other) return true
  const into = slices.states.get(buyer)?.mergedInto ?? null
  return into !== null && isOf(slices, into, other)
}
