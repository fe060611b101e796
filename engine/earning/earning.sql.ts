import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { RuleGroup, RuleTerms } from '@laurel/contract/rule-terms'
import { settingsOf } from '@laurel/contract/wallets'
import type { Db, Tx } from '../base/db.ts'
import type { Configured, RuleStatus } from './configuration.ts'

/** Instants leave as whole microseconds: JSON's numbers hold them exactly. */
const micros = (column: string) => `(extract(epoch from ${column}) * 1000000)::bigint`

const SELECT_CONFIGURATION = `
  select s.space_id as "space", s.config_version as "configVersion",
    (select coalesce(json_agg(p order by p."programId"), '[]') from (
       select program_id as "programId", id, slug, name, timezone, currency, join_policy as "joinPolicy",
              claim_days as "claimDays", status,
         (select coalesce(json_agg(json_build_object('walletId', w.wallet_id, 'slug', w.slug, 'settings', w.settings,
                                                      'changedAt', ${micros('w.updated_at')}, 'past', w.past)
                                   order by w.wallet_id), '[]')
            from wallets w where w.program_id = programs.program_id) as wallets
         from programs where space_id = s.space_id) p) as programs,
    (select coalesce(json_agg(v order by v."ruleId", v.version), '[]') from (
       select rule_version_id as "ruleVersionId", v.rule_id as "ruleId", r.id as rule, version, name, kind,
         wallet_id as "walletId", args, terms, priority, ${micros('effective_from')} as "effectiveFrom",
         ${micros('starts_at')} as "startsAt", ${micros('ends_at')} as "endsAt", published_in as "publishedIn",
         ${micros('v.created_at')} as "createdAt"
         from earning_rule_versions v join earning_rules r on r.rule_id = v.rule_id
        where v.space_id = s.space_id) v) as versions,
    (select coalesce(json_agg(t order by t."ruleId", t."configVersion"), '[]') from (
       select rule_id as "ruleId", config_version as "configVersion", status
         from earning_rule_states where space_id = s.space_id) t) as states,
    (select coalesce(json_agg(f), '[]') from (
       select * from (
         select rule_id as "ruleId", status, ${micros('changed_at')} as at,
                lead(${micros('changed_at')}) over (partition by rule_id order by config_version) as until
           from earning_rule_states where space_id = s.space_id) t where status = 'active') f) as "activeTimes",
    (select coalesce(json_agg(a), '[]') from (
       select t.program_id as "programId", t.slug, t.status, v.version, v.schema
         from activity_types t cross join lateral (
           select version, schema from activity_type_versions v
            where v.activity_type_id = t.activity_type_id order by version desc limit 1) v
        where t.space_id = s.space_id) a) as "activityTypes",
    (select coalesce(json_agg(l order by l."ladderId"), '[]') from (
       select t.ladder_id as "ladderId", t.id, t.program_id as "programId", t.slug, v.version, v.keeping, v.firm, v.terms,
         v.timezone, ${micros('v.created_at')} as "publishedAt", ${micros('t.created_at')} as "createdAt",
         (select coalesce(json_agg(o order by o.version), '[]') from (
            select version, keeping, firm, terms, timezone, ${micros('created_at')} as "publishedAt"
              from tier_ladder_versions o where o.ladder_id = t.ladder_id and o.version < v.version) o) as past
         from tier_ladders t cross join lateral (
           select version, keeping, firm, terms, timezone, created_at from tier_ladder_versions v
            where v.ladder_id = t.ladder_id order by version desc limit 1) v
        where t.space_id = s.space_id and t.status = 'active') l) as ladders,
    (select coalesce(json_agg(r order by r."rewardId"), '[]') from (
       select w.reward_id as "rewardId", w.id, w.program_id as "programId", w.slug, w.kind, w.status, v.version, v.name, v.terms
         from rewards w cross join lateral (
           select version, name, terms from reward_versions v
            where v.reward_id = w.reward_id order by version desc limit 1) v
        where w.space_id = s.space_id) r) as rewards,
    (select coalesce(json_agg(c), '[]') from (
       select pool_id as "poolId", id, program_id as "programId", slug, reusable
         from code_pools where space_id = s.space_id) c) as pools
    from spaces s where s.space_id = $1`

/** Everything that is configured in the space, in one snapshot. */
export async function selectConfiguration(db: Db): Promise<Configured> {
  const [row] = await db.query<Configured>(SELECT_CONFIGURATION, [db.space])
  if (!row) throw new Error(`there is no space ${db.space}`)
  for (const wallet of row.programs.flatMap((program) => program.wallets)) wallet.settings = settingsOf(wallet.settings)
  return row
}

/** What one version of a rule says. */
export type VersionRow = {
  version: number
  name: string
  args: Record<string, unknown>
  terms: RuleTerms
  priority: number
  effectiveFrom: Instant | null
  startsAt: Instant | null
  endsAt: Instant | null
  createdAt: Instant
}

/** A rule as its newest version says it, with the status that it has now. */
export type RuleRow = VersionRow & {
  ruleId: number
  id: Uuid
  program: string
  programId: Uuid
  programNumber: number
  walletId: number
  wallet: string
  kind: string
  status: RuleStatus
  ruleCreatedAt: Instant
}

const VERSION = `v.version, v.name, v.args, v.terms, v.priority, v.effective_from as "effectiveFrom",
  v.starts_at as "startsAt", v.ends_at as "endsAt", v.created_at as "createdAt"`

