import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { instants, int4s, int8s, texts, unnested, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement } from '../base/db.ts'
import { type Digested, isAltered, microseconds, rowDigest } from '../base/row-digests.ts'
import type { Claimed, Item, Purchase, Return, Returned, ReturnLine, StoredAward, Taken } from './purchases.rules.ts'

export type PurchaseRow = {
  member: Uuid
  id: Uuid
  programId: number
  configVersion: number
  total: number
  occurredAt: Instant
  recordedAt: Instant
  digest: Uuid
  externalId: string
  items: string
  awards: string
  channel: string | null
  store: string | null
  metadata: string | null
  returned: string | null
  claimed: string | null
  frozen: string | null
}
export const PURCHASE_COLUMNS = `member_id as member, purchase_id as id, program_id as "programId", config_version as "configVersion", total,
  occurred_at as "occurredAt", recorded_at as "recordedAt", digest, external_id as "externalId", items, awards, channel,
  store, metadata, returned, claimed, frozen`

export function toPurchase(row: PurchaseRow): Purchase {
  return {
    ...row,
    items: JSON.parse(row.items) as Item[],
    itemsText: row.items,
    awards: JSON.parse(row.awards) as StoredAward[],
    returned: row.returned === null ? null : (JSON.parse(row.returned) as Returned),
    claimed: row.claimed === null ? null : (JSON.parse(row.claimed) as Claimed),
  }
}

/** Purchases by their keys, in no particular order. */
export async function loadPurchases(db: Db, keys: readonly { member: Uuid; id: Uuid }[]): Promise<Purchase[]> {
  const rows = await db.query<PurchaseRow>(
    `select ${PURCHASE_COLUMNS} from purchases
       join unnest($1::uuid[], $2::uuid[]) as k(member_id, purchase_id) using (member_id, purchase_id)
      where space_id = $3`,
    [uuids(keys, (k) => k.member), uuids(keys, (k) => k.id), db.space],
    'purchases-load',
  )
  return rows.map(toPurchase)
}

/**
 * The keys of all purchases of members ($1): those that gave points are known by their entries, the others by an index of
 * their own. So a purchase does not have to be put in its place among its member's.
 */
export const KEYS_OF_MEMBERS = `select e.member_id, e.source_id as purchase_id from entries e
    where e.member_id = any ($1::uuid[]) and e.kind = 1
  union
  select p.member_id, p.purchase_id from purchases p where p.member_id = any ($1::uuid[]) and p.awards = '[]'`

/** How many purchases members have in programs, and when the last one was; in the order of the keys. */
export async function countPurchases(
  db: Db,
  keys: readonly { member: Uuid; scopeId: number }[],
): Promise<{ times: number; points: number; lastAt: Instant | null }[]> {
  const rows = await db.query<{ member: Uuid; programId: number; times: number; lastAt: Instant }>(
    `select member_id as member, program_id as "programId", count(*)::int as times, max(occurred_at) as "lastAt"
       from (${KEYS_OF_MEMBERS}) as k join purchases using (member_id, purchase_id)
      where space_id = $2 group by 1, 2`,
    [uuids(keys, (k) => k.member), db.space],
    'purchases-count',
  )
  const found = new Map(rows.map((row) => [`${row.member} ${row.programId}`, row]))
  return keys.map(({ member, scopeId }) => {
    const row = found.get(`${member} ${scopeId}`)
    return { times: row?.times ?? 0, points: 0, lastAt: row?.lastAt ?? null }
  })
}

/** All purchases of the members that hold any of the SKUs asked for (a list a member). */
export async function loadHolding(db: Db, wants: readonly { member: Uuid; sku: string }[]): Promise<Purchase[]> {
  const rows = await db.query<PurchaseRow>(
    `select ${PURCHASE_COLUMNS} from (${KEYS_OF_MEMBERS}) as k join purchases using (member_id, purchase_id)
      where space_id = $3
        and exists (select from unnest($1::uuid[], $2::text[]) as w(member, sku), json_array_elements(items::json) as i
                     where w.member = member_id and i ->> 'sku' = w.sku)`,
    [uuids(wants, (w) => w.member), texts(wants, (w) => w.sku), db.space],
    'purchases-holding',
  )
  return rows.map(toPurchase)
}

