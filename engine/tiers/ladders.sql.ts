import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { LadderTerms } from '@laurel/contract/tiers'
import type { Db, Tx } from '../base/db.ts'

export type LadderStatus = 'active' | 'archived'

/** A ladder as its newest version says it. `keeping`, `firm`: as in ladders.ts. */
export type LadderRow = {
  ladderId: number
  id: Uuid
  program: string
  programId: number
  slug: string
  status: LadderStatus
  version: number
  keeping: number
  firm: number
  terms: LadderTerms
  createdAt: Instant
  updatedAt: Instant
}

const SELECT = `select l.ladder_id as "ladderId", l.id, p.slug as program, p.program_id as "programId", l.slug, l.status,
    v.version, v.keeping, v.firm, v.terms, l.created_at as "createdAt", l.updated_at as "updatedAt"
  from tier_ladders l
  join programs p on p.program_id = l.program_id
  cross join lateral (select version, keeping, firm, terms from tier_ladder_versions v
                       where v.ladder_id = l.ladder_id order by version desc limit 1) v`

/** By id, or all of that slug: one in each program, or in this one. Two at most. */
export function selectLaddersNamed(
  db: Db,
  by: { id: Uuid } | { slug: string },
  programId: number | null = null,
): Promise<LadderRow[]> {
  return db.query<LadderRow>(
    `${SELECT} where l.space_id = $1 and (l.id = $2 or l.slug = $3) and ($4::int is null or l.program_id = $4)
     order by l.ladder_id limit 2`,
    [db.space, 'id' in by ? by.id : null, 'slug' in by ? by.slug : null, programId],
  )
}

/** Oldest first, those made after `after`, of one program or of all; undefined when there is no ladder `after`. */
export async function selectLadders(
  db: Db,
  programId: number | null,
  after: Uuid | null,
  limit: number,
): Promise<LadderRow[] | undefined> {
  const rows = await db.query<LadderRow>(
    `${SELECT} where l.space_id = $1 and ($2::int is null or l.program_id = $2)
       and ($3::uuid is null or l.ladder_id > (select ladder_id from tier_ladders where space_id = $1 and id = $3))
     order by l.ladder_id limit $4`,
    [db.space, programId, after, limit],
  )
  if (rows.length === 0 && after !== null && (await selectLaddersNamed(db, { id: after })).length === 0)
    return undefined
  return rows
}

export type LadderVersionRow = { version: number; terms: LadderTerms; createdAt: Instant }

/** Newest first. */
export function selectLadderVersions(db: Db, ladderId: number): Promise<LadderVersionRow[]> {
  return db.query<LadderVersionRow>(
    `select version, terms, created_at as "createdAt" from tier_ladder_versions
      where space_id = $1 and ladder_id = $2 order by version desc`,
    [db.space, ladderId],
  )
}

/** What a ladder may speak of: the program's wallets and types of activity, by their slugs. */
export type ProgramWords = { programId: number; slug: string; wallets: string[]; activities: string[] }

export async function selectProgramWords(
  db: Db,
  by: { id: Uuid } | { slug: string } | { programId: number },
): Promise<ProgramWords | undefined> {
  const [row] = await db.query<ProgramWords>(
    `select program_id as "programId", slug,
            array(select w.slug from wallets w where w.program_id = p.program_id) as wallets,
            array(select t.slug from activity_types t where t.program_id = p.program_id) as activities
       from programs p where space_id = $1 and (id = $2 or slug = $3 or program_id = $4)`,
    [db.space, 'id' in by ? by.id : null, 'slug' in by ? by.slug : null, 'programId' in by ? by.programId : null],
  )
  return row
}

/** Without a version yet; undefined when the slug is taken in the program. */
export async function insertLadder(
  tx: Tx,
  ladder: { id: Uuid; programId: number; slug: string },
  now: Instant,
): Promise<number | undefined> {
  const [row] = await tx.query<{ ladderId: number }>(
    `insert into tier_ladders (space_id, id, program_id, slug, status, created_at, updated_at)
     values ($1, $2, $3, $4, 'active', $5, $5) on conflict (program_id, slug) do nothing
     returning ladder_id as "ladderId"`,
    [tx.space, ladder.id, ladder.programId, ladder.slug, formatInstant(now)],
  )
  return row?.ladderId
}

export type NewLadderVersion = { version: number; keeping: number; firm: number; terms: LadderTerms }

export async function insertLadderVersion(
  tx: Tx,
  ladderId: number,
  v: NewLadderVersion,
  publishedIn: number,
  now: Instant,
): Promise<void> {
  await tx.query(
    `insert into tier_ladder_versions (space_id, ladder_id, version, terms, keeping, firm, published_in, created_at, timezone)
     select $1, ladder_id, $3, $4, $5, $6, $7, $8, p.timezone
       from tier_ladders l join programs p using (program_id) where l.space_id = $1 and l.ladder_id = $2`,
    [tx.space, ladderId, v.version, JSON.stringify(v.terms), v.keeping, v.firm, publishedIn, formatInstant(now)],
  )
}

export async function touchLadder(tx: Tx, ladderId: number, status: LadderStatus, now: Instant): Promise<void> {
  await tx.query('update tier_ladders set status = $3, updated_at = $4 where space_id = $1 and ladder_id = $2', [
    tx.space,
    ladderId,
    status,
    formatInstant(now),
  ])
}

/** Another version of each ladder of a program that is in force, which says the same but counts everybody anew. */
export async function recountLadders(tx: Tx, program: Uuid, publishedIn: number, now: Instant): Promise<void> {
  await tx.query(
    `insert into tier_ladder_versions (space_id, ladder_id, version, terms, keeping, firm, published_in, created_at, timezone)
     select l.space_id, l.ladder_id, v.version + 1, v.terms, v.version + 1, v.firm, $3, $4, p.timezone
       from tier_ladders l join programs p on p.program_id = l.program_id
       cross join lateral (select version, terms, firm from tier_ladder_versions v
                            where v.ladder_id = l.ladder_id order by version desc limit 1) v
      where l.space_id = $1 and p.id = $2 and l.status = 'active' order by l.ladder_id`,
    [tx.space, program, publishedIn, formatInstant(now)],
  )
}
