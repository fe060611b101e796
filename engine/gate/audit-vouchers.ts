import { encodeId, type Uuid } from '@laurel/contract/ids'
import { codeKeys } from '../base/codes.ts'
import type { Db } from '../base/db.ts'
import { NOBODY } from '../base/names.ts'
import { type Counted, findStray, pageCounted, pageRedemptions } from '../vouchers/audit.sql.ts'
import { sum } from '../vouchers/discount.rules.ts'
import type { Terms, VoucherRedemption } from '../vouchers/vouchers.rules.ts'
import { voucherRedemptionKey } from './names.ts'

const AT_ONCE = 500

/**
 * All vouchers of a space against their uses, and all redemptions against what they say: how often each was used and what is left of it,
 * what went back, that sums are exact, and that codes and external ids lead to them. The first thing that is wrong.
 */
export async function auditAllVouchers(db: Db): Promise<string | undefined> {
  return (
    (await findStray(db)) ?? // first, since a redemption is not to be read without its uses
    (await everyPage((after) => pageCounted(db, after, AT_ONCE), auditVoucher)) ??
    (await everyPage((after) => pageRedemptions(db, after, AT_ONCE), auditVoucherRedemption))
  )
}

async function everyPage<T extends { key: Uuid }>(
  page: (after: Uuid) => Promise<T[]>,
  audit: (row: T) => string | undefined,
): Promise<string | undefined> {
  for (let after: Uuid = NOBODY; ; ) {
    const rows = await page(after)
    for (const row of rows) {
      const what = audit(row)
      if (what) return what
    }
    if (rows.length < AT_ONCE) return undefined
    after = rows.at(-1)?.key ?? after
  }
}

/** What is wrong with a voucher, or nothing. */
export function auditVoucher(voucher: Counted): string | undefined {
  const wrong = (what: string) => `voucher ${encodeId('vch', voucher.id)}: ${what}`
  if (!codeKeys(voucher.code).includes(voucher.key)) return wrong('its code does not lead to it')
  if (voucher.used !== voucher.counted)
    return wrong(`it says ${voucher.used} uses, and ${voucher.counted} were not rolled back`)
  if (giftOf(voucher.terms) !== voucher.initial) return wrong('what it gives is not what it began with')
  if (voucher.spent !== null && voucher.spent !== voucher.taken)
    return wrong(`${voucher.spent} are gone from its balance, and ${voucher.taken} were taken`)
  return undefined
}

/** What a gift card began with; null for any other voucher, undefined for what is none. */
function giftOf(terms: string): number | null | undefined {
  try {
    const { value } = JSON.parse(terms) as Terms
    return value.kind === 'gift' ? value.balance : null
  } catch {
    return undefined
  }
}

/** What is wrong with a redemption, or nothing. */
export function auditVoucherRedemption(redemption: VoucherRedemption): string | undefined {
  const { parts, lines, rollBacks, total, discount, gift } = redemption
  const wrong = (what: string) => `redemption ${encodeId('vrd', redemption.id)}: ${what}`
  if (redemption.key !== voucherRedemptionKey(redemption.externalId))
    return wrong('its external id does not lead to it')
  if (redemption.version !== 1 + rollBacks.length)
    return wrong('it was changed more or less often than it was rolled back')
  const said = [
    sum(lines.map((one) => one.amount)),
    sum(lines.map((one) => one.discount)),
    sum(lines.map((one) => one.gift)),
  ]
  if (said.join() !== [total, discount, gift].join()) return wrong('its lines do not add up to its totals')
  const gifts = sum(parts.filter((part) => part.kind === 'gift').map((part) => part.amount))
  if (gifts !== gift || sum(parts.map((part) => part.amount)) !== discount + gift)
    return wrong('what its vouchers took does not add up to its totals')
  for (const part of parts) {
    if (sum(part.lines.map(([, off]) => off)) !== part.amount)
      return wrong(`what "${part.code}" took does not add up over its lines`)
    const back = sum(rollBacks.flatMap((one) => one.parts.flatMap(([key, n]) => (key === part.key ? [n] : []))))
    if (back !== part.givenBack)
      return wrong(`${part.givenBack} of "${part.code}" were given back, and its roll-backs say ${back}`)
  }
  return undefined
}
