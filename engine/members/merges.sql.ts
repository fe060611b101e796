import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { instants, int2s, texts, unnested, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement } from '../base/db.ts'
import { type Digested, isAltered, microseconds, rowDigest } from '../base/row-digests.ts'

/** That `other` lives on as `member`: which lots became which, and what can go back. */
export type Merge = {
  member: Uuid
  id: Uuid
  other: Uuid
  /** the other's status before */
  status: number
  reason: string
  digest: Uuid
  mergedAt: Instant
  undoneAt: Instant | null
  lots: MergedLot[]
  /** what the other owed, and by which entry of `member` that was taken on (not known of the first merges) */
  debts: [walletId: number, points: number, seq?: number | undefined][]
  /** what went back: the lots of `member` that it came from, and the other's that it became */
  undone: MergedLot[] | null
}
/** `source`: what gave the points, by which what is left of them is known again. `paid`: how much paid at once what was owed there. */
export type MergedLot = [walletId: number, from: number, to: number, points: number, source: Uuid, paid?: number]

type MergeRow = Omit<Merge, 'lots' | 'debts' | 'undone'> & { lots: string; debts: string; undone: string | null }

const MERGE_COLUMNS = `g.member_id as member, g.merge_id as id, g.other_id as other, g.status, g.reason, g.digest,
  g.merged_at as "mergedAt", g.undone_at as "undoneAt", g.lots, g.debts, g.undone`

function toMerge(row: MergeRow): Merge {
  return {
    ...row,
    lots: JSON.parse(row.lots) as MergedLot[],
    debts: JSON.parse(row.debts) as Merge['debts'],
    undone: row.undone === null ? null : (JSON.parse(row.undone) as MergedLot[]),
  }
}

/** The merges of members with others, whether undone or not. */
export async function loadMerges(db: Db, keys: readonly { member: Uuid; other: Uuid }[]): Promise<Merge[]> {
  if (keys.length === 0) return []
  const rows = await db.query<MergeRow>(
    `select ${MERGE_COLUMNS} from unnest($1::uuid[], $2::uuid[]) as k(member_id, other_id)
       join merges g using (member_id, other_id) where g.space_id = $3 order by g.merge_id`,
    [uuids(keys, (k) => k.member), uuids(keys, (k) => k.other), db.space],
    'merges-load',
  )
  return rows.map(toMerge)
}

/** All merges into these members. */
export async function loadMergesOf(db: Db, members: readonly Uuid[]): Promise<Merge[]> {
  if (members.length === 0) return []
  const rows = await db.query<MergeRow>(
    `select ${MERGE_COLUMNS} from merges g where g.member_id = any ($1::uuid[]) and g.space_id = $2 order by g.merge_id`,
    [uuids(members, (m) => m), db.space],
    'merges-of-members',
  )
  return rows.map(toMerge)
}

/** Those of them that were undone: what came along by the others is not read, which can be a hundred thousand lots. */
export async function loadUndoneOf(db: Db, members: readonly Uuid[]): Promise<Merge[]> {
  if (members.length === 0) return []
  const rows = await db.query<MergeRow>(
    `select ${MERGE_COLUMNS} from merges g
      where g.member_id = any ($1::uuid[]) and g.space_id = $2 and g.undone_at is not null order by g.merge_id`,
    [uuids(members, (m) => m), db.space],
    'merges-undone-of-members',
  )
  return rows.map(toMerge)
}

/** What a row says, in the order of its digest. */
const MERGE: Digested<Merge> = {
  table: 'merges',
  columns: [
    ['member_id', (r) => r.member],
    ['merge_id', (r) => r.id],
    ['other_id', (r) => r.other],
    ['status', (r) => r.status],
    ['reason', (r) => r.reason],
    ['digest', (r) => r.digest],
    [microseconds('merged_at'), (r) => r.mergedAt],
    [microseconds('undone_at'), (r) => r.undoneAt],
    ['lots', (r) => JSON.stringify(r.lots)],
    ['debts', (r) => JSON.stringify(r.debts)],
    ['undone', (r) => r.undone && JSON.stringify(r.undone)],
  ],
}

/** Merges of the members that were not written as they are: for verify. */
export async function alteredMerges(db: Db, members: readonly Uuid[]): Promise<{ member: Uuid; id: Uuid }[]> {
  return await db.query(
    `select member_id as member, merge_id as id from merges
      where member_id = any ($1::uuid[]) and space_id = $2 and ${isAltered(MERGE)} order by merge_id limit 1`,
    [uuids(members, (m) => m), db.space],
  )
}

