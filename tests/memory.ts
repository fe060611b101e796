import { newId } from '../engine/base/ids.ts'
import { type Configuration, configurationOf, type RuleVersion } from '../engine/earning/configuration.ts'
import type { Kind } from '../engine/earning/kinds/kind.ts'
import { KINDS } from '../engine/earning/kinds.ts'
import type { Ask } from '../engine/gate/asks.ts'
import { factsOf } from '../engine/gate/gate.ts'
import { decideAll } from '../engine/gate/list.ts'
import type { Slices } from '../engine/gate/slices.ts'
import type { Answered } from '../engine/gate/save.ts'

/** The pure core without a database: what was decided stays in the slices, as if every list had been saved and loaded. */
export type Memory = {
  slices: Slices
  decide(ask: Ask, now?: number): { status: number; body: any; answered: Answered }
}

export const T0 = Date.UTC(2026, 5, 1) * 1000

export function ruleVersion(kind: string, args: unknown, n: number): RuleVersion {
  return {
    ruleVersionId: n,
    ruleId: n,
    rule: newId(),
    version: 1,
    name: `${kind} ${n}`,
    kind,
    walletId: 1,
    args,
    priority: 0,
    effectiveFrom: null,
    startsAt: null,
    endsAt: null,
    publishedIn: 1,
  }
}

export function configurationWith(
  rules: { kind: string; args: unknown }[],
  kinds: readonly Kind[] = KINDS,
): Configuration {
  return configurationOf(
    {
      space: 1,
      configVersion: 1,
      programs: [
        {
          programId: 1,
          id: newId(),
          slug: 'coffee',
          name: 'Coffee',
          timezone: 'Europe/London',
          currency: 'GBP',
          joinPolicy: 'on_first_purchase',
          status: 'active',
          wallets: [{ walletId: 1, slug: 'points' }],
        },
      ],
      versions: rules.map((r, i) => ruleVersion(r.kind, r.args, i + 1)),
      states: rules.map((_, i) => ({ ruleId: i + 1, configVersion: 1, status: 'active' as const })),
    },
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
    purchases: new Map(),
    returns: new Map(),
    entries: new Map(),
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
