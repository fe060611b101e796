import type { RewardCategoryBody, RewardCategoryPatch } from '@laurel/contract/reward-categories'
import type { RewardBody, RewardPatch } from '@laurel/contract/rewards'
import { newId } from '@laurel/engine/base/ids'
import { changeCategory, createCategory } from '@laurel/engine/configure-categories'
import { changeReward, createReward, turnReward } from '@laurel/engine/configure-rewards'
import type { RevisedCategory } from '@laurel/engine/rewards/categories'
import type { RevisedReward } from '@laurel/engine/rewards/rewards'
import { listOffers } from '@laurel/engine/views/offers'
import { getReward, listCategories, listRewards } from '@laurel/engine/views/rewards'
import { answer, type Call, type Handlers, pageOf, param, read, revisedAnswer, seenRevision, write } from '../call.ts'

const fixed = (call: Call) => ({ now: call.now, newId })
const told = (status: number, { reward, revision }: RevisedReward) => revisedAnswer(status, reward, revision)
const named = (status: number, { category, revision }: RevisedCategory) => revisedAnswer(status, category, revision)
const turned = (call: Call, turn: 'publish' | 'archive') =>
  write(call, async (tx) => told(200, await turnReward(tx, param(call, 'reward'), turn, fixed(call))))

export const rewards: Handlers<
  | 'createReward'
  | 'listRewards'
  | 'getReward'
  | 'changeReward'
  | 'publishReward'
  | 'archiveReward'
  | 'createRewardCategory'
  | 'listRewardCategories'
  | 'changeRewardCategory'
  | 'listOffers'
> = {
  createReward: (call) =>
    write(call, async (tx) => told(201, await createReward(tx, call.body as RewardBody, fixed(call)))),

  listRewards: async (call) => {
    const { program, status, category } = call.query
    return answer(
      200,
      await read(call, (db) => listRewards(db, call.door.configurations, { program, status, category }, pageOf(call))),
    )
  },

  getReward: async (call) =>
    told(200, await read(call, (db) => getReward(db, call.door.configurations, param(call, 'reward'), call.now))),

  changeReward: (call) =>
    write(call, async (tx) => {
      const patch = call.body as RewardPatch
      return told(200, await changeReward(tx, param(call, 'reward'), patch, seenRevision(call), fixed(call)))
    }),

  publishReward: (call) => turned(call, 'publish'),
  archiveReward: (call) => turned(call, 'archive'),

  createRewardCategory: (call) =>
    write(call, async (tx) => named(201, await createCategory(tx, call.body as RewardCategoryBody, fixed(call)))),

  listRewardCategories: async (call) =>
    answer(
      200,
      await read(call, (db) =>
        listCategories(db, call.door.configurations, { program: call.query.program }, pageOf(call)),
      ),
    ),

  changeRewardCategory: (call) =>
    write(call, async (tx) => {
      const patch = call.body as RewardCategoryPatch
      return named(200, await changeCategory(tx, param(call, 'category'), patch, seenRevision(call), fixed(call)))
    }),

  listOffers: async (call) => {
    const { program, store, category, can } = call.query
    const ask = { program, store, category, can: can === undefined ? undefined : can === 'true' }
    return answer(
      200,
      await read(call, (db) =>
        listOffers(db, call.door.configurations, param(call, 'member'), ask, pageOf(call), call.now),
      ),
    )
  },
}
