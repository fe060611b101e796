import { encodeId } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import { type Configuration, program } from './earning/configuration.ts'
import { explain } from './earning/explained.rules.ts'
import { purchaseQuestion } from './earning/question.ts'
import { type AskedItem, normaliseItems } from './purchases/purchases.rules.ts'

export type PreviewAsk = {
  program: string
  currency: string
  items: readonly AskedItem[]
  occurredAt: Instant
}

/** What a purchase would earn: points in the wallet `points`, what each rule gives, and why (not) of every rule. */
export type Preview = {
  points: number
  awards: { rule: string; version: number; wallet: string; points: number; why: string }[]
  rules: { rule: string; name: string; version: number; fired: boolean; points: number; reason: string }[]
}

/**
 * What this would earn if it were bought, and why. Stores nothing; decides as `purchase` does.
 * Refusals: program_unknown, program_paused, currency_mismatch, invalid_request, amount_out_of_range.
 */
export function preview(configuration: Configuration, ask: PreviewAsk): Preview | Refusal {
  const ours = program(configuration, ask.program)
  if (!ours) return refusal('program_unknown', `there is no program "${ask.program}"`)
  if (ours.status === 'paused') return refusal('program_paused', `the program "${ours.slug}" is paused`)
  if (ask.currency !== ours.currency) {
    return refusal(
      'currency_mismatch',
      `the program "${ours.slug}" is in ${ours.currency}, the purchase in ${ask.currency}`,
    )
  }
  const items = normaliseItems(ask.items)
  if (!Array.isArray(items)) return items
  const question = purchaseQuestion(ours, items, ask.occurredAt, { channel: null, store: null, metadata: {} })
  const told = explain(configuration, ours.programId, question)
  if ('code' in told) return told
  const { awards, rules } = told
  return {
    points: awards.reduce((sum, a) => sum + (a.wallet === 'points' ? a.points : 0), 0),
    awards: awards.map(({ rule, version, wallet, points, why }) => ({
      rule: encodeId('rul', rule),
      version,
      wallet,
      points,
      why,
    })),
    rules: rules.map(({ rule, name, version, fired, points, reason }) => ({
      rule: encodeId('rul', rule),
      name,
      version,
      fired,
      points,
      reason,
    })),
  }
}
