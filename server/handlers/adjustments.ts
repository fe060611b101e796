import type { AdjustmentStatus, DecisionBody } from '@laurel/contract/adjustments'
import { encodeId } from '@laurel/contract/ids'
import { existingMember } from '@laurel/engine/members/members'
import { adjustmentRow, pageAdjustments, readAdjustment } from '@laurel/engine/views/adjustments'
import { answer, type Handler, type Handlers, pageOf, param, read } from '../call.ts'
import { submit } from './purchases.ts'

/** Whose it is, is looked up first: what is decided about a member waits for what else is asked of that member. */
const decide =
  (way: 'approve' | 'reject'): Handler =>
  async (call) => {
    const { id, member } = await read(call, (db) => adjustmentRow(db, param(call, 'adjustment')))
    const { reason } = call.body as DecisionBody
    return await submit(call, { verb: 'decide', member: encodeId('mem', member), adjustment: id, way, reason })
  }

export const adjustments: Handlers<'listAdjustments' | 'getAdjustment' | 'approveAdjustment' | 'rejectAdjustment'> = {
  listAdjustments: async (call) =>
    answer(
      200,
      await read(call, async (db) => {
        const { status, member } = call.query
        const filter = {
          status: status as AdjustmentStatus | undefined,
          member: member === undefined ? undefined : await existingMember(db, member),
        }
        return await pageAdjustments(db, call.door.configurations, filter, pageOf(call))
      }),
    ),
  getAdjustment: async (call) =>
    answer(200, await read(call, (db) => readAdjustment(db, call.door.configurations, param(call, 'adjustment')))),
  approveAdjustment: decide('approve'),
  rejectAdjustment: decide('reject'),
}
