import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Activity } from '../activities/activities.rules.ts'
import { insertActivities } from '../activities/activities.sql.ts'
import { type AdjustmentChange, saveAdjustments } from '../adjustments/adjustments.sql.ts'
import { type AnswerRow, insertAnswers } from '../base/answers.ts'
import type { Statement } from '../base/db.ts'
import { freeNames, insertNames, type NameRow } from '../base/names.ts'
import { insertEvents, type NewEvent } from '../base/outbox.ts'
import type { Card } from '../cards/cards.rules.ts'
import { saveCards } from '../cards/cards.sql.ts'
import type { Checkout } from '../checkouts/checkouts.rules.ts'
import { saveCheckouts } from '../checkouts/checkouts.sql.ts'
import { type EntryOf, insertEntries, insertLotUses, saveLots } from '../ledger/ledger.sql.ts'
import { insertStates, updateStates } from '../ledger/states.sql.ts'
import type { Hold, LotUse, MemberState } from '../ledger/books.ts'
import { saveHolds } from '../ledger/holds.sql.ts'
import { saveRedeemed, takeShared } from './redemption-saves.ts'
import type { RedemptionChanges } from './redemption-slices.ts'
import { markMerged, type Merge, saveMerges } from '../members/merges.sql.ts'
import { addTakes, type BudgetTake } from '../limits/budgets.rules.ts'
import { byCounter, type Counter, counterName } from '../limits/counters.rules.ts'
import { saveCounters, takeBudgets } from '../limits/limits.sql.ts'
import { insertMembers } from '../members/members.sql.ts'
import { insertPurchases, insertReturns, updateReturned } from '../purchases/purchases.sql.ts'
import type { Purchase, Return } from '../purchases/purchases.rules.ts'
import { saveTiers, type TierChanges } from '../tiers/tiers.sql.ts'
import type { Outcome } from './asks.ts'
import { lotsBySeq } from './books.ts'
import { folded, type UnclaimedChange } from '../unclaimed/unclaimed.rules.ts'
import { saveUnclaimed } from '../unclaimed/unclaimed.sql.ts'
import type { VoucherChanges } from '../vouchers/vouchers.rules.ts'
import { type Changes, eachMember, type Kept, returnsOf } from './decisions.ts'
import { saveVoucherChanges } from './voucher-slices.ts'

/** What a list has decided of one ask, and what of it is to be written. */
export type Answered = {
  outcome: Outcome | undefined
  changes?: Changes | undefined
  kept?: Kept | undefined
  store?: AnswerRow | undefined
  fault?: Error
}

/** All that a list writes, a table at a time. */
type Writes = {
  answers: AnswerRow[]
  names: NameRow[]
  /** names that were nobody's, and are somebody's now */
  freed: Uuid[]
  unclaimed: UnclaimedChange[]
  joined: { member: Uuid; externalId: string; at: Instant }[]
  states: { state: MemberState; read: number }[]
  newStates: MemberState[]
  purchases: Purchase[]
  returned: Purchase[]
  returns: Return[]
  activities: Activity[]
  adjustments: AdjustmentChange[]
  cards: Card[]
  checkouts: Checkout[]
  entries: EntryOf[]
  lots: { member: Uuid; seq: number; remaining: number }[]
  uses: (LotUse & { member: Uuid; written: number })[]
  holds: Hold[]
  merges: Merge[]
  counters: Counter[]
  tiers: TierChanges[]
  takes: BudgetTake[]
  vouchers: VoucherChanges[]
  redemptions: RedemptionChanges[]
  events: NewEvent[]
}

/**
 * What a list writes in the one order in which all lists write: idempotency keys, purchases without a member, names, members'
 * states, what members share (budgets, vouchers), then the rest; rows of a table in ascending key order, so that lists wait for each other and do not deadlock. One statement a
 * table. They are whole before the first is sent: what cannot be made (too many events for one transaction, a number out of
 * range) throws here, and nothing is written.
 */
export function save(
  space: number,
  batchId: Uuid,
  now: Instant,
  answered: readonly Answered[],
  unguarded = false,
): Statement[] {
  const w = collect(answered)
  return [
    ...insertAnswers(space, w.answers),
    ...saveUnclaimed(space, w.unclaimed, unguarded),
    ...freeNames(space, w.freed, unguarded),
    ...insertNames(space, w.names, unguarded),
    ...updateStates(space, w.states, unguarded),
    ...insertMembers(space, w.joined),
    ...insertStates(space, w.newStates),
    ...takeBudgets(space, addTakes(w.takes), unguarded),
    ...takeShared(space, w.redemptions, unguarded),
    ...saveVoucherChanges(space, now, w.vouchers, unguarded),
    ...insertPurchases(space, w.purchases),
    ...updateReturned(space, w.returned),
    ...insertReturns(space, w.returns),
    ...insertActivities(space, w.activities),
    ...saveAdjustments(space, w.adjustments, unguarded),
    ...saveCards(space, w.cards),
    ...saveCheckouts(space, w.checkouts),
    ...insertEntries(space, w.entries),
    ...saveLots(space, w.lots),
    ...insertLotUses(space, w.uses),
    ...saveHolds(space, w.holds),
    ...saveRedeemed(space, w.redemptions),
    ...saveMerges(space, w.merges),
    ...markMerged(space, w.merges),
    ...saveCounters(space, w.counters),
    ...saveTiers(space, w.tiers),
    ...insertEvents(space, batchId, now, w.events),
  ]
}

