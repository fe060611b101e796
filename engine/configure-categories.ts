import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { RewardCategoryBody, RewardCategoryPatch } from '@laurel/contract/reward-categories'
import type { Tx } from './base/db.ts'
import { loadConfiguration, program } from './earning/configuration.ts'
import { categoryRow, getCategory, type RevisedCategory } from './rewards/categories.ts'
import { insertCategory, updateCategory } from './rewards/categories.sql.ts'

/** What the door fixes: when it is, and where new ids come from. */
type Door = { now: Instant; newId: () => Uuid }

/** Says what members call a category; nothing is decided by it. Refusals: program_unknown, already_exists. */
export async function createCategory(tx: Tx, body: RewardCategoryBody, door: Door): Promise<RevisedCategory> {
  const ours = program(await loadConfiguration(tx), body.program)
  if (!ours) throw new Refused('program_unknown', `there is no program "${body.program}"`)
  const { slug, texts, position = 0 } = body
  const id = door.newId()
  if (!(await insertCategory(tx, { id, programId: ours.programId, slug, position, texts }, door.now))) {
    throw new Refused('already_exists', `the program has a category of rewards "${slug}" already`, [
      { pointer: '/slug', detail: 'is taken by another category of the program' },
    ])
  }
  return await getCategory(tx, encodeId('rct', id))
}

/**
 * Changes what is given; `revision` is the one that the caller has seen, if it says so.
 * Refusals: reward_category_unknown, etag_mismatch.
 */
export async function changeCategory(
  tx: Tx,
  ref: string,
  patch: RewardCategoryPatch,
  revision: number | undefined,
  door: Door,
): Promise<RevisedCategory> {
  const row = await categoryRow(tx, ref)
  const { texts = row.texts, position = row.position } = patch
  const seen = revision === undefined || revision === row.revision
  if (!seen || !(await updateCategory(tx, row, { texts, position }, door.now)))
    throw new Refused('etag_mismatch', `the category "${row.slug}" was changed since it was read`)
  return await getCategory(tx, ref)
}
