import type { Uuid } from '@laurel/contract/ids'
import { DAY, type Instant } from '@laurel/contract/instants'

/** More than this came back of one purchase: claim it first. Its returns are kept with it, in one row. */
export const RETURNS_MAX = 100

/** `amount`: minor units that this return takes off the line. `index`: of the item within its purchase. */
export type UnclaimedLine = { index: number; line: string; sku: string; quantity: number; amount: number }
/** What came back before anybody claimed the purchase. `asked`: what was said, as JSON. */
export type UnclaimedReturn = {
  id: Uuid
  externalId: string
  digest: Uuid
  occurredAt: Instant
  recordedAt: Instant
  asked: string
  lines: UnclaimedLine[]
}

/** A purchase that nobody has claimed, as it was said. */
export type Unclaimed = {
  key: Uuid
  id: Uuid
  version: number
  programId: number
  total: number
  occurredAt: Instant
  recordedAt: Instant
  digest: Uuid
  externalId: string
  itemsText: string
  channel: string | null
  store: string | null
  metadata: string | null
  /** units that came back a line, in the order of the items */
  returned: { units: number[]; returns: UnclaimedReturn[] } | null
}

/**
 * What a decision makes of an unclaimed purchase: kept (`before` null), changed, or taken away (`after` null). `before` is the
 * version that was read.
 */
export type UnclaimedChange = { key: Uuid; before: number | null; after: Unclaimed | null }

/** When it can no longer be claimed; undefined: never. */
export function claimableUntil(recordedAt: Instant, claimDays: number | null): Instant | undefined {
  return claimDays === null ? undefined : recordedAt + claimDays * DAY
}

/** The purchase after a return: `units` are all that came back by now. */
export function withReturn(before: Unclaimed, units: number[], one: UnclaimedReturn): Unclaimed {
  return {
    ...before,
    version: before.version + 1,
    returned: { units, returns: [...(before.returned?.returns ?? []), one] },
  }
}

/** Several changes of one list to the same purchases, as one each: from what was read to what is left. */
export function folded(changes: readonly UnclaimedChange[]): UnclaimedChange[] {
  const byKey = new Map<Uuid, UnclaimedChange>()
  for (const change of changes) {
    const first = byKey.get(change.key)
    byKey.set(change.key, first ? { ...change, before: first.before } : change)
  }
  return [...byKey.values()]
    .filter(({ before, after }) => before !== null || after !== null)
    .sort((a, b) => (a.key < b.key ? -1 : 1))
}
