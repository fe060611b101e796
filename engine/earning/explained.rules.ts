import type { Uuid } from '@laurel/contract/ids'
import { formatInstant } from '@laurel/contract/instants'
import type { Refusal } from '@laurel/contract/refusals'
import { eventOf } from './compiled.ts'
import {
  type CompiledRule,
  type Configuration,
  rulesAt,
  type RuleStatus,
  type RuleVersion,
  statusAt,
  versionAt,
} from './configuration.ts'
import { type Award, decide } from './earning.rules.ts'
import type { Nothing, Question } from './question.ts'

/** Why a rule gave something (`fired`) or nothing. */
export type Cause = 'fired' | 'draft' | 'paused' | 'archived' | 'not_started' | 'ended' | 'other_event' | Nothing
type Unfired = Exclude<Cause, 'fired'>
export type Explanation = {
  rule: Uuid
  name: string
  version: number
  fired: boolean
  points: number
  cause: Cause
  /** the cause in a sentence */
  reason: string
}

const NONE: ReadonlySet<number> = new Set()

/**
 * What `award` gives by the rules in force (or by `rules`, of which those in `tried` are taken for active), and of
 * every rule of the program, in the order of creation: what it gives, or why nothing. Takes from the question's limits,
 * as award does. Refuses amount_out_of_range.
 */
export function explain(
  c: Configuration,
  programId: number,
  question: Question,
  rules: readonly CompiledRule[] = rulesAt(c, programId, c.configVersion, question.occurredAt, question.event),
  tried: ReadonlySet<number> = NONE,
): { awards: Award[]; rules: Explanation[] } | Refusal {
  const nothings = new Map<number, { cause: Nothing; why: string | undefined }>()
  const awards = decide(rules, question, (rule, cause, why) => nothings.set(rule.ruleVersionId, { cause, why }))
  if (!Array.isArray(awards)) return awards
  const told = (c.rules.get(programId) ?? []).map((rule): Explanation => {
    const version = versionAt(rule, c.configVersion, question.occurredAt) ?? (rule.versions[0] as RuleVersion)
    const head = { rule: version.rule, name: version.name, version: version.version }
    const given = awards.filter((a) => a.ruleVersionId === version.ruleVersionId)
    if (given.length > 0) {
      const points = given.reduce((sum, one) => sum + one.points, 0)
      return { ...head, fired: true, points, cause: 'fired', reason: given.map(({ why }) => why).join('; and ') }
    }
    const { cause, why } = nothings.get(version.ruleVersionId) ?? {
      cause: whyNotInForce(tried.has(rule.ruleId) ? 'active' : statusAt(rule, c.configVersion), version, question),
      why: undefined,
    }
    return { ...head, fired: false, points: 0, cause, reason: why ?? sentence(cause, version) }
  })
  return { awards, rules: told }
}

function whyNotInForce(status: RuleStatus | undefined, version: RuleVersion, question: Question): Unfired {
  if (status !== undefined && status !== 'active') return status
  if (eventOf(version.terms) !== question.event) return 'other_event'
  return version.endsAt !== null && version.endsAt <= question.occurredAt ? 'ended' : 'not_started'
}

function sentence(cause: Unfired, version: RuleVersion): string {
  switch (cause) {
    case 'draft':
      return 'the rule is a draft: it gives nothing before it is published'
    case 'paused':
      return 'the rule is paused'
    case 'archived':
      return 'the rule is archived'
    case 'not_started':
      return `the rule gives from ${formatInstant(
        Math.max(version.startsAt ?? -Infinity, version.effectiveFrom ?? -Infinity),
      )} on`
    case 'ended':
      return `the rule gave until ${formatInstant(version.endsAt ?? 0)}`
    case 'no_eligible_items':
      return 'nothing in the purchase counts for this rule'
    case 'rounds_to_zero':
      return 'it comes to less than one whole point'
    case 'nothing_to_multiply':
      return 'the other rules give nothing in this wallet'
    case 'below_threshold':
      return 'the lines that count do not reach the first step'
    case 'not_that_purchase':
      return "it is not that one of the member's purchases"
    case 'incomplete_combination':
      return 'the purchase does not hold the whole combination'
    case 'condition_false':
      return 'its condition is not true'
    case 'condition_error':
      return 'its condition could not be worked out'
    case 'formula_error':
      return 'its formula could not be worked out'
    case 'outranked':
      return 'another rule of its group stands instead'
    case 'cap_reached':
      return 'the member has been given all that it may give'
    case 'cooling_down':
      return 'it gave this member something a short while ago'
    case 'budget_spent':
      return 'its budget is spent'
    case 'other_event':
      return 'the rule does not answer to this'
    case 'amount_out_of_range':
      return 'the points add up to more than 2^53 − 1'
  }
}
