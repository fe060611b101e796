import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { Db, Tx } from '../base/db.ts'

export type TypeStatus = 'active' | 'archived'

/** A type of activity with its newest schema, as the JSON that was said. */
export type TypeRow = {
  activityTypeId: number
  id: Uuid
  program: string
  slug: string
  name: string
  status: TypeStatus
  revision: number
  version: number
  schema: string
  createdAt: Instant
  updatedAt: Instant
}

const SELECT = `select t.activity_type_id as "activityTypeId", t.id, p.slug as program, t.slug, t.name, t.status, t.revision,
    v.version, v.schema, t.created_at as "createdAt", t.updated_at as "updatedAt"
  from activity_types t
  join programs p on p.program_id = t.program_id
  cross join lateral (select version, schema from activity_type_versions v
                       where v.activity_type_id = t.activity_type_id order by version desc limit 1) v`

export async function selectType(db: Db, id: Uuid): Promise<TypeRow | undefined> {
  const [row] = await db.query<TypeRow>(`${SELECT} where t.space_id = $1 and t.id = $2`, [db.space, id])
  return row
}

/** Oldest first, those made after `after`, of one program or of all; undefined when there is no type `after`. */
export async function selectTypes(
  db: Db,
  programId: number | null,
  after: Uuid | null,
  limit: number,
): Promise<TypeRow[] | undefined> {
  const rows = await db.query<TypeRow>(
    `${SELECT} where t.space_id = $1 and ($2::int is null or t.program_id = $2)
       and ($3::uuid is null or t.activity_type_id > (select activity_type_id from activity_types where space_id = $1 and id = $3))
     order by t.activity_type_id limit $4`,
    [db.space, programId, after, limit],
  )
  if (rows.length === 0 && after !== null && !(await selectType(db, after))) return undefined
  return rows
}

/** Newest first. */
export function selectTypeVersions(
  db: Db,
  activityTypeId: number,
): Promise<{ version: number; schema: string; createdAt: Instant }[]> {
  return db.query(
    `select version, schema, created_at as "createdAt" from activity_type_versions
      where space_id = $1 and activity_type_id = $2 order by version desc`,
    [db.space, activityTypeId],
  )
}

/** The program's number, for a reference that was read. */
export async function selectProgramId(db: Db, by: { id: Uuid } | { slug: string }): Promise<number | undefined> {
  const [row] = await db.query<{ programId: number }>(
    'select program_id as "programId" from programs where space_id = $1 and (id = $2 or slug = $3)',
    [db.space, 'id' in by ? by.id : null, 'slug' in by ? by.slug : null],
  )
  return row?.programId
}

/** Of all types of a program, archived ones too. */
export async function selectSlugs(db: Db, programId: number): Promise<Set<string>> {
  const rows = await db.query<{ slug: string }>(
    'select slug from activity_types where space_id = $1 and program_id = $2',
    [db.space, programId],
  )
  return new Set(rows.map(({ slug }) => slug))
}

/** Without a version yet; undefined when the slug is taken in the program. */
export async function insertType(
  tx: Tx,
  type: { id: Uuid; programId: number; slug: string; name: string },
  now: Instant,
): Promise<number | undefined> {
  const [row] = await tx.query<{ activityTypeId: number }>(
    `insert into activity_types (space_id, id, program_id, slug, name, status, created_at, updated_at)
     values ($1, $2, $3, $4, $5, 'active', $6, $6) on conflict (program_id, slug) do nothing
     returning activity_type_id as "activityTypeId"`,
    [tx.space, type.id, type.programId, type.slug, type.name, formatInstant(now)],
  )
  return row?.activityTypeId
}

export async function insertTypeVersion(
  tx: Tx,
  activityTypeId: number,
  version: number,
  schema: string,
  now: Instant,
): Promise<void> {
  await tx.query(
    `insert into activity_type_versions (space_id, activity_type_id, version, schema, created_at)
     values ($1, $2, $3, $4, $5)`,
    [tx.space, activityTypeId, version, schema, formatInstant(now)],
  )
}

/** Raises the revision. */
export async function updateType(
  tx: Tx,
  activityTypeId: number,
  change: { name: string; status: TypeStatus },
  now: Instant,
): Promise<void> {
  await tx.query(
    `update activity_types set name = $3, status = $4, revision = revision + 1, updated_at = $5
      where space_id = $1 and activity_type_id = $2`,
    [tx.space, activityTypeId, change.name, change.status, formatInstant(now)],
  )
}
