import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Refusal } from '@laurel/contract/refusals'
import type { NewEvent } from '../base/outbox.ts'
import type { Draft, MemberState } from '../ledger/ledger.rules.ts'
import type { Purchase, Return } from '../purchases/purchases.rules.ts'
import type { Facts } from './asks.ts'
import type { FurtherNeeds, Named, Needs, Slices } from './slices.ts'

/** What a decision changes, all of it one member's. */
export type Changes = {
  member: Uuid
  at: Instant
  books: Draft
  /** set when the decision enrols the member */
  enrols?: { externalId: string; key: Uuid }
  purchase?: Purchase
  /** purchases of which units were returned, as they are now */
  returned?: Purchase[]
  returns?: Return
  names: (Named & { key: Uuid })[]
  events: NewEvent[]
}

/** `body` is JSON text: what a client reads. */
export type Decision = { status: 200 | 201; body: string; changes?: Changes }

/**
 * A verb: what it needs to read, and the pure decision on what was read. Given the same slices, ask and facts it
 * decides the same; what it returns is applied only when it is not a refusal.
 */
export type Verb<A> = {
  /** The key of the name that what it makes will have; undefined where that has none. */
  name(ask: A): Uuid | undefined
  /** Names besides its own and its member's. */
  needs(ask: A, needs: Needs): void
  furtherNeeds(ask: A, facts: Facts, slices: Slices, needs: FurtherNeeds): void
  decide(slices: Slices, ask: A, facts: Facts): Decision | Refusal
}

export function isRefusal(value: object): value is Refusal {
  return 'code' in value
}

/** The next event of a member, numbered within the member's life. */
export function tell(state: MemberState, type: string, data: Record<string, unknown>): NewEvent {
  return { type, member: state.member, sequence: ++state.eventSeq, data }
}
