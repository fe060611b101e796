import { encodeId } from '@laurel/contract/ids'
import { MINUTE } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { plainCode } from './base/codes.ts'
import { type Checkout, payWithPoints, type Said, STATUS } from './checkouts/checkouts.rules.ts'
import { walletAnswers, walletsNow } from './gate/answers.ts'
import type { Facts, ReserveAsk } from './gate/asks.ts'
import { type Opened, openBooks, settleBooks } from './gate/books.ts'
import { checkoutDigest, checkoutView, payingOf, sumsOf } from './gate/checkouts.ts'
import { type Decision, isRefusal, tell, type Verb } from './gate/decisions.ts'
import { holdDigest } from './gate/digests.ts'
import { checkoutIdKey, checkoutKey, holdIdKey, purchaseKey, voucherRedemptionKey } from './gate/names.ts'
import { sortedJson } from './gate/said.ts'
import { findMember, type Named, type Slices } from './gate/slices.ts'
import { lockedEvent } from './gate/voucher-events.ts'
import { voucherNeeds } from './gate/voucher-slices.ts'
import { lockChanges, needVouchers, type Order, orderOf, quoteOf, sharedCodes } from './gate/vouchers.ts'
import type { MemberState } from './ledger/books.ts'
import * as holds from './ledger/holds.rules.ts'
import { available } from './ledger/ledger.rules.ts'
import type { Quote } from './vouchers/quote.rules.ts'

/**
 * What happens when an order is about to be paid: what vouchers take off it and what points pay is worked out and set aside until a
 * deadline, so that nobody else can use it meanwhile. Idempotent by its external id. Refusals: program_unknown, program_paused,
 * member_unknown, member_suspended, currency_mismatch, invalid_request, amount_out_of_range, wallet_unknown, payment_refused,
 * insufficient_points, external_id_conflict, checkout_closed (voided before it came), and those of vouchers (lockVouchers).
 */
export const reserve: Verb<ReserveAsk> = {
  name: (ask) => checkoutKey(ask.externalId),

  shares: (ask) => sharedCodes(ask.codes),

  needs(ask, needs) {
    needs.names.add(purchaseKey(ask.externalId))
  },

  furtherNeeds(ask, facts, slices, needs) {
    const member = findMember(slices, facts.member)
    if (member) needs.lots.add(member.member)
    if (ask.codes.length > 0) {
      needVouchers(slices, needs, { ...ask, member })
      voucherNeeds(needs).redemptions.add(voucherRedemptionKey(ask.externalId))
    }
    const before = slices.names.get(facts.name ?? '')
    if (before?.object) needs.checkouts.push({ member: before.member, id: before.object })
  },

  decide(slices, ask, facts) {
    const before = slices.names.get(facts.name ?? '')
    if (before && before.object === null)
      return refusal('checkout_closed', `"${ask.externalId}" was voided before it came: nothing was set aside`)
    if (before) return repeated(slices, ask, before, facts)
    const order = orderOf(slices, ask, facts)
    if (isRefusal(order)) return order
    const { ours, member } = order
    if (!member) return refusal('member_unknown', `there is no member "${ask.member}"`)
    if (slices.names.has(purchaseKey(ask.externalId)))
      return refusal('external_id_conflict', `the external id "${ask.externalId}" names a purchase already`)
    const session = encodeId('chk', facts.id)
    const quoted = quoteOf(slices.vouchers, order, ask, session, facts.now)
    if (quoted.no) return quoted.no
    if (quoted.applied.length > 0 && slices.vouchers.redemptions.has(voucherRedemptionKey(ask.externalId)))
      return refusal('external_id_conflict', `vouchers were redeemed as "${ask.externalId}" already`)
    const opened = openBooks(slices, member, facts)
    const fresh = placed(slices, ask, facts, { order, member, quoted, opened })
    if ('detail' in fresh) return fresh
    const { deadline } = fresh
    const vouchers = lockChanges(slices.vouchers, quoted, {
      programId: ours.programId,
      session,
      member: member.member,
      until: deadline,
    })
    const { books, events } = opened
    if (quoted.applied.length > 0)
      events.push(lockedEvent(ours, quoted, { session, member: member.member, until: deadline }))
    events.push(tell(books.state, 'checkout.reserved', { checkout: fresh.id }))
    settleBooks(opened, facts)
    return {
      status: 201,
      body: bodyOf(slices, fresh, facts, walletAnswers(slices.configuration, books.state, ours.programId)),
      changes: {
        member: member.member,
        at: facts.now,
        books,
        vouchers,
        checkouts: [fresh],
        events,
        names: namesOf(fresh, facts),
      },
    }
  },
}

