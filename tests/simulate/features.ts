import type { Feature } from './feature.ts'
import { activity } from './features/activities.ts'
import { adjust, decide } from './features/adjust.ts'
import { claim, guest, guestReturn } from './features/guests.ts'
import { commit, reserve, voids } from './features/checkouts.ts'
import { capture, hold, release } from './features/holds.ts'
import { changeLot } from './features/lots.ts'
import { enroll, status } from './features/members.ts'
import { merge, unmerge } from './features/merges.ts'
import { open } from './features/open.ts'
import { purchase } from './features/purchase.ts'
import { refund } from './features/refund.ts'
import { cancel, fulfil, redeem } from './features/redemptions.ts'
import { returns } from './features/return.ts'
import { changeReward, codes, reward } from './features/rewards.ts'
import { program, rule, turn, version } from './features/rules.ts'
import { spend } from './features/spend.ts'
import { lockVouchers, redeemVouchers, rollBackVouchers, unlockVouchers } from './features/till.ts'
import { assign, thresholds, unassign } from './features/tiers.ts'
import { convert, transfer } from './features/transfer.ts'
import { changeVoucher, voucher } from './features/vouchers.ts'
import { jobs, settings } from './features/wallets.ts'

/** All that can happen. A new feature is a file and a word here. */
export const FEATURES: readonly Feature[] = [
  purchase,
  returns,
  spend,
  adjust,
  decide,
  enroll,
  status,
  guest,
  guestReturn,
  claim,
  open,
  rule,
  version,
  turn,
  program,
  hold,
  capture,
  release,
  refund,
  changeLot,
  transfer,
  convert,
  activity,
  merge,
  unmerge,
  voucher,
  changeVoucher,
  lockVouchers,
  unlockVouchers,
  redeemVouchers,
  rollBackVouchers,
  reserve,
  commit,
  voids,
  reward,
  changeReward,
  codes,
  redeem,
  cancel,
  fulfil,
  thresholds,
  assign,
  unassign,
  settings,
  jobs,
]
