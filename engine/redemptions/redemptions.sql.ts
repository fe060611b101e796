import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { instants, int2s, int4s, texts, unnested, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement, type Tx } from '../base/db.ts'
import { type Digested, isAltered, rowDigest } from '../base/row-digests.ts'
import { type Moved, type Redemption, type Said, STATUS, type Status, type Step } from './redemptions.rules.ts'

type RedemptionRow = Omit<Redemption, 'said' | 'spent' | 'received' | 'history'> & {
  said: string
  spent: string
  received: string | null
  history: string
}

export const REDEMPTION_COLUMNS = `r.member_id as member, r.redemption_id as id, r.program_id as "programId",
  r.reward_id as "rewardId", r.version, r.status, r.digest, r.issued_at as "issuedAt", r.valid_from as "validFrom",
  r.valid_until as "validUntil", r.uses, r.used, r.code, r.pool_id as "poolId", r.external_id as "externalId", r.said,
  r.delivery, r.spent, r.received, r.history`

function toRedemption(row: RedemptionRow): Redemption {
  return {
    ...row,
    said: JSON.parse(row.said) as Said,
    spent: JSON.parse(row.spent) as Moved[],
    received: row.received === null ? null : (JSON.parse(row.received) as Moved),
    history: JSON.parse(row.history) as Step[],
  }
}

/** These redemptions, whatever became of them. */
export async function loadRedemptions(db: Db, keys: readonly { member: Uuid; id: Uuid }[]): Promise<Redemption[]> {
  if (keys.length === 0) return []
  const rows = await db.query<RedemptionRow>(
    `select ${REDEMPTION_COLUMNS} from unnest($1::uuid[], $2::uuid[]) as k(member_id, redemption_id)
       join redemptions r using (member_id, redemption_id) where r.space_id = $3`,
    [uuids(keys, (k) => k.member), uuids(keys, (k) => k.id), db.space],
    'redemptions-load',
  )
  return rows.map(toRedemption)
}

/** All redemptions of some members, oldest first: for verify. */
export async function loadRedemptionsOf(db: Db, members: readonly Uuid[]): Promise<Redemption[]> {
  if (members.length === 0) return []
  const rows = await db.query<RedemptionRow>(
    `select ${REDEMPTION_COLUMNS} from redemptions r
      where r.member_id = any ($1::uuid[]) and r.space_id = $2 order by r.redemption_id`,
    [uuids(members, (m) => m), db.space],
    'redemptions-of-members',
  )
  return rows.map(toRedemption)
}

/** Which of these entries a redemption made: of entries that spent, by the member and their seq. */
export async function loadRedeeming(
  db: Db,
  entries: readonly { member: Uuid; seq: number }[],
): Promise<{ member: Uuid; seq: number }[]> {
  if (entries.length === 0) return []
  return await db.query(
    `select e.member_id as member, e.seq from unnest($1::uuid[], $2::int[]) as k(member_id, seq)
       join entries e using (member_id, seq)
       join redemptions r on r.member_id = e.member_id and r.redemption_id = e.source_id where e.space_id = $3`,
    [uuids(entries, (k) => k.member), int4s(entries, (k) => k.seq), db.space],
    'redemptions-by-entry',
  )
}

/** How often a member redeemed a reward from `since` on; what those had redeemed who were merged into it counts too. */
export type CountKey = { member: Uuid; rewardId: number; since: Instant }

/** In the order of the keys; cancelled ones are not counted. */
export async function countRedeemed(db: Db, keys: readonly CountKey[]): Promise<number[]> {
  if (keys.length === 0) return []
  const rows = await db.query<{ n: number; times: number }>(
    `with recursive keys as (
       select * from unnest($1::uuid[], $2::int[], $3::timestamptz[]) with ordinality as k(member_id, reward_id, since, n)
     ), family(n, member_id) as (
       select n, member_id from keys
       union
       select f.n, m.member_id from family f join members m on m.space_id = $4 and m.merged_into = f.member_id
     )
     select k.n::int as n, count(*)::int as times from keys k join family f using (n)
       join redemptions r on r.member_id = f.member_id and r.reward_id = k.reward_id and r.issued_at >= k.since
      where r.space_id = $4 and r.status <> ${STATUS.cancelled} group by k.n`,
    [uuids(keys, (k) => k.member), int4s(keys, (k) => k.rewardId), instants(keys, (k) => k.since), db.space],
    'redemptions-count',
  )
  const found = new Map(rows.map((row) => [row.n, row.times]))
  return keys.map((_, i) => found.get(i + 1) ?? 0)
}

export type RedemptionsPage = {
  before: Uuid
  limit: number
  programId: number | null
  status: Status | null
  now: Instant
}

