import type { Uuid } from '@laurel/contract/ids'
import { instants, int2s, int4s, int8s, texts, unnested, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement } from '../base/db.ts'
import { rowDigest } from '../base/row-digests.ts'
import { REDEMPTION, USE, type Use } from './row-digests.sql.ts'
import type { Part, RollBack, SaidLine, Skipped, VoucherRedemption } from './vouchers.rules.ts'

/** What never changes of a redemption, as it is stored. */
type Said = { lines: SaidLine[]; skipped: Skipped[]; parts: Pick<Part, 'key' | 'id' | 'code' | 'kind' | 'lines'>[] }
type Row = Omit<VoucherRedemption, 'lines' | 'skipped' | 'parts' | 'rollBacks'> & {
  said: string
  rolledBack: string | null
}
type UseRow = { redemption: Uuid; key: Uuid; amount: number; givenBack: number }
const COLUMNS = `r.key, r.redemption_id as id, r.version, r.program_id as "programId", r.member_id as member,
  r.external_id as "externalId", r.session, r.redeemed_at as "redeemedAt", r.digest, r.total, r.discount, r.gift, r.said,
  r.rolled_back as "rolledBack"`

/** By the keys of their external ids. */
export async function loadVoucherRedemptions(db: Db, keys: readonly Uuid[]): Promise<VoucherRedemption[]> {
  if (keys.length === 0) return []
  const rows = db.query<Row>(
    `select ${COLUMNS} from voucher_redemptions r where r.space_id = $1 and r.key = any ($2::uuid[])`,
    [db.space, uuids(keys, (key) => key)],
    'voucher-redemptions-load',
  )
  return await withUses(db, keys, rows)
}

/** The key of a redemption's external id, by its own id. */
export async function keyOfVoucherRedemption(db: Db, id: Uuid): Promise<Uuid | undefined> {
  const [row] = await db.query<{ key: Uuid }>(
    'select key from voucher_redemptions where space_id = $1 and redemption_id = $2',
    [db.space, id],
    'voucher-redemption-by-id',
  )
  return row?.key
}

/** Which vouchers (by the keys of their codes) were redeemed with these; that never changes. */
export async function keysOfRedemptions(db: Db, redemptions: readonly Uuid[]): Promise<Uuid[]> {
  if (redemptions.length === 0) return []
  const rows = await db.query<{ key: Uuid }>(
    'select code_key as key from voucher_uses where space_id = $1 and redemption_key = any ($2::uuid[])',
    [db.space, uuids(redemptions, (key) => key)],
    'voucher-redemptions-keys',
  )
  return rows.map(({ key }) => key)
}

/** Of one voucher, newest first, before the redemption `before`. */
export async function pageVoucherRedemptions(
  db: Db,
  voucher: Uuid,
  before: Uuid,
  limit: number,
): Promise<VoucherRedemption[]> {
  const rows = await db.query<{ key: Uuid }>(
    `select redemption_key as key from voucher_uses
      where space_id = $1 and code_key = $2 and redemption_id < $3 order by redemption_id desc limit $4`,
    [db.space, voucher, before, limit],
    'voucher-redemptions-page',
  )
  const found = await loadVoucherRedemptions(
    db,
    rows.map(({ key }) => key),
  )
  return found.toSorted((a, b) => (a.id < b.id ? 1 : -1))
}

/** Asked on the heels of `rows`: what it reads is at least as new, so that a version guards both. */
async function withUses(db: Db, keys: readonly Uuid[], rows: Promise<Row[]>): Promise<VoucherRedemption[]> {
  const uses = db.query<UseRow>(
    `select u.redemption_key as redemption, u.code_key as key, u.amount, u.given_back as "givenBack"
       from voucher_uses u where u.space_id = $1 and u.redemption_key = any ($2::uuid[])`,
    [db.space, uuids(keys, (key) => key)],
    'voucher-uses-load',
  )
  const [heads, parts] = await Promise.all([rows, uses])
  const used = new Map(parts.map((use) => [`${use.redemption} ${use.key}`, use]))
  return heads.map((row) => toRedemption(row, used))
}

function toRedemption({ said, rolledBack, ...row }: Row, used: ReadonlyMap<string, UseRow>): VoucherRedemption {
  const { lines, skipped, parts } = JSON.parse(said) as Said
  return {
    ...row,
    lines,
    skipped,
    parts: parts.map((part) => {
      const use = used.get(`${row.key} ${part.key}`)
      if (!use) throw new Error(`redemption ${row.id}: its use of voucher ${part.id} is not stored`)
      return { ...part, amount: use.amount, givenBack: use.givenBack }
    }),
    rollBacks: rolledBack === null ? [] : (JSON.parse(rolledBack) as RollBack[]),
  }
}

/** How often these members have used these vouchers and not had the use back. */
export async function countUses(
  db: Db,
  keys: readonly Uuid[],
  members: readonly Uuid[],
): Promise<{ key: Uuid; member: Uuid; uses: number }[]> {
  if (keys.length === 0 || members.length === 0) return []
  return await db.query(
    `select code_key as key, member_id as member, count(*)::int as uses from voucher_uses
      where space_id = $1 and code_key = any ($2::uuid[]) and member_id = any ($3::uuid[]) and not undone
      group by code_key, member_id`,
    [db.space, uuids(keys, (key) => key), uuids(members, (id) => id)],
    'voucher-uses-count',
  )
}

