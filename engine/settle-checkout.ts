import { encodeId } from '@laurel/contract/ids'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import { type Checkout, hasLapsed, STATUS } from './checkouts/checkouts.rules.ts'
import { programById } from './earning/configuration.ts'
import { walletAnswers, walletsNow } from './gate/answers.ts'
import type { CommitCheckoutAsk, Facts, PurchaseAsk } from './gate/asks.ts'
import { type Opened, openBooks, settleBooks } from './gate/books.ts'
import { lockedQuote } from './gate/checkout-vouchers.ts'
import { netItems } from './gate/checkouts.ts'
import { type Decision, isRefusal, tell, type Verb } from './gate/decisions.ts'
import { MovedError } from './gate/faults.ts'
import { purchaseKey, voucherRedemptionKey, voucherSessionKey } from './gate/names.ts'
import { normalise, purchaseOf, refusesSale } from './gate/said.ts'
import { needSale, sell } from './gate/sales.ts'
import { findCheckout, type Found, holdOf, needCheckout, settledBody } from './gate/settling.ts'
import { namedMember, type Slices } from './gate/slices.ts'
import { redeemedEvent } from './gate/voucher-events.ts'
import { voucherNeeds } from './gate/voucher-slices.ts'
import { redeemChanges, sharedCodes } from './gate/vouchers.ts'
import { HOLD_STATUS } from './ledger/books.ts'
import * as holds from './ledger/holds.rules.ts'
import type { Item } from './purchases/purchases.rules.ts'
import type { VoucherChanges } from './vouchers/vouchers.rules.ts'

/**
 * What happens when a checkout is paid: its points are spent, its vouchers redeemed, and the purchase is recorded with its lines net of
 * discounts and of what points paid; all of it or nothing. Nothing is worked out again. Twice is once. Refusals: checkout_unknown,
 * checkout_closed (voided, lapsed, or let go elsewhere), program_paused, member_suspended, member_merged, invalid_request,
 * amount_out_of_range, external_id_conflict (of a purchase, or of vouchers redeemed).
 */
export const commitCheckout: Verb<CommitCheckoutAsk> = {
  name: (ask) => purchaseKey(ask.externalId),

  shares: (ask) => sharedCodes(ask.codes),

  needs() {},

  furtherNeeds(ask, facts, slices, needs) {
    const program = programById(slices.configuration, ask.programId)
    const whose = namedMember(slices, facts.member)
    needCheckout(slices, needs, whose, ask.checkout, program && ask.codes.length > 0 ? [program] : [])
    const before = slices.names.get(facts.name ?? '')
    if (before?.object) needs.purchases.push({ member: before.member, id: before.object })
    if (!program) return
    needSale(slices, needs, program, { member: whose?.member, occurredAt: ask.paidAt ?? facts.now, now: facts.now })
    if (ask.codes.length > 0) voucherNeeds(needs).redemptions.add(voucherRedemptionKey(ask.externalId))
  },

  decide(slices, ask, facts) {
    const found = findCheckout(slices, namedMember(slices, facts.member), ask.checkout)
    if ('detail' in found) return found
    const { member, stored, ours } = found
    if (stored.status === STATUS.committed) return committed(slices, found, facts)
    const no = refusesCommit(slices, ask, found, facts)
    if (no) return no
    const sale = saleOf(ask, found, facts)
    const said = normalise(sale, ours)
    if (isRefusal(said)) return said
    const opened = openBooks(slices, member, facts)
    const spent = spend(opened, stored, facts)
    if (spent) return spent
    const bought = purchaseOf(slices.configuration, ours, sale, said, member.member, undefined, facts)
    const whom = { member: member.member, isNew: false, externalId: null }
    const sold = sell(slices, opened, ours, bought, whom, facts)
    if (isRefusal(sold)) return sold
    const after: Checkout = { ...stored, status: STATUS.committed, settledAt: facts.now, purchase: sold.stored.id }
    const vouchers = redeem(slices, found, opened, facts)
    if (vouchers && 'detail' in vouchers) return vouchers
    const { books, events } = opened
    events.push(tell(books.state, 'checkout.committed', { checkout: after.id }))
    settleBooks(opened, facts)
    const wallets = walletAnswers(slices.configuration, books.state, ours.programId)
    return {
      status: 200,
      body: settledBody(slices, { stored: after, ours }, facts, wallets, sold.stored),
      changes: {
        member: member.member,
        at: facts.now,
        books,
        purchase: sold.stored,
        limits: sold.limits,
        vouchers,
        checkouts: [after],
        events,
        names: [{ key: facts.name ?? '', member: member.member, object: sold.stored.id, seq: null }],
      },
    }
  },
}

