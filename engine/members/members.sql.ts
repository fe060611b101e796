import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { instants, texts, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement, type Tx } from '../base/db.ts'
import type { Member } from './members.rules.ts'

/** Columns of members as `m`, shaped as a Member. */
const MEMBER_COLUMNS = `m.member_id as id, m.external_id as "externalId", m.email, m.phone, m.name,
  m.birth_date as "birthDate", m.locale, m.attributes, m.status, m.revision, m.created_at as "createdAt", m.updated_at as "updatedAt"`

export async function selectMember(db: Db, id: Uuid): Promise<Member | undefined> {
  const [member] = await db.query<Member>(
    `select ${MEMBER_COLUMNS} from members m where m.space_id = $1 and m.member_id = $2`,
    [db.space, id],
    'member-load',
  )
  return member
}

export async function selectNamedMember(db: Db, key: Uuid): Promise<Member | undefined> {
  const [member] = await db.query<Member>(
    `select ${MEMBER_COLUMNS} from lookups n join members m on m.space_id = n.space_id and m.member_id = n.member_id
      where n.space_id = $1 and n.key = $2`,
    [db.space, key],
    'member-named',
  )
  return member
}

/** Whose card has this name, and whether it was blocked. */
export async function selectCardHolder(db: Db, key: Uuid): Promise<{ member: Uuid; blocked: boolean } | undefined> {
  const [row] = await db.query<{ member: Uuid; blocked: boolean }>(
    `select c.member_id as member, c.blocked_at is not null as blocked
       from lookups n join cards c on c.member_id = n.member_id and c.card_id = n.object_id
      where n.space_id = $1 and n.key = $2 and c.space_id = $1`,
    [db.space, key],
    'member-of-card',
  )
  return row
}

/** Whom a member lives on as, however often merged: itself, as a rule. */
export async function selectSurvivor(db: Db, id: Uuid): Promise<Uuid> {
  const [row] = await db.query<{ id: Uuid }>(
    `with recursive chain(id, into_id) as (
       select member_id, merged_into from members where space_id = $1 and member_id = $2
       union
       select m.member_id, m.merged_into from chain c join members m on m.space_id = $1 and m.member_id = c.into_id
     ) select id from chain where into_id is null`,
    [db.space, id],
    'member-survivor',
  )
  return row?.id ?? id
}

export type FactsRow = {
  member: Uuid
  externalId: string | null
  attributes: Record<string, unknown>
  joinedAt: Instant
  birthDate: string | null
  locale: string | null
  hasEmail: boolean
  hasPhone: boolean
  hasName: boolean
}

/** What rules may know of members. */
export async function loadFacts(db: Db, members: readonly Uuid[]): Promise<FactsRow[]> {
  return await db.query<FactsRow>(
    `select m.member_id as member, m.external_id as "externalId", m.attributes, m.created_at as "joinedAt", m.birth_date as "birthDate",
            m.locale, m.email is not null as "hasEmail", m.phone is not null as "hasPhone", m.name is not null as "hasName"
       from members m where m.space_id = $1 and m.member_id = any ($2::uuid[])`,
    [db.space, uuids(members, (m) => m)],
    'members-facts',
  )
}

export async function selectMembersById(db: Db, ids: readonly Uuid[]): Promise<Member[]> {
  if (ids.length === 0) return []
  return await db.query<Member>(
    `select ${MEMBER_COLUMNS} from members m where m.space_id = $1 and m.member_id = any ($2::uuid[])`,
    [db.space, uuids(ids, (id) => id)],
    'members-by-id',
  )
}

/** Newest first, older than `after`. */
export async function selectMembers(db: Db, after: Uuid | null, limit: number): Promise<Member[]> {
  return await db.query<Member>(
    `select ${MEMBER_COLUMNS} from members m where m.space_id = $1 and m.member_id < coalesce($2::uuid, $3::uuid)
      order by m.member_id desc limit $4`,
    [db.space, after, LAST_ID, limit],
    'members-list',
  )
}