export type RedemptionWrite = { redemption: VoucherRedemption; read: number }

/**
 * What a list makes of redemptions, in ascending order of key. Divides by zero (22012) when one was changed since it was read, and fails
 * with 23505 when the external id of a new one is taken. `unguarded` is for the tests' control.
 */
export function saveVoucherRedemptions(
  space: number,
  rows: readonly RedemptionWrite[],
  unguarded = false,
): Statement[] {
  const fresh = rows.filter(({ read }) => read === 0).map(({ redemption }) => redemption)
  const changed = rows.filter(({ read }) => read > 0)
  return [...insert(space, fresh), ...insertUses(space, fresh), ...update(space, changed, unguarded)]
}

function insert(space: number, rows: readonly VoucherRedemption[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into voucher_redemptions (space_id, key, redemption_id, version, program_id, member_id, external_id, session,
                                      redeemed_at, digest, total, discount, gift, said, rolled_back, row_digest)
     select $1, ${unnested('uuid uuid int int uuid text text timestamptz uuid bigint bigint bigint text text uuid')}`,
    [
      space,
      uuids(rows, (r) => r.key),
      uuids(rows, (r) => r.id),
      int4s(rows, (r) => r.version),
      int4s(rows, (r) => r.programId),
      uuids(rows, (r) => r.member),
      texts(rows, (r) => r.externalId),
      texts(rows, (r) => r.session),
      instants(rows, (r) => r.redeemedAt),
      uuids(rows, (r) => r.digest),
      int8s(rows, (r) => r.total),
      int8s(rows, (r) => r.discount),
      int8s(rows, (r) => r.gift),
      texts(rows, saidOf),
      texts(rows, rolledBackOf),
      uuids(rows, (r) => digestOfRow(space, r)),
    ],
    'voucher-redemptions-insert',
  )
}

function saidOf({ lines, skipped, parts }: VoucherRedemption): string {
  const said: Said = {
    lines,
    skipped,
    parts: parts.map((part) => ({ key: part.key, id: part.id, code: part.code, kind: part.kind, lines: part.lines })),
  }
  return JSON.stringify(said)
}

function rolledBackOf({ rollBacks }: VoucherRedemption): string | null {
  return rollBacks.length === 0 ? null : JSON.stringify(rollBacks)
}

/** As it is stored. */
function digestOfRow(space: number, redemption: VoucherRedemption): Uuid {
  return rowDigest(REDEMPTION, space, { redemption, said: saidOf(redemption), rolledBack: rolledBackOf(redemption) })
}

function usesOf(redemptions: readonly VoucherRedemption[]): Use[] {
  return redemptions.flatMap((redemption) => redemption.parts.map((part, place) => ({ redemption, part, place })))
}

function insertUses(space: number, redemptions: readonly VoucherRedemption[]): Statement[] {
  const rows = usesOf(redemptions)
  if (rows.length === 0) return []
  return statement(
    `insert into voucher_uses (space_id, redemption_key, redemption_id, code_key, place, member_id, amount, given_back,
                               row_digest)
     select $1, ${unnested('uuid uuid uuid smallint uuid bigint bigint uuid')}`,
    [
      space,
      uuids(rows, (r) => r.redemption.key),
      uuids(rows, (r) => r.redemption.id),
      uuids(rows, (r) => r.part.key),
      int2s(rows, (r) => r.place),
      uuids(rows, (r) => r.redemption.member),
      int8s(rows, (r) => r.part.amount),
      int8s(rows, (r) => r.part.givenBack),
      uuids(rows, (r) => rowDigest(USE, space, r)),
    ],
    'voucher-uses-insert',
  )
}

function update(space: number, rows: readonly RedemptionWrite[], unguarded: boolean): Statement[] {
  if (rows.length === 0) return []
  const uses = usesOf(rows.map(({ redemption }) => redemption))
  return [
    ...statement(
      `with won as (
         update voucher_redemptions r set version = n.version, rolled_back = n.rolled_back, row_digest = n.row_digest
           from unnest($2::uuid[], $3::int[], $4::int[], $5::text[], $6::uuid[])
                as n(key, read, version, rolled_back, row_digest)
          where r.space_id = $1 and r.key = n.key and (r.version = n.read or $8)
         returning 1
       ) select 1 / (count(*) = $7::int)::int from won`,
      [
        space,
        uuids(rows, (r) => r.redemption.key),
        int4s(rows, (r) => r.read),
        int4s(rows, (r) => r.redemption.version),
        texts(rows, (r) => rolledBackOf(r.redemption)),
        uuids(rows, (r) => digestOfRow(space, r.redemption)),
        rows.length,
        unguarded,
      ],
      'voucher-redemptions-update',
    ),
    ...statement(
      `update voucher_uses u set given_back = n.given_back, row_digest = n.row_digest
         from unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::uuid[]) as n(redemption, key, given_back, row_digest)
        where u.space_id = $1 and u.redemption_key = n.redemption and u.code_key = n.key`,
      [
        space,
        uuids(uses, (r) => r.redemption.key),
        uuids(uses, (r) => r.part.key),
        int8s(uses, (r) => r.part.givenBack),
        uuids(uses, (r) => rowDigest(USE, space, r)),
      ],
      'voucher-uses-update',
    ),
  ]
}
