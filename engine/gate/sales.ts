import type { Uuid } from '@laurel/contract/ids'
import type { Refusal } from '@laurel/contract/refusals'
import { type Configuration, type Program, rulesAt } from '../earning/configuration.ts'
import { award } from '../earning/earning.rules.ts'
import type { CompiledRule } from '../earning/question.ts'
import { credit } from '../ledger/ledger.rules.ts'
import type { Why } from '../ledger/books.ts'
import { decidedItems, type Purchase } from '../purchases/purchases.rules.ts'
import type { Instant } from '@laurel/contract/instants'
import type { Facts } from './asks.ts'
import type { Opened } from './books.ts'
import { lotDates } from './dates.ts'
import { isRefusal, tell } from './decisions.ts'
import { bookedDigest } from './digests.ts'
import { changesOf, type LimitChanges, limitsFor, needLimits, type Whom } from './limits.ts'
import { frozenText, questionOf, withTiers } from './questions.ts'
import type { FurtherNeeds, Slices } from './slices.ts'
import { tiersAt } from './tiers.ts'

/** What is to be read so that a purchase can be decided. `member`: none for one who joins with it. */
export function needSale(
  slices: Pick<Slices, 'configuration'>,
  needs: Pick<FurtherNeeds, 'limits'>,
  ours: Program,
  about: { member: Uuid | undefined; occurredAt: Instant; now: Instant },
): void {
  const { configuration } = slices
  const { member, occurredAt } = about
  const rules = saleRules(configuration, ours, occurredAt)
  needLimits(needs, configuration, ours, rules, { ...aboutSale(occurredAt, about), member })
}

/** A purchase as it is stored, and what of limits it used. */
export type Sold = { stored: Purchase; limits: LimitChanges | undefined }

/**
 * What every purchase does, however it came: rules give points for it, the ledger books them, the world is told. Into
 * `opened`, which whoever decides settles when all is booked. Refusals: amount_out_of_range.
 */
export function sell(
  slices: Slices,
  opened: Opened,
  ours: Program,
  bought: Omit<Purchase, 'awards' | 'frozen'>,
  whom: Whom,
  facts: Facts,
): Sold | Refusal {
  const { books, events } = opened
  const { configuration } = slices
  const first = books.state.entrySeq + 1
  const rules = saleRules(configuration, ours, bought.occurredAt)
  const limiting = limitsFor(slices, ours, rules, whom, aboutSale(bought.occurredAt, facts))
  const tiers = tiersAt(slices, whom.isNew ? undefined : books.state, ours, bought.occurredAt, facts)
  const frozen = withTiers(ours, limiting?.frozen ?? null, tiers)
  const awards = award(rules, questionOf(ours, bought, decidedItems(bought), frozen))
  if (isRefusal(awards)) return awards
  const stored: Purchase = {
    ...bought,
    awards: awards.map((a, i) => [a.ruleVersionId, a.points, a.why, first + i]),
    frozen: frozenText(frozen),
  }
  events.push(tell(books.state, 'purchase.recorded', { purchase: stored.id }))
  if (bought.claimed) events.push(tell(books.state, 'purchase.claimed', { purchase: stored.id }))
  for (const a of awards) {
    const why: Why = {
      kind: 'earn',
      source: stored.id,
      digest: bookedDigest(stored),
      occurredAt: bought.occurredAt,
      now: facts.now,
      ruleVersionId: a.ruleVersionId,
      ...(facts.actor ? { actor: facts.actor } : {}),
    }
    const dates = lotDates(configuration, a.walletId, a.ruleVersionId, bought.occurredAt, facts.now, tiers?.expiry)
    const full = credit(books, a.walletId, a.points, why, dates)
    if (full) return full
    events.push(tell(books.state, 'points.earned', { entry: books.state.entrySeq }))
  }
  return { stored, limits: changesOf(slices, limiting, awards) }
}

/** The rules in force when it happened, as they are configured now. */
function saleRules(configuration: Configuration, ours: Program, occurredAt: Instant): CompiledRule[] {
  return rulesAt(configuration, ours.programId, configuration.configVersion, occurredAt)
}

function aboutSale(occurredAt: Instant, { now }: Pick<Facts, 'now'>) {
  return { event: 'purchase', at: occurredAt, now }
}
