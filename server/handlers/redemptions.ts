import { freeFault } from '@laurel/contract/common'
import { encodeId } from '@laurel/contract/ids'
import type {
  RedemptionBody,
  RedemptionReasonBody,
  RedemptionStatus,
  ShipBody,
  UseBody,
} from '@laurel/contract/redemptions'
import type { FulfilAsk } from '@laurel/engine/gate/redemption-asks'
import { getRedemption, listRedemptions, whoseRedemption } from '@laurel/engine/views/redemptions'
import { answer, type Call, type Handlers, pageOf, param, read } from '../call.ts'
import { invalid } from '../door.ts'
import type { Answer } from '../problems.ts'
import { submit } from './purchases.ts'

export const redemptions: Handlers<
  | 'redeemReward'
  | 'listRedemptions'
  | 'getRedemption'
  | 'cancelRedemption'
  | 'orderRedemption'
  | 'shipRedemption'
  | 'deliverRedemption'
  | 'useRedemption'
> = {
  redeemReward: async (call) => {
    const body = call.body as RedemptionBody
    const fault = body.delivery && freeFault(body.delivery)
    if (fault) throw invalid([{ pointer: '/delivery', detail: fault }])
    return await submit(call, { verb: 'redeem', member: param(call, 'member'), ...body })
  },

  listRedemptions: async (call) => {
    const { program, status } = call.query as { program?: string; status?: RedemptionStatus }
    const { configurations } = call.door
    return answer(
      200,
      await read(call, (db) =>
        listRedemptions(db, configurations, param(call, 'member'), { program, status }, pageOf(call), call.now),
      ),
    )
  },

  getRedemption: async (call) =>
    answer(
      200,
      await read(call, (db) => getRedemption(db, call.door.configurations, param(call, 'redemption'), call.now)),
    ),

  cancelRedemption: async (call) => {
    const { member, redemption } = await read(call, (db) => whoseRedemption(db, param(call, 'redemption')))
    const { reason } = call.body as RedemptionReasonBody
    return await submit(call, { verb: 'cancelRedemption', member: encodeId('mem', member), redemption, reason })
  },

  orderRedemption: (call) => step(call, { way: 'order', ...(call.body as RedemptionReasonBody) }),
  shipRedemption: (call) => step(call, { way: 'ship', ...(call.body as ShipBody) }),
  deliverRedemption: (call) => step(call, { way: 'deliver', ...(call.body as RedemptionReasonBody) }),
  useRedemption: (call) => step(call, { way: 'use', ...(call.body as UseBody) }),
}

async function step(call: Call, said: Omit<FulfilAsk, 'verb' | 'member' | 'redemption'>): Promise<Answer> {
  const { member, redemption } = await read(call, (db) => whoseRedemption(db, param(call, 'redemption')))
  return await submit(call, { verb: 'fulfil', member: encodeId('mem', member), redemption, ...said })
}
