import type { CodePoolAnswer } from '@laurel/contract/code-pools'
import { decodeId, encodeId } from '@laurel/contract/ids'
import { formatInstant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import { type PoolRow, selectPool } from './configured.sql.ts'

/** A pool with the revision that guards changes to how it is set up (its ETag). */
export type RevisedPool = { pool: CodePoolAnswer; revision: number }

/** The pool that is named by its id (cpl_…). Refusals: pool_unknown. */
export async function poolRow(db: Db, ref: string): Promise<PoolRow> {
  const id = decodeId('cpl', ref)
  const row = id === undefined ? undefined : await selectPool(db, id)
  if (!row) throw new Refused('pool_unknown', `there is no pool of codes "${ref}"`)
  return row
}

/** Refusals: pool_unknown. */
export async function getPool(db: Db, ref: string): Promise<RevisedPool> {
  const row = await poolRow(db, ref)
  return { pool: poolAnswer(row), revision: row.revision }
}

export function poolAnswer(row: PoolRow): CodePoolAnswer {
  return {
    id: encodeId('cpl', row.id),
    program: row.program,
    slug: row.slug,
    name: row.name,
    reusable: row.reusable,
    lowAt: row.lowAt,
    total: row.last - row.returned,
    handedOut: row.next - row.returned,
    left: row.last - row.next,
    low: row.low,
    createdAt: formatInstant(row.createdAt),
    updatedAt: formatInstant(row.updatedAt),
  }
}
