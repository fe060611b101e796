import type { Uuid } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'
import type { StoredChange } from './tiers.ts'

/** Changes before that number, newest first. */
export function loadHistoryPage(
  db: Db,
  { member, ladderId }: { member: Uuid; ladderId: number },
  before: number,
  limit: number,
): Promise<StoredChange[]> {
  return db.query<StoredChange>(
    `select member_id as member, ladder_id as "ladderId", seq, from_tier as "from", to_tier as "to", at, booked_at as "bookedAt",
            until, why, reason, actor as by
       from tier_history where space_id = $1 and member_id = $2 and ladder_id = $3 and seq < $4 order by seq desc limit $5`,
    [db.space, member, ladderId, before, limit],
    'tiers-history-page',
  )
}
