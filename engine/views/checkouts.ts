import type { CheckoutView } from '@laurel/contract/checkouts'
import { encodeId } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import { memberNamed, NOBODY } from '../base/names.ts'
import { parseRef } from '../base/refs.ts'
import { type Checkout, hasLapsed, STATUS } from '../checkouts/checkouts.rules.ts'
import { checkoutNamed } from '../checkouts/checkouts.sql.ts'
import type { Configurations } from '../earning/configuration.ts'
import { checkoutView } from '../gate/checkouts.ts'
import { checkoutIdKey, checkoutKey } from '../gate/names.ts'
import { currentConfiguration } from './current.ts'
import { getHold } from './holds.ts'

/** A checkout, by its id or external:…, as it is now. Refusals: checkout_unknown. */
export async function getCheckout(db: Db, known: Configurations, ref: string, now: Instant): Promise<CheckoutView> {
  const [checkout, configuration] = await Promise.all([findCheckout(db, ref), currentConfiguration(db, known)])
  return checkoutView(configuration, checkout, now)
}

/** A checkout that is to be committed. Refusals: checkout_unknown; checkout_closed where it was voided before it came. */
export async function openCheckout(db: Db, ref: string): Promise<Checkout> {
  const named = parseRef('chk', ref)
  if (named && 'external' in named && (await memberNamed(db, checkoutKey(named.external))) === NOBODY)
    throw new Refused('checkout_closed', `"${named.external}" was voided before it was reserved`)
  return await findCheckout(db, ref)
}

/** Refusals: checkout_unknown. */
export async function findCheckout(db: Db, ref: string): Promise<Checkout> {
  const named = parseRef('chk', ref)
  const found =
    named && (await checkoutNamed(db, 'id' in named ? checkoutIdKey(named.id) : checkoutKey(named.external)))
  if (!found) throw new Refused('checkout_unknown', `there is no checkout "${ref}"`)
  return found
}

/**
 * The spend by which points of a wallet paid a checkout, and whose it is; the wallet need not be said where one paid. Refusals:
 * checkout_unknown, checkout_closed (voided, lapsed), entry_unknown (not committed yet), refund_exceeds_spend (no points paid),
 * invalid_request (several wallets paid, and none is said).
 */
export async function paidBy(
  db: Db,
  known: Configurations,
  ref: string,
  wallet: string | undefined,
  now: Instant,
): Promise<{ member: string; spend: string }> {
  const checkout = await openCheckout(db, ref)
  if (checkout.status === STATUS.voided || hasLapsed(checkout, now))
    throw new Refused('checkout_closed', `the checkout "${ref}" was not committed: nothing was paid`)
  if (checkout.status !== STATUS.committed)
    throw new Refused('entry_unknown', `the checkout "${ref}" is not committed yet`)
  const parts = checkout.hold === null ? [] : (await getHold(db, known, encodeId('hld', checkout.hold), now)).parts
  const paid = parts.filter((part) => wallet === undefined || part.wallet === wallet)
  if (paid.length > 1)
    throw new Refused('invalid_request', `points of several wallets paid the checkout "${ref}"`, [
      { pointer: '/wallet', detail: `expected one of ${paid.map((part) => part.wallet).join(', ')}` },
    ])
  const spend = paid[0]?.entry
  if (spend == null)
    throw new Refused(
      'refund_exceeds_spend',
      `no points${wallet === undefined ? '' : ` of "${wallet}"`} paid the checkout "${ref}"`,
    )
  return { member: encodeId('mem', checkout.member), spend }
}
