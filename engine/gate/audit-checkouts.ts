import { encodeId, type Uuid } from '@laurel/contract/ids'
import { uuids } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import { type Checkout, STATUS } from '../checkouts/checkouts.rules.ts'
import { loadCheckoutsOf } from '../checkouts/checkouts.sql.ts'
import { type Hold, HOLD_STATUS } from '../ledger/books.ts'
import type { BooksOf } from '../ledger/ledger.sql.ts'
import type { Item, Purchase } from '../purchases/purchases.rules.ts'
import { sum } from '../vouchers/discount.rules.ts'
import { checkoutDigest, netItems } from './checkouts.ts'
import { checkoutIdKey, checkoutKey, voucherRedemptionKey } from './names.ts'

type Wrong = { member?: string; what: string }

/**
 * Checkouts of some members: they say what was asked, their sums add up, their points are held or were spent as they say, and what was
 * committed is the purchase that they come to.
 */
export async function auditCheckouts(
  db: Db,
  books: readonly BooksOf[],
  purchases: readonly Purchase[],
): Promise<Wrong | undefined> {
  const checkouts = await loadCheckoutsOf(
    db,
    books.map(({ state }) => state.member),
  )
  if (checkouts.length === 0) return undefined
  const holds = new Map(books.flatMap((one) => one.holds.map((hold) => [hold.id, hold])))
  const bought = new Map(purchases.map((purchase) => [purchase.id, purchase]))
  const names = await namesOf(db, checkouts)
  for (const one of checkouts) {
    const what =
      (isNamed(one, names) ? undefined : 'its id or its external id does not lead to it') ??
      wrongSums(one) ??
      wrongHold(one, holds.get(one.hold ?? '')) ??
      wrongPurchase(one, bought.get(one.purchase ?? ''))
    if (what) return { member: encodeId('mem', one.member), what: `checkout ${encodeId('chk', one.id)}: ${what}` }
  }
  return undefined
}

async function namesOf(db: Db, checkouts: readonly Checkout[]): Promise<Map<Uuid, string>> {
  const keys = checkouts.flatMap(keysOf)
  const rows = await db.query<{ key: Uuid; to: string }>(
    `select key, member_id::text || ' ' || coalesce(object_id::text, '') || coalesce(seq::text, '') as to from lookups
      where space_id = $1 and key = any ($2::uuid[])`,
    [db.space, uuids(keys, (key) => key)],
  )
  return new Map(rows.map((row) => [row.key, row.to]))
}

/** What leads to it; where it has vouchers also what nobody else is to redeem any as. */
function keysOf({ id, externalId, sums }: Checkout): Uuid[] {
  const own = [checkoutIdKey(id), checkoutKey(externalId)]
  return sums.applied.length > 0 ? [...own, voucherRedemptionKey(externalId)] : own
}

function isNamed(one: Checkout, names: ReadonlyMap<Uuid, string>): boolean {
  return keysOf(one).every((key) => names.get(key) === `${one.member} ${one.id}`)
}

function wrongSums({ member, programId, digest, said, sums }: Checkout): string | undefined {
  if (checkoutDigest(member, programId, said) !== digest) return 'it does not say what was asked'
  const items = said.items as Item[]
  const { lines, paid, applied } = sums
  if (lines.length !== items.length || lines.some((line, i) => line.amount !== items[i]?.amount))
    return 'its lines are not those of its order'
  if (lines.some((line) => line.amount < line.discount + line.gift + line.points))
    return 'more is taken off a line than it comes to'
  const off = applied.flatMap(({ discounts }) => discounts)
  if (sum(off) !== sum(lines.map(({ discount, gift }) => discount + gift)))
    return 'its lines do not add up to what its vouchers take off'
  if (sum(paid.map(({ amount }) => amount)) !== sum(lines.map(({ points }) => points)))
    return 'its lines do not add up to what its points pay'
  return undefined
}

function wrongHold({ status, hold, deadline, settledAt, sums }: Checkout, held: Hold | undefined): string | undefined {
  if (hold === null) return sums.paid.length > 0 ? 'nothing holds its points' : undefined
  if (!held || held.deadline !== deadline) return 'the hold of its points is not there, or has another deadline'
  const asked = sums.paid.map(({ walletId, points }) => `${walletId} ${points}`).join()
  if (held.parts.map(({ w, p }) => `${w} ${p}`).join() !== asked) return 'its hold holds other points'
  if (status === STATUS.voided && held.status === HOLD_STATUS.open) return 'it was voided, and its points are held'
  const spent = held.captured?.every(([points], i) => points === held.parts[i]?.p) ?? false
  const then = (held.settledAt ?? 0) >= (settledAt ?? 0) // before it was voided, somebody may have captured the hold by itself
  if (status === STATUS.voided && spent && then) return 'it was voided, and its points were spent'
  return status === STATUS.committed && !spent ? 'it was committed, and its points were not spent' : undefined
}

function wrongPurchase(one: Checkout, purchase: Purchase | undefined): string | undefined {
  if (one.status !== STATUS.committed) return undefined
  if (purchase?.member !== one.member || purchase.externalId !== one.externalId)
    return 'it was committed, and its purchase is not there'
  const net = netItems(one.said.items as Item[], one.sums)
  return net.some((item, i) => item.amount !== purchase.items[i]?.amount) || net.length !== purchase.items.length
    ? 'its purchase has other lines'
    : undefined
}
