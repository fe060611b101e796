import { decodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { RedemptionStatus, RedemptionView } from '@laurel/contract/redemptions'
import { Refused } from '@laurel/contract/refusals'
import { codeKeys } from '../base/codes.ts'
import { uuids } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import { type Configurations, program } from '../earning/configuration.ts'
import { madeCodeKey, poolCodeKey } from '../gate/redemption-slices.ts'
import { redemptionIdKey, redemptionView } from '../gate/redemptions.ts'
import { existingMember } from '../members/members.ts'
import { loadFamily } from '../members/merges.sql.ts'
import { STATUS } from '../redemptions/redemptions.rules.ts'
import { loadRedemptions, loadRedemptionsPage } from '../redemptions/redemptions.sql.ts'
import { currentConfiguration } from './current.ts'

/** A redemption, named by its id or its code, as it is now. Refusals: redemption_unknown. */
export async function getRedemption(db: Db, known: Configurations, ref: string, now: Instant): Promise<RedemptionView> {
  const { member, redemption } = await whoseRedemption(db, ref)
  const [configuration, [found]] = await Promise.all([
    currentConfiguration(db, known),
    loadRedemptions(db, [{ member, id: redemption }]),
  ])
  if (!found) throw new Refused('redemption_unknown', `there is no redemption "${ref}"`)
  return redemptionView(configuration, found, now)
}

/**
 * The member who made it: its id (rdm_…) leads there by name, and so does its code (code:…, as somebody types it); one that was handed out
 * again leads to the last. Refusals: redemption_unknown.
 */
export async function whoseRedemption(db: Db, ref: string): Promise<{ member: Uuid; redemption: Uuid }> {
  const id = decodeId('rdm', ref)
  const keys = ref.startsWith('code:')
    ? await namesOfCode(db, ref.slice(5))
    : id === undefined
      ? []
      : [redemptionIdKey(id)]
  const [row] =
    keys.length === 0
      ? []
      : await db.query<{ member: Uuid; redemption: Uuid }>(
          `select n.member_id as member, n.object_id as redemption
             from unnest($2::uuid[]) with ordinality as k(key, place) join lookups n using (key)
            where n.space_id = $1 order by k.place limit 1`,
          [db.space, uuids(keys, (key) => key)],
          'redemption-named',
        )
  if (!row) throw new Refused('redemption_unknown', `there is no redemption "${ref}"`)
  return row
}

/** A code that was made leads to its redemption by itself, one of a pool by its number there. */
async function namesOfCode(db: Db, code: string): Promise<Uuid[]> {
  const keys = codeKeys(code)
  const rows = await db.query<{ poolId: number; seq: number }>(
    `select c.pool_id as "poolId", c.seq from pool_codes c join code_pools p using (pool_id)
      where c.space_id = $1 and c.key = any ($2::uuid[]) and c.seq <= p.next order by c.seq desc limit 1`,
    [db.space, uuids(keys, (key) => key)],
    'redemption-pool-codes',
  )
  return [...rows.map(({ poolId, seq }) => poolCodeKey(poolId, seq)), ...keys.map(madeCodeKey)]
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
  return pageOf(
    rows,
    page.limit,
    (row) => redemptionView(configuration, row, now),
    (redemption) => redemption.id,
  )
}

/** Where a list begins: no UUID of ours is as late. */
const LAST_ID: Uuid = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
