import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'

/** A line of a purchase: `amount` is for the whole line, in the currency's minor units. */
export type Item = {
  line: string
  sku: string
  name?: string
  category?: string
  brand?: string
  quantity: number
  amount: number
}
export type AskedItem = Omit<Item, 'line'> & { line?: string | undefined }

/** What a rule version gave for a purchase: [rule_version_id, points, why, seq of the entry], points > 0. */
export type StoredAward = [ruleVersionId: number, points: number, why: string, seq: number]

/** What returns have taken back so far. */
export type Returned = {
  /** units a line, in the order of the items */
  units: number[]
  wallets: {
    walletId: number
    /** taken from these lots and not given back since (the ledger's words: clawback.rules.ts) */
    lots: {
      seq: number
      taken: number
      source: Uuid
      points: number
      activatesAt: Instant
      expiresAt: Instant | null
    }[]
    /** not to be found any more, and let go by the program's policy */
    writtenOff: number
    /** not to be found, and owed */
    owed?: number
    /** ended before anybody used it */
    gone?: number
  }[]
  /** in whose books the lots are, where that is not the buyer: who the buyer was merged into */
  by?: Uuid
}

export type Purchase = {
  member: Uuid
  id: Uuid
  programId: number
  configVersion: number
  total: number
  occurredAt: Instant
  recordedAt: Instant
  digest: Uuid
  externalId: string
  items: Item[]
  itemsText: string
  awards: StoredAward[]
  channel: string | null
  store: string | null
  metadata: string | null
  returned: Returned | null
  /** what it was decided on besides all this and the rules, as JSON */
  frozen: string | null
  claimed: Claimed | null
}

/**
 * Of a purchase that was kept without a member first: when it found one, and the units a line that had come back by then (null:
 * none). Its points were decided on what was left.
 */
export type Claimed = { at: Instant; units: number[] | null }

export type Return = {
  member: Uuid
  id: Uuid
  programId: number
  occurredAt: Instant
  recordedAt: Instant
  digest: Uuid
  externalId: string
  purchase: Uuid | null
  /** what was asked, as JSON */
  asked: string
  lines: ReturnLine[]
  unmatched: { sku: string; quantity: number }[]
  taken: Taken[]
}

/** `amount`: what this return takes off the line, in minor units. `index`: of the item within its purchase. */
export type ReturnLine = { purchase: Uuid; index: number; line: string; sku: string; quantity: number; amount: number }

/** What a return took for one purchase from one wallet (negative: gave back). */
export type Taken = {
  purchase: Uuid
  walletId: number
  points: number
  writtenOff: number
  owed?: number
  gone?: number
  lots: [seq: number, points: number][]
}

/** All that a purchase says but for its member and its external id, as one text: its digest is taken over this. */
export function contentText(
  programId: number,
  occurredAt: Instant,
  currency: string,
  itemsText: string,
  channel: string | null,
  store: string | null,
  metadata: string | null,
): string {
  return `${programId}|${occurredAt}|${currency}|${itemsText}|${JSON.stringify([channel, store])}|${metadata}`
}

/** Lines as they are stored: each with a name (its place, when none was given), in one order of keys. */
export function normaliseItems(asked: readonly AskedItem[]): Item[] | Refusal {
  const names = new Set<string>()
  const items: Item[] = []
  for (const [i, item] of asked.entries()) {
    const line = item.line ?? String(i + 1)
    if (names.has(line)) {
      return refusal('invalid_request', `two lines are called "${line}"`, [
        {
          pointer: `/items/${i}/line`,
          detail: `another line is called "${line}" (a line without a name is called by its place)`,
        },
      ])
    }
    names.add(line)
    items.push({
      line,
      sku: item.sku,
      ...(item.name === undefined ? {} : { name: item.name }),
      ...(item.category === undefined ? {} : { category: item.category }),
      ...(item.brand === undefined ? {} : { brand: item.brand }),
      quantity: item.quantity,
      amount: item.amount,
    })
  }
  return items
}

/** Sum of the lines' amounts, or undefined beyond 2^53 − 1. */
export function totalOf(items: readonly Item[]): number | undefined {
  let total = 0
  for (const item of items) {
    total += item.amount
    if (total > Number.MAX_SAFE_INTEGER) return undefined
  }
  return total
}

/** amount × returned ÷ quantity, rounded half away from zero, exact for every safe integer. */
export function amountReturned(amount: number, returned: number, quantity: number): number {
  const product = amount * returned
  if (Number.isSafeInteger(product) && Number.isSafeInteger(2 * product + quantity)) {
    return Math.floor((2 * product + quantity) / (2 * quantity))
  }
  return Number((2n * BigInt(amount) * BigInt(returned) + BigInt(quantity)) / (2n * BigInt(quantity)))
}

