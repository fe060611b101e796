import type { ActivityTypeBody, ActivityTypePatch } from '@laurel/contract/activities'
import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import { schemaFaults } from './activities/schemas.rules.ts'
import { insertType, insertTypeVersion, updateType } from './activities/types.sql.ts'
import { getType, programIdOf, type RevisedType, typeRow } from './activities/types.ts'
import type { Tx } from './base/db.ts'
import { nextConfigVersion } from './base/spaces.ts'

/** What the door fixes: when it is, and where new ids come from. */
type Door = { now: Instant; newId: () => Uuid }

/** A type starts active, with version 1 of its schema. Refusals: invalid_request, program_unknown, already_exists. */
export async function createActivityType(tx: Tx, body: ActivityTypeBody, door: Door): Promise<RevisedType> {
  const schema = validSchema(body.schema)
  await nextConfigVersion(tx)
  const programId = await programIdOf(tx, body.program)
  const id = door.newId()
  const typeId = await insertType(tx, { id, programId, slug: body.slug, name: body.name }, door.now)
  if (typeId === undefined) {
    throw new Refused('already_exists', `the program has a type of activity "${body.slug}" already`, [
      { pointer: '/slug', detail: 'is taken by another type of the program' },
    ])
  }
  await insertTypeVersion(tx, typeId, 1, schema, door.now)
  return await getType(tx, encodeId('aty', id))
}

/**
 * Changes what is given, where it differs from what is; another schema is a version more, which holds from the next
 * request. `revision` is the one that the caller has seen, if it says so.
 * Refusals: invalid_request, activity_type_unknown, etag_mismatch.
 */
export async function changeActivityType(
  tx: Tx,
  ref: string,
  patch: ActivityTypePatch,
  revision: number | undefined,
  door: Door,
): Promise<RevisedType> {
  const schema = patch.schema && validSchema(patch.schema)
  await nextConfigVersion(tx)
  const row = await typeRow(tx, ref)
  if (revision !== undefined && revision !== row.revision) {
    throw new Refused('etag_mismatch', `the type of activity "${row.slug}" was changed since it was read`)
  }
  const { name = row.name, status = row.status } = patch
  const renewed = schema !== undefined && schema !== row.schema
  if (renewed) await insertTypeVersion(tx, row.activityTypeId, row.version + 1, schema, door.now)
  if (renewed || name !== row.name || status !== row.status) {
    await updateType(tx, row.activityTypeId, { name, status }, door.now)
  }
  return await getType(tx, ref)
}

function validSchema(schema: Record<string, unknown>): string {
  const errors = schemaFaults(schema)
  if (errors.length > 0) throw new Refused('invalid_request', 'the schema cannot be taken', errors)
  return JSON.stringify(schema)
}
