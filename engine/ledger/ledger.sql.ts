import type { Uuid } from '@laurel/contract/ids'
import { byteas, instants, int2s, int4s, int8s, texts, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement, type Tx } from '../base/db.ts'
import type { Entry, Lot, LotUse, MemberState } from './ledger.rules.ts'
import { decodeWallets, encodeWallets } from './wallets.rules.ts'

export type StateRow = {
  member: Uuid
  status: number
  version: number
  entrySeq: number
  eventSeq: number
  chain: string
  wallets: string
}
/** Aliased columns of member_states as `s`. */
export const STATE_COLUMNS = `s.member_id as member, s.status, s.version, s.entry_seq as "entrySeq", s.event_seq as "eventSeq",
  encode(s.chain, 'hex') as chain, s.wallets`

export function toState(row: StateRow): MemberState {
  return {
    member: row.member,
    status: row.status,
    version: row.version,
    entrySeq: row.entrySeq,
    eventSeq: row.eventSeq,
    chain: row.chain,
    wallets: decodeWallets(row.wallets),
  }
}

export async function loadStates(db: Db, members: readonly Uuid[]): Promise<MemberState[]> {
  if (members.length === 0) return []
  const rows = await db.query<StateRow>(
    `select ${STATE_COLUMNS} from member_states s where s.member_id = any ($1::uuid[]) and s.space_id = $2`,
    [uuids(members, (m) => m), db.space],
    'states-load',
  )
  return rows.map(toState)
}

/** One member, held until the transaction ends: for an ask that lost its races. Never several members. */
export async function lockState(tx: Tx, member: Uuid): Promise<void> {
  await tx.query(
    'select from member_states where member_id = $1 and space_id = $2 for update',
    [member, tx.space],
    'state-lock',
  )
}

/** All open lots of the members, those that will open or are past their date included. */
export async function loadLots(
  db: Db,
  members: readonly { member: Uuid; from: number }[],
): Promise<(Lot & { member: Uuid })[]> {
  return await db.query<Lot & { member: Uuid }>(
    `select e.member_id as member, e.seq, e.wallet_id as "walletId", e.source_id as source, e.points,
            coalesce(l.remaining, e.points) as remaining, e.activates_at as "activatesAt", e.expires_at as "expiresAt"
       from unnest($1::uuid[], $2::int[]) as m(member_id, seq)
       join entries e on e.member_id = m.member_id and e.seq >= m.seq
       left join lots l on l.member_id = e.member_id and l.seq = e.seq
      where e.space_id = $3 and e.activates_at is not null and coalesce(l.remaining, e.points) > 0`,
    [uuids(members, (m) => m.member), int4s(members, (m) => m.from), db.space],
    'lots-load',
  )
}

/**
 * Saves states, each only where its version is still the one that was read, in ascending order of member, so that
 * lists which share members wait for each other rather than deadlock. Divides by zero (22012) when any was
 * changed meanwhile: the whole list rolls back, and is loaded and decided again. `unguarded` is for the tests' control.
 */
export function updateStates(
  space: number,
  rows: readonly { state: MemberState; read: number }[],
  unguarded = false,
): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `with won as (
       update member_states s
          set version = n.version, entry_seq = n.entry_seq, event_seq = n.event_seq, chain = n.chain, wallets = n.wallets
         from unnest($2::uuid[], $3::int[], $4::int[], $5::int[], $6::int[], $7::bytea[], $8::text[])
           as n(member_id, read, version, entry_seq, event_seq, chain, wallets)
        where s.member_id = n.member_id and (s.version = n.read or $10) and s.space_id = $1
       returning 1
     ) select 1 / (count(*) = $9::int)::int from won`,
    [
      space,
      uuids(rows, (r) => r.state.member),
      int4s(rows, (r) => r.read),
      int4s(rows, (r) => r.state.version),
      int4s(rows, (r) => r.state.entrySeq),
      int4s(rows, (r) => r.state.eventSeq),
      byteas(rows, (r) => r.state.chain),
      texts(rows, (r) => encodeWallets(r.state.wallets)),
      rows.length,
      unguarded,
    ],
    'states-update',
  )
}

