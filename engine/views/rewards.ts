import { decodeId } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { RewardCategoryAnswer } from '@laurel/contract/reward-categories'
import type { RewardAnswer } from '@laurel/contract/rewards'
import type { Db } from '../base/db.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import { codesLeft } from '../codes/pools.rules.ts'
import { loadPools } from '../codes/pools.sql.ts'
import type { ConfiguredReward } from '../earning/configured.ts'
import { type Configuration, type Configurations, programById } from '../earning/configuration.ts'
import { categoryAnswer } from '../rewards/categories.ts'
import { selectCategories } from '../rewards/categories.sql.ts'
import { stockOf } from '../rewards/rewards.rules.ts'
import { type RevisedReward, revisedReward, rewardAnswer, rewardRow } from '../rewards/rewards.ts'
import { selectRewards } from '../rewards/rewards.sql.ts'
import { loadStock, stockName } from '../rewards/stock.sql.ts'
import { currentConfiguration } from './current.ts'
import { programIdOf } from './pools.ts'

/** A reward with all its versions and what is left of it now. Refusals: reward_unknown. */
export async function getReward(db: Db, known: Configurations, ref: string, now: Instant): Promise<RevisedReward> {
  const row = await rewardRow(db, ref)
  const [{ reward, revision }, configuration] = await Promise.all([
    revisedReward(db, row),
    currentConfiguration(db, known),
  ])
  const configured = configuration.rewards.find(({ rewardId }) => rewardId === row.rewardId)
  if (!configured) throw new Error(`reward ${row.rewardId} is not in the configuration`)
  const left = (await leftOf(db, configuration, [configured], now))(configured)
  return { revision, reward: { ...reward, left } }
}

/** Oldest first. Refusals: invalid_cursor, program_unknown. */
export async function listRewards(
  db: Db,
  known: Configurations,
  filter: { program?: string | undefined; status?: string | undefined; category?: string | undefined },
  page: PageAsk,
): Promise<Page<RewardAnswer>> {
  const programId = await programIdOf(db, known, filter.program)
  const after = page.after === undefined ? null : decodeId('rwd', page.after)
  const said = { programId, status: filter.status ?? null, category: filter.category ?? null }
  const rows = after === undefined ? undefined : await selectRewards(db, said, after, page.limit + 1)
  if (!rows) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of rewards')
  return pageOf(rows, page.limit, rewardAnswer, (reward) => reward.id)
}

/** By position, of one program or of all. Refusals: invalid_cursor, program_unknown. */
export async function listCategories(
  db: Db,
  known: Configurations,
  filter: { program?: string | undefined },
  page: PageAsk,
): Promise<Page<RewardCategoryAnswer>> {
  const programId = await programIdOf(db, known, filter.program)
  const after = page.after === undefined ? null : decodeId('rct', page.after)
  const rows = after === undefined ? undefined : await selectCategories(db, programId, after, page.limit + 1)
  if (!rows) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of categories')
  return pageOf(rows, page.limit, categoryAnswer, (category) => category.id)
}

/** What is left of rewards that all members share. total, period, codes: null where that is without end. */
export type Left = NonNullable<RewardAnswer['left']>

/** Of these rewards, now. Two statements at most. */
export async function leftOf(
  db: Db,
  configuration: Configuration,
  rewards: readonly ConfiguredReward[],
  now: Instant,
): Promise<(reward: ConfiguredReward) => Left> {
  const limits = (reward: ConfiguredReward) =>
    stockOf(reward, now, programById(configuration, reward.programId)?.timezone ?? 'UTC')
  const keys = rewards.flatMap(limits)
  const pools = rewards.flatMap((reward) => poolOf(configuration, reward) ?? [])
  const [stocks, loaded] = await Promise.all([
    keys.length === 0 ? [] : loadStock(db, keys),
    pools.length === 0
      ? { pools: [] }
      : loadPools(
          db,
          [...new Set(pools)].map((poolId) => ({ poolId, count: 0 })),
        ),
  ])
  const taken = new Map(stocks.map((stock) => [stockName(stock), stock.taken]))
  const codes = new Map(loaded.pools.map((pool) => [pool.poolId, codesLeft(pool)]))
  return (reward) => {
    const all = limits(reward).map((key) => ({ ...key, taken: taken.get(stockName(key)) ?? 0 }))
    const total = all.find(({ period }) => period === 'all')
    const period = all.find((key) => key.period !== 'all')
    return {
      total: total ? { taken: total.taken, left: Math.max(0, total.limit - total.taken) } : null,
      period: period
        ? { period: period.period, taken: period.taken, left: Math.max(0, period.limit - period.taken) }
        : null,
      codes: codes.get(poolOf(configuration, reward) ?? -1) ?? null,
    }
  }
}

/** The pool that its codes come from, if they come from one. */
export function poolOf(configuration: Configuration, { programId, terms }: ConfiguredReward): number | undefined {
  const { code } = terms
  if (code === undefined || !('pool' in code)) return undefined
  return configuration.pools.find((pool) => pool.programId === programId && pool.slug === code.pool)?.poolId
}
