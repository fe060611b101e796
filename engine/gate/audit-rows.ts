import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'
import { alteredCards } from '../cards/cards.sql.ts'
import { alteredCheckouts } from '../checkouts/checkouts.sql.ts'
import { alteredRedemptions } from '../redemptions/redemptions.sql.ts'
import { findAltered } from '../vouchers/audit.sql.ts'

export const NOT_WRITTEN = 'its row is not what was written'

/** Redemptions, cards and checkouts of some members whose digests are of something else. The first. */
export async function auditRows(
  db: Db,
  members: readonly Uuid[],
): Promise<{ member: string; what: string } | undefined> {
  const kinds = [
    ['redemption', 'rdm', alteredRedemptions],
    ['card', 'crd', alteredCards],
    ['checkout', 'chk', alteredCheckouts],
  ] as const
  for (const [kind, prefix, altered] of kinds) {
    const [one] = await altered(db, members)
    if (one) return { member: encodeId('mem', one.member), what: `${kind} ${encodeId(prefix, one.id)}: ${NOT_WRITTEN}` }
  }
  return undefined
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
