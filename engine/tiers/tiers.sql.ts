import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { TierWhy } from '@laurel/contract/tiers'
import { instants, int2s, int4s, int8s, texts, unnested, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement } from '../base/db.ts'
import { readStanding } from './standings.rules.ts'
import type { Bucket, Manual, Standing, StoredChange, TierState } from './tiers.ts'

type StateRow = Omit<TierState, 'standing' | 'manual' | 'dueAt'> & {
  standing: string
  manualTier: string | null
  manualUntil: Instant | null
  manualReason: string | null
  manualBy: Uuid | null
  dueAt: Instant | null
}

function toState({ manualTier, manualUntil, manualReason, manualBy, ...row }: StateRow, standing: Standing): TierState {
  const manual: Manual | null =
    manualTier === null ? null : { tier: manualTier, until: manualUntil, reason: manualReason ?? '', by: manualBy }
  return { ...row, standing, manual, dueAt: row.dueAt ?? 0 }
}

/** What was written of these members, on whatever ladders. */
export async function loadTierStates(db: Db, members: readonly Uuid[]): Promise<TierState[]> {
  const rows = await loadRows(db, members)
  return rows.map((row) => toState(row, JSON.parse(row.standing) as Standing))
}

/** The same for who checks them; without a standing where it cannot be read. */
export async function loadTierStatesToCheck(
  db: Db,
  members: readonly Uuid[],
): Promise<{ member: Uuid; ladderId: number; state: TierState | undefined }[]> {
  const rows = await loadRows(db, members)
  return rows.map((row) => {
    const standing = readStanding(row.standing)
    return { member: row.member, ladderId: row.ladderId, state: standing && toState(row, standing) }
  })
}

async function loadRows(db: Db, members: readonly Uuid[]): Promise<StateRow[]> {
  if (members.length === 0) return []
  return await db.query<StateRow>(
    `select member_id as member, ladder_id as "ladderId", version, keeping, tier, since, until, standing, manual_tier as "manualTier",
            manual_until as "manualUntil", manual_reason as "manualReason", manual_by as "manualBy", history_seq as "historySeq",
            due_at as "dueAt"
       from tier_states where space_id = $1 and member_id = any ($2::uuid[])`,
    [db.space, uuids(members, (m) => m)],
    'tiers-load',
  )
}

/** from: the earliest day that matters; undefined: all days, as one. */
export type ProgressKey = { member: Uuid; ladderId: number; keeping: number; from: number | undefined }
/** With the way in which it was counted. */
export type KeptBucket = Bucket & { keeping: number }
export type StoredBucket = KeptBucket & { member: Uuid; ladderId: number }

/** A day that no calendar has: all of them together. */
const ALL_DAYS = 0
const LEAST_DAY = -700_000
const MOST = Number.MAX_SAFE_INTEGER

/** A sum as it is read: two purchases may come to more than can be told exactly, which no threshold asks for. */
export function asRead(amount: number): number {
  return Math.max(-MOST, Math.min(amount, MOST))
}

export async function loadProgress(db: Db, keys: readonly ProgressKey[]): Promise<StoredBucket[]> {
  if (keys.length === 0) return []
  return await db.query<StoredBucket>(
    `select t.member_id as member, t.ladder_id as "ladderId", t.keeping, t.measure,
            case when k.first is null then ${ALL_DAYS} else t.day - date '1970-01-01' end as day, greatest(-${MOST}, least(sum(t.amount), ${MOST}))::bigint as amount
       from unnest($1::uuid[], $2::int[], $3::int[], $4::int[]) as k(member_id, ladder_id, keeping, first)
       join tier_progress t using (member_id, ladder_id, keeping)
      where t.space_id = $5 and (k.first is null or t.day >= date '1970-01-01' + k.first) group by 1, 2, 3, 4, 5`,
    [
      uuids(keys, (k) => k.member),
      int4s(keys, (k) => k.ladderId),
      int4s(keys, (k) => k.keeping),
      int4s(keys, (k) => (k.from === undefined ? null : Math.max(LEAST_DAY, k.from))),
      db.space,
    ],
    'tiers-progress',
  )
}

/** All changes of tiers, oldest first. */
export async function loadTierHistory(
  db: Db,
  keys: readonly { member: Uuid; ladderId: number }[],
): Promise<StoredChange[]> {
  if (keys.length === 0) return []
  return await db.query<StoredChange>(
    `select h.member_id as member, h.ladder_id as "ladderId", h.seq, h.from_tier as "from", h.to_tier as "to", h.at,
            h.booked_at as "bookedAt", h.until, h.why, h.reason, h.actor as by
       from unnest($1::uuid[], $2::int[]) as k(member_id, ladder_id) join tier_history h using (member_id, ladder_id)
      where h.space_id = $3 order by h.member_id, h.ladder_id, h.seq`,
    [uuids(keys, (k) => k.member), int4s(keys, (k) => k.ladderId), db.space],
    'tiers-history',
  )
}

/** What decisions change of tiers. buckets: what is added to a day. */
export type TierChanges = { states: TierState[]; buckets: StoredBucket[]; history: StoredChange[] }

/** Guarded by the members' versions, like all that members own; rows in ascending key order. */
export function saveTiers(space: number, all: readonly TierChanges[]): Statement[] {
  if (all.length === 0) return []
  const states = new Map<string, TierState>()
  const buckets = new Map<string, StoredBucket>()
  for (const changes of all) {
    for (const state of changes.states) states.set(`${state.member} ${state.ladderId}`, state)
    for (const bucket of changes.buckets) {
      const key = `${bucket.member} ${bucket.ladderId} ${bucket.keeping} ${bucket.measure} ${bucket.day}`
      const before = buckets.get(key)
      buckets.set(key, before ? { ...before, amount: before.amount + bucket.amount } : bucket)
    }
  }
  return [
    ...saveStates(space, [...states.values()].sort(byKey)),
    ...saveBuckets(
      space,
      [...buckets.values()].filter(({ amount }) => amount !== 0).sort((a, b) => byKey(a, b) || a.day - b.day),
    ),
    ...insertHistory(
      space,
      all.flatMap(({ history }) => history).sort((a, b) => byKey(a, b) || a.seq - b.seq),
    ),
  ]
}

