import { refusal, type Refusal } from '@laurel/contract/refusals'
import { codeKeys, plainCode } from './base/codes.ts'
import { digestOf } from './base/keys.ts'
import { type Program, programById } from './earning/configuration.ts'
import type { RollBackVouchersAsk } from './gate/asks.ts'
import { type Decision, isRefusal, type Verb } from './gate/decisions.ts'
import { voucherRedemptionAnswer } from './gate/voucher-answers.ts'
import { rolledBackEvent } from './gate/voucher-events.ts'
import { voucherNeeds } from './gate/voucher-slices.ts'
import { rollBackChanges, sharedCodes } from './gate/vouchers.ts'
import { rollBackOf, type RollBack, type VoucherRedemption } from './vouchers/vouchers.rules.ts'

/** How often something of one redemption may be rolled back. */
const ROLL_BACKS_MAX = 200

/**
 * What happens when vouchers that were redeemed are given back, whole or in part: a gift card has the amount back at once, a voucher its
 * use when all of its discount has come back. Once each, however many ask: what went back before is not given back again. The same
 * external id is the same; without codes and amount twice is once. Refusals: redemption_unknown, voucher_unknown, refund_exceeds_spend,
 * external_id_conflict.
 */
export const rollBackVouchers: Verb<RollBackVouchersAsk> = {
  name: () => undefined,

  shares: (ask) => [`voucher redemption ${ask.redemption}`, ...sharedCodes(ask.codes)],

  needs() {},

  furtherNeeds(ask, _facts, _slices, needs) {
    voucherNeeds(needs).redemptions.add(ask.redemption)
  },

  decide(slices, ask, facts) {
    const stored = slices.vouchers.redemptions.get(ask.redemption)
    if (!stored) return refusal('redemption_unknown', 'there is no such redemption of vouchers')
    const ours = programById(slices.configuration, stored.programId)
    if (!ours) throw new Error(`program ${stored.programId} is not in the configuration`)
    const digest = contentOf(ask)
    const before = stored.rollBacks.find((one) => ask.externalId !== undefined && one.externalId === ask.externalId)
    if (before) return repeat(ours, stored, before, digest)
    const back = rollBackOf(stored, ask.codes?.map(codeKeys), ask.amount)
    if (isRefusal(back)) return back
    if (back.length === 0) return shown(ours, stored)
    if (stored.rollBacks.length >= ROLL_BACKS_MAX)
      return refusal('refund_exceeds_spend', `it was rolled back ${ROLL_BACKS_MAX} times already`)
    const why = { at: facts.now, digest, externalId: ask.externalId, reason: ask.reason }
    const { changes, redemption } = rollBackChanges(slices.vouchers, stored, back, why)
    const made = redemption.rollBacks.at(-1) as RollBack
    return {
      status: 200,
      body: JSON.stringify(voucherRedemptionAnswer(ours, redemption)),
      kept: { vouchers: changes, names: [], events: [rolledBackEvent(ours, redemption, made)] },
    }
  },
}

function contentOf({ codes, amount, reason }: RollBackVouchersAsk): string {
  return digestOf(JSON.stringify([codes?.map(plainCode) ?? null, amount ?? null, reason ?? null]))
}

function repeat(ours: Program, stored: VoucherRedemption, before: RollBack, digest: string): Decision | Refusal {
  return before.digest === digest
    ? shown(ours, stored)
    : refusal(
        'external_id_conflict',
        `the external id "${before.externalId}" names another rollback of this redemption`,
      )
}

function shown(ours: Program, stored: VoucherRedemption): Decision {
  return { status: 200, body: JSON.stringify(voucherRedemptionAnswer(ours, stored)) }
}
