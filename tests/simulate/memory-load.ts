import type { Uuid } from '../../contract/ids.ts'
import type { Configuration } from '../../engine/earning/configuration.ts'
import { termsOf } from '../../engine/gate/dates.ts'
import { noLimits } from '../../engine/gate/limit-slices.ts'
import { noTiers } from '../../engine/gate/tier-slices.ts'
import { noVouchers } from '../../engine/gate/voucher-slices.ts'
import { noRedemptions } from '../../engine/gate/redemption-slices.ts'
import { needReissued } from '../../engine/gate/redemption-vouchers.ts'
import type { Item } from '../../engine/gate/list.ts'
import { needOwners } from '../../engine/gate/apart.ts'
import { needUndoing, togetherOf, writtenOffBy } from '../../engine/gate/merge-slices.ts'
import { verbOf } from '../../engine/gate/verbs.ts'
import { findMember, type FurtherNeeds, type Needs, type Slices } from '../../engine/gate/slices.ts'
import { kindOf } from '../../engine/ledger/accounts.ts'
import { type Entry, HOLD_STATUS, type Lot, type LotUse } from '../../engine/ledger/books.ts'
import type { GoneOn, TakenOf } from '../../engine/ledger/taken.sql.ts'
import type { LotFate } from '../../engine/ledger/fates.sql.ts'
import { hasPassed } from '../../engine/ledger/time.rules.ts'
import { loadLimits } from './memory-limits.ts'
import { loadRedemptions, needUndone } from './memory-rewards.ts'
import { loadTiers } from './memory-tiers-load.ts'
import { loadVouchers } from './memory-vouchers.ts'
import { booksIn, eldersOf, living, type Tables } from './memory-tables.ts'

/** As slices.ts reads: names and members, then what the verbs say that they need besides. */
export function load(t: Tables, configuration: Configuration, items: readonly Item[]): Slices {
  const needs: Needs = { members: new Set(), names: new Set(), answers: new Set() }
  for (const { ask, submit, facts } of items) {
    if (submit.idempotency) needs.answers.add(submit.idempotency.key)
    if (facts.name) needs.names.add(facts.name)
    for (const ref of [facts.member, facts.other]) {
      if (ref && 'id' in ref) needs.members.add(ref.id)
      else if (ref) needs.names.add(ref.key)
    }
    verbOf(ask).needs(ask, needs)
  }
  const names = only(t.names, needs.names)
  for (const { member } of names.values()) needs.members.add(member)
  const slices: Slices = {
    configuration,
    states: only(t.states, needs.members),
    names,
    answers: only(t.answers, needs.answers),
    lots: new Map(),
    holds: new Map(),
    merges: new Map(),
    sent: new Map(),
    uses: new Map(),
    fates: new Map(),
    ended: new Map(),
    purchases: new Map(),
    unclaimed: new Map(),
    returns: new Map(),
    activities: new Map(),
    adjustments: new Map(),
    cards: new Map(),
    checkouts: new Map(),
    entries: new Map(),
    limits: noLimits(),
    tiers: noTiers(),
    vouchers: noVouchers(),
    redemptions: noRedemptions(),
  }
  for (const { mergedInto } of slices.states.values()) if (mergedInto) copy(t.states, slices.states, mergedInto) // and on
  loadFurther(t, slices, furtherNeeds(slices, items))
  if (configuration.ladders.length > 0) slices.tiers = loadTiers(t, slices, items)
  return slices
}

function furtherNeeds(slices: Slices, items: readonly Item[]): FurtherNeeds {
  const needs: FurtherNeeds = {
    lots: new Set(),
    lotsBySeq: [],
    holds: [],
    merges: [],
    sent: [],
    uses: [],
    purchases: [],
    unclaimed: new Set(),
    holding: [],
    returns: [],
    activities: [],
    adjustments: [],
    cards: new Set(),
    checkouts: [],
    entries: [],
  }
  for (const { ask, facts } of items) {
    verbOf(ask).furtherNeeds(ask, facts, slices, needs)
    for (const ref of [facts.member, facts.other]) {
      const member = findMember(slices, ref)
      if (member && hasPassed(member, termsOf(slices.configuration), facts.now)) needs.lots.add(member.member)
    }
  }
  return needs
}

