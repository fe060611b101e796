import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { WalletBody, WalletPatch, WalletSettings } from '@laurel/contract/wallets'
import type { Tx } from './base/db.ts'
import { appendEvents } from './base/outbox.ts'
import { nextConfigVersion } from './base/spaces.ts'
import { programRow } from './programs/programs.ts'
import type { ProgramRow } from './programs/programs.sql.ts'
import {
  activitiesNamed,
  changedFields,
  changedSettings,
  newSettings,
  settingsFaults,
} from './programs/wallets.rules.ts'
import { insertWallet, selectActivitySlugs, selectWalletSlugs, updateWallet } from './programs/wallets.sql.ts'
import { getProgramWallet, type RevisedWallet, walletRow } from './programs/wallets.ts'

/** What the door fixes: when it is, and where new ids come from. */
type Door = { now: Instant; newId: () => Uuid }

/** A further wallet of a program, beside `points`. Refusals: invalid_request, program_unknown, already_exists (its slug). */
export async function createWallet(tx: Tx, program: string, body: WalletBody, door: Door): Promise<RevisedWallet> {
  await nextConfigVersion(tx)
  const ours = await programRow(tx, program)
  const settings = newSettings(body)
  await check(tx, ours, body.slug, settings, Object.keys(settings) as (keyof WalletSettings)[], door.now)
  const walletId = await insertWallet(tx, ours.id, body.slug, settings, door.now)
  if (walletId === undefined) {
    throw new Refused('already_exists', `the program "${ours.slug}" has a wallet "${body.slug}" already`, [
      { pointer: '/slug', detail: 'is taken by another wallet of the program' },
    ])
  }
  await appendEvents(tx, door.newId(), door.now, [{ type: 'wallet.created', data: { wallet: walletId } }])
  return await getProgramWallet(tx, encodeId('prg', ours.id), body.slug)
}

/**
 * Holds from the next request, for what is given from then on; lots that are there keep their dates, unless they slide.
 * `revision` is the one that the caller has seen, if it says so.
 * Refusals: invalid_request, program_unknown, wallet_unknown, etag_mismatch.
 */
export async function changeWallet(
  tx: Tx,
  at: { program: string; wallet: string },
  patch: WalletPatch,
  revision: number | undefined,
  door: Door,
): Promise<RevisedWallet> {
  await nextConfigVersion(tx)
  const ours = await programRow(tx, at.program)
  const row = await walletRow(tx, at.program, at.wallet)
  if (revision !== undefined && revision !== row.revision) {
    throw new Refused('etag_mismatch', `the wallet "${row.slug}" was changed since it was read`)
  }
  const settings = changedSettings(row.settings, patch)
  const fields = changedFields(row.settings, settings)
  if (fields.length > 0) {
    await check(tx, ours, row.slug, settings, fields, door.now)
    const { pending, expiry } = row.settings
    const isOther = fields.includes('pending') || fields.includes('expiry')
    await updateWallet(tx, row.walletId, settings, isOther ? [{ pending, expiry }] : [], door.now)
    const data = { wallet: row.walletId, fields }
    await appendEvents(tx, door.newId(), door.now, [{ type: 'wallet.changed', data }])
  }
  return await getProgramWallet(tx, at.program, at.wallet)
}

async function check(
  tx: Tx,
  { id, timezone }: ProgramRow,
  slug: string,
  settings: WalletSettings,
  changed: readonly (keyof WalletSettings)[],
  now: Instant,
): Promise<void> {
  const wallets = await selectWalletSlugs(tx, id)
  const activities = await selectActivitySlugs(tx, id, activitiesNamed(settings))
  const errors = settingsFaults(settings, changed, { slug, wallets, activities, timezone, now })
  if (errors.length > 0) throw new Refused('invalid_request', 'the wallet cannot be set so', errors)
}
