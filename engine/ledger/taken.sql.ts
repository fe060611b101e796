import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { uuids } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import { KINDS } from './accounts.ts'

/** What an entry of a return took from a lot (negative: gave back), and the lot, by what it says of itself. */
export type TakenOf = {
  member: Uuid
  seq: number
  walletId: number
  /** the return, and what the entry took in all */
  by: Uuid
  points: number
  reason: string | null
  lotSeq: number
  took: number
  /** of the lot */
  source: Uuid
  occurredAt: Instant
  activatesAt: Instant
  expiresAt: Instant | null
  ruleVersionId: number | null
}

/** What returns took in the books of the members since an instant, and what was paid since of what they left owing, oldest entries first. */
export async function loadTakenSince(db: Db, members: readonly Uuid[], since: Instant): Promise<TakenOf[]> {
  return await db.query<TakenOf>(
    `select e.member_id as member, e.seq, e.wallet_id as "walletId", e.source_id as by, e.points, e.reason,
            u.lot_seq as "lotSeq", sum(u.points)::bigint as took, l.source_id as source, l.occurred_at as "occurredAt",
            l.activates_at as "activatesAt", l.expires_at as "expiresAt", l.rule_version_id as "ruleVersionId"
       from entries e
       join lot_uses u on u.member_id = e.member_id and u.seq = e.seq
       join entries l on l.member_id = u.member_id and l.seq = u.lot_seq
      where e.space_id = $2 and e.member_id = any ($1::uuid[])
        and e.kind in (${KINDS.reverse.code}, ${KINDS.restore.code}) and greatest(e.booked_at, l.booked_at) >= $3
      group by e.member_id, e.seq, e.wallet_id, e.source_id, e.points, e.reason, u.lot_seq, l.source_id, l.occurred_at,
               l.activates_at, l.expires_at, l.rule_version_id
      order by e.member_id, e.seq, u.lot_seq`,
    [uuids(members, (m) => m), db.space, formatInstant(since)],
    'taken-since',
  )
}

/** What was given back to members since an instant and went on to another: of which source. */
export type GoneOn = { member: Uuid; walletId: number; source: Uuid }

export async function loadGoneOnSince(db: Db, members: readonly Uuid[], since: Instant): Promise<GoneOn[]> {
  return await db.query<GoneOn>(
    `select e.member_id as member, e.wallet_id as "walletId", l.source_id as source
       from entries e
       join entries r on r.member_id = e.member_id and r.source_id = e.source_id and r.kind = ${KINDS.refund.code}
        and r.wallet_id = e.wallet_id
       join lot_uses u on u.member_id = e.member_id and u.seq = e.seq
       join entries l on l.member_id = u.member_id and l.seq = u.lot_seq
      where e.space_id = $2 and e.member_id = any ($1::uuid[]) and e.kind = ${KINDS.mergeOut.code} and e.booked_at >= $3
      order by e.member_id, e.seq, u.lot_seq`,
    [uuids(members, (m) => m), db.space, formatInstant(since)],
    'gone-on-since',
  )
}