function loadFurther(t: Tables, slices: Slices, needs: FurtherNeeds): void {
  if (needs.apart) loadApart(t, needs, slices)
  for (const member of needs.lots) loadLots(t, slices, member)
  for (const { id } of needs.holds) copy(t.holds, slices.holds, id)
  for (const { id } of needs.purchases) copy(t.purchases, slices.purchases, id)
  for (const { id } of needs.returns) copy(t.returns, slices.returns, id)
  for (const { id } of needs.activities) copy(t.activities, slices.activities, id)
  for (const id of needs.adjustments) copy(t.adjustments, slices.adjustments, id)
  for (const { id } of needs.checkouts) copy(t.checkouts, slices.checkouts, id)
  for (const { member, other } of needs.merges)
    for (const one of t.merges.values())
      if (one.member === member && one.other === other) slices.merges.set(one.id, one)
  if (needs.limits)
    slices.limits = loadLimits(
      t.limits,
      slices.configuration,
      (m) => booksIn(t, m).entries,
      needs.limits,
      (m) => eldersOf(t, m),
      (m) => purchasesOf(t, m),
    )
  if (needs.redemptions) {
    slices.redemptions = loadRedemptions(t.rewards, needs.redemptions, (member) => living(t, member)?.member)
    needUndone(t.rewards, needs, slices.redemptions)
    needReissued(slices, needs)
  }
  if (needs.vouchers) slices.vouchers = loadVouchers(t.vouchers, needs.vouchers, (member) => living(t, member)?.member)
  for (const key of needs.unclaimed) copy(t.unclaimed, slices.unclaimed, key)
  for (const { member, sku } of needs.holding) {
    for (const p of t.purchases.values()) {
      if (living(t, p.member)?.member === member && p.items.some((item) => item.sku === sku))
        slices.purchases.set(p.id, p)
    }
  }
  const others = [...slices.purchases.values()].map(({ member }) => member)
  for (const member of [...others, ...(needs.others ?? [])])
    for (let who: Uuid | null | undefined = member; who; who = t.states.get(who)?.mergedInto)
      copy(t.states, slices.states, who)
  if (needs.ended) {
    for (const [key, points] of t.ended)
      if (slices.purchases.has(key.split(' ')[0] ?? '')) slices.ended.set(key, points)
  }
  for (const { member, seq } of needs.entries) {
    const entry = t.books.get(member)?.entries[seq - 1]
    if (entry) slices.entries.set(`${member} ${seq}`, entry)
  }
  if (needs.undoing) loadUndoing(t, needs, slices)
  const further = [...needs.lotsBySeq]
  for (const { member, seq } of needs.uses) {
    const uses = netUses(t, member, seq)
    slices.uses.set(`${member} ${seq}`, uses)
    for (const { lotSeq } of uses) further.push({ member, seq: lotSeq })
  }
  for (const { member, seq } of further) {
    const lots = slices.lots.get(member)
    const entry = booksIn(t, member).entries[seq - 1]
    if (lots && entry?.activatesAt !== undefined && !lots.some((lot) => lot.seq === seq))
      lots.push(lotOf(t, member, entry))
    if (entry?.activatesAt !== undefined) slices.fates.set(`${member} ${seq}`, fateOf(t, member, entry))
  }
  for (const { member, walletId, since } of needs.sent) {
    const all = [member, ...eldersOf(t, member)].flatMap((one) => booksIn(t, one).entries)
    const sent = all.filter((e) => e.walletId === walletId && e.bookedAt >= since && kindOf(e) === 'transferOut')
    slices.sent.set(
      `${member} ${walletId} ${since}`,
      sent.reduce((sum, e) => sum + e.points, 0),
    )
  }
}

