import { decodeId, encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { Db } from './base/db.ts'
import { type Configuration, program, type Program, rulesAt, rulesTried, statusAt } from './earning/configuration.ts'
import { explain } from './earning/explained.rules.ts'
import type { CompiledRule } from './earning/question.ts'
import { loadLimits, type NeedsLimits, noLimits } from './gate/limit-slices.ts'
import { limitsFor, needLimits, type Whom } from './gate/limits.ts'
import { type Frozen, questionOf, withTiers } from './gate/questions.ts'
import { courseAt } from './gate/tier-courses.ts'
import { type HeldTiers, newcomersTier, whatTiersBring } from './gate/tiers.ts'
import { coursesFor, heldThen } from './views/tier-standings.ts'
import { type AskedItem, normaliseItems } from './purchases/purchases.rules.ts'

/**
 * What is asked about. Without `member`, nothing is known of the member and nothing is limited. `rules`: drafts and
 * paused rules (rul_…) that are to be taken for active.
 */
export type PreviewAsk = {
  program: string
  currency: string
  items: readonly AskedItem[]
  occurredAt: Instant
  channel?: string | undefined
  store?: string | undefined
  metadata?: Record<string, unknown> | undefined
  member?: Whom | undefined
  rules?: readonly string[] | undefined
}

/** What a purchase would earn: points in the wallet `points`, what each rule gives, and why (not) of every rule. */
export type Preview = {
  points: number
  awards: { rule: string; version: number; wallet: string; points: number; why: string }[]
  rules: {
    rule: string
    name: string
    version: number
    fired: boolean
    points: number
    cause: string
    reason: string
  }[]
}

/**
 * What this would earn if it were bought, and why. Stores nothing; decides as `purchase` does. Refusals:
 * program_unknown, program_paused, currency_mismatch, rule_unknown, rule_state, invalid_request, amount_out_of_range.
 */
export async function preview(
  db: Db,
  configuration: Configuration,
  ask: PreviewAsk,
  now: Instant,
): Promise<Preview | Refusal> {
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
  const tried = triedOf(configuration, ours, ask)
  if ('code' in tried) return tried
  const rules = rulesFor(configuration, ours, ask.occurredAt, tried)
  const [limited, tiers] = [
    await frozenFor(db, configuration, ours, rules, ask, now),
    await tiersFor(db, configuration, ours, ask, now),
  ]
  const frozen = withTiers(ours, limited, tiers)
  const metadata = ask.metadata === undefined ? null : JSON.stringify(ask.metadata)
  const bought = { occurredAt: ask.occurredAt, channel: ask.channel ?? null, store: ask.store ?? null, metadata }
  const told = explain(configuration, ours.programId, questionOf(ours, bought, items, frozen), rules, tried)
  if ('code' in told) return told
  return {
    points: told.awards.reduce((sum, a) => sum + (a.wallet === 'points' ? a.points : 0), 0),
    awards: told.awards.map(({ rule, version, wallet, points, why }) => ({
      rule: encodeId('rul', rule),
      version,
      wallet,
      points,
      why,
    })),
    rules: told.rules.map((story) => ({ ...story, rule: encodeId('rul', story.rule) })),
  }
}

/** Those that are to be taken for active. */
function triedOf(c: Configuration, ours: Program, { rules }: PreviewAsk): ReadonlySet<number> | Refusal {
  const tried = new Set<number>()
  for (const [i, ref] of (rules ?? []).entries()) {
    const id = decodeId('rul', ref)
    const rule = c.rules.get(ours.programId)?.find(({ versions }) => versions[0]?.rule === id)
    if (!rule) return refusal('rule_unknown', `the program "${ours.slug}" has no earning rule "${ref}"`)
    if (statusAt(rule, c.configVersion) === 'archived') {
      return refusal('rule_state', `the rule "${ref}" is archived: it cannot be tried`, [
        { pointer: `/rules/${i}`, detail: 'is archived' },
      ])
    }
    tried.add(rule.ruleId)
  }
  return tried
}

function rulesFor(c: Configuration, ours: Program, at: Instant, tried: ReadonlySet<number>): CompiledRule[] {
  if (tried.size > 0) return rulesTried(c, ours.programId, at, 'purchase', tried)
  return rulesAt(c, ours.programId, c.configVersion, at)
}

/** What is known of the member, and what limits leave. */
async function frozenFor(
  db: Db,
  configuration: Configuration,
  ours: Program,
  rules: readonly CompiledRule[],
  { member, occurredAt: at }: PreviewAsk,
  now: Instant,
): Promise<Frozen | null> {
  if (member === undefined) return null
  const needs: { limits?: NeedsLimits } = {}
  const known: Uuid | undefined = member.isNew ? undefined : member.member
  needLimits(needs, configuration, ours, rules, { event: 'purchase', member: known, at })
  const limits = needs.limits ? await loadLimits(db, needs.limits) : noLimits()
  return limitsFor({ configuration, limits }, ours, rules, member, { event: 'purchase', at, now })?.frozen ?? null
}

/** What the member would hold then, before it: as of then where that is ahead. */
async function tiersFor(
  db: Db,
  configuration: Configuration,
  ours: Program,
  { member, occurredAt: at }: PreviewAsk,
  now: Instant,
): Promise<HeldTiers | undefined> {
  const courses = coursesFor(configuration, ours.programId)
  if (member === undefined || courses.length === 0) return undefined
  if (member.isNew)
    return whatTiersBring(
      ours,
      courses.map((newest) => {
        const course = courseAt(newest, at)
        return { course, tier: newcomersTier(course) }
      }),
    )
  return whatTiersBring(ours, await heldThen(db, configuration, member.member, courses, at, now))
}
