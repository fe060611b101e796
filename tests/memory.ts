import type { RuleTerms } from '../contract/rule-terms.ts'
import type { Configuration } from '../engine/earning/configuration.ts'
import { aConfiguration, aProgram, aVersion } from '../engine/earning/rules-for-tests.ts'
import type { Kind } from '../engine/earning/kinds/kind.ts'
import type { Ask } from '../engine/gate/asks.ts'
import { factsOf } from '../engine/gate/gate.ts'
import { noLimits } from '../engine/gate/limit-slices.ts'
import { noTiers } from '../engine/gate/tier-slices.ts'
import { noRedemptions } from '../engine/gate/redemption-slices.ts'
import { decideAll } from '../engine/gate/list.ts'
import type { Slices } from '../engine/gate/slices.ts'
import { noVouchers } from '../engine/gate/voucher-slices.ts'
import type { Answered } from '../engine/gate/save.ts'

/** The pure core without a database: what was decided stays in the slices, as if every list had been saved and loaded. */
export type Memory = {
  slices: Slices
  decide(ask: Ask, now?: number): { status: number; body: any; answered: Answered }
}

export const T0 = Date.UTC(2026, 5, 1) * 1000

/** One program whose members join by buying, with these rules. */
export function configurationWith(
  rules: { kind: string; args: unknown; terms?: RuleTerms }[],
  kinds?: readonly Kind[],
): Configuration {
  const versions = rules.map(({ kind, args, terms = {} }, i) => aVersion(i + 1, kind, args, { terms }))
  return aConfiguration(
    versions,
    { programs: [{ ...aProgram, joinPolicy: 'on_first_purchase', wallets: aProgram.wallets.slice(0, 1) }] },
    kinds,
  )
}

export function openMemory(configuration: Configuration): Memory {
  const slices: Slices = {
    configuration,
    states: new Map(),
    names: new Map(),
    answers: new Map(),
    lots: new Map(),
    holds: new Map(),
    uses: new Map(),
    fates: new Map(),
    ended: new Map(),
    merges: new Map(),
    sent: new Map(),
    unclaimed: new Map(),
    purchases: new Map(),
    returns: new Map(),
    activities: new Map(),
    adjustments: new Map(),
    cards: new Map(),
    checkouts: new Map(),
    entries: new Map(),
    limits: noLimits(),
    tiers: noTiers(),
    vouchers: noVouchers(),
    redemptions: noRedemptions(),
  }
  let clock = T0
  return {
    slices,
    decide(ask, now = (clock += 1_000)) {
      const [answered] = decideAll(slices, [{ ask, submit: {}, facts: { ...factsOf(ask, 0, undefined), now } }])
      if (!answered?.outcome) throw answered?.fault ?? new Error('no answer')
      return { status: answered.outcome.status, body: JSON.parse(answered.outcome.body), answered }
    },
  }
}
