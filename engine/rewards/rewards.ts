import { decodeId, encodeId } from '@laurel/contract/ids'
import { formatInstant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { RewardAnswer, RewardShown, RewardTerms } from '@laurel/contract/rewards'
import type { Db } from '../base/db.ts'
import { type RewardRow, type RewardVersionRow, selectReward, selectRewardVersions } from './rewards.sql.ts'

/** A reward with the revision that guards changes to it (its ETag). */
export type RevisedReward = { reward: RewardAnswer; revision: number }

/** The reward that is named by its id (rwd_…). Refusals: reward_unknown. */
export async function rewardRow(db: Db, ref: string): Promise<RewardRow> {
  const id = decodeId('rwd', ref)
  const row = id === undefined ? undefined : await selectReward(db, id)
  if (!row) throw new Refused('reward_unknown', `there is no reward "${ref}"`)
  return row
}

/** A reward with all its versions. Refusals: reward_unknown. */
export async function revisedReward(db: Db, row: RewardRow): Promise<RevisedReward> {
  const versions = await selectRewardVersions(db, row.rewardId)
  return {
    revision: row.revision,
    reward: {
      ...rewardAnswer(row),
      versions: versions.map((version) => ({ ...saidBy(version), createdAt: formatInstant(version.createdAt) })),
    },
  }
}

export function rewardAnswer(row: RewardRow): RewardAnswer {
  return {
    id: encodeId('rwd', row.id),
    program: row.program,
    slug: row.slug,
    kind: row.kind,
    status: row.status,
    ...saidBy(row),
    createdAt: formatInstant(row.createdAt),
    updatedAt: formatInstant(row.updatedAt),
  }
}

function saidBy({ version, name, terms, shown }: Pick<RewardVersionRow, 'version' | 'name' | 'terms' | 'shown'>) {
  return { version, name, ...saidTerms(terms), ...saidShown(shown) }
}

function saidTerms(terms: RewardTerms) {
  return {
    price: terms.price,
    money: terms.money ?? null,
    visibility: terms.visibility ?? null,
    stock: terms.stock ?? null,
    code: terms.code ?? null,
    valid: terms.valid ?? null,
    value: terms.value ?? null,
    fulfilment: terms.fulfilment ?? false,
    auto: terms.auto ?? null,
    stepUp: terms.stepUp ?? false,
  }
}

export function saidShown({ category, images, texts }: RewardShown) {
  return { category: category ?? null, images: images ?? [], texts: texts ?? {} }
}
