import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { Db, Tx } from '../base/db.ts'
import { microseconds, rowDigestSql } from '../base/row-digests.ts'

/** A pool as it is set up, and how far its codes were handed out. */
export type PoolRow = {
  poolId: number
  id: Uuid
  program: string
  slug: string
  name: string
  reusable: boolean
  lowAt: number | null
  next: number
  last: number
  returned: number
  low: boolean
  revision: number
  createdAt: Instant
  updatedAt: Instant
}

const COLUMNS = `c.pool_id as "poolId", c.id, p.slug as program, c.slug, c.name, c.reusable, c.low_at as "lowAt", c.next, c.last,
    c.returned, c.low, c.revision, c.created_at as "createdAt", c.updated_at as "updatedAt"`
const SELECT = `select ${COLUMNS} from code_pools c join programs p on p.program_id = c.program_id`

export async function selectPool(db: Db, id: Uuid): Promise<PoolRow | undefined> {
  const [row] = await db.query<PoolRow>(`${SELECT} where c.space_id = $1 and c.id = $2`, [db.space, id])
  return row
}

/** Oldest first, those made after `after`, of one program or of all; undefined when there is no pool `after`. */
export async function selectPools(
  db: Db,
  programId: number | null,
  after: Uuid | null,
  limit: number,
): Promise<PoolRow[] | undefined> {
  const rows = await db.query<PoolRow>(
    `${SELECT} where c.space_id = $1 and ($2::int is null or c.program_id = $2)
       and ($3::uuid is null or c.pool_id > (select pool_id from code_pools where space_id = $1 and id = $3))
     order by c.pool_id limit $4`,
    [db.space, programId, after, limit],
  )
  if (rows.length === 0 && after !== null && !(await selectPool(db, after))) return undefined
  return rows
}

/** What was set up of a pool, in the order of its digest, which SQL takes: it numbers pools. How far its codes were handed out is counted. */
const POOL = rowDigestSql('code_pools', [
  'pool_id',
  'id',
  'program_id',
  'slug',
  'name',
  'reusable',
  'low_at',
  'revision',
  microseconds('created_at'),
  microseconds('updated_at'),
])

/** The slug of a pool that was not set up as it is: for verify. */
export async function alteredPool(db: Db): Promise<string | undefined> {
  const [row] = await db.query<{ slug: string }>(
    `select slug from code_pools where space_id = $1 and row_digest is distinct from ${POOL} limit 1`,
    [db.space],
  )
  return row?.slug
}

async function digestPool(tx: Tx, id: Uuid): Promise<void> {
  await tx.query(`update code_pools set row_digest = ${POOL} where space_id = $1 and id = $2`, [tx.space, id])
}

/** Empty. False when the slug is taken in the program. */
export async function insertPool(
  tx: Tx,
  pool: { id: Uuid; programId: number; slug: string; name: string; reusable: boolean; lowAt: number | null },
  now: Instant,
): Promise<boolean> {
  const rows = await tx.query(
    `insert into code_pools (space_id, id, program_id, slug, name, reusable, low_at, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $8) on conflict (program_id, slug) do nothing returning 1`,
    [tx.space, pool.id, pool.programId, pool.slug, pool.name, pool.reusable, pool.lowAt, formatInstant(now)],
  )
  if (rows.length > 0) await digestPool(tx, pool.id)
  return rows.length > 0
}

/** Raises the revision. Another lowAt is told of anew. */
export async function updatePool(
  tx: Tx,
  poolId: number,
  change: { name: string; reusable: boolean; lowAt: number | null },
  now: Instant,
): Promise<void> {
  const [row] = await tx.query<{ id: Uuid }>(
    `update code_pools set name = $3, reusable = $4, low_at = $5, revision = revision + 1, updated_at = $6,
            told_at = case when low_at is not distinct from $5 then told_at end
      where space_id = $1 and pool_id = $2 returning id`,
    [tx.space, poolId, change.name, change.reusable, change.lowAt, formatInstant(now)],
  )
  if (row) await digestPool(tx, row.id)
}

/** Marks pools as told that are low and were not told yet; whoever marks one tells of it. */
export async function markLow(tx: Tx, now: Instant, limit: number): Promise<PoolRow[]> {
  return await tx.query<PoolRow>(
    `with low as (
       select pool_id from code_pools where space_id = $1 and low and told_at is null order by pool_id limit $3 for update
     )
     update code_pools c set told_at = $2 from low join code_pools b using (pool_id) join programs p on p.program_id = b.program_id
      where c.space_id = $1 and c.pool_id = low.pool_id
     returning ${COLUMNS}`,
    [tx.space, formatInstant(now), limit],
    'pools-told',
  )
}
