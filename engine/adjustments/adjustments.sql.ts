import type { Uuid } from '@laurel/contract/ids'
import { instants, int2s, int4s, int8s, texts, unnested, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement } from '../base/db.ts'
import { type Digested, isAltered, microseconds, rowDigest } from '../base/row-digests.ts'
import { type Adjustment, STATUS, type Status } from './adjustments.rules.ts'

type Row = Omit<Adjustment, 'entry'> & { entryMember: Uuid | null; entrySeq: number | null }

const COLUMNS = `adjustment_id as id, member_id as member, wallet_id as "walletId", points, reason, code, status,
  requested_at as "requestedAt", requested_by as "requestedBy", decided_at as "decidedAt", decided_by as "decidedBy", decision,
  entry_member as "entryMember", entry_seq as "entrySeq"`

function toAdjustment({ entryMember, entrySeq, ...row }: Row): Adjustment {
  return { ...row, entry: entryMember === null || entrySeq === null ? null : { member: entryMember, seq: entrySeq } }
}

export async function loadAdjustments(db: Db, ids: readonly Uuid[]): Promise<Adjustment[]> {
  if (ids.length === 0) return []
  const rows = await db.query<Row>(
    `select ${COLUMNS} from adjustments where space_id = $1 and adjustment_id = any ($2::uuid[])`,
    [db.space, uuids(ids, (id) => id)],
    'adjustments-load',
  )
  return rows.map(toAdjustment)
}

/** Newest first, before `before`; of one status or one member where that is told. */
export async function listAdjustments(
  db: Db,
  before: Uuid,
  filter: { status: Status | null; member: Uuid | null },
  limit: number,
): Promise<Adjustment[]> {
  const rows = await db.query<Row>(
    `select ${COLUMNS} from adjustments
      where space_id = $1 and adjustment_id < $2 and ($3::smallint is null or status = $3) and ($4::uuid is null or member_id = $4)
      order by adjustment_id desc limit $5`,
    [db.space, before, filter.status, filter.member, limit],
  )
  return rows.map(toAdjustment)
}

/** What a list makes of adjustments: new ones, and those that waited and were decided. */
export function saveAdjustments(space: number, rows: readonly AdjustmentChange[], unguarded = false): Statement[] {
  const made = rows.filter(({ isNew }) => isNew).map(({ adjustment }) => adjustment)
  const decided = rows.filter(({ isNew }) => !isNew).map(({ adjustment }) => adjustment)
  return [...insert(space, made), ...decide(space, decided, unguarded)]
}

/** What a row says, in the order of its digest. */
const ADJUSTMENT: Digested<Adjustment> = {
  table: 'adjustments',
  columns: [
    ['member_id', (r) => r.member],
    ['adjustment_id', (r) => r.id],
    ['wallet_id', (r) => r.walletId],
    ['points', (r) => r.points],
    ['reason', (r) => r.reason],
    ['code', (r) => r.code],
    ['status', (r) => r.status],
    [microseconds('requested_at'), (r) => r.requestedAt],
    ['requested_by', (r) => r.requestedBy],
    [microseconds('decided_at'), (r) => r.decidedAt],
    ['decided_by', (r) => r.decidedBy],
    ['decision', (r) => r.decision],
    ['entry_member', (r) => r.entry?.member],
    ['entry_seq', (r) => r.entry?.seq],
  ],
}

/** One that was not written as it is: for verify. */
export async function alteredAdjustment(db: Db): Promise<Uuid | undefined> {
  const [row] = await db.query<{ id: Uuid }>(
    `select adjustment_id as id from adjustments where space_id = $1 and ${isAltered(ADJUSTMENT)} order by adjustment_id limit 1`,
    [db.space],
  )
  return row?.id
}

export type AdjustmentChange = { adjustment: Adjustment; isNew: boolean }

function insert(space: number, rows: readonly Adjustment[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into adjustments (space_id, member_id, adjustment_id, wallet_id, points, reason, code, status, requested_at,
                              requested_by, entry_member, entry_seq, row_digest)
     select $1, ${unnested('uuid uuid int bigint text text smallint timestamptz uuid uuid int uuid')}`,
    [
      space,
      uuids(rows, (r) => r.member),
      uuids(rows, (r) => r.id),
      int4s(rows, (r) => r.walletId),
      int8s(rows, (r) => r.points),
      texts(rows, (r) => r.reason),
      texts(rows, (r) => r.code),
      int2s(rows, (r) => r.status),
      instants(rows, (r) => r.requestedAt),
      uuids(rows, (r) => r.requestedBy),
      uuids(rows, (r) => r.entry?.member),
      int4s(rows, (r) => r.entry?.seq),
      uuids(rows, (r) => rowDigest(ADJUSTMENT, space, r)),
    ],
    'adjustments-insert',
  )
}

/**
 * Divides by zero (22012) when one does not wait any more: it was decided since it was read, and the whole list rolls back and
 * is decided again. `unguarded` is for the tests' control.
 */
function decide(space: number, rows: readonly Adjustment[], unguarded: boolean): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `with won as (
       update adjustments a set status = n.status, decided_at = n.decided_at, decided_by = n.decided_by,
              decision = n.decision, entry_member = n.entry_member, entry_seq = n.entry_seq, row_digest = n.row_digest
         from unnest($2::uuid[], $3::smallint[], $4::timestamptz[], $5::uuid[], $6::text[], $7::uuid[], $8::int[],
                $9::uuid[])
           as n(adjustment_id, status, decided_at, decided_by, decision, entry_member, entry_seq, row_digest)
        where a.space_id = $1 and a.adjustment_id = n.adjustment_id and (a.status = ${STATUS.waiting} or $11)
       returning 1
     ) select 1 / (count(*) = $10::int)::int from won`,
    [
      space,
      uuids(rows, (r) => r.id),
      int2s(rows, (r) => r.status),
      instants(rows, (r) => r.decidedAt),
      uuids(rows, (r) => r.decidedBy),
      texts(rows, (r) => r.decision),
      uuids(rows, (r) => r.entry?.member),
      int4s(rows, (r) => r.entry?.seq),
      uuids(rows, (r) => rowDigest(ADJUSTMENT, space, r)),
      rows.length,
      unguarded,
    ],
    'adjustments-decide',
  )
}
