import type { Uuid } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'
import { isAltered } from '../base/row-digests.ts'
import { loadVoucherRedemptions } from './redemptions.sql.ts'
import { LOCK, REDEMPTION, USE, VOUCHER } from './row-digests.sql.ts'
import type { VoucherRedemption } from './vouchers.rules.ts'

/** A voucher beside what its uses say of it: how many were not undone, and what of them was not given back. */
export type Counted = {
  key: Uuid
  id: Uuid
  code: string
  used: number
  counted: number
  terms: string
  initial: number | null
  spent: number | null
  taken: number
}

/** All vouchers of a space by key, some at a time. */
export async function pageCounted(db: Db, after: Uuid, limit: number): Promise<Counted[]> {
  return await db.query<Counted>(
    `select v.code_key as key, v.voucher_id as id, v.code, v.used, v.terms, v.initial_balance as initial,
            v.initial_balance - v.balance as spent,
            coalesce(u.counted, 0)::int as counted, coalesce(u.taken, 0)::bigint as taken
       from (select * from vouchers where space_id = $1 and code_key > $2 order by code_key limit $3) v
       left join lateral (
         select count(*) filter (where not undone) as counted, sum(amount - given_back) as taken
           from voucher_uses where space_id = $1 and code_key = v.code_key
       ) u on true
      order by v.code_key`,
    [db.space, after, limit],
  )
}

/** All redemptions of a space by key, some at a time. */
export async function pageRedemptions(db: Db, after: Uuid, limit: number): Promise<VoucherRedemption[]> {
  const rows = await db.query<{ key: Uuid }>(
    'select key from voucher_redemptions where space_id = $1 and key > $2 order by key limit $3',
    [db.space, after, limit],
  )
  const found = await loadVoucherRedemptions(
    db,
    rows.map(({ key }) => key),
  )
  return found.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

/** A row of these tables that was not written as it is: which kind, and by what it is named. */
export async function findAltered(
  db: Db,
): Promise<{ kind: 'voucher' | 'redemption' | 'use' | 'lock'; id: Uuid } | undefined> {
  const [row] = await db.query<{ kind: 'voucher' | 'redemption' | 'use' | 'lock'; id: Uuid }>(
    `(select 'voucher' as kind, voucher_id as id from vouchers where space_id = $1 and ${isAltered(VOUCHER)} limit 1)
     union all
     (select 'redemption', redemption_id from voucher_redemptions where space_id = $1 and ${isAltered(REDEMPTION)} limit 1)
     union all
     (select 'use', redemption_id from voucher_uses where space_id = $1 and ${isAltered(USE)} limit 1)
     union all
     (select 'lock', code_key from voucher_locks where space_id = $1 and ${isAltered(LOCK)} limit 1)
     limit 1`,
    [db.space],
  )
  return row
}

/**
 * A use without its redemption or its voucher, or of another member or program than its redemption; a redemption whose external id is
 * free; or a lock without its voucher.
 */
export async function findStray(db: Db): Promise<string | undefined> {
  const [row] = await db.query<{ what: string }>(
    `select what from (
       select 'use of voucher ' || u.code_key || ': its redemption, its voucher, its member or its program is not stored so' as what
         from voucher_uses u
         left join voucher_redemptions r on r.space_id = u.space_id and r.key = u.redemption_key
         left join vouchers v on v.space_id = u.space_id and v.code_key = u.code_key
        where u.space_id = $1 and (r.key is null or v.code_key is null or r.member_id is distinct from u.member_id
               or r.redemption_id <> u.redemption_id or r.program_id <> v.program_id)
       union all
       select 'redemption of vouchers ' || r.external_id || ': nothing keeps its external id from being another''s'
         from voucher_redemptions r
        where r.space_id = $1 and not exists (select from lookups n where n.space_id = $1 and n.key = r.key)
       union all
       select 'lock of voucher ' || l.code_key || ': there is no such voucher' from voucher_locks l
        where l.space_id = $1 and not exists (select from vouchers v where v.space_id = $1 and v.code_key = l.code_key)
     ) stray limit 1`,
    [db.space],
  )
  return row?.what
}
