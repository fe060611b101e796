import type { CheckoutView } from '@laurel/contract/checkouts'
import type { Instant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import { memberNamed, NOBODY } from '../base/names.ts'
import { parseRef } from '../base/refs.ts'
import type { Checkout } from '../checkouts/checkouts.rules.ts'
import { checkoutNamed } from '../checkouts/checkouts.sql.ts'
import type { Configurations } from '../earning/configuration.ts'
import { checkoutView } from '../gate/checkouts.ts'
import { checkoutIdKey, checkoutKey } from '../gate/names.ts'
import { currentConfiguration } from './current.ts'

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
