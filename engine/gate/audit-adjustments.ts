import { encodeId, type Uuid } from '@laurel/contract/ids'
import { STATUS } from '../adjustments/adjustments.rules.ts'
import type { Db } from '../base/db.ts'
import { ACCOUNTS } from '../ledger/accounts.ts'

/**
 * All adjustments of a space against the entries that they made: one that was booked or approved has exactly what was asked for,
 * one that waits or was rejected has nothing. The first that is wrong.
 */
export async function auditAllAdjustments(db: Db): Promise<string | undefined> {
  const [booked] = await db.query<{ id: Uuid }>(
    `select a.adjustment_id as id from adjustments a
       left join entries e on e.member_id = a.entry_member and e.seq = a.entry_seq and e.space_id = a.space_id
      where a.space_id = $1 and a.status in (${STATUS.booked}, ${STATUS.approved})
        and (e.source_id, e.wallet_id, e.reason, case when e.to_account = ${ACCOUNTS.member} then e.points else -e.points end)
            is distinct from (a.adjustment_id, a.wallet_id, a.reason, a.points::bigint)
      limit 1`,
    [db.space],
  )
  if (booked) return `adjustment ${encodeId('adj', booked.id)}: its entry is not what was asked for`
  const [early] = await db.query<{ id: Uuid }>(
    `select a.adjustment_id as id from adjustments a
      where a.space_id = $1 and a.status in (${STATUS.waiting}, ${STATUS.rejected})
        and exists (select from entries e where e.member_id = a.member_id and e.source_id = a.adjustment_id)
      limit 1`,
    [db.space],
  )
  return early && `adjustment ${encodeId('adj', early.id)}: it was booked, but nobody approved it`
}
