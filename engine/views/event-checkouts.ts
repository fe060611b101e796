import type { Uuid } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'
import type { StoredEvent } from '../base/outbox.ts'
import type { Checkout } from '../checkouts/checkouts.rules.ts'
import { loadCheckouts } from '../checkouts/checkouts.sql.ts'
import type { Configuration } from '../earning/configuration.ts'
import { checkoutView } from '../gate/checkouts.ts'

/** The checkouts that events tell of. */
export async function checkoutsOf(db: Db, events: readonly StoredEvent[]): Promise<Map<unknown, Checkout>> {
  const keys = new Map<unknown, { member: Uuid; id: Uuid }>()
  for (const { type, member, data } of events) {
    const id = data.checkout as Uuid
    if (type.startsWith('checkout.') && member !== undefined) keys.set(id, { member, id })
  }
  return new Map((await loadCheckouts(db, [...keys.values()])).map((one) => [one.id, one]))
}

export function checkoutData(configuration: Configuration, checkout: Checkout, event: StoredEvent): unknown {
  const { id, program, externalId, deadline, totals, points, purchase } = checkoutView(
    configuration,
    checkout,
    event.at,
  )
  const { amount, toPay } = totals
  const data = { checkout: id, program, externalId, deadline, amount, toPay, points }
  return event.type === 'checkout.committed' ? { ...data, purchase } : data
}
