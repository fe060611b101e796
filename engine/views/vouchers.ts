import { decodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { VoucherAnswer, VoucherRedemptionAnswer } from '@laurel/contract/vouchers'
import { codeKeys } from '../base/codes.ts'
import type { Db } from '../base/db.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import { type Configuration, type Configurations, program, programById } from '../earning/configuration.ts'
import { voucherRedemptionKey } from '../gate/names.ts'
import { voucherAnswer, voucherRedemptionAnswer } from '../gate/voucher-answers.ts'
import { existingMember } from '../members/members.ts'
import { loadElders } from '../members/merges.sql.ts'
import { keyOfVoucherRedemption, loadVoucherRedemptions, pageVoucherRedemptions } from '../vouchers/redemptions.sql.ts'
import type { Voucher, VoucherRedemption } from '../vouchers/vouchers.rules.ts'
import { countLocks, pageVouchers } from '../vouchers/vouchers.sql.ts'
import { voucherNamed } from '../vouchers/vouchers.ts'
import { currentConfiguration } from './current.ts'

const EXTERNAL = 'external:'
/** Where a list begins: no UUID of ours is as late. */
const LAST_ID: Uuid = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** Refusals: voucher_unknown. */
export async function getVoucher(db: Db, known: Configurations, ref: string, now: Instant): Promise<VoucherAnswer> {
  return await shownVoucher(db, known, await voucherNamed(db, ref), now)
}

/** As it is in this transaction. */
export async function shownVoucher(
  db: Db,
  known: Configurations,
  voucher: Voucher,
  now: Instant,
): Promise<VoucherAnswer> {
  const [configuration, locks] = await Promise.all([
    currentConfiguration(db, known),
    countLocks(db, [voucher.key], now),
  ])
  return voucherAnswer(programOf(configuration, voucher), voucher, locks.get(voucher.key) ?? 0, now)
}

/** What is asked of a list of vouchers; `member`: bound to that member, or to who was merged into it. */
export type VoucherFilter = { program?: string | undefined; member?: string | undefined; code?: string | undefined }

/** Newest first. Refusals: program_unknown, member_unknown, invalid_cursor. */
export async function listVouchers(
  db: Db,
  known: Configurations,
  filter: VoucherFilter,
  page: PageAsk,
  now: Instant,
): Promise<Page<VoucherAnswer>> {
  const configuration = await currentConfiguration(db, known)
  const ours = filter.program === undefined ? undefined : program(configuration, filter.program)
  if (filter.program !== undefined && !ours)
    throw new Refused('program_unknown', `there is no program "${filter.program}"`)
  const before = page.after === undefined ? LAST_ID : decodeId('vch', page.after)
  if (before === undefined) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of vouchers')
  const members = filter.member === undefined ? null : await family(db, filter.member)
  const keys = filter.code === undefined ? null : codeKeys(filter.code)
  const rows = await pageVouchers(db, before, { programId: ours?.programId ?? null, members, keys }, page.limit + 1)
  const locks = await countLocks(
    db,
    rows.map(({ key }) => key),
    now,
  )
  return pageOf(
    rows,
    page.limit,
    (row) => voucherAnswer(programOf(configuration, row), row, locks.get(row.key) ?? 0, now),
    ({ id }) => id,
  )
}

async function family(db: Db, ref: string): Promise<Uuid[]> {
  const id = await existingMember(db, ref)
  return [id, ...(await loadElders(db, [id])).map(({ elder }) => elder)]
}

/** The key by which a redemption of vouchers is stored: `vrd_…`, or `external:<its external id>`. Refusals: redemption_unknown. */
export async function voucherRedemptionNamed(db: Db, ref: string): Promise<Uuid> {
  if (ref.startsWith(EXTERNAL)) return voucherRedemptionKey(ref.slice(EXTERNAL.length))
  const id = decodeId('vrd', ref)
  const key = id && (await keyOfVoucherRedemption(db, id))
  if (!key) throw new Refused('redemption_unknown', `there is no redemption of vouchers "${ref}"`)
  return key
}

/** Refusals: redemption_unknown. */
export async function getVoucherRedemption(
  db: Db,
  known: Configurations,
  ref: string,
): Promise<VoucherRedemptionAnswer> {
  const key = await voucherRedemptionNamed(db, ref)
  const [configuration, [found]] = await Promise.all([
    currentConfiguration(db, known),
    loadVoucherRedemptions(db, [key]),
  ])
  if (!found) throw new Refused('redemption_unknown', `there is no redemption of vouchers "${ref}"`)
  return voucherRedemptionAnswer(programOf(configuration, found), found)
}

/** Of one voucher, newest first. Refusals: voucher_unknown, invalid_cursor. */
export async function listVoucherRedemptions(
  db: Db,
  known: Configurations,
  ref: string,
  page: PageAsk,
): Promise<Page<VoucherRedemptionAnswer>> {
  const { key } = await voucherNamed(db, ref)
  const before = page.after === undefined ? LAST_ID : decodeId('vrd', page.after)
  if (before === undefined) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of redemptions')
  const [configuration, rows] = await Promise.all([
    currentConfiguration(db, known),
    pageVoucherRedemptions(db, key, before, page.limit + 1),
  ])
  return pageOf(
    rows,
    page.limit,
    (row) => voucherRedemptionAnswer(programOf(configuration, row), row),
    ({ id }) => id,
  )
}

function programOf(configuration: Configuration, of: Voucher | VoucherRedemption) {
  const ours = programById(configuration, of.programId)
  if (!ours) throw new Error(`program ${of.programId} is not in the configuration`)
  return ours
}
