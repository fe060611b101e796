import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { instants, int2s, int4s, int8s, texts, unnested, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement, type Tx } from '../base/db.ts'
import { rowDigest } from '../base/row-digests.ts'
import { LOCK, VOUCHER } from './row-digests.sql.ts'
import type { Lock, Terms, Voucher } from './vouchers.rules.ts'

type Row = Omit<Voucher, 'terms'> & { terms: string }
const COLUMNS = `v.code_key as key, v.voucher_id as id, v.version, v.program_id as "programId", v.code, v.terms, v.status,
  v.reason, v.bound_to as member, v.source_id as source, v.created_at as "createdAt", v.starts_at as "startsAt",
  v.ends_at as "endsAt", v.uses_total as "usesTotal", v.used, v.initial_balance as "initialBalance", v.balance`

function toVoucher(row: Row): Voucher {
  return { ...row, terms: JSON.parse(row.terms) as Terms }
}

/** Those of the keys under which there is a voucher. */
export async function loadVouchers(db: Db, keys: readonly Uuid[]): Promise<Voucher[]> {
  if (keys.length === 0) return []
  const rows = await db.query<Row>(
    `select ${COLUMNS} from vouchers v where v.space_id = $1 and v.code_key = any ($2::uuid[])`,
    [db.space, uuids(keys, (key) => key)],
    'vouchers-load',
  )
  return rows.map(toVoucher)
}

export async function voucherById(db: Db, id: Uuid): Promise<Voucher | undefined> {
  const [row] = await db.query<Row>(
    `select ${COLUMNS} from vouchers v where v.space_id = $1 and v.voucher_id = $2`,
    [db.space, id],
    'voucher-by-id',
  )
  return row && toVoucher(row)
}

/** What is listed: of one program, bound to these members, with these codes; null: whatever. */
export type VoucherPage = { programId: number | null; members: readonly Uuid[] | null; keys: readonly Uuid[] | null }

/** Newest first, before `before`. Each filter has a statement of its own, since each goes by another index. */
export async function pageVouchers(db: Db, before: Uuid, filter: VoucherPage, limit: number): Promise<Voucher[]> {
  const { programId, members, keys } = filter
  const by = keys ?? members ?? []
  const [column, name] = keys ? ['code_key', 'codes'] : members ? ['bound_to', 'members'] : [null, 'all']
  const also = keys && members ? [uuids(members, (id) => id)] : []
  const rows = await db.query<Row>(
    `select ${COLUMNS} from vouchers v
      where v.space_id = $1 and v.voucher_id < $2 and ($3::int is null or v.program_id = $3)
        ${column ? `and v.${column} = any ($5::uuid[])` : ''} ${also.length > 0 ? 'and v.bound_to = any ($6::uuid[])' : ''}
      order by v.voucher_id desc limit $4`,
    [db.space, before, programId, limit, ...(column ? [uuids(by, (id) => id)] : []), ...also],
    `vouchers-page-${name}${also.length}`,
  )
  return rows.map(toVoucher)
}

/** Held until the transaction ends, one at a time in ascending order of key: those that are there. */
export async function lockVouchers(tx: Tx, keys: readonly Uuid[]): Promise<Voucher[]> {
  const rows = await Promise.all(
    keys
      .toSorted()
      .map((key) =>
        tx.query<Row>(
          `select ${COLUMNS} from vouchers v where v.space_id = $1 and v.code_key = $2 for update`,
          [tx.space, key],
          'vouchers-lock',
        ),
      ),
  )
  return rows.flat().map(toVoucher)
}

// ── locks ──

const LOCK_COLUMNS =
  'l.code_key as key, l.session_key as "sessionKey", l.session, l.member_id as member, l.until, l.amount'

/** What these sessions have locked, whether or not the deadline has passed. */
export async function locksOfSessions(db: Db, sessions: readonly Uuid[]): Promise<Lock[]> {
  if (sessions.length === 0) return []
  return await db.query<Lock>(
    `select ${LOCK_COLUMNS} from voucher_locks l where l.space_id = $1 and l.session_key = any ($2::uuid[])`,
    [db.space, uuids(sessions, (key) => key)],
    'voucher-locks-of-sessions',
  )
}

