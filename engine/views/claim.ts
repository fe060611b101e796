import type { Uuid } from '@laurel/contract/ids'
import { Refused } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import { type Configurations, programById } from '../earning/configuration.ts'
import type { Item } from '../purchases/purchases.rules.ts'
import { toPurchase } from '../purchases/purchases.sql.ts'
import { currentConfiguration } from './current.ts'
import { selectPurchase } from './purchases.ts'
import { findUnclaimed } from './unclaimed.ts'

/** What a stored purchase said, as one could say it again. */
export type SaidAgain = {
  program: string
  externalId: string
  occurredAt: number
  currency: string
  items: Item[]
  channel: string | undefined
  store: string | undefined
  metadata: Record<string, unknown> | undefined
}

/**
 * What was said of a purchase, claimed or not: whoever claims it says the same of it, with a member. It never changes, so it does
 * not matter what becomes of the purchase meanwhile. Refusals: purchase_unknown.
 */
export async function sayAgain(db: Db, known: Configurations, ref: string): Promise<SaidAgain> {
  const [configuration, stored] = await Promise.all([currentConfiguration(db, known), find(db, ref)])
  const ours = programById(configuration, stored.programId)
  if (!ours) throw new Error(`program ${stored.programId} is not in the configuration`)
  return {
    program: ours.slug,
    externalId: stored.externalId,
    occurredAt: stored.occurredAt,
    currency: ours.currency,
    items: JSON.parse(stored.itemsText) as Item[],
    channel: stored.channel ?? undefined,
    store: stored.store ?? undefined,
    metadata: stored.metadata === null ? undefined : (JSON.parse(stored.metadata) as Record<string, unknown>),
  }
}

/** A reference to the purchase by its external id, which is its name for ever. Refusals: purchase_unknown. */
export async function nameOf(db: Db, ref: string): Promise<string> {
  return ref.startsWith('external:') ? ref : `external:${(await find(db, ref)).externalId}`
}

type Stored = {
  id: Uuid
  programId: number
  externalId: string
  occurredAt: number
  itemsText: string
  channel: string | null
  store: string | null
  metadata: string | null
}

async function find(db: Db, ref: string): Promise<Stored> {
  const row = await selectPurchase(db, ref)
  const stored = row ? toPurchase(row) : await findUnclaimed(db, ref)
  if (!stored) throw new Refused('purchase_unknown', `there is no purchase "${ref}"`)
  return stored
}
