import { type Instant, MINUTE } from '@laurel/contract/instants'
import type { Per, Period } from '@laurel/contract/periods'
import type { Cap } from '@laurel/contract/wallets'
import { needsOf } from '../earning/compiled.ts'
import { compile, type Configuration } from '../earning/configuration.ts'
import type { CompiledRule } from '../earning/question.ts'
import { type BudgetLimit, budgetLimit } from '../limits/budgets.rules.ts'
import { SCOPES } from '../limits/counters.rules.ts'

/**
 * Lists that are under way while something is configured may not know of it, clocks differ, and a purchase may be dated a little ahead: so
 * long after a change what was counted is counted again.
 */
const SETTLING = 15 * MINUTE

/** A period by which something is counted. What was given before `since` may be uncounted: then entries are asked. */
export type Kept = { per: Per; since: Instant }
type PlannedRule = {
  rule: CompiledRule
  kept: Kept[]
  cooldown: Period | undefined
  budget: BudgetLimit | undefined
}
type PlannedWallet = { walletId: number; caps: readonly Cap[]; kept: Kept[] }
/** What a set of rules needs to know beside what is asked. number: a rule wants it, or another did once and it is kept up. */
export type Plan = {
  rules: PlannedRule[]
  wallets: PlannedWallet[]
  number: 'asked' | 'kept' | undefined
  member: boolean
  /** a rule goes by the program's clocks: its time zone is kept */
  local: boolean
  numberSince: Instant
}

const plans = new WeakMap<readonly CompiledRule[], Plan | null>()

/** Of rules that rulesAt gave: once for each such array. Null where nothing is limited or counted: then nothing more is done. */
export function planOf(
  c: Configuration,
  programId: number,
  rules: readonly CompiledRule[],
  event: string,
): Plan | null {
  let plan = plans.get(rules)
  if (plan === undefined) plans.set(rules, (plan = makePlan(c, programId, rules, event)))
  return plan
}

function makePlan(c: Configuration, programId: number, rules: readonly CompiledRule[], event: string): Plan | null {
  const { number, member, local } = needsOf(rules)
  const planned = rules
    .map((rule): PlannedRule => {
      const { cooldown, budget } = rule.terms
      return { rule, kept: keptOf(c, programId, rule.ruleId), cooldown, budget: budget && budgetLimit(budget) }
    })
    .filter(({ kept, budget }) => kept.length > 0 || budget)
  const wallets = new Map<number, PlannedWallet>()
  for (const { walletId, walletCaps } of rules) {
    if (walletCaps.length === 0 || wallets.has(walletId)) continue
    const since = late(c.byWalletId.get(walletId)?.changedAt)
    wallets.set(walletId, { walletId, caps: walletCaps, kept: [...pers(walletCaps)].map((per) => ({ per, since })) })
  }
  const counted = event === 'purchase' ? numberedSince(c, programId) : undefined
  if (planned.length === 0 && wallets.size === 0 && counted === undefined && !member && !local) return null
  return {
    rules: planned,
    wallets: [...wallets.values()],
    number: number ? 'asked' : counted === undefined ? undefined : 'kept',
    numberSince: counted ?? Number.MAX_SAFE_INTEGER,
    member,
    local,
  }
}

/** By what periods a rule is counted: those of all of its versions, each from the first version that has it. */
function keptOf(c: Configuration, programId: number, ruleId: number): Kept[] {
  const kept = new Map<Per, Kept>()
  const rule = c.rules.get(programId)?.find((one) => one.ruleId === ruleId)
  for (const version of rule?.versions ?? []) {
    if (!c.kinds.has(version.kind)) continue // one in force would be a fault (compile); another is not in the way
    const { caps, terms } = compile(c, version)
    const wanted = pers(caps)
    if (terms.cooldown !== undefined) wanted.add('lifetime')
    const since = version === rule?.versions[0] ? Number.MIN_SAFE_INTEGER : late(version.createdAt)
    for (const per of wanted) if (!kept.has(per)) kept.set(per, { per, since })
  }
  return [...kept.values()]
}

/** Since when purchases of a program are numbered; a counter that was kept before is counted again where it is asked for. */
export function numberedSince(c: Configuration, programId: number): Instant | undefined {
  const instants = (c.rules.get(programId) ?? [])
    .flatMap((rule) => rule.versions)
    .filter((version) => c.kinds.has(version.kind) && compile(c, version).reads.number)
    .map((version) => late(version.createdAt))
  return instants.length === 0 ? undefined : Math.min(...instants)
}

function pers(caps: readonly Cap[]): Set<Per> {
  return new Set(caps.map(({ per }) => per))
}

/** From when on everything was counted that was to be counted since `changedAt`. */
function late(changedAt: Instant | undefined): Instant {
  return changedAt === undefined ? Number.MAX_SAFE_INTEGER : changedAt + SETTLING
}

/**
 * All that is counted of members, by `scope id per`. complete: periods that begin no earlier are counted from their beginning. changedAt: a
 * counter that was kept since is right.
 */
export function keptCounters(c: Configuration): ReadonlyMap<string, { complete: Instant; changedAt: Instant }> {
  let all = KEPT.get(c)
  if (!all) {
    all = new Map()
    for (const [programId, rules] of c.rules) {
      for (const { ruleId } of rules)
        for (const { per, since } of keptOf(c, programId, ruleId))
          all.set(`${SCOPES.rule} ${ruleId} ${per}`, { complete: since, changedAt: Number.MIN_SAFE_INTEGER })
    }
    for (const [walletId, { settings, changedAt }] of c.byWalletId) {
      for (const per of pers(settings.caps))
        all.set(`${SCOPES.wallet} ${walletId} ${per}`, {
          complete: late(changedAt),
          changedAt: changedAt ?? Number.MAX_SAFE_INTEGER,
        })
    }
    KEPT.set(c, all)
  }
  return all
}
const KEPT = new WeakMap<Configuration, Map<string, { complete: Instant; changedAt: Instant }>>()
