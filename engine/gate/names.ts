import type { Uuid } from '@laurel/contract/ids'
import { keyOf } from '../base/keys.ts'
import type { Ask } from './asks.ts'

/** Keys under which names are kept in `lookups`: unique in a space, whoever's they are. */
export const memberKey = (externalId: string): Uuid => keyOf('member.external', externalId)
export const purchaseKey = (externalId: string): Uuid => keyOf('purchase', externalId)
export const returnKey = (externalId: string): Uuid => keyOf('return', externalId)
export const openingKey = (externalId: string): Uuid => keyOf('opening', externalId)
export const spendKey = (externalId: string): Uuid => keyOf('spend', externalId)
export const holdKey = (externalId: string): Uuid => keyOf('hold', externalId)
/** Of the hold's own id: whose hold it is. */
export const holdIdKey = (id: Uuid): Uuid => keyOf('hold.id', id)
export const refundKey = (externalId: string): Uuid => keyOf('refund', externalId)
export const activityKey = (externalId: string): Uuid => keyOf('activity', externalId)
export const transferKey = (externalId: string): Uuid => keyOf('transfer', externalId)
export const redemptionKey = (externalId: string): Uuid => keyOf('redemption', externalId)
/** Of the redemption's own id: whose it is. */
export const redemptionIdKey = (id: Uuid): Uuid => keyOf('redemption.id', id)
/** Of what a threshold redeems: the reward by its id (rwd_…), and what reached the threshold. */
export const autoKey = (reward: string, by: string): Uuid => keyOf('redemption.auto', JSON.stringify([reward, by]))
/** Of one use, by the till's own id of it. */
export const useKey = (redemption: Uuid, externalId: string): Uuid =>
  keyOf('redemption.use', JSON.stringify([redemption, externalId]))
/** Of a code that was made for a redemption: it leads there. `key`: what it is told apart by (base/codes.ts). */
export const madeCodeKey = (key: Uuid): Uuid => keyOf('redemption.code', key)
export const conversionKey = (externalId: string): Uuid => keyOf('conversion', externalId)
/** Of vouchers that were redeemed together. */
export const voucherRedemptionKey = (externalId: string): Uuid => keyOf('voucher.redemption', externalId)
/** Of a checkout that locks vouchers. */
export const voucherSessionKey = (programId: number, session: string): Uuid =>
  keyOf('voucher.session', `${programId} ${session}`)
export const checkoutKey = (externalId: string): Uuid => keyOf('checkout', externalId)
/** Of the checkout's own id: whose it is. */
export const checkoutIdKey = (id: Uuid): Uuid => keyOf('checkout.id', id)
/** Of a moment of life: `program` and `member` by their ids (prg_…, mem_…), `which` of that type it is. */
export const momentKey = (program: string, member: string, type: string, which: string): Uuid =>
  keyOf('moment', JSON.stringify([program, member, type, which]))

/** Those of one lane are decided in the order in which they came: a member's, or those of a purchase or of vouchers that have none. */
export function laneOf(ask: Ask): string {
  if (ask.member !== undefined) return ask.member
  if (ask.verb === 'rollBackVouchers') return `vouchers ${ask.redemption}`
  if (ask.verb === 'unlockVouchers') return `vouchers ${ask.session}`
  if ('codes' in ask) return `vouchers ${ask.session ?? ask.codes[0]}`
  if (ask.verb === 'voidUnknown') return `checkout ${ask.externalId}`
  return `purchase ${ask.verb === 'keep' ? `external:${ask.externalId}` : (ask.purchase ?? '')}`
}
