import type { Uuid } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'

export type CodeRow = { poolId: number; slug: string; seq: number; code: string; key: Uuid }

/** Pools whose codes are not numbered from 1 to the last, or came back another number of times than is counted. Reads all codes. */
export async function unevenPools(db: Db): Promise<{ slug: string }[]> {
  return await db.query(
    `with counted as (
       select c.pool_id, count(*)::int as n, min(c.seq) as first, max(c.seq) as last,
              (count(*) filter (where c.again))::int as returned,
              bool_or(c.again and not exists (select from pool_codes b where b.space_id = $1 and b.key = c.key and not b.again
                                                 and b.pool_id = c.pool_id and b.seq < c.seq)) as stray
         from pool_codes c where c.space_id = $1 group by c.pool_id
     )
     select coalesce(p.slug, k.pool_id::text) as slug
       from (select * from code_pools where space_id = $1) p full join counted k using (pool_id)
      where p.pool_id is null or coalesce(k.stray, false) or p.last <> coalesce(k.n, 0) or p.last <> coalesce(k.last, 0)
         or p.returned <> coalesce(k.returned, 0) or coalesce(k.first, 1) <> 1
      order by 1 limit 1`,
    [db.space],
  )
}

/** Codes in the order of pool and number, behind one. */
export async function pageOfCodes(db: Db, after: { poolId: number; seq: number }, limit: number): Promise<CodeRow[]> {
  return await db.query<CodeRow>(
    `select c.pool_id as "poolId", p.slug, c.seq, c.code, c.key from pool_codes c join code_pools p using (pool_id)
      where c.space_id = $1 and (c.pool_id, c.seq) > ($2, $3) order by c.pool_id, c.seq limit $4`,
    [db.space, after.poolId, after.seq, limit],
  )
}
