import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { uuids } from '../base/arrays.ts'
import type { Db, Tx } from '../base/db.ts'

/** For which silences the members of a space were planned, and how far a new plan has come. */
export type MomentPlan = { plan: string; nextPlan: string | null; lookedAt: Uuid | null }

export async function selectPlan(db: Db): Promise<MomentPlan | undefined> {
  const [row] = await db.query<MomentPlan>(
    'select plan, next_plan as "nextPlan", looked_at as "lookedAt" from moment_plans where space_id = $1',
    [db.space],
    'moments-plan',
  )
  return row
}

export async function savePlan(tx: Tx, { plan, nextPlan, lookedAt }: MomentPlan): Promise<void> {
  await tx.query(
    `insert into moment_plans (space_id, plan, next_plan, looked_at) values ($1, $2, $3, $4)
     on conflict (space_id) do update set plan = excluded.plan, next_plan = excluded.next_plan, looked_at = excluded.looked_at`,
    [tx.space, plan, nextPlan, lookedAt],
    'moments-plan-save',
  )
}

/** The last purchase, spend, or activity that is not a moment of life, of those members who had any. */
export async function selectLastActivity(db: Db, members: readonly Uuid[]): Promise<Map<Uuid, Instant>> {
  const rows = await db.query<{ member: Uuid; last: Instant | null }>(
    `select m.id as member, greatest(
       (select max(p.occurred_at) from purchases p where p.member_id = m.id and p.awards = '[]'),
       (select max(e.occurred_at) from entries e left join activities a on a.activity_id = e.source_id and a.member_id = e.member_id
         where e.member_id = m.id and e.kind in (1, 2) and coalesce(a.version, 1) > 0),
       (select max(a.occurred_at) from activities a where a.member_id = m.id and a.version > 0)) as last
       from unnest($1::uuid[]) as m(id), spaces s where s.space_id = $2`,
    [uuids(members, (m) => m), db.space],
    'moments-last-activity',
  )
  return new Map(rows.flatMap(({ member, last }) => (last === null ? [] : [[member, last]])))
}
