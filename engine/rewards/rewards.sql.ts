import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { RewardKind, RewardShown, RewardStatus, RewardTerms } from '@laurel/contract/rewards'
import { int4s } from '../base/arrays.ts'
import type { Db, Tx } from '../base/db.ts'
import { microseconds, rowDigestSql } from '../base/row-digests.ts'

/** What one version of a reward says. */
export type RewardVersionRow = {
  version: number
  name: string
  terms: RewardTerms
  shown: RewardShown
  createdAt: Instant
}

/** A reward as its newest version says it. */
export type RewardRow = Omit<RewardVersionRow, 'createdAt'> & {
  rewardId: number
  id: Uuid
  program: string
  timezone: string
  slug: string
  kind: RewardKind
  status: RewardStatus
  revision: number
  createdAt: Instant
  updatedAt: Instant
}

const SELECT = `select r.reward_id as "rewardId", r.id, p.slug as program, p.timezone, r.slug, r.kind, r.status, r.revision,
    v.version, v.name, v.terms, v.shown, r.created_at as "createdAt", r.updated_at as "updatedAt"
  from rewards r
  join programs p on p.program_id = r.program_id
  cross join lateral (select version, name, category, terms, shown from reward_versions v
                       where v.reward_id = r.reward_id order by version desc limit 1) v`

export async function selectReward(db: Db, id: Uuid): Promise<RewardRow | undefined> {
  const [row] = await db.query<RewardRow>(`${SELECT} where r.space_id = $1 and r.id = $2`, [db.space, id])
  return row
}

export type RewardFilter = { programId: number | null; status: string | null; category: string | null }

/** Oldest first, those made after `after`; undefined when there is no reward `after`. */
export async function selectRewards(
  db: Db,
  filter: RewardFilter,
  after: Uuid | null,
  limit: number,
): Promise<RewardRow[] | undefined> {
  const rows = await db.query<RewardRow>(
    `${SELECT} where r.space_id = $1 and ($2::int is null or r.program_id = $2)
       and ($3::text is null or r.status = $3) and ($4::text is null or v.category = $4)
       and ($5::uuid is null or r.reward_id > (select reward_id from rewards where space_id = $1 and id = $5))
     order by r.reward_id limit $6`,
    [db.space, filter.programId, filter.status, filter.category, after, limit],
  )
  if (rows.length === 0 && after !== null && !(await selectReward(db, after))) return undefined
  return rows
}

/** Newest first. */
export function selectRewardVersions(db: Db, rewardId: number): Promise<RewardVersionRow[]> {
  return db.query<RewardVersionRow>(
    `select version, name, terms, shown, created_at as "createdAt" from reward_versions
      where space_id = $1 and reward_id = $2 order by version desc`,
    [db.space, rewardId],
  )
}

/** What members see of these, as their newest versions say it. */
export async function selectShown(db: Db, rewardIds: readonly number[]): Promise<Map<number, RewardShown>> {
  const rows = await db.query<{ rewardId: number; shown: RewardShown }>(
    `select k.reward_id as "rewardId", v.shown from unnest($1::int[]) as k(reward_id)
      cross join lateral (select shown from reward_versions v
                           where v.reward_id = k.reward_id and v.space_id = $2 order by version desc limit 1) v`,
    [int4s(rewardIds, (id) => id), db.space],
    'rewards-shown',
  )
  return new Map(rows.map(({ rewardId, shown }) => [rewardId, shown]))
}

/** What rows say, in the order of their digests, which SQL takes: it numbers rewards and lays out JSON. */
const REWARD = rowDigestSql('rewards', [
  'reward_id',
  'id',
  'program_id',
  'slug',
  'kind',
  'status',
  'revision',
  microseconds('created_at'),
  microseconds('updated_at'),
])
const VERSION = rowDigestSql('reward_versions', [
  'reward_id',
  'version',
  'name',
  'category',
  'terms',
  'shown',
  microseconds('created_at'),
])

/** A reward that was not written as it is, or a version of one: for verify. */
export async function alteredReward(db: Db): Promise<{ slug: string; version: number | null } | undefined> {
  const [row] = await db.query<{ slug: string; version: number | null }>(
    `(select slug, null::int as version from rewards where space_id = $1 and row_digest is distinct from ${REWARD} limit 1)
     union all
     (select coalesce((select slug from rewards r where r.space_id = $1 and r.reward_id = v.reward_id), 'none'), version
        from reward_versions v where space_id = $1 and row_digest is distinct from ${VERSION} limit 1) limit 1`,
    [db.space],
  )
  return row
}

async function digestReward(tx: Tx, rewardId: number): Promise<void> {
  await tx.query(`update rewards set row_digest = ${REWARD} where space_id = $1 and reward_id = $2`, [
    tx.space,
    rewardId,
  ])
}

/** Without a version yet; undefined when the slug is taken in the program. */
export async function insertReward(
  tx: Tx,
  reward: { id: Uuid; programId: number; slug: string; kind: RewardKind; status: RewardStatus },
  now: Instant,
): Promise<number | undefined> {
  const [row] = await tx.query<{ rewardId: number }>(
    `insert into rewards (space_id, id, program_id, slug, kind, status, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict (program_id, slug) do nothing
     returning reward_id as "rewardId"`,
    [tx.space, reward.id, reward.programId, reward.slug, reward.kind, reward.status, formatInstant(now)],
  )
  if (row) await digestReward(tx, row.rewardId)
  return row?.rewardId
}

export async function insertRewardVersion(
  tx: Tx,
  rewardId: number,
  { version, name, terms, shown }: Omit<RewardVersionRow, 'createdAt'>,
  now: Instant,
): Promise<void> {
  await tx.query(
    `insert into reward_versions (space_id, reward_id, version, name, category, terms, shown, created_at, row_digest)
     select n.*, ${VERSION} from (
       select $1::int as space_id, $2::int as reward_id, $3::int as version, $4::text as name, $5::text as category,
              $6::jsonb as terms, $7::jsonb as shown, $8::timestamptz as created_at) n`,
    [
      tx.space,
      rewardId,
      version,
      name,
      shown.category ?? null,
      JSON.stringify(terms),
      JSON.stringify(shown),
      formatInstant(now),
    ],
  )
}

/** Raises the revision. */
export async function updateReward(tx: Tx, rewardId: number, status: RewardStatus, now: Instant): Promise<void> {
  await tx.query(
    `update rewards set status = $3, revision = revision + 1, updated_at = $4 where space_id = $1 and reward_id = $2`,
    [tx.space, rewardId, status, formatInstant(now)],
  )
  await digestReward(tx, rewardId)
}
