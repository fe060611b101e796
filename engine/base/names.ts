import type { Uuid } from '@laurel/contract/ids'
import { int4s, unnested, uuids } from './arrays.ts'
import { type Db, type Statement, statement, type Tx } from './db.ts'

/** Whom a name leads to while what it names has no member: no id of ours is this. */
export const NOBODY: Uuid = '00000000-0000-0000-0000-000000000000'

/** A name in `lookups`: its key, whose it is, and what was so named (a purchase or return, or an entry). */
export type NameRow = { key: Uuid; member: Uuid; object: Uuid | null; seq: number | null }

/**
 * Rows in ascending order of key, so that lists wait for each other. Fails with 23505 when a name is taken. `unguarded` is for the
 * tests' control.
 */
export function insertNames(space: number, rows: readonly NameRow[], unguarded = false): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into lookups (space_id, key, member_id, object_id, seq)
     select $1, ${unnested('uuid uuid uuid int')}${unguarded ? ' on conflict do nothing' : ''}`,
    [
      space,
      uuids(rows, (r) => r.key),
      uuids(rows, (r) => r.member),
      uuids(rows, (r) => r.object),
      int4s(rows, (r) => r.seq),
    ],
    unguarded ? 'names-insert-unguarded' : 'names-insert',
  )
}

/** Names that are nobody's are let go, to be somebody's. Divides by zero (22012) when one is not nobody's any more. */
export function freeNames(space: number, keys: readonly Uuid[], unguarded = false): Statement[] {
  if (keys.length === 0) return []
  return statement(
    `with freed as (
       delete from lookups where space_id = $1 and key = any ($2::uuid[]) and member_id = $3 returning 1
     ) select 1 / (count(*) = $4::int or $5)::int from freed`,
    [space, uuids(keys, (key) => key), NOBODY, keys.length, unguarded],
    'names-free',
  )
}

/**
 * Takes names for a member, in the same order, and answers who holds each: the member, or whoever was first. A name in
 * neither place was let go meanwhile: ask again.
 */
export async function claimNames(tx: Tx, member: Uuid, keys: readonly Uuid[]): Promise<Map<Uuid, Uuid>> {
  if (keys.length === 0) return new Map()
  const sorted = uuids(keys.toSorted(), (key) => key)
  const [, holders] = await Promise.all([
    tx.query(
      `insert into lookups (space_id, key, member_id)
       select $1, key, $2 from unnest($3::uuid[]) with ordinality as n(key, place) order by place
       on conflict do nothing`,
      [tx.space, member, sorted],
      'names-claim',
    ),
    tx.query<{ key: Uuid; member: Uuid }>(
      'select key, member_id as member from lookups where space_id = $1 and key = any ($2::uuid[])',
      [tx.space, sorted],
      'names-holders',
    ),
  ])
  return new Map(holders.map((row) => [row.key, row.member]))
}

/** Lets go of names that the member holds. */
export async function releaseNames(tx: Tx, member: Uuid, keys: readonly Uuid[]): Promise<void> {
  if (keys.length === 0) return
  await tx.query(
    'delete from lookups where space_id = $1 and key = any ($2::uuid[]) and member_id = $3',
    [tx.space, uuids(keys.toSorted(), (key) => key), member],
    'names-release',
  )
}

/** Whom a name leads to. */
export async function memberNamed(db: Db, key: Uuid): Promise<Uuid | undefined> {
  const [row] = await db.query<{ member: Uuid }>(
    'select member_id as member from lookups where space_id = $1 and key = $2',
    [db.space, key],
    'name-lookup',
  )
  return row?.member
}

/** Which of these names are taken. */
export async function namesKnown(db: Db, keys: readonly Uuid[]): Promise<Set<Uuid>> {
  if (keys.length === 0) return new Set()
  const rows = await db.query<{ key: Uuid }>(
    'select key from lookups where space_id = $1 and key = any ($2::uuid[])',
    [db.space, uuids(keys, (key) => key)],
    'names-known',
  )
  return new Set(rows.map((row) => row.key))
}
