import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Refusal } from '@laurel/contract/refusals'
import type { Activity } from '../activities/activities.rules.ts'
import type { AdjustmentChange } from '../adjustments/adjustments.sql.ts'
import type { NewEvent } from '../base/outbox.ts'
import type { Card } from '../cards/cards.rules.ts'
import type { Checkout } from '../checkouts/checkouts.rules.ts'
import type { Draft, MemberState } from '../ledger/books.ts'
import type { Purchase, Return } from '../purchases/purchases.rules.ts'
import type { UnclaimedChange } from '../unclaimed/unclaimed.rules.ts'
import type { Merge } from '../members/merges.sql.ts'
import type { VoucherChanges } from '../vouchers/vouchers.rules.ts'
import type { TierChanges } from '../tiers/tiers.sql.ts'
import type { Assigns, Facts } from './asks.ts'
import type { LimitChanges } from './limits.ts'
import type { RedemptionChanges } from './redemption-slices.ts'
import type { FurtherNeeds, Named, Needs, Slices } from './slices.ts'

/** What a decision changes, all of it one member's; `also`: what it changes of another. Both are saved, or neither. */
export type Changes = {
  member: Uuid
  at: Instant
  books: Draft
  also?: Changes
  merges?: Merge
  /** set when the decision enrols the member */
  enrols?: { externalId: string; key: Uuid }
  purchase?: Purchase
  /** purchases of which units were returned, as they are now */
  returned?: Purchase[]
  returns?: Return
  activity?: Activity
  adjustment?: AdjustmentChange
  cards?: Card[]
  checkouts?: Checkout[]
  /** what it counts, and takes from budgets */
  limits?: LimitChanges | undefined
  /** a tier that somebody assigns, or takes away again */
  assigns?: Assigns
  /** what it changes of tiers: the gate adds it (tiers.ts) */
  tiers?: TierChanges
  /** what it makes, locks, redeems or gives back of vouchers */
  vouchers?: VoucherChanges | undefined
  redemption?: RedemptionChanges
  /** the purchase had no member before: what goes of it there, the returns that came before, and whose names were nobody's */
  claims?: { change: UnclaimedChange; returns: Return[]; frees: Uuid[] }
  names: (Named & { key: Uuid })[]
  events: NewEvent[]
}

/** What a decision changes that is no member's: a purchase that has none, vouchers. */
export type Kept = {
  change?: UnclaimedChange
  vouchers?: VoucherChanges
  names: (Named & { key: Uuid })[]
  events: NewEvent[]
}

/** `body` is JSON text: what a client reads. */
export type Decision = { status: 200 | 201 | 202; body: string; changes?: Changes; kept?: Kept }

/**
 * A verb: what it needs to read, and the pure decision on what was read. Given the same slices, ask and facts it
 * decides the same; what it returns is applied only when it is not a refusal.
 */
export type Verb<A> = {
  /** The key of the name that what it makes will have; undefined where that has none. */
  name(ask: A): Uuid | undefined
  /** The second member that it concerns, as a reference; none unless said. */
  other?(ask: A): string | undefined
  /** Whether its facts are to hold chance, because it makes codes or secrets. */
  chance?: true
  /** What it shares with asks of other members, such as vouchers: one list at a time holds each. */
  shares?(ask: A): readonly string[]
  /** Names besides its own and its member's. */
  needs(ask: A, needs: Needs): void
  furtherNeeds(ask: A, facts: Facts, slices: Slices, needs: FurtherNeeds): void
  decide(slices: Slices, ask: A, facts: Facts): Decision | Refusal
}

/** A decision's changes, a member each. */
export function eachMember(changes: Changes): Changes[] {
  return changes.also ? [changes, ...eachMember(changes.also)] : [changes]
}

/** The returns that a decision stores. */
export function returnsOf(changes: Changes): Return[] {
  return [...(changes.claims?.returns ?? []), ...(changes.returns ? [changes.returns] : [])]
}

/** What has a code of its own, as a voucher has, says no detail. */
export function isRefusal(value: object): value is Refusal {
  return 'code' in value && 'detail' in value
}

/** The next event of a member, numbered within the member's life. */
export function tell(state: MemberState, type: string, data: Record<string, unknown>): NewEvent {
  return { type, member: state.member, sequence: ++state.eventSeq, data }
}