/** New merges, and those that were undone. Guarded by both members' states. */
export function saveMerges(space: number, rows: readonly Merge[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into merges (space_id, member_id, merge_id, other_id, status, reason, digest, merged_at, undone_at, lots, debts, undone,
                         row_digest)
     select $1, ${unnested('uuid uuid uuid smallint text uuid timestamptz timestamptz text text text uuid')}
     on conflict (member_id, merge_id) do update
       set undone_at = excluded.undone_at, undone = excluded.undone, row_digest = excluded.row_digest`,
    [
      space,
      uuids(rows, (r) => r.member),
      uuids(rows, (r) => r.id),
      uuids(rows, (r) => r.other),
      int2s(rows, (r) => r.status),
      texts(rows, (r) => r.reason),
      uuids(rows, (r) => r.digest),
      instants(rows, (r) => r.mergedAt),
      instants(rows, (r) => r.undoneAt),
      texts(rows, (r) => JSON.stringify(r.lots)),
      texts(rows, (r) => JSON.stringify(r.debts)),
      texts(rows, (r) => r.undone && JSON.stringify(r.undone)),
      uuids(rows, (r) => rowDigest(MERGE, space, r)),
    ],
    'merges-save',
  )
}

/** A merged member's profile says so; one that is itself again has the status it had. */
export function markMerged(space: number, rows: readonly Merge[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `update members m
        set status = case when n.undone_at is null then 'merged'
                          else (array['active', 'suspended', 'closed'])[n.status] end,
            merged_into = case when n.undone_at is null then n.member_id end,
            revision = m.revision + 1, updated_at = coalesce(n.undone_at, n.merged_at),
            life_at = coalesce(n.undone_at, n.merged_at)
       from unnest($2::uuid[], $3::uuid[], $4::smallint[], $5::timestamptz[], $6::timestamptz[])
         as n(other_id, member_id, status, merged_at, undone_at)
      where m.space_id = $1 and m.member_id = n.other_id`,
    [
      space,
      uuids(rows, (r) => r.other),
      uuids(rows, (r) => r.member),
      int2s(rows, (r) => r.status),
      instants(rows, (r) => r.mergedAt),
      instants(rows, (r) => r.undoneAt),
    ],
    'members-merged',
  )
}

/** All who live on as these members, however far back. */
export async function loadElders(db: Db, members: readonly Uuid[]): Promise<{ member: Uuid; elder: Uuid }[]> {
  if (members.length === 0) return []
  return await db.query<{ member: Uuid; elder: Uuid }>(
    `with recursive elders(member, elder) as (
       select m.merged_into, m.member_id from members m where m.space_id = $2 and m.merged_into = any ($1::uuid[])
       union
       select e.member, m.member_id from elders e join members m on m.space_id = $2 and m.merged_into = e.elder
     ) select member, elder from elders`,
    [uuids(members, (m) => m), db.space],
    'members-elders',
  )
}

/** Into whom else these members were ever merged, undone or not, however far on: perhaps into one another in turn. */
export async function loadHeirs(db: Db, members: readonly Uuid[]): Promise<{ member: Uuid; heir: Uuid }[]> {
  return await db.query<{ member: Uuid; heir: Uuid }>(
    `with recursive heirs(member, heir) as (
       select g.other_id, g.member_id from merges g where g.space_id = $2 and g.other_id = any ($1::uuid[])
       union
       select h.member, g.member_id from heirs h join merges g on g.space_id = $2 and g.other_id = h.heir
     ) select member, heir from heirs where heir <> member`,
    [uuids(members, (m) => m), db.space],
    'merges-heirs',
  )
}

/** With whom else these members were ever one, undone or not, however far on: perhaps as what a third one had become. */
export async function loadEverOne(db: Db, members: readonly Uuid[]): Promise<{ member: Uuid; with: Uuid }[]> {
  return await db.query<{ member: Uuid; with: Uuid }>(
    `with recursive ever(member, other) as (
       select m, m from unnest($1::uuid[]) as m
       union
       select e.member, g.id from ever e cross join lateral (
         select g.other_id as id from merges g where g.space_id = $2 and g.member_id = e.other
         union all
         select g.member_id from merges g where g.space_id = $2 and g.other_id = e.other) as g
     ) select member, other as with from ever where other <> member`,
    [uuids(members, (m) => m), db.space],
    'merges-ever-one',
  )
}

/** The member and all who live on as it, however far back. */
export async function loadFamily(db: Db, member: Uuid): Promise<Uuid[]> {
  const rows = await db.query<{ id: Uuid }>(
    `with recursive family(id) as (
       select $2::uuid
       union
       select m.member_id from family f join members m on m.space_id = $1 and m.merged_into = f.id
     ) select id from family order by id <> $2::uuid, id`,
    [db.space, member],
    'members-family',
  )
  return rows.map((row) => row.id)
}