const SELECT_RULES = `select r.rule_id as "ruleId", r.id, p.slug as program, p.id as "programId",
    p.program_id as "programNumber", w.wallet_id as "walletId",
    w.slug as wallet, v.kind, s.status, r.created_at as "ruleCreatedAt", ${VERSION}
  from earning_rules r
  join programs p on p.program_id = r.program_id
  cross join lateral (select * from earning_rule_versions v where v.rule_id = r.rule_id order by version desc limit 1) v
  cross join lateral (select status from earning_rule_states s where s.rule_id = r.rule_id
                       order by config_version desc limit 1) s
  join wallets w on w.wallet_id = v.wallet_id`

export async function selectRule(db: Db, id: Uuid): Promise<RuleRow | undefined> {
  const [row] = await db.query<RuleRow>(`${SELECT_RULES} where r.space_id = $1 and r.id = $2`, [db.space, id])
  return row
}

/** Newest first. */
export function selectVersions(db: Db, ruleId: number): Promise<VersionRow[]> {
  return db.query<VersionRow>(
    `select ${VERSION} from earning_rule_versions v where v.space_id = $1 and v.rule_id = $2 order by v.version desc`,
    [db.space, ruleId],
  )
}

/** Oldest first, those made after `after`, of one program or of all; undefined when there is no rule `after`. */
export async function selectRules(
  db: Db,
  programId: number | null,
  after: Uuid | null,
  limit: number,
): Promise<RuleRow[] | undefined> {
  const rows = await db.query<RuleRow>(
    `${SELECT_RULES} where r.space_id = $1 and ($2::int is null or r.program_id = $2)
       and ($3::uuid is null or r.rule_id > (select rule_id from earning_rules where space_id = $1 and id = $3))
     order by r.rule_id limit $4`,
    [db.space, programId, after, limit],
  )
  if (rows.length === 0 && after !== null && !(await selectRule(db, after))) return undefined
  return rows
}

/** Null where the program has no such wallet. */
export async function selectProgramAndWallet(
  db: Db,
  by: { id: Uuid } | { slug: string },
  wallet: string,
): Promise<{ programId: number; walletId: number | null } | undefined> {
  const [row] = await db.query<{ programId: number; walletId: number | null }>(
    `select p.program_id as "programId", w.wallet_id as "walletId"
       from programs p left join wallets w on w.program_id = p.program_id and w.slug = $4
      where p.space_id = $1 and (p.id = $2 or p.slug = $3)`,
    [db.space, 'id' in by ? by.id : null, 'slug' in by ? by.slug : null, wallet],
  )
  return row
}

/** What the wallet's whole numbers count; undefined where it was never said (points). */
export async function selectWalletUnit(db: Db, walletId: number): Promise<string | undefined> {
  const [row] = await db.query<{ unit: string | null }>(
    "select settings ->> 'unit' as unit from wallets where space_id = $1 and wallet_id = $2",
    [db.space, walletId],
  )
  return row?.unit ?? undefined
}

export async function insertRule(tx: Tx, id: Uuid, programId: number, now: Instant): Promise<number> {
  const [row] = await tx.query<{ ruleId: number }>(
    `insert into earning_rules (space_id, id, program_id, created_at) values ($1, $2, $3, $4) returning rule_id as "ruleId"`,
    [tx.space, id, programId, formatInstant(now)],
  )
  if (!row) throw new Error('a rule was not inserted')
  return row.ruleId
}

export type NewVersion = Omit<VersionRow, 'createdAt'> & { kind: string; walletId: number }

export async function insertVersion(
  tx: Tx,
  ruleId: number,
  v: NewVersion,
  publishedIn: number,
  now: Instant,
): Promise<void> {
  const at = (instant: Instant | null) => (instant === null ? null : formatInstant(instant))
  await tx.query(
    `insert into earning_rule_versions (space_id, rule_id, version, name, kind, wallet_id, args, terms,
       priority, effective_from, starts_at, ends_at, published_in, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    [
      tx.space,
      ruleId,
      v.version,
      v.name,
      v.kind,
      v.walletId,
      JSON.stringify(v.args),
      JSON.stringify(v.terms),
      v.priority,
      at(v.effectiveFrom),
      at(v.startsAt),
      at(v.endsAt),
      publishedIn,
      formatInstant(now),
    ],
  )
}

/** A rule that is not archived, by what its newest version says of its group. */
export type GroupRow = { id: Uuid; name: string; kind: string; group: RuleGroup }

/** The other rules of a group, oldest first. */
export function selectGroup(db: Db, programId: number, group: string, except: Uuid | null): Promise<GroupRow[]> {
  return db.query<GroupRow>(
    `select r.id, v.name, v.kind, v.terms -> 'group' as "group"
       from earning_rules r
       cross join lateral (select * from earning_rule_versions v where v.rule_id = r.rule_id
                            order by version desc limit 1) v
       cross join lateral (select status from earning_rule_states s where s.rule_id = r.rule_id
                            order by config_version desc limit 1) s
      where r.space_id = $1 and r.program_id = $2 and v.terms -> 'group' ->> 'name' = $3 and s.status <> 'archived'
        and ($4::uuid is null or r.id <> $4)
      order by r.rule_id`,
    [db.space, programId, group, except],
  )
}

export async function insertState(
  tx: Tx,
  ruleId: number,
  configVersion: number,
  status: RuleStatus,
  now: Instant,
): Promise<void> {
  await tx.query(
    `insert into earning_rule_states (space_id, rule_id, config_version, status, changed_at) values ($1, $2, $3, $4, $5)`,
    [tx.space, ruleId, configVersion, status, formatInstant(now)],
  )
}
