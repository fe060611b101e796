import type { Db } from '../base/db.ts'
import type { Configured } from './configuration.ts'

/** Instants leave as whole microseconds: JSON's numbers hold them exactly. */
const micros = (column: string) => `(extract(epoch from ${column}) * 1000000)::bigint`

const SELECT_CONFIGURATION = `
  select s.space_id as "space", s.config_version as "configVersion",
    (select coalesce(json_agg(p order by p."programId"), '[]') from (
       select program_id as "programId", id, slug, name, timezone, currency, join_policy as "joinPolicy", status,
         (select coalesce(json_agg(json_build_object('walletId', w.wallet_id, 'slug', w.slug) order by w.wallet_id), '[]')
            from wallets w where w.program_id = programs.program_id) as wallets
         from programs where space_id = s.space_id) p) as programs,
    (select coalesce(json_agg(v order by v."ruleId", v.version), '[]') from (
       select rule_version_id as "ruleVersionId", v.rule_id as "ruleId", r.id as rule, version, name, kind,
         wallet_id as "walletId", args, priority, ${micros('effective_from')} as "effectiveFrom",
         ${micros('starts_at')} as "startsAt", ${micros('ends_at')} as "endsAt", published_in as "publishedIn"
         from earning_rule_versions v join earning_rules r on r.rule_id = v.rule_id
        where v.space_id = s.space_id) v) as versions,
    (select coalesce(json_agg(t order by t."ruleId", t."configVersion"), '[]') from (
       select rule_id as "ruleId", config_version as "configVersion", status
         from earning_rule_states where space_id = s.space_id) t) as states
    from spaces s where s.space_id = $1`

/** Everything that is configured in the space, in one snapshot. */
export async function selectConfiguration(db: Db): Promise<Configured> {
  const [row] = await db.query<Configured>(SELECT_CONFIGURATION, [db.space])
  if (!row) throw new Error(`there is no space ${db.space}`)
  return row
}
