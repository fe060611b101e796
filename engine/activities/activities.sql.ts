import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { instants, int4s, int8s, texts, unnested, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement } from '../base/db.ts'
import type { Activity, ActivityAward } from './activities.rules.ts'

export type ActivityRow = Omit<Activity, 'awards'> & { awards: string; occurredAt: Instant }
export const ACTIVITY_COLUMNS = `member_id as member, activity_id as id, program_id as "programId", type, version,
  config_version as "configVersion", occurred_at as "occurredAt", recorded_at as "recordedAt", digest,
  external_id as "externalId", data, awards, frozen`

export function toActivity(row: ActivityRow): Activity {
  return { ...row, awards: JSON.parse(row.awards) as ActivityAward[] }
}

/** Activities by their keys, in no particular order. */
export async function loadActivities(db: Db, keys: readonly { member: Uuid; id: Uuid }[]): Promise<Activity[]> {
  const rows = await db.query<ActivityRow>(
    `select ${ACTIVITY_COLUMNS} from activities
       join unnest($1::uuid[], $2::uuid[]) as k(member_id, activity_id) using (member_id, activity_id)
      where space_id = $3`,
    [uuids(keys, (k) => k.member), uuids(keys, (k) => k.id), db.space],
    'activities-load',
  )
  return rows.map(toActivity)
}

/** All activities of members, for the audit. */
export async function loadActivitiesOf(db: Db, members: readonly Uuid[]): Promise<Activity[]> {
  const rows = await db.query<ActivityRow>(
    `select ${ACTIVITY_COLUMNS} from activities where space_id = $1 and member_id = any ($2::uuid[])`,
    [db.space, uuids(members, (m) => m)],
  )
  return rows.map(toActivity)
}

export function insertActivities(space: number, rows: readonly Activity[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into activities (space_id, member_id, activity_id, program_id, type, version, config_version, occurred_at,
                             recorded_at, digest, external_id, data, awards, frozen)
     select $1, ${unnested('uuid uuid int text int bigint timestamptz timestamptz uuid text text text text')}`,
    [
      space,
      uuids(rows, (r) => r.member),
      uuids(rows, (r) => r.id),
      int4s(rows, (r) => r.programId),
      texts(rows, (r) => r.type),
      int4s(rows, (r) => r.version),
      int8s(rows, (r) => r.configVersion),
      instants(rows, (r) => r.occurredAt),
      instants(rows, (r) => r.recordedAt),
      uuids(rows, (r) => r.digest),
      texts(rows, (r) => r.externalId),
      texts(rows, (r) => r.data),
      texts(rows, (r) => JSON.stringify(r.awards)),
      texts(rows, (r) => r.frozen),
    ],
    'activities-insert',
  )
}
