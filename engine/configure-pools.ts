import type { CodePoolBody, CodePoolPatch } from '@laurel/contract/code-pools'
import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { Tx } from './base/db.ts'
import { nextConfigVersion } from './base/spaces.ts'
import { insertPool, updatePool } from './codes/configured.sql.ts'
import { getPool, poolRow, type RevisedPool } from './codes/pools.ts'
import { loadConfiguration, program } from './earning/configuration.ts'

/** What the door fixes: when it is, and where new ids come from. */
type Door = { now: Instant; newId: () => Uuid }

/** A pool starts empty. Refusals: program_unknown, already_exists. */
export async function createPool(tx: Tx, body: CodePoolBody, door: Door): Promise<RevisedPool> {
  await nextConfigVersion(tx)
  const ours = program(await loadConfiguration(tx), body.program)
  if (!ours) throw new Refused('program_unknown', `there is no program "${body.program}"`)
  const { slug, name, reusable = false, lowAt = null } = body
  const id = door.newId()
  if (!(await insertPool(tx, { id, programId: ours.programId, slug, name, reusable, lowAt }, door.now))) {
    throw new Refused('already_exists', `the program has a pool of codes "${slug}" already`, [
      { pointer: '/slug', detail: 'is taken by another pool of the program' },
    ])
  }
  return await getPool(tx, encodeId('cpl', id))
}

/**
 * Changes what is given, where it differs; `revision` is the one that the caller has seen, if it says so.
 * Refusals: pool_unknown, etag_mismatch.
 */
export async function changePool(
  tx: Tx,
  ref: string,
  patch: CodePoolPatch,
  revision: number | undefined,
  door: Door,
): Promise<RevisedPool> {
  await nextConfigVersion(tx)
  const row = await poolRow(tx, ref)
  if (revision !== undefined && revision !== row.revision)
    throw new Refused('etag_mismatch', `the pool of codes "${row.slug}" was changed since it was read`)
  const { name = row.name, reusable = row.reusable, lowAt = row.lowAt } = patch
  if (name !== row.name || reusable !== row.reusable || lowAt !== row.lowAt)
    await updatePool(tx, row.poolId, { name, reusable, lowAt }, door.now)
  return await getPool(tx, ref)
}
