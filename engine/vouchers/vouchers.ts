import { decodeId } from '@laurel/contract/ids'
import { Refused } from '@laurel/contract/refusals'
import { codeKeys } from '../base/codes.ts'
import type { Db } from '../base/db.ts'
import type { Voucher } from './vouchers.rules.ts'
import { loadVouchers, voucherById } from './vouchers.sql.ts'

const CODE = 'code:'

/** A voucher by its id (`vch_…`) or its code (`code:…`). Refusals: voucher_unknown. */
export async function voucherNamed(db: Db, ref: string): Promise<Voucher> {
  const unknown = new Refused('voucher_unknown', `there is no voucher "${ref}"`)
  if (ref.startsWith(CODE)) {
    const keys = codeKeys(ref.slice(CODE.length))
    const found = await loadVouchers(db, keys)
    const voucher = keys.map((key) => found.find((one) => one.key === key)).find((one) => one !== undefined)
    if (!voucher) throw unknown
    return voucher
  }
  const id = decodeId('vch', ref)
  const voucher = id && (await voucherById(db, id))
  if (!voucher) throw unknown
  return voucher
}
