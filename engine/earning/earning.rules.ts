import type { Uuid } from '@laurel/contract/ids'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { CompiledRule } from './configuration.ts'
import type { Line } from './kinds/kind.ts'

export type { Line } from './kinds/kind.ts'

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
 * What the rules (in the order of `rulesAt`) give for these lines: in that order, without those that give nothing.
 * Pure; the same on what remains of a purchase after returns, where lines with no units left are left out.
 * Refuses amount_out_of_range: a total, an award or a wallet's sum beyond 2^53 − 1.
 */
export function award(rules: readonly CompiledRule[], lines: readonly Line[]): Award[] | Refusal {
  const awards: Award[] = []
  let plain = 0 // how many of the awards are not a multiplier's
  let total = 0
  for (const rule of rules) {
    const verdict = rule.decide(lines, rule.multiplies ? sumOf(awards, plain, rule.walletId) : 0)
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
  return refusal('amount_out_of_range', 'The total of the lines or the points for them would exceed 9007199254740991')
}