/** The one who holds all of these names, if it is one. */
export async function selectMembersNamed(
  db: Db,
  keys: readonly Uuid[],
  after: Uuid | null,
  limit: number,
): Promise<Member[]> {
  return await db.query<Member>(
    `select ${MEMBER_COLUMNS} from members m
      where m.space_id = $1 and m.member_id < coalesce($2::uuid, $3::uuid)
        and m.member_id in (select n.member_id from lookups n where n.space_id = $1 and n.key = any ($5::uuid[])
                             group by n.member_id having count(*) = $6::int)
      order by m.member_id desc limit $4`,
    [db.space, after, LAST_ID, limit, uuids(keys, (key) => key), keys.length],
    'members-find',
  )
}

/** Where a list begins: no UUID of ours is as late. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** One member, held until the transaction ends, so that changes of a profile queue up. Never several members. */
export async function lockMember(tx: Tx, id: Uuid): Promise<Member | undefined> {
  const [member] = await tx.query<Member>(
    `select ${MEMBER_COLUMNS} from members m where m.space_id = $1 and m.member_id = $2 for update`,
    [tx.space, id],
    'member-lock',
  )
  return member
}

/** Members who join by buying: all that is known of them is how the caller calls them. */
export function insertMembers(
  space: number,
  rows: readonly { member: Uuid; externalId: string; at: Instant }[],
): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into members (space_id, member_id, external_id, status, created_at, updated_at, life_at)
     select $1, n.id, n.external_id, 'active', n.at, n.at, n.at
       from unnest($2::uuid[], $3::text[], $4::timestamptz[]) as n(id, external_id, at)`,
    [space, uuids(rows, (r) => r.member), texts(rows, (r) => r.externalId), instants(rows, (r) => r.at)],
    'members-join',
  )
}

/** Members with all that is known of them, many at once. Their lives are looked at from `now` on. */
export function insertProfiles(space: number, rows: readonly Member[], now: Instant): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into members (space_id, member_id, external_id, email, phone, name, birth_date, locale, attributes, status,
                          revision, created_at, updated_at, life_at)
     select $1, n.id, n.external_id, n.email, n.phone, n.name, n.birth_date::date, n.locale, n.attributes::jsonb, n.status,
            1, n.at, n.at, $12
       from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                   $11::timestamptz[])
         as n(id, external_id, email, phone, name, birth_date, locale, attributes, status, at)`,
    [
      space,
      uuids(rows, (r) => r.id),
      texts(rows, (r) => r.externalId),
      texts(rows, (r) => r.email),
      texts(rows, (r) => r.phone),
      texts(rows, (r) => r.name),
      texts(rows, (r) => r.birthDate),
      texts(rows, (r) => r.locale),
      texts(rows, (r) => JSON.stringify(r.attributes)),
      texts(rows, (r) => r.status),
      instants(rows, (r) => r.createdAt),
      formatInstant(now),
    ],
    'members-import',
  )
}

export async function insertMember(tx: Tx, m: Member): Promise<void> {
  await tx.query(
    `insert into members (space_id, member_id, external_id, email, phone, name, birth_date, locale, attributes, status,
                          revision, created_at, updated_at, life_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)`,
    [tx.space, ...columnsOf(m), formatInstant(m.createdAt), formatInstant(m.updatedAt)],
    'member-insert',
  )
}

export async function updateMember(tx: Tx, m: Member): Promise<void> {
  await tx.query(
    `update members set external_id = $3, email = $4, phone = $5, name = $6, birth_date = $7, locale = $8, attributes = $9,
            status = $10, revision = $11, updated_at = $12, life_at = $12
      where space_id = $1 and member_id = $2`,
    [tx.space, ...columnsOf(m), formatInstant(m.updatedAt)],
    'member-update',
  )
}

function columnsOf(m: Member): unknown[] {
  return [
    m.id,
    m.externalId,
    m.email,
    m.phone,
    m.name,
    m.birthDate,
    m.locale,
    JSON.stringify(m.attributes),
    m.status,
    m.revision,
  ]
}