/** The books of members who were just enrolled. */
export function insertStates(space: number, rows: readonly MemberState[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into member_states (space_id, member_id, status, version, entry_seq, event_seq, chain, wallets)
     select $1, * from unnest($2::uuid[], $3::smallint[], $4::int[], $5::int[], $6::int[], $7::bytea[], $8::text[])`,
    [
      space,
      uuids(rows, (r) => r.member),
      int2s(rows, (r) => r.status),
      int4s(rows, (r) => r.version),
      int4s(rows, (r) => r.entrySeq),
      int4s(rows, (r) => r.eventSeq),
      byteas(rows, (r) => r.chain),
      texts(rows, (r) => encodeWallets(r.wallets)),
    ],
    'states-insert',
  )
}

/** A member's status, where purchases see it: guarded like every change of what the member owns. */
export async function changeStatus(tx: Tx, member: Uuid, read: number, status: number, events: number): Promise<void> {
  await tx.query(
    `with won as (
       update member_states set status = $4, version = version + 1, event_seq = event_seq + $5
        where member_id = $2 and version = $3 and space_id = $1 returning 1
     ) select 1 / count(*) from won`,
    [tx.space, member, read, status, events],
    'state-status',
  )
}

export type EntryOf = Entry & { member: Uuid }

export function insertEntries(space: number, rows: readonly EntryOf[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into entries (space_id, member_id, seq, wallet_id, kind, from_account, to_account, rule_version_id, reverses,
                          points, balance, occurred_at, booked_at, activates_at, expires_at, source_id, digest, hash, reason, external_id, actor)
     select $1, * from unnest($2::uuid[], $3::int[], $4::int[], $5::smallint[], $6::smallint[], $7::smallint[], $8::int[],
       $9::int[], $10::bigint[], $11::bigint[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[],
       $16::uuid[], $17::uuid[], $18::bytea[], $19::text[], $20::text[], $21::uuid[])`,
    [
      space,
      uuids(rows, (r) => r.member),
      int4s(rows, (r) => r.seq),
      int4s(rows, (r) => r.walletId),
      int2s(rows, (r) => r.kind),
      int2s(rows, (r) => r.from),
      int2s(rows, (r) => r.to),
      int4s(rows, (r) => r.ruleVersionId),
      int4s(rows, (r) => r.reverses),
      int8s(rows, (r) => r.points),
      int8s(rows, (r) => r.balance),
      instants(rows, (r) => r.occurredAt),
      instants(rows, (r) => r.bookedAt),
      instants(rows, (r) => r.activatesAt),
      instants(rows, (r) => r.expiresAt),
      uuids(rows, (r) => r.source),
      uuids(rows, (r) => r.digest),
      byteas(rows, (r) => r.hash),
      texts(rows, (r) => r.reason),
      texts(rows, (r) => r.externalId),
      uuids(rows, (r) => r.actor),
    ],
    'entries-insert',
  )
}

/** What is left of lots that were taken from (or given back to). */
export function saveLots(
  space: number,
  rows: readonly { member: Uuid; seq: number; remaining: number }[],
): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into lots (space_id, member_id, seq, remaining)
     select $1, * from unnest($2::uuid[], $3::int[], $4::bigint[])
     on conflict (member_id, seq) do update set remaining = excluded.remaining`,
    [space, uuids(rows, (r) => r.member), int4s(rows, (r) => r.seq), int8s(rows, (r) => r.remaining)],
    'lots-save',
  )
}

export function insertLotUses(space: number, rows: readonly (LotUse & { member: Uuid })[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into lot_uses (space_id, member_id, seq, lot_seq, points)
     select $1, * from unnest($2::uuid[], $3::int[], $4::int[], $5::bigint[])`,
    [
      space,
      uuids(rows, (r) => r.member),
      int4s(rows, (r) => r.seq),
      int4s(rows, (r) => r.lotSeq),
      int8s(rows, (r) => r.points),
    ],
    'lot-uses-insert',
  )
}

type EntryRow = { [K in keyof EntryOf]: EntryOf[K] | null }
export type BooksOf = {
  state: MemberState
  entries: Entry[]
  lots: { seq: number; remaining: number }[]
  uses: LotUse[]
}

/** The next members after a member id, in order, with all of their books; in the caller's snapshot. */
export async function loadBooks(db: Db, after: Uuid, limit: number): Promise<BooksOf[]> {
  const states = (
    await db.query<StateRow>(
      `select ${STATE_COLUMNS} from member_states s where s.space_id = $1 and s.member_id > $2 order by s.member_id limit $3`,
      [db.space, after, limit],
      'books-states',
    )
  ).map(toState)
  const members = uuids(states, (s) => s.member)
  const [entries, lots, uses] = await Promise.all([
    db.query<EntryRow>(
      `select member_id as member, seq, wallet_id as "walletId", kind, from_account as "from", to_account as "to",
              rule_version_id as "ruleVersionId", reverses, points, balance, occurred_at as "occurredAt", booked_at as "bookedAt",
              activates_at as "activatesAt", expires_at as "expiresAt", source_id as source, digest, actor, reason, external_id as "externalId", encode(hash, 'hex') as hash
         from entries where member_id = any ($1::uuid[]) and space_id = $2 order by member_id, seq`,
      [members, db.space],
      'books-entries',
    ),
    db.query<{ member: Uuid; seq: number; remaining: number }>(
      'select member_id as member, seq, remaining from lots where member_id = any ($1::uuid[]) and space_id = $2',
      [members, db.space],
      'books-lots',
    ),
    db.query<LotUse & { member: Uuid }>(
      `select member_id as member, seq, lot_seq as "lotSeq", points from lot_uses
        where member_id = any ($1::uuid[]) and space_id = $2`,
      [members, db.space],
      'books-uses',
    ),
  ])
  const books = new Map(
    states.map((state): [Uuid, BooksOf] => [state.member, { state, entries: [], lots: [], uses: [] }]),
  )
  for (const row of entries) books.get(row.member ?? '')?.entries.push(present(row))
  for (const lot of lots) books.get(lot.member)?.lots.push(lot)
  for (const use of uses) books.get(use.member)?.uses.push(use)
  return [...books.values()]
}

/** Absent rather than null: as entries are made. */
function present(row: EntryRow): Entry {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as unknown as Entry
}
