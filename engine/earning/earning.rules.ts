import type { Uuid } from '@laurel/contract/ids'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import { formatInstant } from '@laurel/contract/instants'
import {
  type CompiledRule,
  type Configuration,
  eventOf,
  type Rule,
  rulesAt,
  type RuleVersion,
  statusAt,
  versionAt,
} from './configuration.ts'
import type { Nothing, Question } from './question.ts'

const MAX = Number.MAX_SAFE_INTEGER

/** What one rule gives a purchase in one wallet: whole points > 0, and why in a sentence. */
export type Award = {
  ruleVersionId: number
  rule: Uuid
  version: number
  walletId: number
  wallet: string
  points: number
  why: string
}

/**
 * What the rules (in the order of `rulesAt`) answer to the question: in that order, without those that give nothing.
 * Pure; the same on what remains of a purchase after returns, where lines with no units left are left out.
 * Refuses amount_out_of_range: a total, an award or a wallet's sum beyond 2^53 − 1.
 */
export function award(rules: readonly CompiledRule[], question: Question): Award[] | Refusal {
  const awards: Award[] = []
  let plain = 0 // how many of the awards are not a multiplier's
  let total = 0
  for (const rule of rules) {
    const verdict = rule.decide(question, rule.multiplies ? sumOf(awards, plain, rule.walletId) : 0)
    if (typeof verdict === 'string') {
      if (verdict === 'amount_out_of_range') return outOfRange()
      continue
    }
    const { ruleVersionId, version, walletId, wallet } = rule
    awards.push({ ruleVersionId, rule: rule.rule, version, walletId, wallet, points: verdict.points, why: verdict.why })
    if (!rule.multiplies) plain = awards.length
    total += verdict.points
    if (total > MAX && sumOf(awards, awards.length, walletId) > MAX) return outOfRange()
  }
  return awards
}

function sumOf(awards: readonly Award[], length: number, walletId: number): number {
  let sum = 0
  for (let i = 0; i < length; i++) {
    const award = awards[i] as Award
    if (award.walletId === walletId) sum += award.points
  }
  return sum
}

function outOfRange(): Refusal {
  return refusal('amount_out_of_range', 'the lines, or the points for them, add up to more than 2^53 − 1')
}

/** Why a rule gave something (`fired`) or nothing. */
export type Cause = 'fired' | 'draft' | 'paused' | 'archived' | 'not_started' | 'ended' | 'other_event' | Nothing
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

/**
 * Every rule of the program, in the order of creation: what it gives, or why nothing. What fired is what `award` gives, no
 * more and no less. Refuses amount_out_of_range, as it does.
 */
export function explain(c: Configuration, programId: number, question: Question): Explanation[] | Refusal {
  const at = question.occurredAt
  const inForce = rulesAt(c, programId, c.configVersion, at, question.event)
  const awards = award(inForce, question)
  if (!Array.isArray(awards)) return awards
  return (c.rules.get(programId) ?? []).map((rule) => {
    const version = versionAt(rule, c.configVersion, at) ?? (rule.versions[0] as RuleVersion)
    const head = { rule: version.rule, name: version.name, version: version.version }
    const given = awards.find((a) => a.ruleVersionId === version.ruleVersionId)
    if (given) return { ...head, fired: true, points: given.points, cause: 'fired' as const, reason: given.why }
    const compiled = inForce.find((r) => r.ruleVersionId === version.ruleVersionId)
    const cause = compiled ? whyNothing(compiled, inForce, awards, question) : whyNotInForce(c, rule, version, question)
    return { ...head, fired: false, points: 0, cause, reason: sentence(cause, version) }
  })
}

function whyNothing(rule: CompiledRule, inForce: CompiledRule[], awards: Award[], question: Question): Nothing {
  const multiplying = new Set(inForce.filter((r) => r.multiplies).map((r) => r.ruleVersionId))
  const plain = awards.filter((a) => !multiplying.has(a.ruleVersionId))
  const verdict = rule.decide(question, rule.multiplies ? sumOf(plain, plain.length, rule.walletId) : 0)
  if (typeof verdict !== 'string') throw new Error(`rule version ${rule.ruleVersionId} gives one time and not another`)
  return verdict
}

function whyNotInForce(
  c: Configuration,
  rule: Rule,
  version: RuleVersion,
  question: Question,
): Exclude<Cause, 'fired'> {
  const status = statusAt(rule, c.configVersion)
  if (status !== undefined && status !== 'active') return status
  if (eventOf(version.terms) !== question.event) return 'other_event'
  return version.endsAt !== null && version.endsAt <= question.occurredAt ? 'ended' : 'not_started'
}

function sentence(cause: Exclude<Cause, 'fired'>, version: RuleVersion): string {
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
