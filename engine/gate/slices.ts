import type { Uuid } from '@laurel/contract/ids'
import { loadAnswers, type StoredAnswer } from '../base/answers.ts'
import { uuids } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import type { Configuration } from '../earning/configuration.ts'
import type { Entry, Lot, MemberState } from '../ledger/ledger.rules.ts'
import { loadLots, loadStates, STATE_COLUMNS, type StateRow, toState } from '../ledger/ledger.sql.ts'
import { loadHolding, loadPurchases, loadReturns } from '../purchases/purchases.sql.ts'
import type { Purchase, Return } from '../purchases/purchases.rules.ts'
import type { Ask, Facts } from './asks.ts'
import type { MemberRef } from './names.ts'

/** Where a name leads: to a member, and to the purchase or return (object) or entry (seq) that was so named. */
export type Named = { member: Uuid; object: Uuid | null; seq: number | null }

/** All that a list's asks need to be decided, as it was read; then as the decisions before an ask left it. */
export type Slices = {
  configuration: Configuration
  states: Map<Uuid, MemberState>
  names: Map<Uuid, Named>
  answers: Map<Uuid, StoredAnswer>
  lots: Map<Uuid, Lot[]>
  purchases: Map<Uuid, Purchase>
  returns: Map<Uuid, Return>
  entries: Map<string, Entry & { externalId?: string }>
}

export type ConfigurationAt = (db: Db, version: number) => Promise<Configuration> | Configuration

/** What an ask needs before anything is known, and what it needs once its names are resolved. */
export type Needs = {
  members: Set<Uuid>
  names: Set<Uuid>
  answers: Set<Uuid>
}
export type FurtherNeeds = {
  lots: Set<Uuid>
  purchases: { member: Uuid; id: Uuid }[]
  holding: { member: Uuid; sku: string }[]
  returns: { member: Uuid; id: Uuid }[]
  entries: { member: Uuid; seq: number }[]
}

/** The member that an ask is about, if there is one. */
export function findMember(slices: Slices, ref: MemberRef | undefined): MemberState | undefined {
  if (ref === undefined) return undefined
  const id = 'id' in ref ? ref.id : slices.names.get(ref.key)?.member
  return id === undefined ? undefined : slices.states.get(id)
}

/** An ask as it is loaded: with what its verb needs, once names are resolved. */
export type Loading = {
  ask: Ask
  facts: Facts
  key: Uuid | undefined
  needs: (needs: Needs) => void
  furtherNeeds: (slices: Slices, needs: FurtherNeeds) => void
}

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
    if (facts.member && 'id' in facts.member) needs.members.add(facts.member.id)
    else if (facts.member) needs.names.add(facts.member.key)
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
    purchases: new Map(),
    returns: new Map(),
    entries: new Map(),
  }
  for (const row of named) if (row.member !== null) slices.states.set(row.owner, toState(row))
  await loadFurther(db, asks, slices)
  return slices
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
  const needs: FurtherNeeds = { lots: new Set(), purchases: [], holding: [], returns: [], entries: [] }
  for (const { furtherNeeds } of asks) furtherNeeds(slices, needs)
  const lotMembers = [...needs.lots]
    .map((member) => ({ member, from: firstOpen(slices.states.get(member)) }))
    .filter((m) => m.from > 0)
  const [lots, purchases, holding, returns, entries] = await Promise.all([
    lotMembers.length === 0 ? [] : loadLots(db, lotMembers),
    needs.purchases.length === 0 ? [] : loadPurchases(db, needs.purchases),
    needs.holding.length === 0 ? [] : loadHolding(db, needs.holding),
    needs.returns.length === 0 ? [] : loadReturns(db, needs.returns),
    needs.entries.length === 0 ? [] : loadEntries(db, needs.entries),
  ])
  for (const member of needs.lots) slices.lots.set(member, [])
  for (const lot of lots) slices.lots.get(lot.member)?.push(lot)
  for (const purchase of [...holding, ...purchases]) slices.purchases.set(purchase.id, purchase)
  for (const one of returns) slices.returns.set(one.id, one)
  for (const entry of entries) slices.entries.set(`${entry.member} ${entry.seq}`, entry)
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
    `select e.member_id as member, e.seq, e.wallet_id as "walletId", e.kind, e.points, e.balance, e.source_id as source, e.digest,
            e.occurred_at as "occurredAt", e.booked_at as "bookedAt", e.reason
       from unnest($1::uuid[], $2::int[]) as k(member_id, seq) join entries e using (member_id, seq) where e.space_id = $3`,
    [uuids(keys, (k) => k.member), keys.map((k) => k.seq), db.space],
    'gate-entries',
  )
}
