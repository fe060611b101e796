import type { Uuid } from '@laurel/contract/ids'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import { scale } from './kinds/kind.ts'
import type { CompiledRule, Limits, Nothing, Question } from './question.ts'

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
 * What the rules (in the order of `rulesAt`) answer to the question: in that order (a group where its first rule is),
 * without those that give nothing. Pure; the same on what remains of a purchase after returns, where lines with no
 * units left are left out. Takes what it gives from the question's limits. Refuses amount_out_of_range: a total, an
 * award or a wallet's sum beyond 2^53 − 1.
 */
export function award(rules: readonly CompiledRule[], question: Question): Award[] | Refusal {
  return decide(rules, question, undefined)
}

/** Is told why a rule gave nothing; `why` where there is more to say than the cause. */
export type Told = (rule: CompiledRule, cause: Nothing, why?: string) => void

/** `award`, that says of every other rule why not. */
export function decide(rules: readonly CompiledRule[], question: Question, told: Told | undefined): Award[] | Refusal {
  const awards: Award[] = []
  let plain = 0 // how many of the awards are not a multiplier's
  let total = 0
  for (const rule of rules) {
    const given = rule.multiplies ? sumOf(awards, plain, rule.walletId) : 0
    const offer =
      rule.group === undefined ? offerOf(rule, question, given, told) : pick(rules, rule, question, given, told)
    if (offer === undefined) continue
    if (offer === 'amount_out_of_range') return outOfRange()
    awards.push(offer)
    if (question.limits !== undefined) use(question.limits, rules, rule, offer)
    if (!rule.multiplies) plain = awards.length
    total += offer.points
    if (total > MAX && sumOf(awards, awards.length, rule.walletId) > MAX) return outOfRange()
  }
  return question.bonuses ? withBonuses(rules, question, awards, plain) : awards
}

/**
 * What tiers add to each award of a rule that does not multiply: an award of its own, by the same rule and within its limits. A wallet's
 * sum is rounded down once; the first that come get what that leaves.
 */
function withBonuses(
  rules: readonly CompiledRule[],
  question: Question,
  awards: Award[],
  plain: number,
): Award[] | Refusal {
  const all = [...awards]
  for (const { tier, factor, walletIds } of question.bonuses ?? []) {
    const given = new Map<number, number>()
    for (const award of awards.slice(0, plain)) {
      const { walletId } = award
      if (walletIds && !walletIds.includes(walletId)) continue
      const before = given.get(walletId) ?? 0
      given.set(walletId, before + award.points)
      const bonus = added(before + award.points, factor) - added(before, factor)
      const points = roomFor(rules, question, award, bonus)
      if (points === 0) continue
      all.push({ ...award, points, why: `${factor} times ${award.points}, as ${tier}` })
      if (!(sumOf(all, all.length, walletId) <= MAX)) return outOfRange()
    }
  }
  return all
}

/** A factor has at most four decimals: as a whole number of these it is exact. */
const PARTS = 10_000

function added(points: number, factor: string): number {
  return scale(points, Math.round(Number(factor) * PARTS) - PARTS, PARTS, 'floor')
}

/** What limits leave of a bonus; it is taken from them. */
function roomFor(rules: readonly CompiledRule[], { limits }: Question, award: Award, bonus: number): number {
  const rule = rules.find((one) => one.ruleVersionId === award.ruleVersionId)
  if (bonus === 0 || !limits || !rule) return bonus
  const room = limits.room(rule, bonus)
  const points = room === 'refuse' ? 0 : Math.min(room, bonus)
  if (points > 0) limits.take(rule, points)
  return points
}

function offerOf(
  rule: CompiledRule,
  question: Question,
  given: number,
  told: Told | undefined,
): Award | 'amount_out_of_range' | undefined {
  const verdict = rule.when?.(question) ?? rule.decide(question, given)
  if (typeof verdict === 'string') {
    if (verdict === 'amount_out_of_range') return verdict
    told?.(rule, verdict)
    return undefined
  }
  if ('cause' in verdict) {
    told?.(rule, verdict.cause, verdict.why)
    return undefined
  }
  let { points, why } = verdict
  const { limits } = question
  if (limits !== undefined) {
    const room = limits.room(rule, points)
    if (room === 'refuse' || room < points) {
      const limit = limits.why(rule, points)
      if (room === 'refuse' || room === 0) {
        told?.(rule, limit.cause, limit.why)
        return undefined
      }
      points = room
      why = `${why}, but ${limit.why}`
    }
  }
  const { ruleVersionId, version, walletId, wallet } = rule
  return { ruleVersionId, rule: rule.rule, version, walletId, wallet, points, why }
}

function use(
  limits: Limits,
  rules: readonly CompiledRule[],
  rule: CompiledRule,
  { ruleVersionId, points }: Award,
): void {
  const by = rule.ruleVersionId === ruleVersionId ? rule : rules.find((r) => r.ruleVersionId === ruleVersionId)
  if (by) limits.take(by, points)
}

/**
 * The award of a group in one wallet, at its first rule: of those that give anything, the first or the one that gives
 * most (the earlier of two that give as much). What limits leave of each is what is compared.
 */
function pick(
  rules: readonly CompiledRule[],
  rule: CompiledRule,
  question: Question,
  given: number,
  told: Told | undefined,
): Award | 'amount_out_of_range' | undefined {
  const group = groupsOf(rules).get(rule)
  if (!group) return undefined
  let standing: { by: CompiledRule; award: Award } | undefined
  for (const by of group) {
    if (standing && rule.group?.pick === 'first') {
      told?.(by, 'outranked', outranked(standing.by))
      continue
    }
    const award = offerOf(by, question, given, told)
    if (award === undefined) continue
    if (award === 'amount_out_of_range') return award
    if (standing && award.points <= standing.award.points) {
      told?.(by, 'outranked', outranked(standing.by))
      continue
    }
    if (standing) told?.(standing.by, 'outranked', outranked(by))
    standing = { by, award }
  }
  return standing?.award
}

const groups = new WeakMap<readonly CompiledRule[], Map<CompiledRule, CompiledRule[]>>()

/** Of each group in one wallet, under its first rule, all its rules. Once for each array that rulesAt gave. */
function groupsOf(rules: readonly CompiledRule[]): Map<CompiledRule, CompiledRule[]> {
  let found = groups.get(rules)
  if (!found) {
    groups.set(rules, (found = new Map()))
    for (const rule of rules) {
      if (rule.group === undefined) continue
      const first = rules.find((other) => standsWith(other, rule))
      if (first) found.set(first, [...(found.get(first) ?? []), rule])
    }
  }
  return found
}

function standsWith(other: CompiledRule, rule: CompiledRule): boolean {
  return (
    other.group !== undefined &&
    other.group.name === rule.group?.name &&
    other.walletId === rule.walletId &&
    other.multiplies === rule.multiplies
  )
}

function outranked({ name }: CompiledRule): string {
  return `"${name}" stands instead, which is of the same group`
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
