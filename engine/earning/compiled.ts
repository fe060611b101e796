import type { Uuid } from '@laurel/contract/ids'
import type { RuleTerms } from '@laurel/contract/rule-terms'
import type { Cap } from '@laurel/contract/wallets'
import { compileCondition, type Expression, type Sort } from './expressions.ts'
import type { Kind } from './kinds/kind.ts'
import type { CompiledRule, Failure, Nothing, Question, Reads } from './question.ts'

/** How long a silence is, where a rule for inactive members does not say. */
const INACTIVE_DAYS = 30

/** As Question.event; silences of each length are moments of their own. */
export function eventOf({ on }: RuleTerms): string {
  if (on === undefined || on.event === 'purchase') return 'purchase'
  if (on.event === 'activity') return `activity:${on.activity}`
  return on.moment === 'inactive' ? `member:inactive:${on.days ?? INACTIVE_DAYS}` : `member:${on.moment}`
}

export function sortOf({ on }: RuleTerms): Sort {
  return on?.event ?? 'purchase'
}

/** What is compiled of a rule version, and where it gives. */
type Version = {
  ruleId: number
  ruleVersionId: number
  rule: Uuid
  version: number
  name: string
  walletId: number
  priority: number
  args: unknown
  terms: RuleTerms
}
type Wallet = { slug: string; currency: string; caps: readonly Cap[] }

/**
 * Arguments are read, look-ups built and conditions compiled here, once. Throws (a fault) on arguments that are not the
 * kind's.
 */
export function compileVersion(kind: Kind, version: Version, wallet: Wallet): CompiledRule {
  const { ruleId, ruleVersionId, rule, name, priority, walletId, terms } = version
  const sort = sortOf(terms)
  const condition = terms.when === undefined ? undefined : conditionOf(terms.when, sort)
  const own = kind.reads(version.args, sort)
  return {
    ruleId,
    ruleVersionId,
    rule,
    version: version.version,
    name,
    walletId,
    wallet: wallet.slug,
    priority,
    multiplies: kind.multiplies,
    event: eventOf(terms),
    terms,
    group: groupOf(terms),
    caps: [...kind.caps, ...(terms.caps ?? [])],
    walletCaps: wallet.caps,
    reads: condition ? either(own, condition.reads) : own,
    when: condition?.when,
    decide: kind.decide(version.args, wallet.currency, sort),
  }
}

function groupOf({ group }: RuleTerms): CompiledRule['group'] {
  return group === undefined || group.pick === 'all' ? undefined : { name: group.name, pick: group.pick }
}

type When = (question: Question) => Nothing | Failure | undefined

/**
 * A condition that was stored and cannot be compiled any more is one that cannot be worked out: the rule gives nothing.
 */
function conditionOf(source: string, sort: Sort): { reads: Reads; when: When } {
  const condition = compileCondition(source, sort)
  if ('fault' in condition) {
    const failure: Failure = { cause: 'condition_error', why: `its condition cannot be read: ${condition.fault}` }
    return { reads: { member: false, number: false, local: false }, when: () => failure }
  }
  return { reads: condition.reads, when: whenOf(condition) }
}

function whenOf(condition: Expression<boolean>): When {
  return (question) => {
    const met = condition.run(question)
    if (met === true) return undefined
    if (met === false) return 'condition_false'
    return { cause: 'condition_error', why: `its condition could not be worked out: ${met.error}` }
  }
}

function either(a: Reads, b: Reads): Reads {
  return { member: a.member || b.member, number: a.number || b.number, local: a.local || b.local }
}

/** What must be known beside the lines to decide by these rules, and which of them are limited. */
export type Needs = Reads & { rules: readonly CompiledRule[] }
const needs = new WeakMap<readonly CompiledRule[], Needs>()

/**
 * Of an array that rulesAt gave: once for each. `rules`: those with caps (their wallet's too), a cooldown or a budget.
 */
export function needsOf(rules: readonly CompiledRule[]): Needs {
  let found = needs.get(rules)
  if (!found) {
    found = {
      member: rules.some((rule) => rule.reads.member),
      number: rules.some((rule) => rule.reads.number),
      local: rules.some((rule) => rule.reads.local),
      rules: rules.filter(isLimited),
    }
    needs.set(rules, found)
  }
  return found
}

function isLimited({ caps, walletCaps, terms }: CompiledRule): boolean {
  return caps.length > 0 || walletCaps.length > 0 || terms.cooldown !== undefined || terms.budget !== undefined
}
