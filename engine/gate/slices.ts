import { decodeId, type Uuid } from '@laurel/contract/ids'
import { uuids } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import { keyOf } from '../base/keys.ts'
import type { Configuration } from '../earning/configuration.ts'
import type { Entry, Lot, MemberState } from '../ledger/ledger.rules.ts'
import { loadLots, STATE_COLUMNS, type StateRow, toState } from '../ledger/ledger.sql.ts'
import { loadHolding, loadPurchases, loadReturns } from '../purchases/purchases.sql.ts'
import type { Purchase, Return } from '../purchases/purchases.rules.ts'
import type { Ask } from './asks.ts'

/** Where a name leads: to a member, and to the purchase or return (object) or entry (seq) that was so named. */
export type Named = { member: Uuid; object: Uuid | null; seq: number | null }
export type StoredAnswer = { request: Uuid; status: number; answer: string }

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

/** What an ask needs before anything is known, and what it needs once its names are resolved. */
export type Needs = {
  members: Set<Uuid>
  names: Set<Uuid>
  answers: Set<Uuid>
}
export type FurtherNeeds = {
  lots: Set<Uuid>
  purchases: Map<Uuid, Uuid>
  holding: { member: Uuid; sku: string }[]
  returns: Map<Uuid, Uuid>
  entries: { member: Uuid; seq: number }[]
}

export const memberKey = (externalId: string): Uuid => keyOf('member.external', externalId)

/** A reference to a member: its id, or the key of its external id; undefined for anything else. */
export function memberRef(ref: string): { id: Uuid } | { key: Uuid; externalId: string } | undefined {
  if (ref.startsWith('external:')) {
    const externalId = ref.slice(9)
    return externalId === '' ? undefined : { key: memberKey(externalId), externalId }
  }
  const id = decodeId('mem', ref)
  return id === undefined ? undefined : { id }
}

/** The member that a reference names, if there is one. */
export function findMember(slices: Slices, ref: string): MemberState | undefined {
  const r = memberRef(ref)
  if (!r) return undefined
  const id = 'id' in r ? r.id : slices.names.get(r.key)?.member
  return id === undefined ? undefined : slices.states.get(id)
}

export type NeedsOf = {
  first(ask: Ask, needs: Needs): void
  further(ask: Ask, slices: Slices, needs: FurtherNeeds): void
}

/**
 * Reads what a list needs: one round trip for names, answers, members and the configuration's version; a second
 * one only when returns, spends or repeats need more. A change between the two is caught by the members' versions.
 */
export async function loadSlices(db: Db, asks: readonly { ask: Ask; key: Uuid | undefined }[], of: NeedsOf,
  configurationAt: (db: Db, version: number) => Promise<Configuration> | Configuration): Promise<Slices> {
  const needs: Needs = { members: new Set(), names: new Set(), answers: new Set() }
  for (const { ask, key } of asks) {
    if (key) needs.answers.add(key)
    of.first(ask, needs)
  }
  const [version, named, states, answers] = await Promise.all([
    db.query<{ configVersion: number }>('select config_version as "configVersion" from spaces where space_id = $1', [db.space], 'config-version'),
    loadNames(db, [...needs.names]),
    needs.members.size === 0 ? [] : db.query<StateRow>(
      `select ${STATE_COLUMNS} from member_states s where s.member_id = any ($1::uuid[]) and s.space_id = $2`,
      [uuids([...needs.members], (m) => m), db.space], 'gate-states'),
    needs.answers.size === 0 ? [] : db.query<StoredAnswer & { key: Uuid }>(
      'select key, request, status, answer from idempotency_keys where space_id = $1 and key = any ($2::uuid[])',
      [db.space, uuids([...needs.answers], (k) => k)], 'gate-answers'),
  ])
  const configVersion = version[0]?.configVersion
  if (configVersion === undefined) throw new Error(`space ${db.space} does not exist`)
  const slices: Slices = {
    configuration: await configurationAt(db, configVersion),
    states: new Map(states.map((row) => [row.member, toState(row)])),
    names: new Map(named.map((row) => [row.key, { member: row.owner, object: row.object, seq: row.seq }])),
    answers: new Map(answers.map((row) => [row.key, row])),
    lots: new Map(), purchases: new Map(), returns: new Map(), entries: new Map(),
  }
  for (const row of named) if (row.member !== null) slices.states.set(row.owner, toState(row as StateRow))
  await loadFurther(db, asks, of, slices)
  return slices
}

type NameRow = { key: Uuid; owner: Uuid; object: Uuid | null; seq: number | null } & (StateRow | { member: null })

async function loadNames(db: Db, keys: readonly Uuid[]): Promise<NameRow[]> {
  if (keys.length === 0) return []
  return await db.query<NameRow>(
    `select n.key, n.member_id as owner, n.object_id as object, n.seq, ${STATE_COLUMNS}
       from lookups n left join member_states s on s.member_id = n.member_id
      where n.space_id = $1 and n.key = any ($2::uuid[])`,
    [db.space, uuids(keys, (k) => k)], 'gate-names')
}

async function loadFurther(db: Db, asks: readonly { ask: Ask }[], of: NeedsOf, slices: Slices): Promise<void> {
  const needs: FurtherNeeds = { lots: new Set(), purchases: new Map(), holding: [], returns: new Map(), entries: [] }
  for (const { ask } of asks) of.further(ask, slices, needs)
  const lotMembers = [...needs.lots].map((member) => ({ member, from: firstOpen(slices.states.get(member)) }))
    .filter((m) => m.from > 0)
  const purchaseKeys = [...needs.purchases].map(([id, member]) => ({ id, member }))
  const returnKeys = [...needs.returns].map(([id, member]) => ({ id, member }))
  const [lots, purchases, holding, returns, entries] = await Promise.all([
    lotMembers.length === 0 ? [] : loadLots(db, lotMembers),
    purchaseKeys.length === 0 ? [] : loadPurchases(db, purchaseKeys),
    needs.holding.length === 0 ? [] : loadHolding(db, needs.holding),
    returnKeys.length === 0 ? [] : loadReturns(db, returnKeys),
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
async function loadEntries(db: Db, keys: readonly { member: Uuid; seq: number }[]): Promise<(Entry & { member: Uuid })[]> {
  return await db.query<Entry & { member: Uuid }>(
    `select e.member_id as member, e.seq, e.wallet_id as "walletId", e.kind, e.points, e.balance, e.source_id as source, e.digest,
            e.occurred_at as "occurredAt", e.booked_at as "bookedAt", e.reason
       from unnest($1::uuid[], $2::int[]) as k(member_id, seq) join entries e using (member_id, seq) where e.space_id = $3`,
    [uuids(keys, (k) => k.member), (keys.map((k) => k.seq)), db.space], 'gate-entries')
}
