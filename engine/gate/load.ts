import type { Uuid } from '@laurel/contract/ids'
import { loadActivities } from '../activities/activities.sql.ts'
import { loadAdjustments } from '../adjustments/adjustments.sql.ts'
import { loadAnswers } from '../base/answers.ts'
import { uuids } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import { loadCards } from '../cards/cards.sql.ts'
import { loadCheckouts } from '../checkouts/checkouts.sql.ts'
import type { Entry, Hold, MemberState } from '../ledger/books.ts'
import { loadHolds, loadOpenHolds } from '../ledger/holds.sql.ts'
import { hasPassed } from '../ledger/time.rules.ts'
import { loadElders, loadMerges } from '../members/merges.sql.ts'
import { loadLots, loadSent } from '../ledger/ledger.sql.ts'
import { loadStates, STATE_COLUMNS, type StateRow, toState } from '../ledger/states.sql.ts'
import { loadHolding, loadPurchases, loadReturns } from '../purchases/purchases.sql.ts'
import { loadUnclaimed } from '../unclaimed/unclaimed.sql.ts'
import { loadApart, needOwners } from './apart.ts'
import { needCards } from './cards.ts'
import { termsOf } from './dates.ts'
import { loadLimits, noLimits } from './limit-slices.ts'
import { loadTiers, noTiers } from './tier-slices.ts'
import { loadUndoing } from './merge-slices.ts'
import { loadEndedOf, loadUses } from './lot-slices.ts'
import { needReissued } from './redemption-vouchers.ts'
import { loadVoucherSlices, noVouchers } from './voucher-slices.ts'
import { loadRedemptionSlices, needUndone, noRedemptions } from './redemption-slices.ts'
import { MovedError } from './faults.ts'
import { type ConfigurationAt, findMember, type FurtherNeeds, type Loading, type Needs, type Slices } from './slices.ts'

/**
 * Reads what a list needs: one round trip for names, answers, members and the configuration's version; a second
 * one only when returns, spends or repeats need more. A change between the two is caught by the members' versions.
 * Without `look` it is taken for granted that what the asks will make is new: their own names and idempotency keys are not looked
 * up, since writing them finds out.
 */
