import { formatInstant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { WalletConfigured } from '@laurel/contract/wallets'
import type { Db } from '../base/db.ts'
import { programRow } from './programs.ts'
import { selectWallet, selectWallets, type WalletRow } from './wallets.sql.ts'

/** A wallet with the revision that guards changes to it (its ETag). */
export type RevisedWallet = { wallet: WalletConfigured; revision: number }

function revised({ program, slug, settings, createdAt, updatedAt, revision }: WalletRow): RevisedWallet {
  const said = { program, slug, ...settings, createdAt: formatInstant(createdAt), updatedAt: formatInstant(updatedAt) }
  return { wallet: said, revision }
}

/** Refusals: program_unknown, wallet_unknown. */
export async function getProgramWallet(db: Db, program: string, wallet: string): Promise<RevisedWallet> {
  return revised(await walletRow(db, program, wallet))
}

/** Refusals: program_unknown, wallet_unknown. */
export async function walletRow(db: Db, program: string, wallet: string): Promise<WalletRow> {
  const { id } = await programRow(db, program)
  const row = await selectWallet(db, id, wallet)
  if (!row) throw new Refused('wallet_unknown', `the program "${program}" has no wallet "${wallet}"`)
  return row
}

/** Oldest first. Refusals: program_unknown, invalid_cursor. */
export async function listProgramWallets(
  db: Db,
  program: string,
  page: { after?: string | undefined; limit: number },
): Promise<{ data: WalletConfigured[]; next: string | null }> {
  const { id } = await programRow(db, program)
  const rows = await selectWallets(db, id, page.after ?? null, page.limit + 1)
  if (!rows) throw new Refused('invalid_cursor', "`after` is not the `next` of a list of this program's wallets")
  const data = rows.slice(0, page.limit).map((row) => revised(row).wallet)
  return { data, next: rows.length > page.limit ? (data.at(-1)?.slug ?? null) : null }
}
