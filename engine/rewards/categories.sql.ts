import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { RewardCategoryBody } from '@laurel/contract/reward-categories'
import type { Db, Tx } from '../base/db.ts'

export type CategoryTexts = RewardCategoryBody['texts']
export type CategoryRow = {
  id: Uuid
  program: string
  slug: string
  position: number
  texts: CategoryTexts
  rewards: number
  revision: number
  createdAt: Instant
  updatedAt: Instant
}

const SELECT = `select c.id, p.slug as program, c.slug, c.position, c.texts, c.revision,
    (select count(*)::int from rewards r cross join lateral (
        select category from reward_versions v where v.reward_id = r.reward_id order by version desc limit 1) v
      where r.space_id = c.space_id and r.program_id = c.program_id and r.status = 'active' and v.category = c.slug) as rewards,
    c.created_at as "createdAt", c.updated_at as "updatedAt"
  from reward_categories c join programs p on p.program_id = c.program_id`

export async function selectCategory(db: Db, id: Uuid): Promise<CategoryRow | undefined> {
  const [row] = await db.query<CategoryRow>(`${SELECT} where c.space_id = $1 and c.id = $2`, [db.space, id])
  return row
}

/** By program and position, those behind `after`; undefined when there is no category `after`. */
export async function selectCategories(
  db: Db,
  programId: number | null,
  after: Uuid | null,
  limit: number,
): Promise<CategoryRow[] | undefined> {
  const rows = await db.query<CategoryRow>(
    `${SELECT} where c.space_id = $1 and ($2::int is null or c.program_id = $2)
       and ($3::uuid is null or (c.program_id, c.position, c.slug) >
            (select program_id, position, slug from reward_categories where space_id = $1 and id = $3))
     order by c.program_id, c.position, c.slug limit $4`,
    [db.space, programId, after, limit],
  )
  if (rows.length === 0 && after !== null && !(await selectCategory(db, after))) return undefined
  return rows
}

/** False when the slug is taken in the program. */
export async function insertCategory(
  tx: Tx,
  category: { id: Uuid; programId: number; slug: string; position: number; texts: CategoryTexts },
  now: Instant,
): Promise<boolean> {
  const { id, programId, slug, position, texts } = category
  const rows = await tx.query(
    `insert into reward_categories (space_id, id, program_id, slug, position, texts, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict (program_id, slug) do nothing returning 1`,
    [tx.space, id, programId, slug, position, JSON.stringify(texts), formatInstant(now)],
  )
  return rows.length > 0
}

/** Where the revision is still the one that was read. Raises it. */
export async function updateCategory(
  tx: Tx,
  { id, revision }: Pick<CategoryRow, 'id' | 'revision'>,
  change: { position: number; texts: CategoryTexts },
  now: Instant,
): Promise<boolean> {
  const rows = await tx.query(
    `update reward_categories set position = $4, texts = $5, revision = revision + 1, updated_at = $6
      where space_id = $1 and id = $2 and revision = $3 returning 1`,
    [tx.space, id, revision, change.position, JSON.stringify(change.texts), formatInstant(now)],
  )
  return rows.length > 0
}
