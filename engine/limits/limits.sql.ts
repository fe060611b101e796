import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { instants, int2s, int4s, int8s, texts, unnested, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement, type Tx } from '../base/db.ts'
import type { BudgetKey, BudgetTake } from './budgets.rules.ts'
import { type Counter, type CounterKey, SCOPES } from './counters.rules.ts'

// ── counters ──

/**
 * Those that were ever kept, in no particular order; `merged`: whether anybody lives on as one of the members. Few have been merged: who was not
 * is not asked of by a statement of its own.
 */
export async function loadCounters(
  db: Db,
  keys: readonly CounterKey[],
): Promise<{ counters: Counter[]; merged: boolean }> {
  const rows = await db.query<Counter | { member: Uuid; scope: null }>(
    `select member_id as member, scope, scope_id as "scopeId", period, times, points, last_at as "lastAt", kept_at as "keptAt"
       from unnest($1::uuid[], $2::smallint[], $3::int[], $4::text[]) as k(member_id, scope, scope_id, period)
       join counters using (member_id, scope, scope_id, period) where space_id = $5
     union all
     select m.merged_into, null, null, null, null, null, null, null
       from members m where m.space_id = $5 and m.merged_into = any ($1::uuid[])`,
    [
      uuids(keys, (k) => k.member),
      int2s(keys, (k) => k.scope),
      int4s(keys, (k) => k.scopeId),
      texts(keys, (k) => k.period),
      db.space,
    ],
    'counters-load',
  )
  const counters = rows.filter((row) => row.scope !== null)
  return { counters, merged: counters.length < rows.length }
}

export type Counted = { times: number; points: number; lastAt: Instant | null }

/**
 * What a rule, or all rules in a wallet, gave a member in [from, until) of occurredAt, counted from the ledger's entries; in the order
 * of the keys. Reads all of the member's entries: for what was not counted from its beginning.
 */
export async function countEntries(
  db: Db,
  keys: readonly (CounterKey & { from: Instant; until: Instant })[],
): Promise<Counted[]> {
  const rows = await db.query<Counted & { n: number }>(
    `select k.n::int as n, count(distinct e.source_id)::int as times, sum(e.points)::bigint as points, max(e.occurred_at) as "lastAt"
       from unnest($1::uuid[], $2::smallint[], $3::int[], $4::timestamptz[], $5::timestamptz[]) with ordinality
              as k(member_id, scope, scope_id, begins, ends, n)
       join entries e on e.member_id = k.member_id
       left join earning_rule_versions v on v.rule_version_id = e.rule_version_id
      where e.space_id = $6 and e.kind = 1 and e.occurred_at >= k.begins and e.occurred_at < k.ends
        and k.scope_id = case k.scope when ${SCOPES.rule} then v.rule_id else e.wallet_id end
      group by k.n`,
    [
      uuids(keys, (k) => k.member),
      int2s(keys, (k) => k.scope),
      int4s(keys, (k) => k.scopeId),
      instants(keys, (k) => k.from),
      instants(keys, (k) => k.until),
      db.space,
    ],
    'counters-from-entries',
  )
  const found = new Map(rows.map((row) => [row.n, row]))
  return keys.map((_, i) => found.get(i + 1) ?? { times: 0, points: 0, lastAt: null })
}

/** When rules gave members something between two instants, both left out: for purchases that come late. */
export async function loadAwardTimes(
  db: Db,
  wants: readonly { member: Uuid; ruleId: number; after: Instant; before: Instant }[],
): Promise<{ member: Uuid; ruleId: number; at: Instant }[]> {
  return await db.query(
    `select e.member_id as member, v.rule_id as "ruleId", e.occurred_at as at
       from unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::timestamptz[]) as k(member_id, rule_id, after, before)
       join entries e on e.member_id = k.member_id
       join earning_rule_versions v on v.rule_version_id = e.rule_version_id and v.rule_id = k.rule_id
      where e.space_id = $5 and e.kind = 1 and e.occurred_at > k.after and e.occurred_at < k.before`,
    [
      uuids(wants, (w) => w.member),
      int4s(wants, (w) => w.ruleId),
      instants(wants, (w) => w.after),
      instants(wants, (w) => w.before),
      db.space,
    ],
    'counters-award-times',
  )
}

