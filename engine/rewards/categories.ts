import { decodeId, encodeId } from '@laurel/contract/ids'
import { formatInstant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { RewardCategoryAnswer } from '@laurel/contract/reward-categories'
import type { Db } from '../base/db.ts'
import { type CategoryRow, selectCategory } from './categories.sql.ts'

/** A category with the revision that guards changes to it (its ETag). */
export type RevisedCategory = { category: RewardCategoryAnswer; revision: number }

/** The category that is named by its id (rct_…). Refusals: reward_category_unknown. */
export async function categoryRow(db: Db, ref: string): Promise<CategoryRow> {
  const id = decodeId('rct', ref)
  const row = id === undefined ? undefined : await selectCategory(db, id)
  if (!row) throw new Refused('reward_category_unknown', `there is no category of rewards "${ref}"`)
  return row
}

/** Refusals: reward_category_unknown. */
export async function getCategory(db: Db, ref: string): Promise<RevisedCategory> {
  const row = await categoryRow(db, ref)
  return { category: categoryAnswer(row), revision: row.revision }
}

export function categoryAnswer(row: CategoryRow): RewardCategoryAnswer {
  const { program, slug, position, texts, rewards } = row
  return {
    id: encodeId('rct', row.id),
    program,
    slug,
    position,
    texts,
    rewards,
    createdAt: formatInstant(row.createdAt),
    updatedAt: formatInstant(row.updatedAt),
  }
}
