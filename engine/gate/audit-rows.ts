import { encodeId, type Uuid } from '@laurel/contract/ids'
import { alteredAdjustment } from '../adjustments/adjustments.sql.ts'
import type { Db } from '../base/db.ts'
import { alteredCards } from '../cards/cards.sql.ts'
import { alteredCheckouts } from '../checkouts/checkouts.sql.ts'
import { alteredPool } from '../codes/configured.sql.ts'
import { alteredHolds } from '../ledger/holds.sql.ts'
import { alteredMerges } from '../members/merges.sql.ts'
import { alteredReturns } from '../purchases/purchases.sql.ts'
import { alteredRedemptions } from '../redemptions/redemptions.sql.ts'
import { alteredReward } from '../rewards/rewards.sql.ts'
import { alteredUnclaimed } from '../unclaimed/unclaimed.sql.ts'
import { findAltered } from '../vouchers/audit.sql.ts'

export const NOT_WRITTEN = 'its row is not what was written'

/** What belongs to some members and is changed by verbs, whose digests are of something else. The first. */
export async function auditRows(
  db: Db,
  members: readonly Uuid[],
): Promise<{ member: string; what: string } | undefined> {
  const kinds = [
    ['redemption', 'rdm', alteredRedemptions],
    ['card', 'crd', alteredCards],
    ['checkout', 'chk', alteredCheckouts],
    ['hold', 'hld', alteredHolds],
    ['return', 'ret', alteredReturns],
    ['merge', 'mrg', alteredMerges],
  ] as const
  for (const [kind, prefix, altered] of kinds) {
    const [one] = await altered(db, members)
    if (one) return { member: encodeId('mem', one.member), what: `${kind} ${encodeId(prefix, one.id)}: ${NOT_WRITTEN}` }
  }
  return undefined
}

/** An adjustment or a purchase of nobody whose digest is of something else. */
export async function auditOtherRows(db: Db): Promise<string | undefined> {
  const adjustment = await alteredAdjustment(db)
  if (adjustment) return `adjustment ${encodeId('adj', adjustment)}: ${NOT_WRITTEN}`
  const unclaimed = await alteredUnclaimed(db)
  return unclaimed && `purchase ${encodeId('pur', unclaimed)}: ${NOT_WRITTEN}`
}

/** A reward, a version of one or a pool of codes that was not set up as it is. */
export async function auditConfiguredRows(db: Db): Promise<string | undefined> {
  const reward = await alteredReward(db)
  if (reward) {
    const of = reward.version === null ? '' : `version ${reward.version} of `
    return `${of}reward "${reward.slug}": ${NOT_WRITTEN}`
  }
  const pool = await alteredPool(db)
  return pool && `pool "${pool}": ${NOT_WRITTEN}`
}

/** A voucher, a redemption of some, a use or a lock whose digest is of something else. */
export async function auditVoucherRows(db: Db): Promise<string | undefined> {
  const row = await findAltered(db)
  switch (row?.kind) {
    case 'voucher':
      return `voucher ${encodeId('vch', row.id)}: ${NOT_WRITTEN}`
    case 'redemption':
      return `redemption ${encodeId('vrd', row.id)}: ${NOT_WRITTEN}`
    case 'use':
      return `redemption ${encodeId('vrd', row.id)}: what a voucher took of it is not what was written`
    case 'lock':
      return `lock of voucher ${row.id}: ${NOT_WRITTEN}`
    default:
      return undefined
  }
}