/** As they are then: nobody else changed them, since the member's version has not moved. In ascending order of key. */
export function saveCounters(space: number, rows: readonly Counter[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into counters (space_id, member_id, scope, scope_id, period, times, points, last_at, kept_at)
     select $1, ${unnested('uuid smallint int text int bigint timestamptz timestamptz')}
     on conflict (member_id, scope, scope_id, period) do update
       set times = excluded.times, points = excluded.points, last_at = excluded.last_at, kept_at = excluded.kept_at`,
    [
      space,
      uuids(rows, (r) => r.member),
      int2s(rows, (r) => r.scope),
      int4s(rows, (r) => r.scopeId),
      texts(rows, (r) => r.period),
      int4s(rows, (r) => r.times),
      int8s(rows, (r) => r.points),
      instants(rows, (r) => r.lastAt),
      instants(rows, (r) => r.keptAt),
    ],
    'counters-save',
  )
}

/** All counters of the members, for the audit. */
export async function countersOf(db: Db, members: readonly Uuid[]): Promise<Counter[]> {
  return await db.query<Counter>(
    `select member_id as member, scope, scope_id as "scopeId", period, times, points, last_at as "lastAt", kept_at as "keptAt"
       from counters where space_id = $2 and member_id = any ($1::uuid[])`,
    [uuids(members, (m) => m), db.space],
    'counters-audit',
  )
}

// ── budgets ──

export type Budget = BudgetKey & { points: number }

/** What was spent of these budgets; none of those that nobody took from yet. */
export async function loadBudgets(db: Db, keys: readonly BudgetKey[]): Promise<Budget[]> {
  return await db.query<Budget>(
    `select rule_id as "ruleId", period, points_spent as points
       from unnest($1::int[], $2::text[]) as k(rule_id, period) join budgets using (rule_id, period) where space_id = $3`,
    [int4s(keys, (k) => k.ruleId), texts(keys, (k) => k.period), db.space],
    'budgets-load',
  )
}

/** Held until the transaction ends, in ascending order, for an ask that lost its races; made first where there are none. */
export async function lockBudgets(tx: Tx, keys: readonly BudgetKey[]): Promise<void> {
  const columns = [int4s(keys, (k) => k.ruleId), texts(keys, (k) => k.period), tx.space]
  await tx.query(
    `insert into budgets (space_id, rule_id, period, points_spent, points_limit)
     select $3, rule_id, period, 0, ${Number.MAX_SAFE_INTEGER} from unnest($1::int[], $2::text[]) as k(rule_id, period)
      order by rule_id, period on conflict do nothing`,
    columns,
    'budgets-make',
  )
  for (const { ruleId, period } of keys.toSorted(byKey)) {
    await tx.query(
      'select from budgets where space_id = $1 and rule_id = $2 and period = $3 for update',
      [tx.space, ruleId, period],
      'budget-lock',
    )
  }
}

function byKey(a: BudgetKey, b: BudgetKey): number {
  return a.ruleId - b.ruleId || (a.period < b.period ? -1 : a.period > b.period ? 1 : 0)
}

/**
 * Takes from budgets, each only where it fits under the limit, in ascending order. Divides by zero (22012) when any does
 * not, since others took meanwhile: the whole list rolls back, and is loaded and decided again. `unguarded` is for
 * the tests' control. What was told to be used up and is taken from again had its limit raised: it is to be told again.
 */
export function takeBudgets(space: number, rows: readonly BudgetTake[], unguarded = false): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `with wanted as materialized (
       select * from unnest($2::int[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
         as w(rule_id, period, points, room, points_limit)
     ), taken as (
       insert into budgets as b (space_id, rule_id, period, points_spent, points_limit)
       select $1, rule_id, period, points, points_limit from wanted order by rule_id, period
       on conflict (space_id, rule_id, period) do update
         set points_spent = b.points_spent + excluded.points_spent, points_limit = excluded.points_limit, told_at = null
       where $8 or b.points_spent <= (select w.room from wanted w where w.rule_id = b.rule_id and w.period = b.period)
       returning 1
     ) select 1 / (count(*) = $7::int)::int from taken`,
    [
      space,
      int4s(rows, (r) => r.ruleId),
      texts(rows, (r) => r.period),
      int8s(rows, (r) => r.points),
      int8s(rows, (r) => r.room),
      int8s(rows, (r) => r.limit),
      rows.length,
      unguarded,
    ],
    'budgets-take',
  )
}

/** Marks budgets as told that are used up and were not told yet; whoever marks one tells of it. */
export async function markSpent(tx: Tx, now: string, limit: number): Promise<Budget[]> {
  return await tx.query<Budget>(
    `with spent as (
       select rule_id, period from budgets
        where space_id = $1 and spent and told_at is null
        order by rule_id, period limit $3 for update
     )
     update budgets b set told_at = $2 from spent s
      where b.space_id = $1 and b.rule_id = s.rule_id and b.period = s.period
     returning b.rule_id as "ruleId", b.period, b.points_spent as points`,
    [tx.space, now, limit],
    'budgets-told',
  )
}

/**
 * What rules with a budget gave, by quarters of an hour of occurredAt (local days begin at one of them, wherever) and by the
 * time zone that it was decided in. All members' entries of these rules: for the audit.
 */
export async function givenOfBudgets(
  db: Db,
): Promise<{ ruleVersionId: number; quarter: number; zone: string | null; points: number }[]> {
  return await db.query(
    `select e.rule_version_id as "ruleVersionId", floor(extract(epoch from e.occurred_at) / 900)::bigint as quarter,
            coalesce(p.frozen, a.frozen)::json ->> 'zone' as zone, sum(e.points)::bigint as points
       from entries e join earning_rule_versions v on v.rule_version_id = e.rule_version_id
       left join purchases p on p.purchase_id = e.source_id and p.member_id = e.member_id
       left join activities a on a.activity_id = e.source_id and a.member_id = e.member_id
      where e.space_id = $1 and e.kind = 1 and v.terms ? 'budget' group by 1, 2, 3`,
    [db.space],
  )
}

export async function allBudgets(db: Db): Promise<(Budget & { limit: number })[]> {
  return await db.query<Budget & { limit: number }>(
    'select rule_id as "ruleId", period, points_spent as points, points_limit as limit from budgets where space_id = $1',
    [db.space],
  )
}
