import type { Uuid } from '@laurel/contract/ids'
import { int4s, texts, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement, type Tx } from '../base/db.ts'
import type { Pool, PoolChange, PoolCode } from './pools.rules.ts'

/** How far these pools were handed out, with the next `count` codes of each, ascending. One statement. */
export async function loadPools(
  db: Db,
  wants: readonly { poolId: number; count: number }[],
): Promise<{ pools: Pool[]; codes: PoolCode[] }> {
  const rows = await db.query<Pool & { seq: number | null; code: string; key: string }>(
    `select p.pool_id as "poolId", p.next, p.last, c.seq, c.code, c.key
       from unnest($1::int[], $2::int[]) as w(pool_id, wanted)
       join code_pools p on p.pool_id = w.pool_id and p.space_id = $3
       left join lateral (
         select seq, code, key from pool_codes c where c.space_id = $3 and c.pool_id = p.pool_id and c.seq > p.next
          order by c.space_id, c.pool_id, c.seq limit w.wanted) c on true
      order by p.pool_id, c.seq`,
    [int4s(wants, (w) => w.poolId), int4s(wants, (w) => w.count), db.space],
    'pools-load',
  )
  const pools = new Map(rows.map(({ poolId, next, last }) => [poolId, { poolId, next, last }]))
  const codes = rows.flatMap(({ poolId, seq, code, key }) => (seq === null ? [] : [{ poolId, seq, code, key }]))
  return { pools: [...pools.values()], codes }
}

/** Held until the transaction ends, in ascending order, for an ask that lost its races. */
export async function lockPools(tx: Tx, poolIds: readonly number[]): Promise<void> {
  for (const poolId of poolIds.toSorted((a, b) => a - b))
    await tx.query(
      'select from code_pools where space_id = $1 and pool_id = $2 for update',
      [tx.space, poolId],
      'pool-lock',
    )
}

/**
 * Moves pools on, each only where it is as it was read, in ascending order, a statement each, and appends what came back. Divides by zero
 * (22012) when one was moved meanwhile: the whole list rolls back, and is loaded and decided again. `unguarded` is for the tests' control.
 */
export function takeCodes(space: number, changes: readonly PoolChange[], unguarded = false): Statement[] {
  const ascending = changes.toSorted((a, b) => a.read.poolId - b.read.poolId)
  return [
    ...ascending.flatMap((change) => movePool(space, change, unguarded)),
    ...appendReturned(
      space,
      ascending.flatMap(({ read, returned }) =>
        returned.map((code, i) => ({ poolId: read.poolId, seq: read.last + 1 + i, ...code })),
      ),
    ),
  ]
}

/** More codes than lowAt make it untold that few are left. */
function movePool(space: number, { read, next, returned }: PoolChange, unguarded: boolean): Statement[] {
  const last = read.last + returned.length
  return statement(
    `with moved as (
       update code_pools set next = $5, last = $6, returned = returned + $7,
              told_at = case when $6::int - $5::int <= low_at then told_at end
        where space_id = $1 and pool_id = $2 and ($8 or (next = $3 and last = $4))
       returning 1
     ) select 1 / count(*)::int from moved`,
    [space, read.poolId, read.next, read.last, next, last, returned.length, unguarded],
    'pool-take',
  )
}

/** They were handed out before. */
function appendReturned(space: number, codes: readonly PoolCode[]): Statement[] {
  if (codes.length === 0) return []
  return statement(
    `insert into pool_codes (space_id, pool_id, seq, code, key, again)
     select $1, pool_id, seq, code, key, true from unnest($2::int[], $3::int[], $4::text[], $5::uuid[]) as c(pool_id, seq, code, key)
      order by pool_id, seq`,
    [space, ...columnsOf(codes)],
    'pool-codes-return',
  )
}

/** How many were appended: not those that another pool got meanwhile. In ascending order of key, as others do. */
export async function appendUnlessKnown(tx: Tx, codes: readonly PoolCode[]): Promise<number> {
  if (codes.length === 0) return 0
  const [row] = await tx.query<{ added: number }>(
    `with added as (
       insert into pool_codes (space_id, pool_id, seq, code, key, again)
       select $1, pool_id, seq, code, key, false
         from unnest($2::int[], $3::int[], $4::text[], $5::uuid[]) as c(pool_id, seq, code, key) order by key
       on conflict do nothing returning 1
     ) select count(*)::int as added from added`,
    [tx.space, ...columnsOf(codes)],
    'pool-codes-append',
  )
  return row?.added ?? 0
}

function columnsOf(codes: readonly PoolCode[]) {
  return [
    int4s(codes, (c) => c.poolId),
    int4s(codes, (c) => c.seq),
    texts(codes, (c) => c.code),
    uuids(codes, (c) => c.key),
  ]
}

/** Those of these keys that a pool of the space has, with the pool. */
export async function keysKnown(db: Db, keys: readonly Uuid[]): Promise<Map<Uuid, number>> {
  const rows = await db.query<{ key: Uuid; poolId: number }>(
    `select key, pool_id as "poolId" from unnest($1::uuid[]) as k(key) join pool_codes c using (key)
      where c.space_id = $2 and not c.again`,
    [uuids(keys, (key) => key), db.space],
    'pool-codes-known',
  )
  return new Map(rows.map(({ key, poolId }) => [key, poolId]))
}

/** The number of its last code; nobody takes codes of it or appends any until the transaction ends. */
export async function holdPool(tx: Tx, poolId: number): Promise<number> {
  const [row] = await tx.query<{ last: number }>(
    'select last from code_pools where space_id = $1 and pool_id = $2 for update',
    [tx.space, poolId],
  )
  if (!row) throw new Error(`there is no pool ${poolId}`)
  return row.last
}

/** More codes than lowAt make it untold that few are left. */
export async function moveEnd(tx: Tx, poolId: number, last: number): Promise<void> {
  await tx.query(
    `update code_pools set last = $3, told_at = case when $3 - next <= low_at then told_at end
      where space_id = $1 and pool_id = $2`,
    [tx.space, poolId, last],
  )
}
