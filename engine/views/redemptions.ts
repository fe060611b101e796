import { redemptionIdKey, madeCodeKey } from '../gate/names.ts'
import { decodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { RedemptionStatus, RedemptionView } from '@laurel/contract/redemptions'
import { Refused } from '@laurel/contract/refusals'
import { codeKeys } from '../base/codes.ts'
import { uuids } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import { type Configurations, program } from '../earning/configuration.ts'

import { redemptionView } from '../gate/redemptions.ts'
import { existingMember } from '../members/members.ts'
import { loadFamily } from '../members/merges.sql.ts'
import { type Redemption, STATUS } from '../redemptions/redemptions.rules.ts'
import { loadRedemptions, loadRedemptionsPage } from '../redemptions/redemptions.sql.ts'
import type { Voucher } from '../vouchers/vouchers.rules.ts'
import { loadVouchers } from '../vouchers/vouchers.sql.ts'
import { currentConfiguration } from './current.ts'

/** A redemption, named by its id or its code, as it is now. Refusals: redemption_unknown. */
export async function getRedemption(db: Db, known: Configurations, ref: string, now: Instant): Promise<RedemptionView> {
  const { member, redemption } = await whoseRedemption(db, ref)
  const [configuration, [found]] = await Promise.all([
    currentConfiguration(db, known),
    loadRedemptions(db, [{ member, id: redemption }]),
  ])
  if (!found) throw new Refused('redemption_unknown', `there is no redemption "${ref}"`)
  const [voucher] = await vouchersOf(db, [found])
  return redemptionView(configuration, found, now, voucher)
}

/**
 * The member who made it: its id (rdm_…) leads there by name, and so does its code (code:…, as somebody types it); one that was handed out
 * again leads to the last. Refusals: redemption_unknown.
 */
export async function whoseRedemption(db: Db, ref: string): Promise<{ member: Uuid; redemption: Uuid }> {
  const id = decodeId('rdm', ref)
  const keys = id === undefined ? (ref.startsWith('code:') ? codeKeys(ref.slice(5)) : []) : []
  const found =
    (await named(db, id === undefined ? keys.map(madeCodeKey) : [redemptionIdKey(id)])) ?? (await ofPool(db, keys))
  if (!found) throw new Refused('redemption_unknown', `there is no redemption "${ref}"`)
  return found
}

type Whose = { member: Uuid; redemption: Uuid }

async function named(db: Db, keys: readonly Uuid[]): Promise<Whose | undefined> {
  if (keys.length === 0) return undefined
  const [row] = await db.query<Whose>(
    `select member_id as member, object_id as redemption from lookups where space_id = $1 and key = any ($2::uuid[])
      order by array_position($2::uuid[], key) limit 1`,
    [db.space, uuids(keys, (key) => key)],
    'redemption-named',
  )
  return row
}

/** Who has a code of a pool now, or had it last; by the first of the keys that leads to somebody. */
async function ofPool(db: Db, keys: readonly Uuid[]): Promise<Whose | undefined> {
  if (keys.length === 0) return undefined
  const [row] = await db.query<Whose>(
    `select r.member_id as member, r.redemption_id as redemption
       from pool_codes c join redemptions r on r.pool_id = c.pool_id and r.code = c.code and r.space_id = $1
      where c.space_id = $1 and c.key = any ($2::uuid[]) and not c.again
      order by array_position($2::uuid[], c.key), r.redemption_id desc limit 1`,
    [db.space, uuids(keys, (key) => key)],
    'redemption-of-pool',
  )
  return row
}

/**
 * What a member redeemed, with those of whoever was merged into it, newest first.
 * Refusals: member_unknown, program_unknown, invalid_cursor.
 */
export async function listRedemptions(
  db: Db,
  known: Configurations,
  member: string,
  filter: { program?: string | undefined; status?: RedemptionStatus | undefined },
  page: PageAsk,
  now: Instant,
): Promise<Page<RedemptionView>> {
  const [configuration, id] = await Promise.all([currentConfiguration(db, known), existingMember(db, member)])
  const ours = filter.program === undefined ? undefined : program(configuration, filter.program)
  if (filter.program !== undefined && !ours)
    throw new Refused('program_unknown', `there is no program "${filter.program}"`)
  const before = page.after === undefined ? LAST_ID : decodeId('rdm', page.after)
  if (before === undefined) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of redemptions')
  const rows = await loadRedemptionsPage(db, await loadFamily(db, id), {
    before,
    limit: page.limit + 1,
    programId: ours?.programId ?? null,
    status: filter.status === undefined ? null : STATUS[filter.status],
    now,
  })
  const vouchers = new Map((await vouchersOf(db, rows)).map((voucher) => [voucher.source, voucher]))
  return pageOf(
    rows,
    page.limit,
    (row) => redemptionView(configuration, row, now, vouchers.get(row.id)),
    (redemption) => redemption.id,
  )
}

/** Of those that have one; of one that was cancelled, its code may be another's by now. */
async function vouchersOf(db: Db, rows: readonly Redemption[]): Promise<Voucher[]> {
  const keys = rows.flatMap(({ said }) => (said.voucher === undefined ? [] : [said.voucher]))
  const found = keys.length === 0 ? [] : await loadVouchers(db, keys)
  return found.filter(({ source }) => rows.some(({ id }) => id === source))
}

/** Where a list begins: no UUID of ours is as late. */
const LAST_ID: Uuid = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
