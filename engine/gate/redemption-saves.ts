import type { Uuid } from '@laurel/contract/ids'
import type { Statement } from '../base/db.ts'
import { takeCodes } from '../codes/pools.sql.ts'
import type { Redemption } from '../redemptions/redemptions.rules.ts'
import { saveRedemptions } from '../redemptions/redemptions.sql.ts'
import { addStock, takeStock } from '../rewards/stock.sql.ts'
import { addPools, type RedemptionChanges } from './redemption-slices.ts'

/** What a list takes of what members share, or gives back: stock, and codes of pools. `unguarded` is for the tests' control. */
export function takeShared(space: number, changes: readonly RedemptionChanges[], unguarded: boolean): Statement[] {
  const stock = addStock(changes.flatMap((change) => change.stock)).filter(({ times }) => times !== 0)
  const codes = addPools(changes.flatMap((change) => change.codes))
  return [...takeStock(space, stock, unguarded), ...takeCodes(space, codes, unguarded)]
}

/** Redemptions as the list leaves them. */
export function saveRedeemed(space: number, changes: readonly RedemptionChanges[]): Statement[] {
  const rows = new Map<Uuid, Redemption>(changes.map(({ one }) => [one.id, one]))
  return saveRedemptions(
    space,
    [...rows.values()].sort((a, b) => (a.member + a.id < b.member + b.id ? -1 : 1)),
  )
}
