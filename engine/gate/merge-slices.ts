import type { Uuid } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'
import { loadStates } from '../ledger/states.sql.ts'
import { loadElders, loadHeirs, type Merge } from '../members/merges.sql.ts'
import { loadPurchases, loadReturns, loadReturnsSince } from '../purchases/purchases.sql.ts'
import type { FurtherNeeds, Slices } from './slices.ts'

/**
 * What a merge that is to be undone needs, once it is known: what paid the debts that came along, the lots that paid what was owed, and
 * what was returned since, of whosever purchases.
 */
export async function loadUndoing(db: Db, needs: FurtherNeeds, slices: Slices): Promise<void> {
  const merge = needUndoing(slices, needs)
  if (!merge) return
  const [elders, heirs, since] = await Promise.all([
    loadElders(db, [merge.member]),
    loadHeirs(db, [merge.member]),
    loadReturnsSince(db, merge.member, merge.mergedAt),
  ])
  const sources = writtenOffBy(slices, merge)
  const keys = heirs.flatMap(({ heir }) => sources.map((id) => ({ member: heir, id })))
  const returns = [...since, ...(keys.length === 0 ? [] : await loadReturns(db, keys))]
  for (const one of returns) slices.returns.set(one.id, one)
  const touched = [...new Set(returns.flatMap((one) => one.taken.map(({ purchase }) => purchase)))]
  if (touched.length === 0) return
  const family = [...new Set(elders.map(({ elder }) => elder))]
  const [states, purchases] = await Promise.all([
    loadStates(db, family),
    loadPurchases(
      db,
      [merge.member, ...family].flatMap((member) => touched.map((id) => ({ member, id }))),
    ),
  ])
  for (const state of states) if (!slices.states.has(state.member)) slices.states.set(state.member, state)
  for (const purchase of purchases) slices.purchases.set(purchase.id, purchase)
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
