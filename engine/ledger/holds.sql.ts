import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { instants, int2s, int4s, texts, unnested, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement } from '../base/db.ts'
import { type Digested, isAltered, microseconds, rowDigest } from '../base/row-digests.ts'
import { type Captured, type Hold, HOLD_STATUS, type HoldPart } from './books.ts'

type HoldRow = Omit<Hold, 'parts' | 'captured'> & { parts: string; captured: string | null }

const HOLD_COLUMNS = `h.member_id as member, h.hold_id as id, h.program_id as "programId", h.status, h.deadline,
  h.placed_at as "placedAt", h.settled_at as "settledAt", h.digest, h.reason, h.external_id as "externalId", h.parts, h.captured`

function toHold(row: HoldRow): Hold {
  return {
    ...row,
    parts: JSON.parse(row.parts) as HoldPart[],
    captured: row.captured === null ? null : (JSON.parse(row.captured) as Captured[]),
  }
}

/** Open holds of the members, those past their deadline included. */
export async function loadOpenHolds(db: Db, members: readonly Uuid[]): Promise<Hold[]> {
  if (members.length === 0) return []
  const rows = await db.query<HoldRow>(
    `select ${HOLD_COLUMNS} from holds h
      where h.member_id = any ($1::uuid[]) and h.space_id = $2 and h.status = ${HOLD_STATUS.open} order by h.hold_id`,
    [uuids(members, (m) => m), db.space],
    'holds-open',
  )
  return rows.map(toHold)
}

/** These holds, whatever became of them. */
export async function loadHolds(db: Db, keys: readonly { member: Uuid; id: Uuid }[]): Promise<Hold[]> {
  if (keys.length === 0) return []
  const rows = await db.query<HoldRow>(
    `select ${HOLD_COLUMNS} from unnest($1::uuid[], $2::uuid[]) as k(member_id, hold_id)
       join holds h using (member_id, hold_id) where h.space_id = $3`,
    [uuids(keys, (k) => k.member), uuids(keys, (k) => k.id), db.space],
    'holds-load',
  )
  return rows.map(toHold)
}

/** A member's holds, newest first. `status`: those that are in it now, one past its deadline having lapsed. */
export async function loadHoldsPage(
  db: Db,
  member: Uuid,
  page: { before: Uuid; limit: number; status: Hold['status'] | null; now: Instant },
): Promise<Hold[]> {
  const rows = await db.query<HoldRow>(
    `select ${HOLD_COLUMNS} from holds h
      where h.member_id = $1 and h.space_id = $2 and h.hold_id < $3 and
            ($4::int is null or case when h.status = ${HOLD_STATUS.open} and h.deadline <= $5 then ${HOLD_STATUS.lapsed} else h.status end = $4)
      order by h.hold_id desc limit $6`,
    [member, db.space, page.before, page.status, formatInstant(page.now), page.limit],
    'holds-page',
  )
  return rows.map(toHold)
}

/** All holds of some members: for verify. */
export async function loadHoldsOf(db: Db, members: readonly Uuid[]): Promise<Hold[]> {
  if (members.length === 0) return []
  const rows = await db.query<HoldRow>(
    `select ${HOLD_COLUMNS} from holds h where h.member_id = any ($1::uuid[]) and h.space_id = $2 order by h.hold_id`,
    [uuids(members, (m) => m), db.space],
    'holds-of-members',
  )
  return rows.map(toHold)
}

/** What a row says, in the order of its digest. */
const HOLD: Digested<Hold> = {
  table: 'holds',
  columns: [
    ['member_id', (r) => r.member],
    ['hold_id', (r) => r.id],
    ['program_id', (r) => r.programId],
    ['status', (r) => r.status],
    [microseconds('deadline'), (r) => r.deadline],
    [microseconds('placed_at'), (r) => r.placedAt],
    [microseconds('settled_at'), (r) => r.settledAt],
    ['digest', (r) => r.digest],
    ['reason', (r) => r.reason],
    ['external_id', (r) => r.externalId],
    ['parts', (r) => JSON.stringify(r.parts)],
    ['captured', (r) => r.captured && JSON.stringify(r.captured)],
  ],
}

/** Holds of the members that were not written as they are: for verify. */
export async function alteredHolds(db: Db, members: readonly Uuid[]): Promise<{ member: Uuid; id: Uuid }[]> {
  return await db.query(
    `select member_id as member, hold_id as id from holds
      where member_id = any ($1::uuid[]) and space_id = $2 and ${isAltered(HOLD)} order by hold_id limit 1`,
    [uuids(members, (m) => m), db.space],
  )
}

/** Places new holds, and settles those that were placed before. Guarded by their members' states. */
export function saveHolds(space: number, rows: readonly Hold[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into holds (space_id, member_id, hold_id, program_id, status, deadline, placed_at, settled_at, digest, reason,
                        external_id, parts, captured, row_digest)
     select $1, ${unnested('uuid uuid int smallint timestamptz timestamptz timestamptz uuid text text text text uuid')}
     on conflict (member_id, hold_id) do update
       set status = excluded.status, settled_at = excluded.settled_at, captured = excluded.captured, row_digest = excluded.row_digest`,
    [
      space,
      uuids(rows, (r) => r.member),
      uuids(rows, (r) => r.id),
      int4s(rows, (r) => r.programId),
      int2s(rows, (r) => r.status),
      instants(rows, (r) => r.deadline),
      instants(rows, (r) => r.placedAt),
      instants(rows, (r): Instant | null => r.settledAt),
      uuids(rows, (r) => r.digest),
      texts(rows, (r) => r.reason),
      texts(rows, (r) => r.externalId),
      texts(rows, (r) => JSON.stringify(r.parts)),
      texts(rows, (r) => r.captured && JSON.stringify(r.captured)),
      uuids(rows, (r) => rowDigest(HOLD, space, r)),
    ],
    'holds-save',
  )
}