export function insertPurchases(space: number, rows: readonly Purchase[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into purchases (space_id, member_id, purchase_id, program_id, config_version, total, occurred_at, recorded_at,
                            digest, external_id, items, awards, channel, store, metadata, returned, claimed, frozen)
     select $1, ${unnested('uuid uuid int bigint bigint timestamptz timestamptz uuid text text text text text text text text text')}`,
    [
      space,
      uuids(rows, (r) => r.member),
      uuids(rows, (r) => r.id),
      int4s(rows, (r) => r.programId),
      int8s(rows, (r) => r.configVersion),
      int8s(rows, (r) => r.total),
      instants(rows, (r) => r.occurredAt),
      instants(rows, (r) => r.recordedAt),
      uuids(rows, (r) => r.digest),
      texts(rows, (r) => r.externalId),
      texts(rows, (r) => r.itemsText),
      texts(rows, (r) => JSON.stringify(r.awards)),
      texts(rows, (r) => r.channel),
      texts(rows, (r) => r.store),
      texts(rows, (r) => r.metadata),
      texts(rows, (r) => (r.returned === null ? null : JSON.stringify(r.returned))),
      texts(rows, (r) => (r.claimed === null ? null : JSON.stringify(r.claimed))),
      texts(rows, (r) => r.frozen),
    ],
    'purchases-insert',
  )
}

/** What was returned of purchases that were stored before this list. */
export function updateReturned(space: number, rows: readonly Purchase[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `update purchases p set returned = n.returned
       from unnest($1::uuid[], $2::uuid[], $3::text[]) as n(member_id, purchase_id, returned)
      where p.member_id = n.member_id and p.purchase_id = n.purchase_id and p.space_id = $4`,
    [uuids(rows, (r) => r.member), uuids(rows, (r) => r.id), texts(rows, (r) => JSON.stringify(r.returned)), space],
    'purchases-returned',
  )
}

type ReturnRow = {
  member: Uuid
  id: Uuid
  programId: number
  occurredAt: Instant
  recordedAt: Instant
  digest: Uuid
  externalId: string
  purchase: Uuid | null
  asked: string
  lines: string
  unmatched: string
  taken: string
}
const RETURN_COLUMNS = `member_id as member, return_id as id, program_id as "programId", occurred_at as "occurredAt",
  recorded_at as "recordedAt", digest, external_id as "externalId", purchase_id as purchase, asked, lines, unmatched, taken`

export function toReturn(row: ReturnRow): Return {
  return {
    ...row,
    lines: JSON.parse(row.lines) as ReturnLine[],
    unmatched: JSON.parse(row.unmatched) as Return['unmatched'],
    taken: JSON.parse(row.taken) as Taken[],
  }
}

/** All returns that a member made since an instant. */
export async function loadReturnsSince(db: Db, member: Uuid, since: Instant): Promise<Return[]> {
  const rows = await db.query<ReturnRow>(
    `select ${RETURN_COLUMNS} from returns where space_id = $1 and member_id = $2 and recorded_at >= $3`,
    [db.space, member, formatInstant(since)],
    'returns-since',
  )
  return rows.map(toReturn)
}

export async function loadReturns(db: Db, keys: readonly { member: Uuid; id: Uuid }[]): Promise<Return[]> {
  const rows = await db.query<ReturnRow>(
    `select ${RETURN_COLUMNS} from returns
       join unnest($1::uuid[], $2::uuid[]) as k(member_id, return_id) using (member_id, return_id)
      where space_id = $3`,
    [uuids(keys, (k) => k.member), uuids(keys, (k) => k.id), db.space],
    'returns-load',
  )
  return rows.map(toReturn)
}

/** What a row says, in the order of its digest. */
const RETURN: Digested<Return> = {
  table: 'returns',
  columns: [
    ['member_id', (r) => r.member],
    ['return_id', (r) => r.id],
    ['program_id', (r) => r.programId],
    [microseconds('occurred_at'), (r) => r.occurredAt],
    [microseconds('recorded_at'), (r) => r.recordedAt],
    ['digest', (r) => r.digest],
    ['external_id', (r) => r.externalId],
    ['purchase_id', (r) => r.purchase],
    ['asked', (r) => r.asked],
    ['lines', (r) => JSON.stringify(r.lines)],
    ['unmatched', (r) => JSON.stringify(r.unmatched)],
    ['taken', (r) => JSON.stringify(r.taken)],
  ],
}

/** Returns of the members that were not written as they are: for verify. */
export async function alteredReturns(db: Db, members: readonly Uuid[]): Promise<{ member: Uuid; id: Uuid }[]> {
  return await db.query(
    `select member_id as member, return_id as id from returns
      where member_id = any ($1::uuid[]) and space_id = $2 and ${isAltered(RETURN)} order by return_id limit 1`,
    [uuids(members, (m) => m), db.space],
  )
}

export function insertReturns(space: number, rows: readonly Return[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into returns (space_id, member_id, return_id, program_id, occurred_at, recorded_at, digest, external_id,
                          purchase_id, asked, lines, unmatched, taken, row_digest)
     select $1, ${unnested('uuid uuid int timestamptz timestamptz uuid text uuid text text text text uuid')}`,
    [
      space,
      uuids(rows, (r) => r.member),
      uuids(rows, (r) => r.id),
      int4s(rows, (r) => r.programId),
      instants(rows, (r) => r.occurredAt),
      instants(rows, (r) => r.recordedAt),
      uuids(rows, (r) => r.digest),
      texts(rows, (r) => r.externalId),
      uuids(rows, (r) => r.purchase),
      texts(rows, (r) => r.asked),
      texts(rows, (r) => JSON.stringify(r.lines)),
      texts(rows, (r) => JSON.stringify(r.unmatched)),
      texts(rows, (r) => JSON.stringify(r.taken)),
      uuids(rows, (r) => rowDigest(RETURN, space, r)),
    ],
    'returns-insert',
  )
}

/** A member's purchases and returns, for the audit. */
export async function loadForAudit(
  db: Db,
  members: readonly Uuid[],
): Promise<{ purchases: Purchase[]; returns: Return[] }> {
  const [purchases, returns] = await Promise.all([
    db.query<PurchaseRow>(
      `select ${PURCHASE_COLUMNS} from (${KEYS_OF_MEMBERS}) as k join purchases using (member_id, purchase_id)
        where space_id = $2`,
      [uuids(members, (m) => m), db.space],
    ),
    db.query<ReturnRow>(`select ${RETURN_COLUMNS} from returns where space_id = $2 and member_id = any ($1::uuid[])`, [
      uuids(members, (m) => m),
      db.space,
    ]),
  ])
  return { purchases: purchases.map(toPurchase), returns: returns.map(toReturn) }
}
