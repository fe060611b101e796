import type { ValidateAnswer } from '@laurel/contract/vouchers'
import type { Instant } from '@laurel/contract/instants'
import type { Refusal } from '@laurel/contract/refusals'
import type { Db } from './base/db.ts'
import type { Configuration } from './earning/configuration.ts'
import type { VouchersOnOrder } from './gate/asks.ts'
import { isRefusal } from './gate/decisions.ts'
import type { FurtherNeeds } from './gate/slices.ts'
import { quoteAnswer } from './gate/voucher-answers.ts'
import { loadVoucherSlices, noVouchers } from './gate/voucher-slices.ts'
import { needVouchers, orderOf, quoteOf } from './gate/vouchers.ts'
import { loadStates } from './ledger/states.sql.ts'
import { existingMember } from './members/members.ts'

/**
 * What redeeming these vouchers on this order would do right now, code by code; nothing is stored. `session`: a checkout, whose locks
 * count as its own. Refusals: of the order as a whole (orderOf); what is wrong with a code is in the answer.
 */
export async function validateVouchers(
  db: Db,
  configuration: Configuration,
  ask: VouchersOnOrder & { session?: string | undefined },
  now: Instant,
): Promise<ValidateAnswer | Refusal> {
  const id = ask.member === undefined ? undefined : await existingMember(db, ask.member)
  const states = id === undefined ? [] : await loadStates(db, [id])
  const slices = { configuration, names: new Map(), states: new Map(states.map((state) => [state.member, state])) }
  const order = orderOf(slices, ask, { member: id === undefined ? undefined : { id } })
  if (isRefusal(order)) return order
  const needs: Pick<FurtherNeeds, 'vouchers'> = {}
  needVouchers(slices, needs, { ...ask, member: order.member })
  const vouchers = needs.vouchers ? await loadVoucherSlices(db, needs.vouchers) : noVouchers()
  const quoted = quoteOf(vouchers, order, ask, ask.session, now)
  return { valid: quoted.no === undefined, ...quoteAnswer(order, ask, quoted) }
}