/** What these members redeemed, newest first. `status`: those that are in it now, whether its end is booked or not, and by what tills used of it. */
export async function loadRedemptionsPage(
  db: Db,
  members: readonly Uuid[],
  page: RedemptionsPage,
): Promise<Redemption[]> {
  const rows = await db.query<RedemptionRow>(
    `select ${REDEMPTION_COLUMNS} from redemptions r
      where r.member_id = any ($1::uuid[]) and r.space_id = $2 and r.redemption_id < $3
        and ($4::int is null or r.program_id = $4)
        and ($5::int is null or $5 = case
              when r.status in (${STATUS.issued}, ${STATUS.expired}) and exists (select from vouchers v
                where v.space_id = $2 and v.voucher_id = r.redemption_id
                  and case when v.balance is null then v.used + r.used >= r.uses else v.balance = 0 end)
              then ${STATUS.used}
              when r.status = ${STATUS.issued} and r.valid_until <= $6 then ${STATUS.expired} else r.status end)
      order by r.redemption_id desc limit $7`,
    [uuids(members, (m) => m), db.space, page.before, page.programId, page.status, formatInstant(page.now), page.limit],
    'redemptions-page',
  )
  return rows.map(toRedemption)
}

/** Those whose end has come and is not booked, the longest over first, but `without` these. */
export async function loadOver(
  db: Db,
  now: Instant,
  limit: number,
  without: readonly Uuid[],
): Promise<{ member: Uuid; id: Uuid }[]> {
  return await db.query(
    `select member_id as member, redemption_id as id from redemptions
      where space_id = $1 and status = ${STATUS.issued} and valid_until <= $2
        and redemption_id <> all ($4::uuid[]) order by valid_until limit $3`,
    [db.space, formatInstant(now), limit, uuids(without, (id) => id)],
    'redemptions-over',
  )
}

/** What a row says beside what never changes, of which `digest` is; but not where it goes, which can be erased: `said` has a digest of it. */
const REDEMPTION: Digested<Redemption> = {
  table: 'redemptions',
  columns: [
    ['member_id', (r) => r.member],
    ['redemption_id', (r) => r.id],
    ['digest', (r) => r.digest],
    ['status', (r) => r.status],
    ['used', (r) => r.used],
    ['spent', (r) => JSON.stringify(r.spent)],
    ['received', (r) => r.received && JSON.stringify(r.received)],
    ['history', (r) => JSON.stringify(r.history)],
  ],
}

/** Redemptions of the members that were not written as they are: for verify. */
export async function alteredRedemptions(db: Db, members: readonly Uuid[]): Promise<{ member: Uuid; id: Uuid }[]> {
  return await db.query(
    `select member_id as member, redemption_id as id from redemptions
      where member_id = any ($1::uuid[]) and space_id = $2 and ${isAltered(REDEMPTION)} order by redemption_id limit 1`,
    [uuids(members, (m) => m), db.space],
  )
}

/** New redemptions, and what became of those of before. Guarded by their members' states. */
export function saveRedemptions(space: number, rows: readonly Redemption[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into redemptions (space_id, member_id, redemption_id, program_id, reward_id, version, status, digest, issued_at,
                              valid_from, valid_until, uses, used, code, pool_id, external_id, said, delivery, spent,
                              received, history, row_digest)
     select $1, ${unnested('uuid uuid int int int smallint uuid timestamptz timestamptz timestamptz int int text int text text text text text text uuid')}
     on conflict (member_id, redemption_id) do update
       set status = excluded.status, used = excluded.used, history = excluded.history, row_digest = excluded.row_digest`,
    [
      space,
      uuids(rows, (r) => r.member),
      uuids(rows, (r) => r.id),
      int4s(rows, (r) => r.programId),
      int4s(rows, (r) => r.rewardId),
      int4s(rows, (r) => r.version),
      int2s(rows, (r) => r.status),
      uuids(rows, (r) => r.digest),
      instants(rows, (r) => r.issuedAt),
      instants(rows, (r) => r.validFrom),
      instants(rows, (r) => r.validUntil),
      int4s(rows, (r) => r.uses),
      int4s(rows, (r) => r.used),
      texts(rows, (r) => r.code),
      int4s(rows, (r) => r.poolId),
      texts(rows, (r) => r.externalId),
      texts(rows, (r) => JSON.stringify(r.said)),
      texts(rows, (r) => r.delivery),
      texts(rows, (r) => JSON.stringify(r.spent)),
      texts(rows, (r) => r.received && JSON.stringify(r.received)),
      texts(rows, (r) => JSON.stringify(r.history)),
      uuids(rows, (r) => rowDigest(REDEMPTION, space, r)),
    ],
    'redemptions-save',
  )
}

// ── rewards that redeem themselves ──

/** Up to which event it was looked; undefined: never. */
export async function selectLooked(db: Db): Promise<number | undefined> {
  const [row] = await db.query<{ position: number }>(
    'select position from auto_redemptions where space_id = $1',
    [db.space],
    'auto-redemptions',
  )
  return row?.position
}

export async function saveLooked(tx: Tx, position: number): Promise<void> {
  await tx.query(
    `insert into auto_redemptions (space_id, position) values ($1, $2)
     on conflict (space_id) do update set position = greatest(auto_redemptions.position, excluded.position)`,
    [tx.space, position],
    'auto-redemptions-save',
  )
}