/** As they are counted: how many there are. */
function purchasesOf(t: Tables, member: Uuid) {
  const own = [...t.purchases.values()].filter((one) => one.member === member)
  return own.map(({ id, occurredAt }) => ({ source: id, points: 0, occurredAt }))
}

/** As apart.ts reads it. */
function loadApart(t: Tables, needs: FurtherNeeds, slices: Slices): void {
  const seen = new Set(needs.apart)
  for (const member of seen)
    for (const one of t.merges.values()) {
      if (one.member !== member || one.undoneAt === null) continue
      slices.merges.set(one.id, one)
      seen.add(one.other)
      for (let who: Uuid | null | undefined = one.other; who; who = t.states.get(who)?.mergedInto)
        copy(t.states, slices.states, who)
    }
  needOwners(slices, needs)
}

/** As merge-slices.ts reads it. */
function loadUndoing(t: Tables, needs: FurtherNeeds, slices: Slices): void {
  const merge = needUndoing(slices, needs)
  if (!merge) return
  const { member, other, mergedAt } = merge
  const heirs = new Set([member])
  for (const heir of heirs) for (const one of t.merges.values()) if (one.other === heir) heirs.add(one.member)
  const theirs = new Set([other])
  for (const elder of theirs)
    for (const state of t.states.values()) if (state.mergedInto === elder) theirs.add(state.member)
  for (const one of t.merges.values())
    if (heirs.has(one.member) || theirs.has(one.member)) slices.merges.set(one.id, one)
  const taken = [...heirs].flatMap((one) => takenOf(t, one, mergedAt))
  const goneOn = [...theirs].flatMap((one) => goneOnOf(t, one, mergedAt))
  for (const elder of eldersOf(t, member)) copy(t.states, slices.states, elder)
  slices.together = togetherOf(slices, merge, taken, goneOn)
  for (const one of taken) if (one.member === member) needs.lotsBySeq.push({ member, seq: one.lotSeq })
  const sources = new Set([...writtenOffBy(slices, merge), ...taken.map(({ by }) => by)])
  for (const one of t.returns.values()) {
    if (one.recordedAt < mergedAt && !sources.has(one.id)) continue
    if (one.member !== merge.member && !sources.has(one.id)) continue
    slices.returns.set(one.id, one)
    for (const { purchase } of one.taken) copy(t.purchases, slices.purchases, purchase)
  }
}

/** As taken.sql.ts reads it. */
function takenOf(t: Tables, member: Uuid, since: number): TakenOf[] {
  const { entries, uses } = booksIn(t, member)
  const own = [...uses.values()].sort((a, b) => a.seq - b.seq || a.lotSeq - b.lotSeq)
  return own.flatMap(({ seq, lotSeq, points: took }) => {
    const [entry, lot] = [entries[seq - 1], entries[lotSeq - 1]] as [Entry, Entry]
    const kind = kindOf(entry)
    if ((kind !== 'reverse' && kind !== 'restore') || Math.max(entry.bookedAt, lot.bookedAt) < since) return []
    const { walletId, source: by, points, reason = null } = entry
    const { source, occurredAt, activatesAt = 0, expiresAt = null, ruleVersionId = null } = lot
    const of = { source, occurredAt, activatesAt, expiresAt, ruleVersionId }
    return [{ member, seq, walletId, by, points, reason, lotSeq, took, ...of }]
  })
}

function goneOnOf(t: Tables, member: Uuid, since: number): GoneOn[] {
  const { entries, uses } = booksIn(t, member)
  return [...uses.values()].flatMap(({ seq, lotSeq }) => {
    const [entry, lot] = [entries[seq - 1], entries[lotSeq - 1]] as [Entry, Entry]
    if (kindOf(entry) !== 'mergeOut' || entry.bookedAt < since) return []
    const refund = entries.find((one) => kindOf(one) === 'refund' && one.source === entry.source)
    return refund ? [{ member, walletId: lot.walletId, source: lot.source }] : []
  })
}

