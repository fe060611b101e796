import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Activity } from '../activities/activities.rules.ts'
import type { Adjustment } from '../adjustments/adjustments.rules.ts'
import type { StoredAnswer } from '../base/answers.ts'
import type { Db } from '../base/db.ts'
import type { Card } from '../cards/cards.rules.ts'
import type { Checkout } from '../checkouts/checkouts.rules.ts'
import type { Configuration } from '../earning/configuration.ts'
import type { Entry, Held, Hold, Lot, LotUse, MemberState } from '../ledger/books.ts'
import type { LotFate } from '../ledger/fates.sql.ts'
import { kindOf } from '../ledger/accounts.ts'
import type { Merge } from '../members/merges.sql.ts'
import type { Purchase, Return } from '../purchases/purchases.rules.ts'
import type { Unclaimed } from '../unclaimed/unclaimed.rules.ts'
import type { Ask, Facts } from './asks.ts'
import type { LimitSlices, NeedsLimits } from './limit-slices.ts'
import type { Together } from './merge-slices.ts'
import type { TierSlices } from './tier-slices.ts'
import type { MemberRef } from '../members/refs.ts'
import type { NeedsVouchers, VoucherSlices } from './voucher-slices.ts'
import type { NeedsRedemptions, RedemptionSlices } from './redemption-slices.ts'

/** Where a name leads: to a member, and to the purchase or return (object) or entry (seq) that was so named. */
export type Named = { member: Uuid; object: Uuid | null; seq: number | null }

/** All that a list's asks need to be decided, as it was read; then as the decisions before an ask left it. */
export type Slices = {
  configuration: Configuration
  states: Map<Uuid, MemberState>
  names: Map<Uuid, Named>
  answers: Map<Uuid, StoredAnswer>
  /** open lots, of members whose lots were loaded; and their open holds */
  lots: Map<Uuid, Lot[]>
  holds: Map<Uuid, Hold>
  merges: Map<Uuid, Merge>
  /** what happened since a merge that is to be undone (merge-slices.ts) */
  together?: Together
  /** points transferred in a wallet since an instant, by `member wallet instant` */
  sent: Map<string, number>
  /** what entries took from lots, less what entries that reverse them gave back, by `member seq` */
  uses: Map<string, LotUse[]>
  /** what became of the lots that were asked for by number, by `member seq` */
  fates: Map<string, LotFate>
  /** what of purchases' own lots ended unused, by endedKey (ledger/ended.rules.ts), where something comes back */
  ended: Map<string, number>
  purchases: Map<Uuid, Purchase>
  /** purchases without a member, by the key of their name */
  unclaimed: Map<Uuid, Unclaimed>
  returns: Map<Uuid, Return>
  activities: Map<Uuid, Activity>
  adjustments: Map<Uuid, Adjustment>
  entries: Map<string, Entry & { externalId?: string }>
  /** of members whose cards were loaded, or who were named by one */
  cards: Map<Uuid, Card>
  checkouts: Map<Uuid, Checkout>
  /** counters, budgets and members' facts, where rules need them */
  limits: LimitSlices
  /** what members hold on ladders, where there are any */
  tiers: TierSlices
  /** vouchers, and what is locked and was redeemed of them, where they were asked for */
  vouchers: VoucherSlices
  redemptions: RedemptionSlices
}

export type ConfigurationAt = (db: Db, version: number) => Promise<Configuration> | Configuration

/** What an ask needs before anything is known, and what it needs once its names are resolved. */
export type Needs = {
  members: Set<Uuid>
  names: Set<Uuid>
  answers: Set<Uuid>
}
export type FurtherNeeds = {
  /** members whose open lots and holds are to be known */
  lots: Set<Uuid>
  /** these lots too, though nothing may be left of them, and what became of them */
  lotsBySeq: { member: Uuid; seq: number }[]
  holds: { member: Uuid; id: Uuid }[]
  merges: { member: Uuid; other: Uuid }[]
  /** members whose merges that were undone are to be known, with the books of the others */
  apart?: Set<Uuid>
  /** that `other` lives on as `member` is to be undone */
  undoing?: { member: Uuid; other: Uuid }
  sent: { member: Uuid; walletId: number; since: Instant }[]
  /** what these entries took from lots, and what was given back of it since; and those lots */
  uses: { member: Uuid; seq: number }[]
  purchases: { member: Uuid; id: Uuid }[]
  unclaimed: Set<Uuid>
  holding: { member: Uuid; sku: string }[]
  returns: { member: Uuid; id: Uuid }[]
  /** what ended unused of what the purchases that are read gave */
  ended?: true
  activities: { member: Uuid; id: Uuid }[]
  adjustments: Uuid[]
  /** members whom nothing asked names: whose they are by now is to be known */
  others?: Set<Uuid>
  /** members whose cards are to be known */
  cards: Set<Uuid>
  checkouts: { member: Uuid; id: Uuid }[]
  entries: { member: Uuid; seq: number }[]
  /** what limits.ts says: nothing where no rule is limited */
  limits?: NeedsLimits
  vouchers?: NeedsVouchers
  redemptions?: NeedsRedemptions
}

/** The member that an ask is about, if there is one; who was merged into another is that other. */
export function findMember(
  slices: Pick<Slices, 'states' | 'names'>,
  ref: MemberRef | undefined,
): MemberState | undefined {
  let state = namedMember(slices, ref)
  while (state && state.mergedInto !== null) state = slices.states.get(state.mergedInto)
  return state
}

/** The member of that very name, though merged into another. */
export function namedMember(
  slices: Pick<Slices, 'states' | 'names'>,
  ref: MemberRef | undefined,
): MemberState | undefined {
  if (ref === undefined) return undefined
  const id = 'id' in ref ? ref.id : slices.names.get(ref.key)?.member
  return id === undefined ? undefined : slices.states.get(id)
}

/** All open lots and holds of a member, where they were loaded. */
export function heldBy(slices: Slices, member: Uuid): Held | undefined {
  const lots = slices.lots.get(member)
  if (!lots) return undefined
  const holds: Hold[] = []
  for (const hold of slices.holds.values()) if (hold.member === member && hold.status === 1) holds.push(hold)
  return { lots, holds }
}

/** An ask as it is loaded: with what its verb needs, once names are resolved. */
export type Loading = {
  ask: Ask
  facts: Facts
  key: Uuid | undefined
  needs: (needs: Needs) => void
  furtherNeeds: (slices: Slices, needs: FurtherNeeds) => void
}

/** Whom a member lives on as: itself, unless it was merged. */
export function survivorOf(slices: Slices, member: Uuid): Uuid {
  const into = slices.states.get(member)?.mergedInto ?? null
  return into === null ? member : survivorOf(slices, into)
}

/** An entry that was booked after the slices were read. */
export function addSent(slices: Slices, member: Uuid, entry: Entry): void {
  if (kindOf(entry) !== 'transferOut') return
  for (const [key, points] of slices.sent) {
    const [whose, wallet, since] = key.split(' ')
    if (whose !== member || Number(wallet) !== entry.walletId || Number(since) > entry.bookedAt) continue
    slices.sent.set(key, points + entry.points)
  }
}