/** The lines that stay after `units` of each were returned; lines returned in full are left out. */
export function remainingItems(items: readonly Item[], units: readonly number[]): Item[] {
  const left: Item[] = []
  for (const [i, item] of items.entries()) {
    const returned = units[i] ?? 0
    if (returned === 0) left.push(item)
    else if (returned < item.quantity) {
      left.push({
        ...item,
        quantity: item.quantity - returned,
        amount: item.amount - amountReturned(item.amount, returned, item.quantity),
      })
    }
  }
  return left
}

export function returnedUnits(purchase: Pick<Purchase, 'items' | 'returned'>): number[] {
  return purchase.returned?.units.slice() ?? purchase.items.map(() => 0)
}

/** The lines on which its points were decided: as bought, but for what had come back before it was claimed. */
export function decidedItems({ items, claimed }: Pick<Purchase, 'items' | 'claimed'>): Item[] {
  return claimed?.units ? remainingItems(items, claimed.units) : items.slice()
}

export type AskedReturn = 'all' | readonly { line?: string | undefined; sku?: string | undefined; quantity: number }[]
export type Allocation = { purchase: Purchase; index: number; quantity: number }

/** Which units of a named purchase come back. Refuses return_exceeds_purchase when there are not so many left. */
export function allocateNamed(purchase: Purchase, asked: AskedReturn): Allocation[] | Refusal {
  const units = returnedUnits(purchase)
  if (asked === 'all') {
    const left = purchase.items.flatMap((item, index) => {
      const quantity = item.quantity - (units[index] ?? 0)
      return quantity > 0 ? [{ purchase, index, quantity }] : []
    })
    return left.length > 0
      ? left
      : refusal('return_exceeds_purchase', 'everything of this purchase was returned before')
  }
  const allocations: Allocation[] = []
  for (const [i, want] of asked.entries()) {
    let quantity = want.quantity
    for (const [index, item] of purchase.items.entries()) {
      if (
        want.line === undefined
          ? item.sku !== want.sku
          : item.line !== want.line || (want.sku !== undefined && want.sku !== item.sku)
      )
        continue
      const taken = Math.min(quantity, item.quantity - (units[index] ?? 0))
      if (taken <= 0) continue
      units[index] = (units[index] ?? 0) + taken
      quantity -= taken
      allocations.push({ purchase, index, quantity: taken })
      if (quantity === 0) break
    }
    if (quantity > 0) {
      return refusal(
        'return_exceeds_purchase',
        `${want.line === undefined ? `SKU "${want.sku}"` : `line "${want.line}"`}: ` +
          `${want.quantity} returned, but only ${want.quantity - quantity} are left of what was bought`,
        [{ pointer: `/items/${i}/quantity`, detail: `at most ${want.quantity - quantity}` }],
      )
    }
  }
  return allocations
}

/**
 * Which purchases a return that names none takes its units from: the member's most recent purchases holding that
 * SKU that occurred no later than the return, newest first, unit by unit, within a purchase its lines in order. The
 * rest is unmatched and takes nothing.
 */
export function allocateMatching(
  purchases: readonly Purchase[],
  asked: Exclude<AskedReturn, 'all'>,
  occurredAt: Instant,
): { allocations: Allocation[]; unmatched: { sku: string; quantity: number }[] } {
  const newestFirst = purchases.filter((p) => p.occurredAt <= occurredAt).sort(byMostRecent)
  const units = new Map<Uuid, number[]>()
  const allocations: Allocation[] = []
  const unmatched: { sku: string; quantity: number }[] = []
  for (const want of asked) {
    let quantity = want.quantity
    for (const purchase of newestFirst) {
      if (quantity === 0) break
      let used = units.get(purchase.id)
      if (!used) units.set(purchase.id, (used = returnedUnits(purchase)))
      for (const [index, item] of purchase.items.entries()) {
        const taken = item.sku === want.sku ? Math.min(quantity, item.quantity - (used[index] ?? 0)) : 0
        if (taken <= 0) continue
        used[index] = (used[index] ?? 0) + taken
        quantity -= taken
        allocations.push({ purchase, index, quantity: taken })
        if (quantity === 0) break
      }
    }
    if (quantity > 0) unmatched.push({ sku: want.sku ?? '', quantity })
  }
  return { allocations, unmatched }
}

/** Latest occurredAt first; among those of one instant the one recorded last. Ids of one process are in order. */
export function byMostRecent(a: Purchase, b: Purchase): number {
  return b.occurredAt - a.occurredAt || b.recordedAt - a.recordedAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
}

/** [walletId, points] of what was given, several rules in one wallet added up. */
export function perWallet(awards: readonly { walletId: number; points: number }[]): Map<number, number> {
  const sums = new Map<number, number>()
  for (const award of awards) sums.set(award.walletId, (sums.get(award.walletId) ?? 0) + award.points)
  return sums
}

/** What stays in a wallet: never more than was given at first, whatever the rules say of the lines that are left. */
export function kept(original: number, decidedOnRemaining: number): number {
  return Math.min(original, decidedOnRemaining)
}
