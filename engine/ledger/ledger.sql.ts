import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { byteas, instants, int2s, int4s, int8s, texts, unnested, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement } from '../base/db.ts'
import { KINDS } from './accounts.ts'
import type { Entry, Hold, Lot, LotUse, MemberState } from './books.ts'
import { loadHoldsOf } from './holds.sql.ts'
import { STATE_COLUMNS, type StateRow, toState } from './states.sql.ts'

type LotRow = Omit<Lot, 'held' | 'slides'> & { member: Uuid }

const LOT_COLUMNS = `e.member_id as member, e.seq, e.wallet_id as "walletId", e.source_id as source, e.points,
  coalesce(l.remaining, e.points) as remaining, e.activates_at as "activatesAt", e.expires_at as "expiresAt",
  e.booked_at as "bookedAt", e.occurred_at as "occurredAt", e.rule_version_id as "ruleVersionId"`

/** All open lots of the members in the order in which they were opened, those that will open or are past their date included; nothing of them held. */
export async function loadLots(
  db: Db,
  members: readonly { member: Uuid; from: number }[],
): Promise<(Lot & { member: Uuid })[]> {
  const rows = await db.query<LotRow>(
    `select ${LOT_COLUMNS}
       from unnest($1::uuid[], $2::int[]) as m(member_id, seq)
       join entries e on e.member_id = m.member_id and e.seq >= m.seq
       left join lots l on l.member_id = e.member_id and l.seq = e.seq
      where e.space_id = $3 and e.activates_at is not null and coalesce(l.remaining, e.points) > 0
      order by e.member_id, e.seq`,
    [uuids(members, (m) => m.member), int4s(members, (m) => m.from), db.space],
    'lots-load',
  )
  return rows.map((row) => ({ ...row, held: 0, slides: false }))
}

/** These lots, whatever is left of them. */
export async function loadLotsBySeq(
  db: Db,
  keys: readonly { member: Uuid; seq: number }[],
): Promise<(Lot & { member: Uuid })[]> {
  if (keys.length === 0) return []
  const rows = await db.query<LotRow>(
    `select ${LOT_COLUMNS}
       from unnest($1::uuid[], $2::int[]) as k(member_id, seq)
       join entries e on e.member_id = k.member_id and e.seq = k.seq
       left join lots l on l.member_id = e.member_id and l.seq = e.seq
      where e.space_id = $3 and e.activates_at is not null`,
    [uuids(keys, (k) => k.member), int4s(keys, (k) => k.seq), db.space],
    'lots-by-seq',
  )
  return rows.map((row) => ({ ...row, held: 0, slides: false }))
}

export type EntryOf = Entry & { member: Uuid }

export function insertEntries(space: number, rows: readonly EntryOf[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into entries (space_id, member_id, seq, wallet_id, kind, from_account, to_account, rule_version_id, reverses,
                          points, balance, occurred_at, booked_at, activates_at, expires_at, source_id, digest, hash, reason, external_id, actor)
     select $1, ${unnested('uuid int int smallint smallint smallint int int bigint bigint timestamptz timestamptz timestamptz timestamptz uuid uuid bytea text text uuid')}`,
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
     select $1, ${unnested('uuid int bigint')}
     on conflict (member_id, seq) do update set remaining = excluded.remaining`,
    [space, uuids(rows, (r) => r.member), int4s(rows, (r) => r.seq), int8s(rows, (r) => r.remaining)],
    'lots-save',
  )
}

