import { activity } from '../activity.ts'
import { adjust } from '../adjust.ts'
import { assignTier, releaseTier } from '../assign-tier.ts'
import { decideAdjustment } from '../decide-adjustment.ts'
import { blockCard, card } from '../card.ts'
import { reserve } from '../checkout.ts'
import { commitCheckout } from '../settle-checkout.ts'
import { voidCheckout, voidUnknown } from '../void-checkout.ts'
import { convert } from '../convert.ts'
import { changeLot } from '../change-lot.ts'
import { capture, hold, release } from '../hold.ts'
import { keep } from '../keep.ts'
import { merge, unmerge } from '../merge.ts'
import { time } from '../pass-time.ts'
import { openBalance } from '../open-balance.ts'
import { purchase } from '../purchase.ts'
import { returns } from '../return.ts'
import { cancelRedemption } from '../cancel-redemption.ts'
import { expireRedemption, fulfil } from '../fulfil.ts'
import { redeem } from '../redeem.ts'
import { refund } from '../refund.ts'
import { lockVouchers, unlockVouchers } from '../lock-vouchers.ts'
import { redeemVouchers } from '../redeem-vouchers.ts'
import { rollBackVouchers } from '../roll-back-vouchers.ts'
import { spend } from '../spend.ts'
import { transfer } from '../transfer.ts'
import type { Ask } from './asks.ts'
import type { Verb } from './decisions.ts'

/** What answers each kind of ask. */
const VERBS = {
  purchase,
  keep,
  open: openBalance,
  return: returns,
  activity,
  spend,
  adjust,
  decide: decideAdjustment,
  time,
  hold,
  capture,
  release,
  refund,
  changeLot,
  transfer,
  convert,
  merge,
  unmerge,
  redeem,
  cancelRedemption,
  fulfil,
  expireRedemption,
  card,
  blockCard,
  reserve,
  commitCheckout,
  voidCheckout,
  voidUnknown,
  lockVouchers,
  unlockVouchers,
  redeemVouchers,
  rollBackVouchers,
  assignTier,
  releaseTier,
} as const

export function verbOf(ask: Ask): Verb<Ask> {
  return VERBS[ask.verb] as Verb<Ask>
}
