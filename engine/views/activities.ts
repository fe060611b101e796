import type { ActivityView } from '@laurel/contract/activities'
import { decodeId, type Uuid } from '@laurel/contract/ids'
import { Refused } from '@laurel/contract/refusals'
import { ACTIVITY_COLUMNS, type ActivityRow, toActivity } from '../activities/activities.sql.ts'
import type { Db } from '../base/db.ts'
import { keyOf } from '../base/keys.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import { parseRef } from '../base/refs.ts'
import { type Configuration, type Configurations, program, programById } from '../earning/configuration.ts'
import { activityText } from '../gate/answers.ts'
import { existingMember } from '../members/members.ts'
import { loadFamily } from '../members/merges.sql.ts'
import { currentConfiguration } from './current.ts'

/** The activity that is named by `act_…` or `external:…`. Refusals: activity_unknown. */
export async function getActivity(db: Db, known: Configurations, ref: string): Promise<ActivityView> {
  const [configuration, row] = await Promise.all([currentConfiguration(db, known), selectActivity(db, ref)])
  if (!row) throw new Refused('activity_unknown', `there is no activity "${ref}"`)
  return activityView(configuration, row)
}

async function selectActivity(db: Db, ref: string): Promise<ActivityRow | undefined> {
  const named = parseRef('act', ref)
  if (!named) return undefined
  const [row] =
    'id' in named
      ? await db.query<ActivityRow>(
          `select ${ACTIVITY_COLUMNS} from activities where space_id = $1 and activity_id = $2`,
          [db.space, named.id],
          'activity-by-id',
        )
      : await db.query<ActivityRow>(
          `select ${ACTIVITY_COLUMNS} from activities where space_id = $1
              and (member_id, activity_id) = (select n.member_id, n.object_id from lookups n where n.space_id = $1 and n.key = $2)`,
          [db.space, keyOf('activity', named.external)],
          'activity-by-name',
        )
  return row
}

/** A member's activities, and those of whom it was merged with, newest recorded first. Refusals: member_unknown, program_unknown, invalid_cursor. */
export async function listActivities(
  db: Db,
  known: Configurations,
  member: string,
  filter: { program?: string | undefined; type?: string | undefined },
  page: PageAsk,
): Promise<Page<ActivityView>> {
  const [configuration, id] = await Promise.all([currentConfiguration(db, known), existingMember(db, member)])
  const ours = filter.program === undefined ? undefined : program(configuration, filter.program)
  if (filter.program !== undefined && !ours)
    throw new Refused('program_unknown', `there is no program "${filter.program}"`)
  const after = page.after === undefined ? LAST_ID : decodeId('act', page.after)
  if (after === undefined) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of activities')
  const rows = await db.query<ActivityRow>(
    `select ${ACTIVITY_COLUMNS} from activities
      where space_id = $1 and member_id = any ($2::uuid[]) and activity_id < $3 and ($4::int is null or program_id = $4)
        and ($5::text is null or type = $5)
      order by activity_id desc limit $6`,
    [db.space, await loadFamily(db, id), after, ours?.programId ?? null, filter.type ?? null, page.limit + 1],
    'activities-list',
  )
  return pageOf(
    rows,
    page.limit,
    (row) => activityView(configuration, row),
    (activity) => activity.id,
  )
}

/** Where a list begins: no UUID of ours is as late. */
const LAST_ID: Uuid = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** What was answered when it was recorded. */
function activityView(configuration: Configuration, row: ActivityRow): ActivityView {
  const ours = programById(configuration, row.programId)
  if (!ours) throw new Error(`program ${row.programId} is not in the configuration`)
  return JSON.parse(`${activityText(configuration, ours, toActivity(row))}}`) as ActivityView
}
