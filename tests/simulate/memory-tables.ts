import type { ElderBooks } from '../../engine/gate/audit-elders.ts'
import type { Uuid } from '../../contract/ids.ts'
import type { Instant } from '../../contract/instants.ts'
import type { Activity } from '../../engine/activities/activities.rules.ts'
import type { Adjustment } from '../../engine/adjustments/adjustments.rules.ts'
import type { Checkout } from '../../engine/checkouts/checkouts.rules.ts'
import type { StoredAnswer } from '../../engine/base/answers.ts'
import { eachMember, type Kept, returnsOf } from '../../engine/gate/decisions.ts'
import type { Answered } from '../../engine/gate/save.ts'
import type { Named } from '../../engine/gate/slices.ts'
import type { Entry, Hold, LotUse, MemberState } from '../../engine/ledger/books.ts'
import { endedIn, endedKey } from '../../engine/ledger/ended.rules.ts'
import type { Merge } from '../../engine/members/merges.sql.ts'
import type { BooksOf } from '../../engine/ledger/ledger.sql.ts'
import type { Purchase, Return } from '../../engine/purchases/purchases.rules.ts'
import type { Unclaimed } from '../../engine/unclaimed/unclaimed.rules.ts'
import { type RewardTables, rewardTablesOf, saveRedemption } from './memory-rewards.ts'
import { saveTiers, type TierTables, tierTablesOf } from './memory-tiers.ts'
import { saveVouchers, type VoucherTables, voucherTablesOf } from './memory-vouchers.ts'
import { type LimitTables, limitTablesOf, saveLimits } from './memory-limits.ts'

/** What the database keeps, as maps. A list reads no more of it than it said that it needs, as from the database. */
export type Tables = {
  states: Map<Uuid, MemberState>
  joined: Map<Uuid, Instant>
  names: Map<Uuid, Named>
  answers: Map<Uuid, StoredAnswer>
  purchases: Map<Uuid, Purchase>
  returns: Map<Uuid, Return>
  unclaimed: Map<Uuid, Unclaimed>
  holds: Map<Uuid, Hold>
  activities: Map<Uuid, Activity>
  merges: Map<Uuid, Merge>
  adjustments: Map<Uuid, Adjustment>
  checkouts: Map<Uuid, Checkout>
  limits: LimitTables
  vouchers: VoucherTables
  rewards: RewardTables
  tiers: TierTables
  books: Map<Uuid, { entries: Entry[]; opening: Entry[]; uses: Map<string, LotUse>; lots: Map<number, number> }>
  /** what ended unused of what sources gave, whoever had it then */
  ended: Map<string, number>
}

export function tablesOf(): Tables {
  return {
    states: new Map(),
    joined: new Map(),
    names: new Map(),
    answers: new Map(),
    purchases: new Map(),
    returns: new Map(),
    unclaimed: new Map(),
    holds: new Map(),
    activities: new Map(),
    merges: new Map(),
    adjustments: new Map(),
    checkouts: new Map(),
    limits: limitTablesOf(),
    vouchers: voucherTablesOf(),
    rewards: rewardTablesOf(),
    tiers: tierTablesOf(),
    books: new Map(),
    ended: new Map(),
  }
}

export function openingEntries(t: Tables, member: Uuid): readonly Entry[] {
  return booksIn(t, member).opening
}

/** As save.ts writes. */
export function save(t: Tables, answered: readonly Answered[], now: Instant): void {
  for (const { changes, kept, store } of answered) {
    if (store) t.answers.set(store.key, store)
    if (kept) saveKept(t, kept)
    for (const one of changes ? eachMember(changes) : []) {
      if (!t.joined.has(one.member)) t.joined.set(one.member, now)
      saveOne(t, one)
    }
  }
}

function saveKept(t: Tables, { change, names, vouchers }: Kept): void {
  if (vouchers) saveVouchers(t.vouchers, vouchers)
  if (change?.after) t.unclaimed.set(change.key, change.after)
  for (const { key, ...named } of names) t.names.set(key, named)
}