/**
 * What is locked of these vouchers: by these sessions and members, and by all others where a voucher's uses or balance are limited.
 * Those are no more than uses are left. Each goes by an index of its own: a code without a limit has thousands of locks in a campaign.
 */
export async function locksOfVouchers(
  db: Db,
  keys: readonly Uuid[],
  sessions: readonly Uuid[],
  members: readonly Uuid[],
): Promise<Lock[]> {
  if (keys.length === 0) return []
  // `offset 0`: looked up one by one, whatever the planner believes of how many locks a code has
  const own = (column: string) => `cross join lateral (
       select * from voucher_locks where space_id = $1 and code_key = a.code_key and ${column} = own.key offset 0) l`
  return await db.query<Lock>(
    `with asked as materialized (
       select v.code_key, v.uses_total is not null or v.balance is not null as limited from vouchers v
        where v.space_id = $1 and v.code_key = any ($2::uuid[]))
     select ${LOCK_COLUMNS} from asked a join voucher_locks l on l.space_id = $1 and l.code_key = a.code_key where a.limited
     union select ${LOCK_COLUMNS} from asked a cross join unnest($3::uuid[]) as own(key) ${own('session_key')}
      where not a.limited
     union select ${LOCK_COLUMNS} from asked a cross join unnest($4::uuid[]) as own(key) ${own('member_id')}
      where not a.limited`,
    [db.space, uuids(keys, (key) => key), uuids(sessions, (key) => key), uuids(members, (id) => id)],
    'voucher-locks-of-vouchers',
  )
}

/** How many locks are live, by the key of their voucher: for readers. */
export async function countLocks(db: Db, keys: readonly Uuid[], now: Instant): Promise<Map<Uuid, number>> {
  if (keys.length === 0) return new Map()
  const rows = await db.query<{ key: Uuid; locks: number }>(
    `select code_key as key, count(*)::int as locks from voucher_locks
      where space_id = $1 and code_key = any ($2::uuid[]) and until > $3 group by code_key`,
    [db.space, uuids(keys, (key) => key), formatInstant(now)],
    'voucher-locks-count',
  )
  return new Map(rows.map((row) => [row.key, row.locks]))
}

// ── saving ──

export type VoucherWrite = { voucher: Voucher; read: number }
export type LockWrites = { freed: readonly { key: Uuid; sessionKey: Uuid }[]; placed: readonly Lock[] }

/**
 * What a list makes of vouchers, in ascending order of key. Divides by zero (22012) when one was changed since it was read, and fails
 * with 23505 when the code of a new one is taken: the whole list rolls back. `unguarded` is for the tests' control.
 */
export function saveVouchers(space: number, rows: readonly VoucherWrite[], unguarded = false): Statement[] {
  const fresh = rows.filter(({ read }) => read === 0).map(({ voucher }) => voucher)
  const changed = rows.filter(({ read }) => read > 0)
  return [...insert(space, fresh), ...update(space, changed, unguarded)]
}

/** Stores one voucher; false: its code is taken. */
export async function insertVoucher(tx: Tx, voucher: Voucher): Promise<boolean> {
  const [{ text, values }] = insert(tx.space, [voucher]) as [Statement]
  return (await tx.query(`${text} on conflict do nothing returning 1`, values, 'voucher-insert')).length === 1
}

