import type { ActivityTypeAnswer } from '@laurel/contract/activities'
import { decodeId, encodeId } from '@laurel/contract/ids'
import { formatInstant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import { selectProgramId, selectType, selectTypes, selectTypeVersions, type TypeRow } from './types.sql.ts'

/** A type with the revision that guards changes to it (its ETag). */
export type RevisedType = { type: ActivityTypeAnswer; revision: number }

/** The type that is named by its id (aty_…). Refusals: activity_type_unknown. */
export async function typeRow(db: Db, ref: string): Promise<TypeRow> {
  const id = decodeId('aty', ref)
  const row = id === undefined ? undefined : await selectType(db, id)
  if (!row) throw new Refused('activity_type_unknown', `there is no type of activity "${ref}"`)
  return row
}

/** The program's number. Refusals: program_unknown. */
export async function programIdOf(db: Db, ref: string): Promise<number> {
  const id = decodeId('prg', ref)
  const programId = await selectProgramId(db, id === undefined ? { slug: ref } : { id })
  if (programId === undefined) throw new Refused('program_unknown', `there is no program "${ref}"`)
  return programId
}

/** A type with all its versions. Refusals: activity_type_unknown. */
export async function getType(db: Db, ref: string): Promise<RevisedType> {
  const row = await typeRow(db, ref)
  const versions = await selectTypeVersions(db, row.activityTypeId)
  return {
    revision: row.revision,
    type: {
      ...answerOf(row),
      versions: versions.map(({ version, schema, createdAt }) => ({
        version,
        schema: JSON.parse(schema) as Record<string, unknown>,
        createdAt: formatInstant(createdAt),
      })),
    },
  }
}

/** Oldest first, of one program or of all. Refusals: invalid_cursor, program_unknown. */
export async function listTypes(
  db: Db,
  filter: { program?: string | undefined },
  page: PageAsk,
): Promise<Page<ActivityTypeAnswer>> {
  const programId = filter.program === undefined ? null : await programIdOf(db, filter.program)
  const after = page.after === undefined ? null : decodeId('aty', page.after)
  const rows = after === undefined ? undefined : await selectTypes(db, programId, after, page.limit + 1)
  if (!rows) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of types of activity')
  return pageOf(rows, page.limit, answerOf, (type) => type.id)
}

function answerOf(row: TypeRow): ActivityTypeAnswer {
  const { id, program, slug, name, status, version, schema, createdAt, updatedAt } = row
  return {
    id: encodeId('aty', id),
    program,
    slug,
    name,
    status,
    version,
    schema: JSON.parse(schema) as Record<string, unknown>,
    createdAt: formatInstant(createdAt),
    updatedAt: formatInstant(updatedAt),
  }
}