type Reserving = { order: Order; member: MemberState; quoted: Quote; opened: Opened }

/** The checkout, and the hold of the points that pay. Refusals: wallet_unknown, payment_refused, insufficient_points. */
function placed(
  { configuration }: Slices,
  ask: ReserveAsk,
  { id, now }: Facts,
  { order, member: { member }, quoted, opened }: Reserving,
): Checkout | Refusal {
  const { ours } = order
  const { programId } = ours
  const paying = payingOf(configuration, ours, ask.points, (walletId) => available(opened.books.lots, walletId, now))
  if ('detail' in paying) return paying
  const { amount, discount, toPay } = quoted.totals
  const paid = payWithPoints(amount - discount, toPay, paying)
  if ('detail' in paid) return paid
  const deadline = now + ask.minutes * MINUTE
  if (paid.length > 0) {
    const reason = `Checkout ${ask.externalId}`
    const parts = paid.map(({ walletId, points }) => [walletId, points] as const)
    const digest = holdDigest(member, programId, parts, deadline - now, reason, null)
    const head = { member, id, programId, deadline, placedAt: now, digest, reason, externalId: null }
    const hold = holds.place(opened.books, paid, head)
    if ('detail' in hold) return hold
    opened.events.push(tell(opened.books.state, 'points.held', { hold: id }))
  }
  const said = saidOf(ask, order)
  return {
    member,
    id,
    programId,
    status: STATUS.reserved,
    digest: checkoutDigest(member, programId, said),
    externalId: ask.externalId,
    reservedAt: now,
    deadline,
    settledAt: null,
    hold: paid.length > 0 ? id : null,
    purchase: null,
    said,
    sums: sumsOf(quoted, paid),
  }
}

function saidOf(ask: ReserveAsk, { items }: Pick<Order, 'items'>): Said {
  const { channel, store, metadata, currency } = ask.order
  return {
    currency,
    items,
    channel: channel ?? null,
    store: store ?? null,
    metadata: metadata === undefined ? null : sortedJson(metadata),
    vouchers: ask.codes.map(plainCode),
    policy: ask.policy,
    sequence: ask.sequence,
    points: { ...ask.points },
    minutes: ask.minutes,
  }
}

/** What it will be called when it is committed is its own from now on: nobody redeems vouchers as that meanwhile. */
function namesOf({ member, id, hold, externalId, sums }: Checkout, facts: Facts): (Named & { key: string })[] {
  const named = { member, object: id, seq: null }
  const names = [
    { key: checkoutIdKey(id), ...named },
    { key: facts.name ?? '', ...named },
  ]
  if (sums.applied.length > 0) names.push({ key: voucherRedemptionKey(externalId), ...named })
  if (hold !== null) names.push({ key: holdIdKey(hold), ...named })
  return names
}

/** Whatever became of it meanwhile, though the program was paused or the member suspended since. */
function repeated(slices: Slices, ask: ReserveAsk, before: Named, facts: Facts): Decision | Refusal {
  const stored = slices.checkouts.get(before.object ?? '')
  const state = slices.states.get(before.member)
  if (!stored || !state) throw new Error(`checkout ${before.object} is named but was not loaded`)
  const order = orderOf(slices, ask, facts, true)
  if (isRefusal(order)) return order
  const own = findMember(slices, facts.member) === findMember(slices, { id: before.member })
  const same = checkoutDigest(stored.member, order.ours.programId, saidOf(ask, order)) === stored.digest
  if (!own || !same)
    return refusal('external_id_conflict', `the external id "${ask.externalId}" names a checkout with other content`)
  const whose = findMember(slices, { id: before.member }) ?? state
  return {
    status: 200,
    body: bodyOf(slices, stored, facts, walletsNow(slices, whose, stored.programId, facts.now)),
  }
}

function bodyOf({ configuration }: Slices, checkout: Checkout, { now }: Facts, wallets: object): string {
  return JSON.stringify({ ...checkoutView(configuration, checkout, now), wallets })
}
