import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { int4s, uuids } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import { KINDS } from './accounts.ts'
import type { Ended } from './ended.rules.ts'

/** What became of a lot: the entry that opened it (its kind and what that reverses), and every entry that took from it or gave back. */
export type LotFate = { kind: number; reverses: number | null; uses: FateUse[] }
export type FateUse = {
  seq: number
  kind: number
  points: number
  reverses: number | null
  bookedAt: Instant
  /** of a lot that it opened */
  activatesAt: Instant | null
  expiresAt: Instant | null
  /** the entry by which what expired came again */
  again: number | null
}

type FateRow = { member: Uuid; lot: number; lotKind: number; lotReverses: number | null } & (FateUse | { seq: null })

/** By `member seq` of the lots. */
export async function loadFates(db: Db, keys: readonly { member: Uuid; seq: number }[]): Promise<Map<string, LotFate>> {
  const fates = new Map<string, LotFate>()
  if (keys.length === 0) return fates
  const rows = await db.query<FateRow>(
    `select k.member_id as member, k.seq as lot, o.kind as "lotKind", o.reverses as "lotReverses",
            e.seq, e.kind, u.points, e.reverses,
            e.booked_at as "bookedAt", e.activates_at as "activatesAt", e.expires_at as "expiresAt",
            (select max(r.seq) from entries r where r.member_id = k.member_id and r.reverses = e.seq and r.seq > e.seq
               and r.kind = ${KINDS.reinstate.code}) as again
       from unnest($1::uuid[], $2::int[]) as k(member_id, seq)
       join entries o on o.member_id = k.member_id and o.seq = k.seq
       left join lot_uses u on u.member_id = k.member_id and u.lot_seq = k.seq
       left join entries e on e.member_id = u.member_id and e.seq = u.seq
      where o.space_id = $3 and o.activates_at is not null order by k.member_id, k.seq, e.seq`,
    [uuids(keys, (k) => k.member), int4s(keys, (k) => k.seq), db.space],
    'lot-fates',
  )
  for (const { member, lot, lotKind, lotReverses, ...use } of rows) {
    const key = `${member} ${lot}`
    let fate = fates.get(key)
    if (!fate) fates.set(key, (fate = { kind: lotKind, reverses: lotReverses, uses: [] }))
    if (use.seq !== null) fate.uses.push(use)
  }
  return fates
}

/**
 * What of these sources' lots ended unused: expired, or cancelled while pending, less what was reinstated. `member`: who got the points, by entries
 * from `from` on; they may have gone on, and ended, with any that the member was ever merged into. A member at a time, by index, whatever
 * the plan: hence the laterals.
 */
export async function loadEnded(
  db: Db,
  keys: readonly { member: Uuid; from: number; source: Uuid }[],
): Promise<Ended[]> {
  if (keys.length === 0) return []
  const reinstate = KINDS.reinstate.code
  return await db.query<Ended>(
    `with recursive whose(member_id, seq) as (
       select member_id, min(seq) from unnest($1::uuid[], $2::int[]) as k(member_id, seq) group by member_id
       union
       select g.member_id, 1 from whose w
        cross join lateral (select g.member_id from merges g where g.other_id = w.member_id and g.space_id = $4 offset 0) as g
     )
     select of.source, of.wallet_id as "walletId", sum(of.points)::bigint as points
       from (select member_id, min(seq) as seq from whose group by member_id) as b
       cross join lateral (
         select coalesce(o.source_id, e.source_id) as source, e.wallet_id,
                sum(case when e.kind = ${reinstate} then -e.points else u.points end) as points
           from entries e
           left join lot_uses u on u.member_id = e.member_id and u.seq = e.seq and e.kind <> ${reinstate}
           left join entries o on o.member_id = u.member_id and o.seq = u.lot_seq
          where e.member_id = b.member_id and e.seq >= b.seq and e.space_id = $4
            and e.kind in (${KINDS.expire.code}, ${KINDS.cancel.code}, ${reinstate})
            and coalesce(o.source_id, e.source_id) = any ($3::uuid[])
          group by 1, 2) as of
      group by 1, 2`,
    [uuids(keys, (k) => k.member), int4s(keys, (k) => k.from), uuids(keys, (k) => k.source), db.space],
    'entries-ended',
  )
}
