import type { Uuid } from '@laurel/contract/ids'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { digestOf } from '../base/keys.ts'
import type { Configuration, Program } from '../earning/configuration.ts'
import {
  type Claimed,
  contentText,
  type Item,
  normaliseItems,
  type Purchase,
  totalOf,
} from '../purchases/purchases.rules.ts'
import type { Unclaimed } from '../unclaimed/unclaimed.rules.ts'
import type { Facts, KeepAsk, PurchaseAsk } from './asks.ts'
import { badInstant } from './checks.ts'
import { isRefusal } from './decisions.ts'

/** What was said of a purchase, in the one form in which it is stored and compared. */
export type Said = { items: Item[]; itemsText: string; total: number; metadata: string | null; content: string }

/** Refusals: invalid_request, amount_out_of_range. */
export function normalise(ask: PurchaseAsk | KeepAsk, ours: Program): Said | Refusal {
  const items = normaliseItems(ask.items)
  if (isRefusal(items)) return items
  const total = totalOf(items)
  if (total === undefined) return refusal('amount_out_of_range', 'the lines add up to more than 2^53 − 1')
  const itemsText = JSON.stringify(items)
  const metadata = ask.metadata === undefined ? null : sortedJson(ask.metadata)
  const content = contentText(
    ours.programId,
    ask.occurredAt,
    ask.currency,
    itemsText,
    ask.channel ?? null,
    ask.store ?? null,
    metadata,
  )
  return { items, itemsText, total, metadata, content }
}

/** The same whatever the order of keys. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** Of a member's purchase. */
export function contentOf(said: Said, member: Uuid): Uuid {
  return digestOf(`${member}|${said.content}`)
}

/** Of a purchase that has no member. */
export function unclaimedContentOf(said: Pick<Said, 'content'>): Uuid {
  return digestOf(`|${said.content}`)
}

/** When a purchase that was kept without a member was claimed, and what had come back of it by then. */
export function claimOf(kept: Unclaimed | undefined, { now }: Facts): Claimed | null {
  return kept ? { at: now, units: kept.returned?.units ?? null } : null
}

/** A purchase as it is stored, but for what rules make of it. `kept`: as it was, where it had no member before. */
export function purchaseOf(
  configuration: Configuration,
  ours: Program,
  ask: PurchaseAsk,
  said: Said,
  member: Uuid,
  kept: Unclaimed | undefined,
  facts: Facts,
): Omit<Purchase, 'awards' | 'frozen'> {
  return {
    member,
    id: kept?.id ?? facts.id,
    programId: ours.programId,
    configVersion: configuration.configVersion,
    total: said.total,
    occurredAt: ask.occurredAt,
    recordedAt: kept?.recordedAt ?? facts.now,
    digest: contentOf(said, member),
    externalId: ask.externalId,
    items: said.items,
    itemsText: said.itemsText,
    channel: ask.channel ?? null,
    store: ask.store ?? null,
    metadata: said.metadata,
    returned: kept?.returned ? { units: kept.returned.units, wallets: [] } : null,
    claimed: claimOf(kept, facts),
  }
}

/** What is wrong with a purchase, whoever's it is. Refusals: program_paused, currency_mismatch, invalid_request. */
export function refusesSale(ask: PurchaseAsk | KeepAsk, ours: Program, now: number): Refusal | undefined {
  if (ours.status === 'paused') return refusal('program_paused', `the program "${ours.slug}" is paused`)
  if (ask.currency !== ours.currency) {
    return refusal(
      'currency_mismatch',
      `the program "${ours.slug}" is in ${ours.currency}, the purchase in ${ask.currency}`,
    )
  }
  return badInstant(ask.occurredAt, now)
}