function insert(space: number, rows: readonly Voucher[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into vouchers (space_id, code_key, voucher_id, version, program_id, code, terms, status, reason, bound_to, source_id,
                           created_at, starts_at, ends_at, uses_total, used, initial_balance, balance, row_digest)
     select $1, ${unnested('uuid uuid int int text text smallint text uuid uuid timestamptz timestamptz timestamptz int int bigint bigint uuid')}`,
    [
      space,
      uuids(rows, (r) => r.key),
      uuids(rows, (r) => r.id),
      int4s(rows, (r) => r.version),
      int4s(rows, (r) => r.programId),
      texts(rows, (r) => r.code),
      texts(rows, (r) => JSON.stringify(r.terms)),
      int2s(rows, (r) => r.status),
      texts(rows, (r) => r.reason),
      uuids(rows, (r) => r.member),
      uuids(rows, (r) => r.source),
      instants(rows, (r) => r.createdAt),
      instants(rows, (r) => r.startsAt),
      instants(rows, (r) => r.endsAt),
      int4s(rows, (r) => r.usesTotal),
      int4s(rows, (r) => r.used),
      int8s(rows, (r) => r.initialBalance),
      int8s(rows, (r) => r.balance),
      uuids(rows, (r) => rowDigest(VOUCHER, space, r)),
    ],
    'vouchers-insert',
  )
}

function update(space: number, rows: readonly VoucherWrite[], unguarded: boolean): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `with won as (
       update vouchers v set version = n.version, voucher_id = n.id, code = n.code, terms = n.terms, status = n.status,
              reason = n.reason, bound_to = n.bound_to, source_id = n.source_id, created_at = n.created_at,
              starts_at = n.starts_at, ends_at = n.ends_at, uses_total = n.uses_total, used = n.used,
              initial_balance = n.initial_balance, balance = n.balance, row_digest = n.row_digest
         from unnest($2::uuid[], $3::int[], $4::int[], $5::uuid[], $6::text[], $7::text[], $8::smallint[], $9::text[],
                $10::uuid[], $11::uuid[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::int[], $16::int[],
                $17::bigint[], $18::bigint[], $19::uuid[])
              as n(key, read, version, id, code, terms, status, reason, bound_to, source_id, created_at, starts_at, ends_at,
                uses_total, used, initial_balance, balance, row_digest)
        where v.space_id = $1 and v.code_key = n.key and (v.version = n.read or $21)
       returning 1
     ) select 1 / (count(*) = $20::int)::int from won`,
    [
      space,
      uuids(rows, (r) => r.voucher.key),
      int4s(rows, (r) => r.read),
      int4s(rows, (r) => r.voucher.version),
      uuids(rows, (r) => r.voucher.id),
      texts(rows, (r) => r.voucher.code),
      texts(rows, (r) => JSON.stringify(r.voucher.terms)),
      int2s(rows, (r) => r.voucher.status),
      texts(rows, (r) => r.voucher.reason),
      uuids(rows, (r) => r.voucher.member),
      uuids(rows, (r) => r.voucher.source),
      instants(rows, (r) => r.voucher.createdAt),
      instants(rows, (r) => r.voucher.startsAt),
      instants(rows, (r) => r.voucher.endsAt),
      int4s(rows, (r) => r.voucher.usesTotal),
      int4s(rows, (r) => r.voucher.used),
      int8s(rows, (r) => r.voucher.initialBalance),
      int8s(rows, (r) => r.voucher.balance),
      uuids(rows, (r) => rowDigest(VOUCHER, space, r.voucher)),
      rows.length,
      unguarded,
    ],
    'vouchers-update',
  )
}

/**
 * Locks go and come with their vouchers, whose versions guard them: of the vouchers that change, those too whose deadline has passed.
 */
export function saveLocks(space: number, locks: LockWrites, keys: readonly Uuid[], now: Instant): Statement[] {
  const gone = [...locks.freed, ...locks.placed]
  if (keys.length === 0) return []
  return [
    ...statement(
      `delete from voucher_locks l using unnest($2::uuid[], $3::uuid[]) as n(key, session)
        where l.space_id = $1 and l.code_key = n.key and l.session_key = n.session`,
      [space, uuids(gone, (l) => l.key), uuids(gone, (l) => l.sessionKey)],
      'voucher-locks-free',
    ),
    ...statement(
      `delete from voucher_locks l
        where l.space_id = $1 and l.code_key = any ($2::uuid[]) and l.until <= ($3::timestamptz[])[1]`,
      [space, uuids(keys, (key) => key), instants([now], (at) => at)],
      'voucher-locks-lapsed',
    ),
    ...place(space, locks.placed),
  ]
}

function place(space: number, rows: readonly Lock[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into voucher_locks (space_id, code_key, session_key, session, member_id, until, amount, row_digest)
     select $1, ${unnested('uuid uuid text uuid timestamptz bigint uuid')}`,
    [
      space,
      uuids(rows, (l) => l.key),
      uuids(rows, (l) => l.sessionKey),
      texts(rows, (l) => l.session),
      uuids(rows, (l) => l.member),
      instants(rows, (l) => l.until),
      int8s(rows, (l) => l.amount),
      uuids(rows, (l) => rowDigest(LOCK, space, l)),
    ],
    'voucher-locks-place',
  )
}