function byKey(a: { member: Uuid; ladderId: number }, b: { member: Uuid; ladderId: number }): number {
  return a.member < b.member ? -1 : a.member > b.member ? 1 : a.ladderId - b.ladderId
}

function saveStates(space: number, rows: readonly TierState[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into tier_states (space_id, member_id, ladder_id, version, keeping, tier, since, until, standing, manual_tier,
                              manual_until, manual_reason, manual_by, history_seq, due_at)
     select $1, ${unnested('uuid int int int text timestamptz timestamptz text text timestamptz text uuid int timestamptz')}
     on conflict (member_id, ladder_id) do update
       set version = excluded.version, keeping = excluded.keeping, tier = excluded.tier, since = excluded.since,
           until = excluded.until, standing = excluded.standing, manual_tier = excluded.manual_tier,
           manual_until = excluded.manual_until, manual_reason = excluded.manual_reason, manual_by = excluded.manual_by,
           history_seq = excluded.history_seq, due_at = excluded.due_at`,
    [
      space,
      uuids(rows, (r) => r.member),
      int4s(rows, (r) => r.ladderId),
      int4s(rows, (r) => r.version),
      int4s(rows, (r) => r.keeping),
      texts(rows, (r) => r.tier),
      instants(rows, (r) => r.since),
      instants(rows, (r) => r.until),
      texts(rows, (r) => JSON.stringify(r.standing)),
      texts(rows, (r) => r.manual?.tier),
      instants(rows, (r) => r.manual?.until),
      texts(rows, (r) => r.manual?.reason),
      uuids(rows, (r) => r.manual?.by),
      int4s(rows, (r) => r.historySeq),
      instants(rows, (r) => (r.dueAt === 0 ? null : r.dueAt)),
    ],
    'tiers-save',
  )
}

function saveBuckets(space: number, rows: readonly StoredBucket[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into tier_progress as t (space_id, member_id, ladder_id, keeping, measure, day, amount)
     select $1, member_id, ladder_id, keeping, measure, date '1970-01-01' + day, amount
       from unnest($2::uuid[], $3::int[], $4::int[], $5::smallint[], $6::int[], $7::bigint[])
         as b(member_id, ladder_id, keeping, measure, day, amount)
     on conflict (member_id, ladder_id, keeping, measure, day) do update set amount = t.amount + excluded.amount`,
    [
      space,
      uuids(rows, (r) => r.member),
      int4s(rows, (r) => r.ladderId),
      int4s(rows, (r) => r.keeping),
      int2s(rows, (r) => r.measure),
      int4s(rows, (r) => r.day),
      int8s(rows, (r) => r.amount),
    ],
    'tiers-count',
  )
}

function insertHistory(space: number, rows: readonly StoredChange[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into tier_history (space_id, member_id, ladder_id, seq, from_tier, to_tier, at, booked_at, until, why, reason, actor)
     select $1, ${unnested('uuid int int text text timestamptz timestamptz timestamptz text text uuid')}`,
    [
      space,
      uuids(rows, (r) => r.member),
      int4s(rows, (r) => r.ladderId),
      int4s(rows, (r) => r.seq),
      texts(rows, (r) => r.from),
      texts(rows, (r) => r.to),
      instants(rows, (r) => r.at),
      instants(rows, (r) => r.bookedAt),
      instants(rows, (r) => r.until),
      texts(rows, (r): TierWhy => r.why),
      texts(rows, (r) => r.reason),
      uuids(rows, (r) => r.by),
    ],
    'tiers-history-save',
  )
}

/** Members who were last held against an older version of a ladder, some of them. */
export async function loadBehind(db: Db, limit: number, not: readonly Uuid[]): Promise<Uuid[]> {
  const rows = await db.query<{ member: Uuid }>(
    `select distinct t.member_id as member
       from tier_ladders l
       cross join lateral (select max(version) as version from tier_ladder_versions v where v.ladder_id = l.ladder_id) v
       cross join lateral (select member_id from tier_states t
          where t.space_id = l.space_id and t.ladder_id = l.ladder_id and t.version < v.version and t.member_id <> all ($3::uuid[])
          limit $2) t
      where l.space_id = $1 and l.status = 'active' limit $2`,
    [db.space, limit, uuids(not, (m) => m)],
    'tiers-behind',
  )
  return rows.map(({ member }) => member)
}

/** A member of whom something was counted or changed on a ladder, but nothing is held. */
export async function loadUncounted(
  db: Db,
  members: readonly Uuid[],
): Promise<{ member: Uuid; ladder: string } | undefined> {
  const [row] = await db.query<{ member: Uuid; ladder: string }>(
    `select k.member_id as member, l.slug as ladder from (
       select member_id, ladder_id from tier_progress where space_id = $1 and member_id = any ($2::uuid[])
       union select member_id, ladder_id from tier_history where space_id = $1 and member_id = any ($2::uuid[])) k
       join tier_ladders l using (ladder_id)
      where not exists (select from tier_states t where t.member_id = k.member_id and t.ladder_id = k.ladder_id) limit 1`,
    [db.space, uuids(members, (m) => m)],
  )
  return row
}

/** As events tell instants. */
export function instantText(at: Instant | null): string | null {
  return at === null ? null : formatInstant(at)
}