/** `written`: the version of the member's state that comes with it. Nothing of a use is ever changed. */
export function insertLotUses(
  space: number,
  rows: readonly (LotUse & { member: Uuid; written: number })[],
): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into lot_uses (space_id, member_id, seq, lot_seq, points, written)
     select $1, ${unnested('uuid int int bigint int')}`,
    [
      space,
      uuids(rows, (r) => r.member),
      int4s(rows, (r) => r.seq),
      int4s(rows, (r) => r.lotSeq),
      int8s(rows, (r) => r.points),
      int4s(rows, (r) => r.written),
    ],
    'lot-uses-insert',
  )
}

/** A transfer or a merge of which other points came than went, if there is one: a member of it, and an entry. */
export async function findUneven(db: Db): Promise<{ member: Uuid; seq: number; kind: number } | undefined> {
  const [row] = await db.query<{ member: Uuid; seq: number; kind: number }>(
    `select (array_agg(member_id))[1] as member, (array_agg(seq))[1] as seq, kind from entries
      where space_id = $1 and kind in (${KINDS.transferIn.code}, ${KINDS.mergeIn.code})
      group by kind, wallet_id, case when kind = ${KINDS.transferIn.code} then source_id else digest end
     having sum(case when to_account = ${KINDS.transferIn.to} then points else -points end) <> 0 limit 1`,
    [db.space],
  )
  return row
}

/** A transfer whose entries, its fee among them, are not all for one reason, if there is one: a member of it, and an entry. */
export async function findOtherReason(db: Db): Promise<{ member: Uuid; seq: number; kind: number } | undefined> {
  const [row] = await db.query<{ member: Uuid; seq: number; kind: number }>(
    `select (array_agg(member_id order by kind, seq))[1] as member, (array_agg(seq order by kind, seq))[1] as seq,
            min(kind)::int as kind
       from entries where space_id = $1 and kind in (${KINDS.transferIn.code}, ${KINDS.fee.code})
      group by source_id having count(distinct coalesce(reason, '')) > 1 limit 1`,
    [db.space],
  )
  return row
}

/** How many points a member transferred to others in a wallet since an instant; in the order of the keys. */
export async function loadSent(
  db: Db,
  keys: readonly { member: Uuid; walletId: number; since: Instant }[],
): Promise<number[]> {
  if (keys.length === 0) return []
  const rows = await db.query<{ points: number }>(
    `select (select coalesce(sum(e.points), 0)::bigint from entries e
              where e.member_id = k.member_id and e.space_id = $4 and e.wallet_id = k.wallet_id and e.booked_at >= k.since
                and e.kind = ${KINDS.transferOut.code} and e.from_account = ${KINDS.transferOut.from}) as points
       from unnest($1::uuid[], $2::int[], $3::timestamptz[]) with ordinality as k(member_id, wallet_id, since, nr) order by nr`,
    [uuids(keys, (k) => k.member), int4s(keys, (k) => k.walletId), instants(keys, (k) => k.since), db.space],
    'entries-sent',
  )
  return rows.map((row) => row.points)
}

/** What these entries took from lots, net of what entries that reverse them gave back. */
export async function loadLotUses(
  db: Db,
  keys: readonly { member: Uuid; seq: number }[],
): Promise<(LotUse & { member: Uuid })[]> {
  if (keys.length === 0) return []
  return await db.query<LotUse & { member: Uuid }>(
    `select k.member_id as member, k.seq, u.lot_seq as "lotSeq", sum(u.points)::bigint as points
       from unnest($1::uuid[], $2::int[]) as k(member_id, seq)
       join entries e on e.member_id = k.member_id and e.space_id = $3 and (e.seq = k.seq or e.reverses = k.seq and e.seq > k.seq)
       join lot_uses u on u.member_id = e.member_id and u.seq = e.seq
      group by k.member_id, k.seq, u.lot_seq order by k.member_id, k.seq, u.lot_seq`,
    [uuids(keys, (k) => k.member), int4s(keys, (k) => k.seq), db.space],
    'lot-uses-load',
  )
}

type EntryRow = { [K in keyof EntryOf]: EntryOf[K] | null }
export type BooksOf = {
  state: MemberState
  entries: Entry[]
  lots: { seq: number; remaining: number }[]
  uses: LotUse[]
  holds: Hold[]
}

/** The next members after a member id, in order. */
export async function membersAfter(db: Db, after: Uuid, limit: number): Promise<Uuid[]> {
  const rows = await db.query<{ member: Uuid }>(
    'select member_id as member from member_states where space_id = $1 and member_id > $2 order by member_id limit $3',
    [db.space, after, limit],
  )
  return rows.map(({ member }) => member)
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
  const [entries, lots, uses, holds] = await Promise.all([
    entriesOf(
      db,
      states.map((s) => s.member),
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
    loadHoldsOf(
      db,
      states.map((s) => s.member),
    ),
  ])
  const books = new Map(
    states.map((state): [Uuid, BooksOf] => [state.member, { state, entries: [], lots: [], uses: [], holds: [] }]),
  )
  for (const entry of entries) books.get(entry.member)?.entries.push(entry)
  for (const lot of lots) books.get(lot.member)?.lots.push(lot)
  for (const use of uses) books.get(use.member)?.uses.push(use)
  for (const hold of holds) books.get(hold.member)?.holds.push(hold)
  return [...books.values()]
}

/** All entries of the members, in the order in which each was booked. */
export async function entriesOf(db: Db, members: readonly Uuid[]): Promise<(Entry & { member: Uuid })[]> {
  const rows = await db.query<EntryRow>(
    `select member_id as member, seq, wallet_id as "walletId", kind, from_account as "from", to_account as "to",
            rule_version_id as "ruleVersionId", reverses, points, balance, occurred_at as "occurredAt", booked_at as "bookedAt",
            activates_at as "activatesAt", expires_at as "expiresAt", source_id as source, digest, actor, reason, external_id as "externalId", encode(hash, 'hex') as hash
       from entries where member_id = any ($1::uuid[]) and space_id = $2 order by member_id, seq`,
    [uuids(members, (m) => m), db.space],
    'books-entries',
  )
  return rows.map(present)
}

/** Absent rather than null: as entries are made. */
function present(row: EntryRow): Entry & { member: Uuid } {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as unknown as Entry & {
    member: Uuid
  }
}
