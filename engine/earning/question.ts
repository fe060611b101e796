import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { RuleTerms } from '@laurel/contract/rule-terms'
import type { Cap } from '@laurel/contract/wallets'

/** What was bought, as rules see it. `amount` is the whole line's, in minor units; both are whole and ≥ 0. */
export type Line = {
  line: string
  sku: string
  name?: string
  category?: string
  brand?: string
  quantity: number
  amount: number
}

/** What conditions and formulas may know of a member. `birthDate`: YYYY-MM-DD. */
export type MemberFacts = {
  externalId: string | null
  attributes: Record<string, unknown>
  joinedAt: Instant
  birthDate: string | null
  locale: string | null
  hasEmail: boolean
  hasPhone: boolean
  hasName: boolean
  /** the slug of the tier that is held ('' for none) by that of the ladder; none where the program has no ladders */
  tiers?: Record<string, string>
}

/** (factor − 1) × what rules gave that do not multiply, in these wallets (all unless told). `factor`: a decimal number as text. */
export type TierBonus = { tier: string; factor: string; walletIds?: number[] }

/** All that a decision of rules is asked about. The same question has the same answer, always. */
export type Question = {
  /** purchase, activity:<slug>, member:<moment>, member:inactive:<days>, offer, redemption or tier */
  event: string
  /** None but for purchases; after a return, what remains. */
  lines: readonly Line[]
  occurredAt: Instant
  /** The program's: IANA name, and ISO 4217 code. */
  timezone: string
  currency: string
  purchase?: AskedPurchase | undefined
  activity?: { type: string; data: Record<string, unknown> } | undefined
  /** What a redemption costs: points by the slug of a wallet. */
  paid?: Readonly<Record<string, number>> | undefined
  /** What counts towards a tier, as whole numbers. */
  counted?: Readonly<Record<string, number>> | undefined
  /** Only loaded where a rule in force reads it (needsOf). */
  member?: MemberFacts | undefined
  /** None: nothing is limited. */
  limits?: Limits | undefined
  /** What tiers add, that the member held when it bought. */
  bonuses?: readonly TierBonus[] | undefined
}

/** `number`: the member's nth purchase in this program, from 1; only known where a rule in force reads it (needsOf). */
export type AskedPurchase = {
  channel: string | null
  store: string | null
  metadata: Record<string, unknown>
  number?: number | undefined
}

/** Why the limits leave a rule nothing. */
export type LimitCause = 'cap_reached' | 'cooling_down' | 'budget_spent'

/** What was given before and what may be given still, for one decision: it changes as the decision takes from it. */
export type Limits = {
  /**
   * What of `points` the rule may give now: 0 to all of it; 'refuse' where its cap refuses rather than clips. Takes
   * nothing.
   */
  room(rule: CompiledRule, points: number): number | 'refuse'
  /** Uses `points` up for the rest of this decision: what `room` left. */
  take(rule: CompiledRule, points: number): void
  /** Why `room` leaves less than `points`: the first limit that does, also in a sentence that follows "but". */
  why(rule: CompiledRule, points: number): { cause: LimitCause; why: string }
}

/** Why a rule that was in force gave nothing. */
export type Nothing =
  | 'no_eligible_items'
  | 'rounds_to_zero'
  | 'nothing_to_multiply'
  | 'below_threshold'
  | 'not_that_purchase'
  | 'incomplete_combination'
  | 'condition_false'
  | 'condition_error'
  | 'formula_error'
  | 'outranked'
  | LimitCause
  | 'amount_out_of_range'

/** The same with a sentence of its own, where that of the cause does not say enough. */
export type Failure = { cause: Nothing; why: string }

/** What a rule says to a question: whole points > 0 with the reason in a sentence, or why there are none. */
export type Verdict = { points: number; why: string } | Nothing | Failure

/** `given`: what the rules that do not multiply gave in the rule's wallet; 0 for a rule that does not multiply. */
export type Decide = (question: Question, given: number) => Verdict

/**
 * What a rule reads that is not said with the purchase or activity: facts of the member, how many purchases there were
 * before, what the program's clocks showed (its time zone may change).
 */
export type Reads = { member: boolean; number: boolean; local: boolean }

/** A rule version that is ready to decide: arguments read, look-ups built, conditions compiled. */
export type CompiledRule = {
  ruleId: number
  ruleVersionId: number
  rule: Uuid
  version: number
  name: string
  walletId: number
  wallet: string
  priority: number
  multiplies: boolean
  /** As Question.event. */
  event: string
  terms: RuleTerms
  /** Those of its terms and those that its kind implies. */
  caps: readonly Cap[]
  /** What all rules together may give one member in its wallet. */
  walletCaps: readonly Cap[]
  reads: Reads
  /** Where it does not stand beside all others: with whom it competes for the wallet. */
  group: { name: string; pick: 'best' | 'first' } | undefined
  /** Compiled `when`: undefined where it is true, else why the rule gives nothing. */
  when: ((question: Question) => Nothing | Failure | undefined) | undefined
  decide: Decide
}