/** Open lots, from where the member's state says that the first may be; and open holds, with what they hold of them. */
function loadLots(t: Tables, slices: Slices, member: Uuid): void {
  const wallets = t.states.get(member)?.wallets ?? []
  const first = Math.min(...wallets.flatMap((w) => (w.o > 0 ? [w.o] : [])))
  const lots = Number.isFinite(first) ? openLots(t, member).filter((lot) => lot.seq >= first) : []
  slices.lots.set(member, lots)
  if (!wallets.some((w) => w.h > 0)) return
  for (const hold of t.holds.values()) {
    if (hold.member !== member || hold.status !== HOLD_STATUS.open) continue
    slices.holds.set(hold.id, hold)
    for (const [seq, points] of hold.parts.flatMap((part) => part.l)) {
      const lot = lots.find((l) => l.seq === seq)
      if (!lot) throw new Error(`hold ${hold.id} holds lot ${seq}, which is not open`)
      lot.held += points
    }
  }
}

function openLots(t: Tables, member: Uuid): Lot[] {
  const { opening, lots } = booksIn(t, member)
  return opening.filter((e) => (lots.get(e.seq) ?? e.points) > 0).map((entry) => lotOf(t, member, entry))
}

function lotOf(t: Tables, member: Uuid, entry: Entry): Lot {
  const { seq, walletId, source, points, activatesAt = 0, expiresAt = null, bookedAt, occurredAt } = entry
  const remaining = booksIn(t, member).lots.get(seq) ?? points
  const ruleVersionId = entry.ruleVersionId ?? null
  const dates = { activatesAt, expiresAt, slides: false, bookedAt, occurredAt }
  return { seq, walletId, source, points, remaining, held: 0, ...dates, ruleVersionId }
}

/** What became of a lot. */
function fateOf(t: Tables, member: Uuid, { seq: lot, kind, reverses }: Entry): LotFate {
  const { entries, uses } = booksIn(t, member)
  const of = [...uses.values()].filter((use) => use.lotSeq === lot).sort((a, b) => a.seq - b.seq)
  return {
    kind,
    reverses: reverses ?? null,
    uses: of.map(({ seq, points }) => {
      const entry = entries[seq - 1] as Entry
      const again = entries.findLast((e) => e.reverses === seq && kindOf(e) === 'reinstate')
      return {
        seq,
        kind: entry.kind,
        points,
        reverses: entry.reverses ?? null,
        bookedAt: entry.bookedAt,
        activatesAt: entry.activatesAt ?? null,
        expiresAt: entry.expiresAt ?? null,
        again: again?.seq ?? null,
      }
    }),
  }
}

/** What an entry took from lots, less what entries that reverse it gave back. */
function netUses(t: Tables, member: Uuid, seq: number): LotUse[] {
  const { entries, uses } = booksIn(t, member)
  const net = new Map<number, number>()
  for (const use of uses.values()) {
    if (use.seq !== seq && !(entries[use.seq - 1]?.reverses === seq && use.seq > seq)) continue
    net.set(use.lotSeq, (net.get(use.lotSeq) ?? 0) + use.points)
  }
  return [...net].sort(([a], [b]) => a - b).map(([lotSeq, points]) => ({ seq, lotSeq, points }))
}

function only<K, V>(from: Map<K, V>, keys: Iterable<K>): Map<K, V> {
  const found = new Map<K, V>()
  for (const key of keys) copy(from, found, key)
  return found
}

function copy<K, V>(from: Map<K, V>, to: Map<K, V>, key: K): void {
  const value = from.get(key)
  if (value !== undefined) to.set(key, value)
}