function collect(answered: readonly Answered[]): Writes {
  const w = nothing()
  const states = new Map<Uuid, { state: MemberState; read: number; isNew: boolean }>()
  const purchases = new Map<Uuid, Purchase>()
  const returned = new Map<Uuid, Purchase>()
  const lots = new Map<string, Writes['lots'][number]>()
  const uses = new Map<string, Writes['uses'][number]>()
  const holds = new Map<Uuid, Hold>()
  const merges = new Map<Uuid, Merge>()
  const cards = new Map<Uuid, Card>()
  const checkouts = new Map<Uuid, Checkout>()
  const names = new Map<Uuid, NameRow>()
  const counters = new Map<string, Counter>()
  for (const { changes, kept, store } of answered) {
    if (store) w.answers.push(store)
    if (kept) collectKept(w, names, kept)
    for (const one of changes ? eachMember(changes) : []) collectOne(one)
  }

  function collectOne(changes: Changes): void {
    const { member, books } = changes
    const known = states.get(member)
    if (known) known.state = books.state
    else states.set(member, { state: books.state, read: books.state.version - 1, isNew: changes.enrols !== undefined })
    if (changes.enrols) w.joined.push({ member, externalId: changes.enrols.externalId, at: changes.at })
    if (changes.claims) collectClaim(w, names, changes.claims)
    for (const name of changes.names) names.set(name.key, name)
    if (changes.purchase) purchases.set(changes.purchase.id, changes.purchase)
    for (const p of changes.returned ?? []) (purchases.has(p.id) ? purchases : returned).set(p.id, p)
    for (const one of returnsOf(changes)) w.returns.push(one)
    if (changes.activity) w.activities.push(changes.activity)
    if (changes.adjustment) w.adjustments.push(changes.adjustment)
    for (const entry of books.entries) w.entries.push({ ...entry, member })
    for (const hold of books.changedHolds) holds.set(hold.id, hold)
    if (changes.merges) merges.set(changes.merges.id, changes.merges)
    for (const card of changes.cards ?? []) cards.set(card.id, card)
    for (const one of changes.checkouts ?? []) checkouts.set(one.id, one)
    const lotOf = lotsBySeq(books, books.uses.length)
    for (const use of books.uses) {
      const key = `${member} ${use.seq} ${use.lotSeq}`
      const same = uses.get(key)
      if (same) same.points += use.points
      else uses.set(key, { ...use, member, written: books.state.version })
      const lot = lotOf(use.lotSeq)
      if (lot) lots.set(`${member} ${lot.seq}`, { member, seq: lot.seq, remaining: lot.remaining })
    }
    for (const counter of changes.limits?.counters ?? []) counters.set(counterName(counter), counter)
    w.takes.push(...(changes.limits?.takes ?? []))
    if (changes.tiers) w.tiers.push(changes.tiers)
    if (changes.vouchers) w.vouchers.push(changes.vouchers)
    if (changes.redemption) w.redemptions.push(changes.redemption)
    for (const event of changes.events) w.events.push(event)
  }
  for (const one of states.values()) {
    if (one.isNew) w.newStates.push(one.state)
    else w.states.push(one)
  }
  w.purchases.push(...purchases.values())
  w.returned.push(...returned.values())
  w.lots.push(...lots.values())
  w.uses.push(...uses.values())
  w.holds.push(...holds.values())
  w.merges.push(...[...merges.values()].sort((a, b) => order(a.other, b.other)))
  w.cards.push(...cards.values())
  w.checkouts.push(...checkouts.values())
  w.counters.push(...counters.values())
  w.names.push(...names.values())
  return inOrder(w)
}

function collectKept(w: Writes, names: Map<Uuid, NameRow>, kept: Kept): void {
  for (const name of kept.names) names.set(name.key, name)
  if (kept.change) w.unclaimed.push(kept.change)
  if (kept.vouchers) w.vouchers.push(kept.vouchers)
  for (const event of kept.events) w.events.push(event)
}

type Claims = NonNullable<Changes['claims']>
function collectClaim(w: Writes, names: ReadonlyMap<Uuid, NameRow>, { change, frees }: Claims): void {
  for (const key of frees) if (!names.has(key)) w.freed.push(key) // else it was nobody's in this list only
  w.unclaimed.push(change)
}

function nothing(): Writes {
  return {
    answers: [],
    names: [],
    freed: [],
    unclaimed: [],
    joined: [],
    states: [],
    newStates: [],
    purchases: [],
    returned: [],
    returns: [],
    activities: [],
    adjustments: [],
    cards: [],
    checkouts: [],
    entries: [],
    lots: [],
    uses: [],
    holds: [],
    merges: [],
    counters: [],
    tiers: [],
    takes: [],
    vouchers: [],
    redemptions: [],
    events: [],
  }
}

/** Rows of a table in ascending key order, so that lists wait for each other. */
function inOrder(w: Writes): Writes {
  w.counters.sort(byCounter)
  w.checkouts.sort((a, b) => order(a.member, b.member) || order(a.id, b.id))
  w.cards.sort((a, b) => order(a.member, b.member) || order(a.id, b.id))
  w.freed.sort(order)
  w.unclaimed = folded(w.unclaimed)
  w.answers.sort((a, b) => order(a.key, b.key))
  w.names.sort((a, b) => order(a.key, b.key))
  w.states.sort((a, b) => order(a.state.member, b.state.member))
  w.entries.sort((a, b) => order(a.member, b.member) || a.seq - b.seq)
  w.activities.sort((a, b) => order(a.member, b.member))
  w.adjustments.sort((a, b) => order(a.adjustment.id, b.adjustment.id))
  w.purchases.sort((a, b) => order(a.member, b.member))
  w.lots.sort((a, b) => order(a.member, b.member) || a.seq - b.seq)
  w.holds.sort((a, b) => order(a.member, b.member) || order(a.id, b.id))
  return w
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