export async function loadSlices(
  db: Db,
  asks: readonly Loading[],
  look: boolean,
  configurationAt: ConfigurationAt,
): Promise<Slices> {
  const needs: Needs = { members: new Set(), names: new Set(), answers: new Set() }
  for (const { facts, key, needs: say } of asks) {
    if (look && key) needs.answers.add(key)
    if (look && facts.name) needs.names.add(facts.name)
    for (const ref of [facts.member, facts.other]) {
      if (ref && 'id' in ref) needs.members.add(ref.id)
      else if (ref) needs.names.add(ref.key)
    }
    say(needs)
  }
  const [version, named, states, answers] = await Promise.all([
    db.query<{ configVersion: number }>(
      'select config_version as "configVersion" from spaces where space_id = $1',
      [db.space],
      'config-version',
    ),
    loadNames(db, [...needs.names]),
    loadStates(db, [...needs.members]),
    loadAnswers(db, [...needs.answers]),
  ])
  const configVersion = version[0]?.configVersion
  if (configVersion === undefined) throw new Error(`space ${db.space} does not exist`)
  const slices: Slices = {
    configuration: await configurationAt(db, configVersion),
    states: new Map(states.map((state) => [state.member, state])),
    names: new Map(named.map((row) => [row.key, { member: row.owner, object: row.object, seq: row.seq }])),
    answers: new Map(answers.map((row) => [row.key, row])),
    lots: new Map(),
    holds: new Map(),
    uses: new Map(),
    fates: new Map(),
    ended: new Map(),
    merges: new Map(),
    sent: new Map(),
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
  for (const row of named) if (row.member !== null) slices.states.set(row.owner, toState(row))
  await loadSurvivors(db, slices)
  await loadFurther(db, asks, slices)
  await loadTiers(db, asks, slices)
  return slices
}

/** Whom merged members live on as: one more look where there are any, and as many as merges follow one another. */
async function loadSurvivors(db: Db, slices: Slices): Promise<void> {
  for (;;) {
    const missing = new Set<Uuid>()
    for (const { mergedInto } of slices.states.values()) {
      if (mergedInto !== null && !slices.states.has(mergedInto)) missing.add(mergedInto)
    }
    if (missing.size === 0) return
    const found = await loadStates(db, [...missing])
    if (found.length < missing.size) throw new Error('a member was merged into one who is not stored')
    for (const state of found) slices.states.set(state.member, state)
  }
}

async function loadOthers(db: Db, others: ReadonlySet<Uuid>, slices: Slices): Promise<void> {
  const missing = [...others].filter((member) => !slices.states.has(member))
  for (const state of await loadStates(db, missing)) slices.states.set(state.member, state)
  await loadSurvivors(db, slices)
}

type NameRow = { key: Uuid; owner: Uuid; object: Uuid | null; seq: number | null } & (StateRow | { member: null })

async function loadNames(db: Db, keys: readonly Uuid[]): Promise<NameRow[]> {
  if (keys.length === 0) return []
  return await db.query<NameRow>(
    `select n.key, n.member_id as owner, n.object_id as object, n.seq, ${STATE_COLUMNS}
       from lookups n left join member_states s on s.member_id = n.member_id
      where n.space_id = $1 and n.key = any ($2::uuid[])`,
    [db.space, uuids(keys, (k) => k)],
    'gate-names',
  )
}

async function loadFurther(db: Db, asks: readonly Loading[], slices: Slices): Promise<void> {
  const needs: FurtherNeeds = {
    lots: new Set(),
    lotsBySeq: [],
    holds: [],
    uses: [],
    merges: [],
    sent: [],
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
  const terms = termsOf(slices.configuration)
  for (const { facts, furtherNeeds } of asks) {
    furtherNeeds(slices, needs)
    needCards(slices, facts, needs)
    for (const ref of [facts.member, facts.other]) {
      const member = findMember(slices, ref)
      if (member && hasPassed(member, terms, facts.now)) needs.lots.add(member.member)
    }
  }
  await loadOwners(db, needs, slices)
  const withLots = [...needs.lots].map((member) => ({ member, from: firstOpen(slices.states.get(member)) }))
  const lotMembers = withLots.filter((m) => m.from > 0)
  const [lots, open, holds, purchases, unclaimed, holding, returns, activities, entries, limits, redemptions] =
    await Promise.all([
      lotMembers.length === 0 ? [] : loadLots(db, lotMembers),
      loadOpenHolds(
        db,
        [...needs.lots].filter((member) => holdsSomething(slices.states.get(member))),
      ),
      loadHolds(db, needs.holds),
      needs.purchases.length === 0 ? [] : loadPurchases(db, needs.purchases),
      loadUnclaimed(db, [...needs.unclaimed]),
      needs.holding.length === 0 ? [] : loadHolding(db, needs.holding),
      needs.returns.length === 0 ? [] : loadReturns(db, needs.returns),
      needs.activities.length === 0 ? [] : loadActivities(db, needs.activities),
      needs.entries.length === 0 ? [] : loadEntries(db, needs.entries),
      needs.limits && loadLimits(db, needs.limits),
      needs.redemptions && loadRedemptionSlices(db, needs.redemptions),
    ])
  for (const member of needs.lots) slices.lots.set(member, [])
  for (const lot of lots) slices.lots.get(lot.member)?.push(lot)
  for (const hold of [...holds, ...open]) slices.holds.set(hold.id, hold)
  for (const hold of open) markHeld(slices, hold)
  for (const purchase of [...holding, ...purchases]) slices.purchases.set(purchase.id, purchase)
  for (const one of unclaimed) slices.unclaimed.set(one.key, one)
  for (const one of returns) slices.returns.set(one.id, one)
  for (const one of activities) slices.activities.set(one.id, one)
  for (const one of await loadCheckouts(db, needs.checkouts)) slices.checkouts.set(one.id, one)
  for (const card of await loadCards(db, [...needs.cards])) slices.cards.set(card.id, card)
  for (const one of await loadAdjustments(db, needs.adjustments)) slices.adjustments.set(one.id, one)
  for (const entry of entries) slices.entries.set(`${entry.member} ${entry.seq}`, entry)
  if (limits) slices.limits = limits
  if (redemptions) slices.redemptions = redemptions
  if (redemptions) await needUndone(db, needs, redemptions)
  if (redemptions) needReissued(slices, needs)
  if (needs.vouchers) slices.vouchers = await loadVoucherSlices(db, needs.vouchers)
  if (needs.others) await loadOthers(db, needs.others, slices)
  await loadInherited(db, needs, slices)
  const moved = loadMoved(db, needs, slices)
  if (needs.undoing) await moved.then(() => loadUndoing(db, needs, slices))
  await Promise.all([loadUses(db, needs, slices), moved, loadEndedOf(db, needs, slices)])
}

/** Who else may have what comes back, where something does. */
async function loadOwners(db: Db, needs: FurtherNeeds, slices: Slices): Promise<void> {
  if (!needs.apart) return
  await loadApart(db, needs, slices)
  await loadSurvivors(db, slices)
  needOwners(slices, needs)
}

/** Purchases of those who live on as the members asked about: they can come back through them. */
async function loadInherited(db: Db, needs: FurtherNeeds, slices: Slices): Promise<void> {
  const asked = [...needs.holding, ...needs.purchases.filter((p) => !slices.purchases.has(p.id))]
  const elders = await loadElders(db, [...new Set(asked.map((one) => one.member))])
  if (elders.length === 0) return
  const eldersOf = Map.groupBy(elders, (one) => one.member)
  const inherit = <T extends { member: Uuid }>(keys: readonly T[]): T[] =>
    keys.flatMap((key) => (eldersOf.get(key.member) ?? []).map(({ elder }) => ({ ...key, member: elder })))
  const [states, holding, purchases] = await Promise.all([
    loadStates(
      db,
      elders.map((one) => one.elder),
    ),
    needs.holding.length === 0 ? [] : loadHolding(db, inherit(needs.holding)),
    needs.purchases.length === 0 ? [] : loadPurchases(db, inherit(needs.purchases)),
  ])
  for (const state of states) if (!slices.states.has(state.member)) slices.states.set(state.member, state)
  for (const purchase of [...holding, ...purchases]) slices.purchases.set(purchase.id, purchase)
}

function holdsSomething(state: MemberState | undefined): boolean {
  return state?.wallets.some((wallet) => wallet.h > 0) ?? false
}

function markHeld(slices: Slices, hold: Hold): void {
  const lots = slices.lots.get(hold.member) ?? []
  for (const part of hold.parts) {
    for (const [seq, points] of part.l) {
      const lot = lots.find((l) => l.seq === seq)
      if (!lot) throw new MovedError(`hold ${hold.id} holds lot ${seq}, which was not open when lots were read`)
      lot.held += points
    }
  }
}

/** Merges, and what was transferred by the members and all who live on as them. */
async function loadMoved(db: Db, needs: FurtherNeeds, slices: Slices): Promise<void> {
  const [merges, elders] = await Promise.all([
    loadMerges(db, needs.merges),
    loadElders(db, [...new Set(needs.sent.map((one) => one.member))]),
  ])
  for (const one of merges) slices.merges.set(one.id, one)
  const wanted = new Map(needs.sent.map((one) => [`${one.member} ${one.walletId} ${one.since}`, one]))
  const each = [...wanted].flatMap(([key, need]) => [
    { ...need, key },
    ...elders.flatMap(({ member, elder }) => (member === need.member ? [{ ...need, key, member: elder }] : [])),
  ])
  const sent = await loadSent(db, each)
  for (const [i, { key }] of each.entries()) slices.sent.set(key, (slices.sent.get(key) ?? 0) + (sent[i] ?? 0))
}

function firstOpen(state: MemberState | undefined): number {
  let first = 0
  for (const wallet of state?.wallets ?? []) if (wallet.o > 0 && (first === 0 || wallet.o < first)) first = wallet.o
  return first
}

/** The entries that repeats of a spend point at: what was asked then is what they say. */
async function loadEntries(
  db: Db,
  keys: readonly { member: Uuid; seq: number }[],
): Promise<(Entry & { member: Uuid })[]> {
  return await db.query<Entry & { member: Uuid }>(
    `select e.member_id as member, e.seq, e.wallet_id as "walletId", e.kind, e.from_account as "from", e.to_account as "to",
            e.reverses, e.external_id as "externalId", e.points, e.balance, e.source_id as source, e.digest,
            e.occurred_at as "occurredAt", e.booked_at as "bookedAt", e.expires_at as "expiresAt", e.reason
       from unnest($1::uuid[], $2::int[]) as k(member_id, seq) join entries e using (member_id, seq) where e.space_id = $3`,
    [uuids(keys, (k) => k.member), keys.map((k) => k.seq), db.space],
    'gate-entries',
  )
}
