import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { instants, uuids } from '../base/arrays.ts'
import type { Db, Tx } from '../base/db.ts'

/** A member whose life is to be looked at. `lookAt`: since when. */
export type LifeRow = {
  member: Uuid
  /** 1 active, 2 suspended, 3 closed, 4 merged into another */
  status: number
  joinedAt: Instant
  changedAt: Instant
  birthDate: string | null
  complete: boolean
  lookAt: Instant
}

/** Those who must be looked at by now, those who waited longest first. */
export async function selectLivesDue(db: Db, now: Instant, limit: number): Promise<LifeRow[]> {
  return await db.query<LifeRow>(
    `select m.member_id as member, s.status, m.created_at as "joinedAt", m.updated_at as "changedAt",
            m.birth_date as "birthDate", m.life_at as "lookAt",
            m.name is not null and m.birth_date is not null and (m.email is not null or m.phone is not null) as complete
       from (select * from members where space_id = $1 and life_at <= $2 order by life_at limit $3) m
       join member_states s on s.member_id = m.member_id`,
    [db.space, formatInstant(now), limit],
    'lives-due',
  )
}

/** Sets when to look next, null for never; not for members who were changed since they were looked at. */
export async function setNextLooks(
  tx: Tx,
  looks: readonly { member: Uuid; lookAt: Instant; next: Instant | null }[],
): Promise<void> {
  if (looks.length === 0) return
  const sorted = looks.toSorted((a, b) => (a.member < b.member ? -1 : 1))
  await tx.query(
    `update members m set life_at = n.next
       from unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) as n(id, seen, next)
      where m.space_id = $1 and m.member_id = n.id and m.life_at = n.seen`,
    [tx.space, uuids(sorted, (l) => l.member), instants(sorted, (l) => l.lookAt), instants(sorted, (l) => l.next)],
    'lives-next',
  )
}

/** Has the next members after `after` (in the order of their ids) looked at from now on; the last of them, null at the end. */
export async function lookAtAll(tx: Tx, after: Uuid, now: Instant, limit: number): Promise<Uuid | null> {
  const [row] = await tx.query<{ last: Uuid | null; n: number }>(
    `with these as (
       select member_id from members where space_id = $1 and member_id > $2 order by member_id limit $4
     ), looked as (
       update members m set life_at = $3 from these t
        where m.space_id = $1 and m.member_id = t.member_id and m.life_at > $3
     )
     select (select member_id from these order by member_id desc limit 1) as last, count(*)::int as n from these`,
    [tx.space, after, formatInstant(now), limit],
    'lives-all',
  )
  return row && row.n === limit ? row.last : null
}
