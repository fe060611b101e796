import { randomBytes } from 'node:crypto'
import type { Instant } from '@laurel/contract/instants'
import {
  LOCK_MINUTES_DEFAULT,
  type LockBody,
  type RedeemVouchersBody,
  type RollBackBody,
  type UnlockBody,
  type ValidateBody,
  type VoucherBody,
  type VoucherPatch,
  type VoucherReasonBody,
} from '@laurel/contract/vouchers'
import { newId } from '@laurel/engine/base/ids'
import type { Tx } from '@laurel/engine/base/db'
import { blockVoucher, changeVoucher, createVoucher } from '@laurel/engine/configure-vouchers'
import type { VouchersOnOrder } from '@laurel/engine/gate/asks'
import { isRefusal } from '@laurel/engine/gate/decisions'
import { validateVouchers } from '@laurel/engine/validate-vouchers'
import { currentConfiguration } from '@laurel/engine/views/current'
import {
  getVoucher,
  getVoucherRedemption,
  listVoucherRedemptions,
  listVouchers,
  shownVoucher,
  type VoucherFilter,
  voucherRedemptionNamed,
} from '@laurel/engine/views/vouchers'
import type { Voucher } from '@laurel/engine/vouchers/vouchers.rules'
import { answer, type Call, type Handlers, pageOf, param, read, write } from '../call.ts'
import { instantAt } from '../door.ts'
import { type Answer, refusalAnswer } from '../problems.ts'
import { submit } from './purchases.ts'

export const vouchers: Handlers<
  | 'createVoucher'
  | 'listVouchers'
  | 'getVoucher'
  | 'changeVoucher'
  | 'blockVoucher'
  | 'unblockVoucher'
  | 'validateVouchers'
  | 'lockVouchers'
  | 'unlockVouchers'
  | 'redeemVouchers'
  | 'getVoucherRedemption'
  | 'listVoucherRedemptions'
  | 'rollBackVouchers'
> = {
  createVoucher: (call) => {
    const body = call.body as VoucherBody
    return configured(call, 201, (tx, door) => createVoucher(tx, body, datesOf(body), door))
  },

  listVouchers: async (call) => {
    const { program, member, code } = call.query as VoucherFilter
    const { configurations } = call.door
    return answer(
      200,
      await read(call, (db) => listVouchers(db, configurations, { program, member, code }, pageOf(call), call.now)),
    )
  },

  getVoucher: async (call) =>
    answer(200, await read(call, (db) => getVoucher(db, call.door.configurations, param(call, 'voucher'), call.now))),

  changeVoucher: (call) => {
    const body = call.body as VoucherPatch
    return configured(call, 200, (tx, door) => changeVoucher(tx, param(call, 'voucher'), body, datesOf(body), door))
  },

  blockVoucher: (call) => setBlocked(call, true),
  unblockVoucher: (call) => setBlocked(call, false),

  validateVouchers: async (call) => {
    const body = call.body as ValidateBody
    return await read(call, async (db) => {
      const configuration = await currentConfiguration(db, call.door.configurations)
      const told = await validateVouchers(db, configuration, { ...onOrder(body), session: body.session }, call.now)
      return isRefusal(told) ? refusalAnswer(told) : answer(200, told)
    })
  },

  lockVouchers: (call) => {
    const body = call.body as LockBody
    const { session, minutes = LOCK_MINUTES_DEFAULT } = body
    return submit(call, { verb: 'lockVouchers', ...onOrder(body), session, minutes })
  },

  unlockVouchers: (call) => submit(call, { verb: 'unlockVouchers', ...(call.body as UnlockBody) }),

  redeemVouchers: (call) => {
    const body = call.body as RedeemVouchersBody
    const { session, externalId } = body
    return submit(call, { verb: 'redeemVouchers', ...onOrder(body), session, externalId })
  },

  getVoucherRedemption: async (call) =>
    answer(
      200,
      await read(call, (db) => getVoucherRedemption(db, call.door.configurations, param(call, 'redemption'))),
    ),

  listVoucherRedemptions: async (call) => {
    const { configurations } = call.door
    return answer(
      200,
      await read(call, (db) => listVoucherRedemptions(db, configurations, param(call, 'voucher'), pageOf(call))),
    )
  },

  rollBackVouchers: async (call) => {
    const redemption = await read(call, (db) => voucherRedemptionNamed(db, param(call, 'redemption')))
    return await submit(call, { verb: 'rollBackVouchers', redemption, ...(call.body as RollBackBody) })
  },
}

/** All of them unless told, as they were asked. */
export function onOrder({ program, member, codes, order, policy, sequence }: ValidateBody): VouchersOnOrder {
  return {
    program,
    member,
    codes,
    order: order as VouchersOnOrder['order'],
    policy: policy ?? 'all',
    sequence: sequence ?? 'asked',
  }
}

type Said = { startsAt?: string | null | undefined; endsAt?: string | null | undefined }

function datesOf({ startsAt, endsAt }: Said): { startsAt?: Instant | null; endsAt?: Instant | null } {
  return { ...dateOf('startsAt', startsAt), ...dateOf('endsAt', endsAt) }
}

function dateOf<Name extends string>(name: Name, said: string | null | undefined): { [name in Name]?: Instant | null } {
  if (said === undefined) return {}
  return { [name]: said === null ? null : instantAt(`/${name}`, said) } as { [name in Name]?: Instant | null }
}

function setBlocked(call: Call, blocked: boolean): Promise<Answer> {
  const { reason } = call.body as VoucherReasonBody
  return configured(call, 200, (tx, door) => blockVoucher(tx, param(call, 'voucher'), { blocked, reason }, door))
}

/** Changes a voucher, and answers it as it is then. */
function configured(
  call: Call,
  status: 200 | 201,
  change: (tx: Tx, door: Parameters<typeof createVoucher>[3]) => Promise<Voucher>,
): Promise<Answer> {
  const { configurations } = call.door
  return write(call, async (tx) => {
    const configuration = await currentConfiguration(tx, configurations)
    const chance = randomBytes(16).toString('hex')
    const voucher = await change(tx, { now: call.now, newId, chance, configuration, secret: call.door.secret })
    return answer(status, await shownVoucher(tx, configurations, voucher, call.now))
  })
}
