import { encodeId } from '@laurel/contract/ids'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { NOBODY } from './base/names.ts'
import { hasLapsed, STATUS } from './checkouts/checkouts.rules.ts'
import type { Checkout } from './checkouts/checkouts.rules.ts'
import { programById } from './earning/configuration.ts'
import { walletAnswers, walletsNow } from './gate/answers.ts'
import type { Facts, VoidCheckoutAsk, VoidUnknownAsk } from './gate/asks.ts'
import { type Opened, openBooks, settleBooks } from './gate/books.ts'
import { type Decision, tell, type Verb } from './gate/decisions.ts'
import { checkoutKey, voucherSessionKey } from './gate/names.ts'
import { findCheckout, type Found, holdOf, needCheckout, settledBody } from './gate/settling.ts'
import { namedMember, type Slices } from './gate/slices.ts'
import { unlockedEvent } from './gate/voucher-events.ts'
import { sharedCodes, unlockChanges } from './gate/vouchers.ts'
import { HOLD_STATUS } from './ledger/books.ts'
import * as holds from './ledger/holds.rules.ts'
import type { VoucherChanges } from './vouchers/vouchers.rules.ts'

/**
 * What happens when an order is not paid: all that was set aside for it is free again. Before its deadline or after it; twice is
 * once. Refusals: checkout_unknown, checkout_closed (committed).
 */
export const voidCheckout: Verb<VoidCheckoutAsk> = {
  name: () => undefined,

  shares: (ask) => sharedCodes(ask.codes),

  needs() {},

  furtherNeeds(ask, facts, slices, needs) {
    const ours = ask.codes.length > 0 ? programById(slices.configuration, ask.programId) : undefined
    needCheckout(slices, needs, namedMember(slices, facts.member), ask.checkout, ours ? [ours] : [])
  },

  decide(slices, ask, facts) {
    const found = findCheckout(slices, namedMember(slices, facts.member), ask.checkout)
    return 'detail' in found ? found : voided(slices, found, facts)
  },
}

/**
 * What happens when a till voids an order of which nothing is known (yet): its external id is closed for good, so that a reservation
 * that is late sets nothing aside. Twice is once. What came between the asking and now is voided. Refusals: checkout_closed (committed).
 */
export const voidUnknown: Verb<VoidUnknownAsk> = {
  name: (ask) => checkoutKey(ask.externalId),

  needs() {},

  furtherNeeds(_ask, facts, slices, needs) {
    const before = slices.names.get(facts.name ?? '')
    if (!before?.object) return
    const whose = namedMember(slices, { id: before.member })
    needCheckout(slices, needs, whose, before.object, slices.configuration.programs)
  },

  decide(slices, { externalId }, facts) {
    const before = slices.names.get(facts.name ?? '')
    if (before?.object) {
      const found = findCheckout(slices, namedMember(slices, { id: before.member }), before.object)
      return 'detail' in found ? found : voided(slices, found, facts)
    }
    const body = JSON.stringify({ externalId, status: 'voided' })
    const closed = { key: facts.name ?? '', member: NOBODY, object: null, seq: null }
    return { status: 202, body, ...(before ? {} : { kept: { names: [closed], events: [] } }) }
  },
}

function voided(slices: Slices, found: Found, facts: Facts): Decision | Refusal {
  const { member, stored, ours } = found
  if (stored.status === STATUS.committed)
    return refusal('checkout_closed', 'the checkout was committed: record a return of its purchase')
  if (stored.status === STATUS.voided) {
    const wallets = walletsNow(slices, member, ours.programId, facts.now)
    return { status: 200, body: settledBody(slices, found, facts, wallets) }
  }
  const opened = openBooks(slices, member, facts, hasLapsed(stored, facts.now))
  const { books, events } = opened
  const hold = holdOf(opened, stored)
  if (hold?.status === HOLD_STATUS.open) {
    holds.release(books, hold, facts.now)
    events.push(tell(books.state, 'points.released', { hold: hold.id }))
  }
  const vouchers = unlock(slices, found, opened, facts)
  const after: Checkout = { ...stored, status: STATUS.voided, settledAt: facts.now }
  events.push(tell(books.state, 'checkout.voided', { checkout: after.id }))
  settleBooks(opened, facts)
  const wallets = walletAnswers(slices.configuration, books.state, ours.programId)
  return {
    status: 200,
    body: settledBody(slices, { stored: after, ours }, facts, wallets),
    changes: { member: member.member, at: facts.now, books, vouchers, checkouts: [after], events, names: [] },
  }
}

/** Lets go of what it has locked, live or not. */
function unlock(slices: Slices, { stored, ours }: Found, opened: Opened, facts: Facts): VoucherChanges | undefined {
  if (stored.sums.applied.length === 0) return undefined
  const session = encodeId('chk', stored.id)
  const sessionKey = voucherSessionKey(ours.programId, session)
  const { vouchers, locks } = slices.vouchers
  const live = [...locks.values()].flat().filter((lock) => lock.sessionKey === sessionKey && lock.until > facts.now)
  if (live.length > 0) opened.events.push(unlockedEvent(ours, session, live, vouchers))
  return unlockChanges(slices.vouchers, sessionKey)
}
