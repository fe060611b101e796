import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { settingsOf, type WalletSettings } from '@laurel/contract/wallets'
import type { Db, Tx } from '../base/db.ts'

/** A wallet, and of its program what it is named and counted by. */
export type WalletRow = {
  walletId: number
  program: string
  slug: string
  settings: WalletSettings
  revision: number
  createdAt: Instant
  updatedAt: Instant
}

const SELECT = `select w.wallet_id as "walletId", p.slug as program, w.slug, w.settings, w.revision,
    w.created_at as "createdAt", w.updated_at as "updatedAt"
  from wallets w join programs p on p.program_id = w.program_id
  where w.space_id = $1 and p.id = $2`

/** Oldest first, those made after `after`; undefined when the program has no wallet of that name. */
export async function selectWallets(
  db: Db,
  program: Uuid,
  after: string | null,
  limit: number,
): Promise<WalletRow[] | undefined> {
  const rows = await db.query<WalletRow>(
    `${SELECT} and ($3::text is null or w.wallet_id > (select o.wallet_id from wallets o
        where o.program_id = p.program_id and o.slug = $3)) order by w.wallet_id limit $4`,
    [db.space, program, after, limit],
  )
  if (rows.length === 0 && after !== null && !(await selectWallet(db, program, after))) return undefined
  return rows.map(filled)
}

export async function selectWallet(db: Db, program: Uuid, slug: string): Promise<WalletRow | undefined> {
  const [row] = await db.query<WalletRow>(`${SELECT} and w.slug = $3`, [db.space, program, slug])
  return row && filled(row)
}

/** All wallets of the program, by name. */
export async function selectWalletSlugs(db: Db, program: Uuid): Promise<string[]> {
  const rows = await db.query<{ slug: string }>(
    'select w.slug from wallets w join programs p on p.program_id = w.program_id where w.space_id = $1 and p.id = $2',
    [db.space, program],
  )
  return rows.map(({ slug }) => slug)
}

function filled(row: WalletRow): WalletRow {
  return { ...row, settings: settingsOf(row.settings) }
}

/** The wallet's number; undefined when the program has one of that name. The program's revision rises: it shows its wallets. */
export async function insertWallet(
  tx: Tx,
  program: Uuid,
  slug: string,
  settings: WalletSettings,
  now: Instant,
): Promise<number | undefined> {
  const [row] = await tx.query<{ walletId: number }>(
    `with made as (
       insert into wallets (space_id, program_id, slug, settings, created_at, updated_at)
       select space_id, program_id, $3, $4, $5, $5 from programs where space_id = $1 and id = $2
       on conflict (program_id, slug) do nothing returning wallet_id, program_id
     ), shown as (
       update programs set revision = revision + 1, updated_at = $5
         from made where programs.space_id = $1 and programs.program_id = made.program_id
     )
     select wallet_id as "walletId" from made`,
    [tx.space, program, slug, JSON.stringify(settings), formatInstant(now)],
  )
  return row?.walletId
}

/** Raises the revision. before: what was said of when points begin and end, where that is another now. */
export async function updateWallet(
  tx: Tx,
  walletId: number,
  settings: WalletSettings,
  before: readonly Pick<WalletSettings, 'pending' | 'expiry'>[],
  now: Instant,
): Promise<void> {
  await tx.query(
    `update wallets set settings = $3, past = past || $5::jsonb, revision = revision + 1, updated_at = $4
      where space_id = $1 and wallet_id = $2`,
    [tx.space, walletId, JSON.stringify(settings), formatInstant(now), JSON.stringify(before)],
  )
}

/** Which of these are types of activity of the program. */
export async function selectActivitySlugs(db: Db, program: Uuid, slugs: readonly string[]): Promise<string[]> {
  if (slugs.length === 0) return []
  const rows = await db.query<{ slug: string }>(
    `select t.slug from activity_types t join programs p on p.program_id = t.program_id
      where t.space_id = $1 and p.id = $2 and t.slug = any ($3::text[])`,
    [db.space, program, slugs],
  )
  return rows.map(({ slug }) => slug)
}
