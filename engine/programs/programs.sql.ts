import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { Db, Tx } from '../base/db.ts'

export type ProgramRow = {
  id: Uuid
  slug: string
  name: string
  timezone: string
  currency: string
  joinPolicy: 'explicit' | 'on_first_purchase'
  /** for how many days after it was recorded a purchase without a member can be claimed; null: no limit */
  claimDays: number | null
  status: 'active' | 'paused'
  wallets: { slug: string }[]
  revision: number
  createdAt: Instant
  updatedAt: Instant
}

const SELECT = `select id, slug, name, timezone, currency, join_policy as "joinPolicy",
  claim_days as "claimDays", status, revision,
  created_at as "createdAt", updated_at as "updatedAt",
  (select json_agg(json_build_object('slug', w.slug) order by w.wallet_id)
     from wallets w where w.program_id = programs.program_id) as wallets
  from programs`

export async function selectProgram(db: Db, by: { id: Uuid } | { slug: string }): Promise<ProgramRow | undefined> {
  const [row] =
    'id' in by
      ? await db.query<ProgramRow>(`${SELECT} where space_id = $1 and id = $2`, [db.space, by.id])
      : await db.query<ProgramRow>(`${SELECT} where space_id = $1 and slug = $2`, [db.space, by.slug])
  return row
}

/** Oldest first, those made after `after`; undefined when there is no program with that id. */
export async function selectPrograms(db: Db, after: Uuid | null, limit: number): Promise<ProgramRow[] | undefined> {
  const rows = await db.query<ProgramRow>(
    `${SELECT} where space_id = $1
       and ($2::uuid is null or program_id > (select program_id from programs where space_id = $1 and id = $2))
     order by program_id limit $3`,
    [db.space, after, limit],
  )
  if (rows.length === 0 && after !== null && !(await selectProgram(db, { id: after }))) return undefined
  return rows
}

export type NewProgram = Pick<ProgramRow, 'id' | 'slug' | 'name' | 'timezone' | 'currency' | 'joinPolicy'> & {
  claimDays?: number | null | undefined
}

/** Unless told otherwise. */
const CLAIM_DAYS = 30

/** With the wallet `points`. False when the slug is taken. */
export async function insertProgram(tx: Tx, program: NewProgram, now: Instant): Promise<boolean> {
  const made = await tx.query(
    `with made as (
       insert into programs (space_id, id, slug, name, timezone, currency, join_policy, claim_days, status, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $9, 'active', $8, $8)
       on conflict (space_id, slug) do nothing returning program_id
     )
     insert into wallets (space_id, program_id, slug, created_at, updated_at)
       select $1, program_id, 'points', $8, $8 from made
     returning wallet_id`,
    [
      tx.space,
      program.id,
      program.slug,
      program.name,
      program.timezone,
      program.currency,
      program.joinPolicy,
      formatInstant(now),
      program.claimDays === undefined ? CLAIM_DAYS : program.claimDays,
    ],
  )
  return made.length > 0
}

export type ProgramChange = Partial<Pick<ProgramRow, 'name' | 'timezone' | 'joinPolicy' | 'claimDays' | 'status'>>

/** What is not given stays. Raises the revision. */
export async function updateProgram(tx: Tx, id: Uuid, change: ProgramChange, now: Instant): Promise<void> {
  await tx.query(
    `update programs set name = coalesce($3, name), timezone = coalesce($4, timezone),
       join_policy = coalesce($5, join_policy), status = coalesce($6, status), revision = revision + 1, updated_at = $7,
       claim_days = case when $8 then $9 else claim_days end
     where space_id = $1 and id = $2`,
    [
      tx.space,
      id,
      change.name ?? null,
      change.timezone ?? null,
      change.joinPolicy ?? null,
      change.status ?? null,
      formatInstant(now),
      change.claimDays !== undefined,
      change.claimDays ?? null,
    ],
  )
}
