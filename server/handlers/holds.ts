import {
  type CaptureBody,
  HOLD_MINUTES_DEFAULT,
  type HoldBody,
  type HoldStatus,
  type RefundBody,
} from '@laurel/contract/holds'
import { decodeEntryId, encodeId } from '@laurel/contract/ids'
import type { ExtendBody, LotReasonBody, ReinstateBody } from '@laurel/contract/lots'
import { Refused } from '@laurel/contract/refusals'
import type { ChangeLotAsk } from '@laurel/engine/gate/asks'
import { getHold, listHolds, whoseHold } from '@laurel/engine/views/holds'
import { listLots, type LotFilter, whosePurchase } from '@laurel/engine/views/lots'
import { answer, type Call, type Handlers, pageOf, param, read } from '../call.ts'
import { instantAt } from '../door.ts'
import type { Answer } from '../problems.ts'
import { submit } from './purchases.ts'

export const holds: Handlers<'placeHold' | 'listHolds' | 'getHold' | 'captureHold' | 'releaseHold' | 'refundSpend'> = {
  placeHold: (call) => {
    const { wallet, points, wallets, minutes, ...said } = call.body as HoldBody
    const asked = wallets ?? (wallet === undefined || points === undefined ? [] : [{ wallet, points }])
    return submit(call, {
      verb: 'hold',
      member: param(call, 'member'),
      wallets: asked,
      minutes: minutes ?? HOLD_MINUTES_DEFAULT,
      ...said,
    })
  },

  listHolds: async (call) => {
    const { status } = call.query as { status?: HoldStatus }
    const { configurations } = call.door
    return answer(
      200,
      await read(call, (db) =>
        listHolds(db, configurations, param(call, 'member'), { status }, pageOf(call), call.now),
      ),
    )
  },

  getHold: async (call) =>
    answer(200, await read(call, (db) => getHold(db, call.door.configurations, param(call, 'hold'), call.now))),

  captureHold: async (call) => {
    const { member, hold } = await read(call, (db) => whoseHold(db, param(call, 'hold')))
    return await submit(call, { verb: 'capture', member: encodeId('mem', member), hold, ...(call.body as CaptureBody) })
  },

  releaseHold: async (call) => {
    const { member, hold } = await read(call, (db) => whoseHold(db, param(call, 'hold')))
    return await submit(call, { verb: 'release', member: encodeId('mem', member), hold })
  },

  refundSpend: (call) => submit(call, { verb: 'refund', member: param(call, 'member'), ...(call.body as RefundBody) }),
}

export const lots: Handlers<
  'listLots' | 'activateLot' | 'cancelLot' | 'extendLot' | 'reinstateLot' | 'activatePurchase' | 'cancelPurchase'
> = {
  listLots: async (call) => {
    const { program, wallet, status } = call.query as LotFilter
    const { configurations } = call.door
    return answer(
      200,
      await read(call, (db) =>
        listLots(db, configurations, param(call, 'member'), { program, wallet, status }, pageOf(call), call.now),
      ),
    )
  },

  activateLot: (call) => changeLot(call, { change: 'activate', ...(call.body as LotReasonBody) }),
  cancelLot: (call) => changeLot(call, { change: 'cancel', ...(call.body as LotReasonBody) }),
  extendLot: (call) => {
    const { expiresAt, reason } = call.body as ExtendBody
    return changeLot(call, { change: 'extend', expiresAt: instantAt('/expiresAt', expiresAt), reason })
  },
  reinstateLot: (call) => {
    const { expiresAt, reason } = call.body as ReinstateBody
    const at = expiresAt === undefined ? undefined : instantAt('/expiresAt', expiresAt)
    return changeLot(call, { change: 'reinstate', expiresAt: at, reason })
  },

  activatePurchase: (call) => changePurchase(call, 'activate'),
  cancelPurchase: (call) => changePurchase(call, 'cancel'),
}

/** A lot is named by the entry that opened it, which names its member. */
async function changeLot(call: Call, said: Pick<ChangeLotAsk, 'change' | 'expiresAt' | 'reason'>): Promise<Answer> {
  const key = decodeEntryId(param(call, 'entry'))
  if (!key) throw new Refused('entry_unknown', `there is no entry "${param(call, 'entry')}"`)
  return await submit(call, {
    verb: 'changeLot',
    member: encodeId('mem', key.member),
    of: { lot: key.seq },
    ...said,
  })
}

async function changePurchase(call: Call, change: 'activate' | 'cancel'): Promise<Answer> {
  const { member, purchase } = await read(call, (db) => whosePurchase(db, param(call, 'purchase')))
  const { reason } = call.body as LotReasonBody
  return await submit(call, { verb: 'changeLot', member, of: { purchase }, change, reason })
}
