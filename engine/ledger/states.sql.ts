import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { byteas, instants, int2s, int4s, texts, unnested, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement, type Tx } from '../base/db.ts'
import type { MemberState } from './books.ts'
import { decodeWallets, encodeWallets } from './wallets.rules.ts'

export type StateRow = {
  member: Uuid
  status: number
  version: number
  entrySeq: number
  eventSeq: number
  chain: string
  wallets: string
  dueAt: Instant | null
  told: Instant | null
  mergedInto: Uuid | null
}
/** Aliased columns of member_states as `s`. */
export const STATE_COLUMNS = `s.member_id as member, s.status, s.version, s.entry_seq as "entrySeq", s.event_seq as "eventSeq",
  encode(s.chain, 'hex') as chain, s.wallets, s.due_at as "dueAt", s.told_at as told, s.merged_into as "mergedInto"`

export function toState(row: StateRow): MemberState {
  return {
    member: row.member,
    status: row.status,
    version: row.version,
    entrySeq: row.entrySeq,
    eventSeq: row.eventSeq,
    chain: row.chain,
    wallets: decodeWallets(row.wallets),
    dueAt: row.dueAt ?? 0,
    told: row.told ?? 0,
    mergedInto: row.mergedInto,
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
  if (
    rows.some(
      ({ state }) => state.told !== 0 || state.dueAt !== 0 || state.status === MERGED || state.mergedInto !== null,
    )
  ) {
    return updateTimedStates(space, rows, unguarded)
  }
  return statement(
    `with won as (
       update member_states s
          set version = n.version, entry_seq = n.entry_seq, event_seq = n.event_seq, chain = n.chain, wallets = n.wallets
         from (select ${unnested('uuid int int int int bytea text')}) as n(member_id, read, version, entry_seq, event_seq, chain, wallets)
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

const MERGED = 4

/** As updateStates, where time or a merge has changed some of them: most members have neither. */
function updateTimedStates(
  space: number,
  rows: readonly { state: MemberState; read: number }[],
  unguarded: boolean,
): Statement[] {
  return statement(
    `with won as (
       update member_states s
          set version = n.version, entry_seq = n.entry_seq, event_seq = n.event_seq, chain = n.chain, wallets = n.wallets,
              status = n.status, due_at = n.due_at, told_at = n.told_at, merged_into = n.merged_into
         from unnest($2::uuid[], $3::int[], $4::int[], $5::int[], $6::int[], $7::bytea[], $8::text[],
                     $11::smallint[], $12::timestamptz[], $13::timestamptz[], $14::uuid[])
           as n(member_id, read, version, entry_seq, event_seq, chain, wallets, status, due_at, told_at, merged_into)
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
      int2s(rows, (r) => r.state.status),
      instants(rows, (r) => r.state.dueAt || null),
      instants(rows, (r) => r.state.told || null),
      uuids(rows, (r) => r.state.mergedInto),
    ],
    'states-update-timed',
  )
}

/** Members whose books time has changed, or is to be told of, the longest due first; but for `without`. */
export async function loadDue(db: Db, now: Instant, limit: number, without: readonly Uuid[] = []): Promise<Uuid[]> {
  const rows = await db.query<{ member: Uuid }>(
    `select member_id as member from member_states
      where space_id = $1 and due_at is not null and due_at <= $2 and status <> ${MERGED}
        and member_id <> all ($4::uuid[]) order by due_at limit $3`,
    [db.space, formatInstant(now), limit, uuids(without, (m) => m)],
    'states-due',
  )
  return rows.map((row) => row.member)
}

/** The books of members who were just enrolled. */
export function insertStates(space: number, rows: readonly MemberState[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into member_states (space_id, member_id, status, version, entry_seq, event_seq, chain, wallets, due_at, told_at)
     select $1, ${unnested('uuid smallint int int int bytea text timestamptz timestamptz')}`,
    [
      space,
      uuids(rows, (r) => r.member),
      int2s(rows, (r) => r.status),
      int4s(rows, (r) => r.version),
      int4s(rows, (r) => r.entrySeq),
      int4s(rows, (r) => r.eventSeq),
      byteas(rows, (r) => r.chain),
      texts(rows, (r) => encodeWallets(r.wallets)),
      instants(rows, (r) => r.dueAt || null),
      instants(rows, (r) => r.told || null),
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