function saveOne(t: Tables, changes: NonNullable<Answered['changes']>): void {
  const { member, books } = changes
  t.states.set(member, books.state)
  if (changes.adjustment) t.adjustments.set(changes.adjustment.adjustment.id, changes.adjustment.adjustment)
  for (const one of changes.checkouts ?? []) t.checkouts.set(one.id, one)
  if (changes.merges) t.merges.set(changes.merges.id, changes.merges)
  if (changes.activity) t.activities.set(changes.activity.id, changes.activity)
  if (changes.limits) saveLimits(t.limits, changes.limits)
  if (changes.redemption) saveRedemption(t.rewards, changes.redemption)
  if (changes.tiers) saveTiers(t.tiers, changes.tiers)
  if (changes.vouchers) saveVouchers(t.vouchers, changes.vouchers)
  for (const { key, ...named } of changes.names) t.names.set(key, named)
  if (changes.purchase) t.purchases.set(changes.purchase.id, changes.purchase)
  for (const purchase of changes.returned ?? []) t.purchases.set(purchase.id, purchase)
  for (const one of returnsOf(changes)) t.returns.set(one.id, one)
  if (changes.claims) t.unclaimed.delete(changes.claims.change.key)
  for (const hold of books.changedHolds) t.holds.set(hold.id, hold)
  const own = booksIn(t, member)
  own.entries.push(...books.entries)
  own.opening.push(...books.entries.filter((entry) => entry.activatesAt !== undefined))
  for (const use of books.uses) {
    const key = `${use.seq} ${use.lotSeq}`
    own.uses.set(key, { ...use, points: use.points + (own.uses.get(key)?.points ?? 0) })
    own.lots.set(use.lotSeq, books.lots.find((lot) => lot.seq === use.lotSeq)?.remaining ?? Number.NaN)
  }
  for (const { source, walletId, points } of endedIn(
    books.entries,
    books.uses,
    (seq) => own.entries[seq - 1]?.source,
  )) {
    const key = endedKey(source, walletId)
    t.ended.set(key, (t.ended.get(key) ?? 0) + points)
  }
}

export function booksOf(t: Tables, state: MemberState): BooksOf {
  const { entries, uses, lots } = booksIn(t, state.member)
  const holds = [...t.holds.values()].filter((hold) => hold.member === state.member)
  return {
    state,
    entries,
    uses: [...uses.values()],
    lots: [...lots].map(([seq, remaining]) => ({ seq, remaining })),
    holds,
  }
}

/** Who a member is by now: itself, or whom it was merged into. */
export function living(t: Tables, member: Uuid): MemberState | undefined {
  const state = t.states.get(member)
  return state?.mergedInto ? living(t, state.mergedInto) : state
}

/** Of everybody, what counted with whom it was merged into: for the audit. */
export function elderBooks(t: Tables): ElderBooks {
  const own = <T extends { member: Uuid }>(all: Iterable<T>, member: Uuid) =>
    [...all].filter((x) => x.member === member)
  const heirsOf = (member: Uuid, found = new Set<Uuid>()): Set<Uuid> => {
    for (const one of t.merges.values()) {
      if (one.other !== member || found.has(one.member)) continue
      found.add(one.member)
      heirsOf(one.member, found)
    }
    return found
  }
  return new Map(
    [...new Set([...t.merges.values()].map(({ other }) => other))].map((member) => [
      member,
      {
        entries: booksIn(t, member).entries,
        purchases: own(t.purchases.values(), member),
        activities: own(t.activities.values(), member),
        heirs: heirsOf(member),
      },
    ]),
  )
}

/** All who live on as a member, however far back. */
export function eldersOf(t: Tables, member: Uuid): Uuid[] {
  return [...t.states.keys()].filter((one) => one !== member && living(t, one)?.member === member).sort()
}

export function booksIn(t: Tables, member: Uuid) {
  let own = t.books.get(member)
  if (!own) t.books.set(member, (own = { entries: [], opening: [], uses: new Map(), lots: new Map() }))
  return own
}
