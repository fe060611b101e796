import type { Uuid } from '@laurel/contract/ids'

/** `price`: the place of one of its prices; `auto`: a threshold redeems it, and what reached it. */
export type RedeemAsk = {
  verb: 'redeem'
  member: string
  program?: string | undefined
  reward: string
  price?: number | undefined
  confirmed?: true | undefined
  store?: string | undefined
  delivery?: Record<string, unknown> | undefined
  externalId?: string | undefined
  auto?: string | undefined
}
/** Of the member (mem_…) whose redemption it is, as of the asks after it. */
export type CancelRedemptionAsk = {
  verb: 'cancelRedemption'
  member: string
  redemption: Uuid
  reason?: string | undefined
}
/** `externalId`: of a use. */
export type FulfilAsk = {
  verb: 'fulfil'
  member: string
  redemption: Uuid
  way: 'order' | 'ship' | 'deliver' | 'use'
  reason?: string | undefined
  tracking?: string | undefined
  store?: string | undefined
  externalId?: string | undefined
}
/** The end of what was redeemed is to be booked and told: the worker asks it. */
export type ExpireAsk = { verb: 'expireRedemption'; member: string; redemption: Uuid }