function refusesCommit(
  slices: Slices,
  ask: CommitCheckoutAsk,
  { member, stored, ours }: Found,
  facts: Facts,
): Refusal | undefined {
  if (stored.status === STATUS.voided) return refusal('checkout_closed', 'the checkout was voided')
  if (hasLapsed(stored, facts.now)) return refusal('checkout_closed', 'the checkout has lapsed: reserve it again')
  if (member.mergedInto !== null)
    return refusal('member_merged', 'the member was merged into another since: void the checkout and reserve it again')
  if (member.status !== 1) return refusal('member_suspended', 'this member is suspended or closed: nothing was stored')
  if (slices.names.has(facts.name ?? ''))
    return refusal('external_id_conflict', `the external id "${ask.externalId}" names a purchase already`)
  return refusesSale(saleOf(ask, { member, stored, ours }, facts), ours, facts.now)
}

/** The purchase, as if a till had told it. */
function saleOf(ask: CommitCheckoutAsk, { member, stored, ours }: Found, facts: Facts): PurchaseAsk {
  const { said, sums, externalId } = stored
  return {
    verb: 'purchase',
    member: encodeId('mem', member.member),
    program: ours.slug,
    externalId,
    occurredAt: ask.paidAt ?? facts.now,
    currency: said.currency,
    items: netItems(said.items as Item[], sums),
    channel: said.channel ?? undefined,
    store: said.store ?? undefined,
    metadata: said.metadata === null ? undefined : (JSON.parse(said.metadata) as Record<string, unknown>),
  }
}

/** Spends what it holds. Refusals: checkout_closed, amount_out_of_range. */
function spend(opened: Opened, stored: Checkout, facts: Facts): Refusal | undefined {
  if (stored.hold === null) return undefined
  const own = holdOf(opened, stored)
  if (own?.status !== HOLD_STATUS.open)
    return refusal('checkout_closed', 'its points were captured or let go by themselves: reserve it again')
  const points = own.parts.map((part) => part.p)
  const full = holds.capture(opened.books, own, points, {
    source: own.id,
    digest: own.digest,
    occurredAt: facts.now,
    now: facts.now,
    reason: own.reason,
    ...(facts.actor ? { actor: facts.actor } : {}),
  })
  if (full) return full
  opened.events.push(tell(opened.books.state, 'points.captured', { hold: own.id }))
  return undefined
}

/** Redeems what it has locked. Refusals: checkout_closed, external_id_conflict. */
function redeem(
  slices: Slices,
  { member, stored, ours }: Found,
  opened: Opened,
  facts: Facts,
): VoucherChanges | Refusal | undefined {
  if (stored.sums.applied.length === 0) return undefined
  const key = voucherRedemptionKey(stored.externalId)
  const before = slices.vouchers.redemptions.get(key)
  if (before?.id === stored.id) throw new MovedError('the checkout was committed between two looks')
  if (before) return refusal('external_id_conflict', `vouchers were redeemed as "${stored.externalId}" already`)
  const session = encodeId('chk', stored.id)
  const quoted = lockedQuote(slices.vouchers, stored, voucherSessionKey(ours.programId, session), facts.now)
  if ('detail' in quoted) return quoted
  const { changes, redemption } = redeemChanges(
    slices.vouchers,
    quoted,
    {
      key,
      id: stored.id,
      programId: ours.programId,
      member: member.member,
      externalId: stored.externalId,
      session,
      digest: stored.digest,
    },
    facts.now,
  )
  opened.events.push(redeemedEvent(ours, redemption))
  return changes
}

/** It was committed before: what it made then. */
function committed(slices: Slices, found: Found, facts: Facts): Decision {
  const { stored, member, ours } = found
  const wallets = walletsNow(slices, member, ours.programId, facts.now)
  return { status: 200, body: settledBody(slices, found, facts, wallets, slices.purchases.get(stored.purchase ?? '')) }
}
