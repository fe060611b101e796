import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { instants, int4s, int8s, texts, unnested, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement, type Tx } from '../base/db.ts'
import { type Digested, isAltered, microseconds, rowDigest } from '../base/row-digests.ts'
import type { Unclaimed, UnclaimedChange } from './unclaimed.rules.ts'

type Row = Omit<Unclaimed, 'returned'> & { returned: string | null }
const COLUMNS = `u.key, u.purchase_id as id, u.version, u.program_id as "programId", u.total, u.occurred_at as "occurredAt",
  u.recorded_at as "recordedAt", u.digest, u.external_id as "externalId", u.items as "itemsText", u.channel, u.store,
  u.metadata, u.returned`

function toUnclaimed(row: Row): Unclaimed {
  return { ...row, returned: row.returned === null ? null : (JSON.parse(row.returned) as Unclaimed['returned']) }
}

/** Those of the keys under which an unclaimed purchase is kept. */
export async function loadUnclaimed(db: Db, keys: readonly Uuid[]): Promise<Unclaimed[]> {
  if (keys.length === 0) return []
  const rows = await db.query<Row>(
    `select ${COLUMNS} from unclaimed_purchases u where u.space_id = $1 and u.key = any ($2::uuid[])`,
    [db.space, uuids(keys, (key) => key)],
    'unclaimed-load',
  )
  return rows.map(toUnclaimed)
}

export async function selectUnclaimed(db: Db, id: Uuid): Promise<Unclaimed | undefined> {
  const [row] = await db.query<Row>(
    `select ${COLUMNS} from unclaimed_purchases u where u.space_id = $1 and u.purchase_id = $2`,
    [db.space, id],
    'unclaimed-by-id',
  )
  return row && toUnclaimed(row)
}

/** Held until the transaction ends, one at a time in ascending order of key: those that are (still) there. */
export async function lockUnclaimed(tx: Tx, keys: readonly Uuid[]): Promise<Unclaimed[]> {
  const rows = await Promise.all(
    keys
      .toSorted()
      .map((key) =>
        tx.query<Row>(
          `select ${COLUMNS} from unclaimed_purchases u where u.space_id = $1 and u.key = $2 for update`,
          [tx.space, key],
          'unclaimed-lock',
        ),
      ),
  )
  return rows.flat().map(toUnclaimed)
}

/** Newest first, before `before`; of one program where it is told. */
export async function listUnclaimed(
  db: Db,
  before: Uuid,
  programId: number | null,
  limit: number,
): Promise<Unclaimed[]> {
  const rows = await db.query<Row>(
    `select ${COLUMNS} from unclaimed_purchases u
      where u.space_id = $1 and u.purchase_id < $2 and ($3::int is null or u.program_id = $3)
      order by u.purchase_id desc limit $4`,
    [db.space, before, programId, limit],
    'unclaimed-list',
  )
  return rows.map(toUnclaimed)
}

/** What a row says, in the order of its digest. */
const UNCLAIMED: Digested<Unclaimed> = {
  table: 'unclaimed_purchases',
  columns: [
    ['key', (r) => r.key],
    ['purchase_id', (r) => r.id],
    ['version', (r) => r.version],
    ['program_id', (r) => r.programId],
    ['total', (r) => r.total],
    [microseconds('occurred_at'), (r) => r.occurredAt],
    [microseconds('recorded_at'), (r) => r.recordedAt],
    ['digest', (r) => r.digest],
    ['external_id', (r) => r.externalId],
    ['items', (r) => r.itemsText],
    ['channel', (r) => r.channel],
    ['store', (r) => r.store],
    ['metadata', (r) => r.metadata],
    ['returned', returnedText],
  ],
}

/** One that was not written as it is: for verify. */
export async function alteredUnclaimed(db: Db): Promise<Uuid | undefined> {
  const [row] = await db.query<{ id: Uuid }>(
    `select purchase_id as id from unclaimed_purchases where space_id = $1 and ${isAltered(UNCLAIMED)} order by key limit 1`,
    [db.space],
  )
  return row?.id
}

/** The next of a space by key, by its key and its id alone. */
export async function nextUnclaimed(db: Db, after: Uuid): Promise<{ key: Uuid; id: Uuid } | undefined> {
  const [row] = await db.query<{ key: Uuid; id: Uuid }>(
    `select key, purchase_id as id from unclaimed_purchases where space_id = $1 and key > $2 order by key limit 1`,
    [db.space, after],
  )
  return row
}

