import { useKey } from './gate/names.ts'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { walletAnswers, walletsNow } from './gate/answers.ts'
import type { Facts } from './gate/asks.ts'
import type { ExpireAsk, FulfilAsk } from './gate/redemption-asks.ts'
import { openBooks, settleBooks } from './gate/books.ts'
import { type Decision, isRefusal, tell, type Verb } from './gate/decisions.ts'
import { findRedemption, needRedemption, redemptionView } from './gate/redemptions.ts'
import { settleVoucher, timesUsed, voucherOfRedemption } from './gate/redemption-vouchers.ts'
import { findMember, type Slices } from './gate/slices.ts'
import type { MemberState } from './ledger/books.ts'
import { advance, expire, isOver, type Redemption, usedAtTills, type Way } from './redemptions/redemptions.rules.ts'
import type { VoucherChanges } from './vouchers/vouchers.rules.ts'

const EVENTS: Record<Exclude<Way, 'cancel'>, string> = {
  order: 'redemption.ordered',
  ship: 'redemption.shipped',
  deliver: 'redemption.delivered',
  use: 'redemption.used',
}

/**
 * What happens when what was redeemed is ordered, shipped or delivered, or used at a till. The same step again is the same; a use is
 * another use, unless its external id says that it is the same one. Refusals: redemption_unknown, redemption_not_open (another order,
 * over, used up, not to be used yet).
 */
export const fulfil: Verb<FulfilAsk> = {
  name: ({ way, redemption, externalId }) =>
    way === 'use' && externalId !== undefined ? useKey(redemption, externalId) : undefined,

  needs() {},

  furtherNeeds(ask, facts, slices, needs) {
    needRedemption(slices, ask, facts, needs)
  },

  decide(slices, ask, facts) {
    const found = findRedemption(slices, ask, facts)
    if (isRefusal(found)) return found
    const { state, stored } = found
    if (facts.name !== undefined && slices.names.has(facts.name)) return shown(slices, stored, facts)
    const { reason, tracking, store } = ask
    const one = advance(stored, ask.way, {
      at: facts.now,
      ...(reason === undefined ? {} : { reason }),
      ...(tracking === undefined ? {} : { tracking }),
      ...(store === undefined ? {} : { store }),
    })
    if (isRefusal(one)) return one
    if (one === stored) return shown(slices, stored, facts)
    if (ask.way === 'order' && timesUsed(stored, voucherOfRedemption(slices, stored)) >= stored.uses)
      return refusal('redemption_not_open', 'the redemption is used: it cannot be ordered')
    if (ask.way !== 'use') return book(slices, one, state, { type: EVENTS[ask.way] }, facts)
    const vouchers = settleVoucher(slices, stored, 'use', facts.now)
    if (vouchers && isRefusal(vouchers)) return vouchers
    const use = timesUsed(stored, voucherOfRedemption(slices, stored)) + 1
    return book(slices, one, state, { type: EVENTS.use, told: { use }, vouchers }, facts)
  },
}

/**
 * What happens when the time in which something could be used is over: it is booked and told, once, however late it is asked; what tills had
 * used up by then is used, which they told.
 * Asked too early, or again, it changes nothing. Refusals: redemption_unknown.
 */
export const expireRedemption: Verb<ExpireAsk> = {
  name: () => undefined,

  needs() {},

  furtherNeeds(ask, facts, slices, needs) {
    needRedemption(slices, ask, facts, needs)
  },

  decide(slices, ask, facts): Decision | Refusal {
    const found = findRedemption(slices, ask, facts)
    if (isRefusal(found)) return found
    const { state, stored } = found
    if (!isOver(stored, facts.now)) return shown(slices, stored, facts)
    if (timesUsed(stored, voucherOfRedemption(slices, stored)) >= stored.uses)
      return book(slices, usedAtTills(stored, facts.now), state, {}, facts)
    return book(slices, expire(stored), state, { type: 'redemption.expired' }, facts)
  },
}

function book(
  slices: Slices,
  one: Redemption,
  state: MemberState,
  { type, told, vouchers }: { type?: string; told?: Record<string, unknown>; vouchers?: VoucherChanges | undefined },
  facts: Facts,
): Decision {
  const opened = openBooks(slices, state, facts)
  if (type !== undefined) opened.events.push(tell(opened.books.state, type, { redemption: one.id, ...told }))
  settleBooks(opened, facts)
  const whose = findMember(slices, facts.member) ?? state
  const wallets =
    whose === state
      ? walletAnswers(slices.configuration, opened.books.state, one.programId)
      : walletsNow(slices, whose, one.programId, facts.now)
  const name = facts.name === undefined ? [] : [{ key: facts.name, member: one.member, object: one.id, seq: null }]
  return {
    status: 200,
    body: JSON.stringify({ ...viewOf(slices, one, facts), wallets }),
    changes: {
      member: one.member,
      at: facts.now,
      ...opened,
      names: name,
      redemption: { one, times: 0, stock: [], codes: [] },
      vouchers,
    },
  }
}

function viewOf(slices: Slices, one: Redemption, facts: Facts) {
  return redemptionView(slices.configuration, one, facts.now, voucherOfRedemption(slices, one))
}

/** Nothing is changed. */
function shown(slices: Slices, stored: Redemption, facts: Facts): Decision | Refusal {
  const whose = findMember(slices, facts.member)
  if (!whose) return refusal('member_unknown', 'there is no such member')
  return {
    status: 200,
    body: JSON.stringify({
      ...viewOf(slices, stored, facts),
      wallets: walletsNow(slices, whose, stored.programId, facts.now),
    }),
  }
}