/** All of a space by key, some at a time: for the audit. */
export async function pageUnclaimed(db: Db, after: Uuid, limit: number): Promise<Unclaimed[]> {
  const rows = await db.query<Row>(
    `select ${COLUMNS} from unclaimed_purchases u where u.space_id = $1 and u.key > $2 order by u.key limit $3`,
    [db.space, after, limit],
    'unclaimed-page',
  )
  return rows.map(toUnclaimed)
}

/** Those of a program that were recorded before an instant, the oldest, held until the transaction ends. */
export async function lockOldest(
  tx: Tx,
  programId: number,
  recordedBefore: Instant,
  limit: number,
): Promise<Unclaimed[]> {
  const rows = await tx.query<{ key: Uuid }>(
    `select u.key from unclaimed_purchases u
      where u.space_id = $1 and u.program_id = $2 and u.recorded_at <= $3 order by u.recorded_at limit $4`,
    [tx.space, programId, formatInstant(recordedBefore), limit],
    'unclaimed-oldest',
  )
  return await lockUnclaimed(
    tx,
    rows.map(({ key }) => key),
  )
}

/**
 * What a list makes of unclaimed purchases, in ascending order of key: kept, changed, taken away. Divides by zero (22012) when one
 * was changed or claimed since it was read: the whole list rolls back. `unguarded` is for the tests' control.
 */
export function saveUnclaimed(space: number, changes: readonly UnclaimedChange[], unguarded = false): Statement[] {
  const kept: Unclaimed[] = []
  const changed: Unclaimed[] = []
  const gone: UnclaimedChange[] = []
  const read = new Map(changes.map((change) => [change.key, change.before]))
  for (const change of changes) {
    if (change.after === null) gone.push(change)
    else if (change.before === null) kept.push(change.after)
    else changed.push(change.after)
  }
  return [...insert(space, kept), ...update(space, changed, read), ...remove(space, gone, unguarded)]
}

function insert(space: number, rows: readonly Unclaimed[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into unclaimed_purchases (space_id, key, purchase_id, version, program_id, total, occurred_at, recorded_at, digest,
                                      external_id, items, channel, store, metadata, returned, row_digest)
     select $1, ${unnested('uuid uuid int int bigint timestamptz timestamptz uuid text text text text text text uuid')}`,
    [
      space,
      uuids(rows, (r) => r.key),
      uuids(rows, (r) => r.id),
      int4s(rows, (r) => r.version),
      int4s(rows, (r) => r.programId),
      int8s(rows, (r) => r.total),
      instants(rows, (r) => r.occurredAt),
      instants(rows, (r) => r.recordedAt),
      uuids(rows, (r) => r.digest),
      texts(rows, (r) => r.externalId),
      texts(rows, (r) => r.itemsText),
      texts(rows, (r) => r.channel),
      texts(rows, (r) => r.store),
      texts(rows, (r) => r.metadata),
      texts(rows, returnedText),
      uuids(rows, (r) => rowDigest(UNCLAIMED, space, r)),
    ],
    'unclaimed-insert',
  )
}

function returnedText({ returned }: Unclaimed): string | null {
  return returned === null ? null : JSON.stringify(returned)
}

function update(space: number, rows: readonly Unclaimed[], read: ReadonlyMap<Uuid, number | null>): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `with won as (
       update unclaimed_purchases u set version = n.version, returned = n.returned, row_digest = n.row_digest
         from unnest($2::uuid[], $3::int[], $4::int[], $5::text[], $6::uuid[]) as n(key, read, version, returned, row_digest)
        where u.space_id = $1 and u.key = n.key and u.version = n.read
       returning 1
     ) select 1 / (count(*) = $7::int)::int from won`,
    [
      space,
      uuids(rows, (r) => r.key),
      int4s(rows, (r) => read.get(r.key)),
      int4s(rows, (r) => r.version),
      texts(rows, returnedText),
      uuids(rows, (r) => rowDigest(UNCLAIMED, space, r)),
      rows.length,
    ],
    'unclaimed-update',
  )
}

function remove(space: number, rows: readonly UnclaimedChange[], unguarded: boolean): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `with won as (
       delete from unclaimed_purchases u using unnest($2::uuid[], $3::int[]) as n(key, read)
        where u.space_id = $1 and u.key = n.key and u.version = n.read
       returning 1
     ) select 1 / (count(*) = $4::int or $5)::int from won`,
    [space, uuids(rows, (r) => r.key), int4s(rows, (r) => r.before), rows.length, unguarded],
    'unclaimed-remove',
  )
}

/** Takes away rows that are held. */
export async function removeUnclaimed(tx: Tx, keys: readonly Uuid[]): Promise<void> {
  await tx.query(
    'delete from unclaimed_purchases where space_id = $1 and key = any ($2::uuid[])',
    [tx.space, uuids(keys, (key) => key)],
    'unclaimed-purge',
  )
}
