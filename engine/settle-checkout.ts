import { encodeId } from '@laurel/contract/ids'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import { type Checkout, hasLapsed, STATUS } from './checkouts/checkouts.rules.ts'
import { type Program, programById } from './earning/configuration.ts'
import { awardAnswers, type WalletAnswer, walletAnswers, walletsNow } from './gate/answers.ts'
import type { CommitCheckoutAsk, Facts, PurchaseAsk, VoidCheckoutAsk } from './gate/asks.ts'
import { type Opened, openBooks, settleBooks } from './gate/books.ts'
import { lockedQuote } from './gate/checkout-vouchers.ts'
import { checkoutView, netItems } from './gate/checkouts.ts'
import { type Decision, isRefusal, tell, type Verb } from './gate/decisions.ts'
import { MovedError } from './gate/faults.ts'
import { purchaseKey, voucherRedemptionKey, voucherSessionKey } from './gate/names.ts'
import { normalise, purchaseOf, refusesSale } from './gate/said.ts'
import { needSale, sell } from './gate/sales.ts'
import { type FurtherNeeds, namedMember, type Slices } from './gate/slices.ts'
import { redeemedEvent, unlockedEvent } from './gate/voucher-events.ts'
import { voucherNeeds } from './gate/voucher-slices.ts'
import { needVouchers, redeemChanges, sharedCodes, unlockChanges } from './gate/vouchers.ts'
import { HOLD_STATUS, type Hold, type MemberState } from './ledger/books.ts'
import * as holds from './ledger/holds.rules.ts'
import type { Item, Purchase } from './purchases/purchases.rules.ts'
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
    needCheckout(ask, facts, slices, needs)
    const before = slices.names.get(facts.name ?? '')
    if (before?.object) needs.purchases.push({ member: before.member, id: before.object })
    const member = namedMember(slices, facts.member)?.member
    const ours = programById(slices.configuration, ask.programId)
    if (!ours) return
    needSale(slices, needs, ours, { member, occurredAt: ask.paidAt ?? facts.now, now: facts.now })
    if (ask.codes.length > 0) voucherNeeds(needs).redemptions.add(voucherRedemptionKey(ask.externalId))
  },

  decide(slices, ask, facts) {
    const found = findCheckout(slices, ask, facts)
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
      body: bodyOf(slices, { stored: after, ours }, facts, wallets, sold.stored),
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

/**
 * What happens when an order is not paid: all that was set aside for it is free again. Before its deadline or after it; twice is
 * once. Refusals: checkout_unknown, checkout_closed (committed).
 */
export const voidCheckout: Verb<VoidCheckoutAsk> = {
  name: () => undefined,

  shares: (ask) => sharedCodes(ask.codes),

  needs() {},

  furtherNeeds: needCheckout,

  decide(slices, ask, facts) {
    const found = findCheckout(slices, ask, facts)
    if ('detail' in found) return found
    const { member, stored, ours } = found
    if (stored.status === STATUS.committed)
      return refusal('checkout_closed', 'the checkout was committed: record a return of its purchase')
    if (stored.status === STATUS.voided)
      return {
        status: 200,
        body: bodyOf(slices, found, facts, walletsNow(slices, member, ours.programId, facts.now)),
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
      body: bodyOf(slices, { stored: after, ours }, facts, wallets),
      changes: { member: member.member, at: facts.now, books, vouchers, checkouts: [after], events, names: [] },
    }
  },
}

/** A checkout stays with the member who it was made for. */
type Found = { member: MemberState; stored: Checkout; ours: Program }

function needCheckout(
  ask: Pick<CommitCheckoutAsk, 'checkout' | 'programId' | 'codes'>,
  facts: Facts,
  slices: Slices,
  needs: FurtherNeeds,
): void {
  const member = namedMember(slices, facts.member)
  if (!member) return
  needs.lots.add(member.member)
  needs.checkouts.push({ member: member.member, id: ask.checkout })
  const ours = programById(slices.configuration, ask.programId)
  if (ask.codes.length > 0 && ours)
    needVouchers(slices, needs, { program: ours.slug, session: encodeId('chk', ask.checkout), member })
}

function findCheckout(slices: Slices, ask: Pick<CommitCheckoutAsk, 'checkout'>, facts: Facts): Found | Refusal {
  const member = namedMember(slices, facts.member)
  const stored = slices.checkouts.get(ask.checkout)
  if (!member || stored?.member !== member.member)
    return refusal('checkout_unknown', `there is no checkout "${encodeId('chk', ask.checkout)}"`)
  const ours = programById(slices.configuration, stored.programId)
  if (!ours) throw new Error(`program ${stored.programId} is not in the configuration`)
  return { member, stored, ours }
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

/** The copy of its hold that this decision changes; where its deadline has passed it has lapsed in it. */
function holdOf({ books }: Opened, stored: Checkout): Hold | undefined {
  return books.holds.find(({ id }) => id === stored.hold)
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

/** It was committed before: what it made then. */
function committed(slices: Slices, found: Found, facts: Facts): Decision {
  const { stored, member, ours } = found
  const wallets = walletsNow(slices, member, ours.programId, facts.now)
  return { status: 200, body: bodyOf(slices, found, facts, wallets, slices.purchases.get(stored.purchase ?? '')) }
}

function bodyOf(
  { configuration }: Slices,
  { stored, ours }: Pick<Found, 'stored' | 'ours'>,
  { now }: Facts,
  wallets: WalletAnswer[],
  purchase?: Purchase,
): string {
  const earned = new Map<string, number>()
  for (const { wallet, points } of purchase ? awardAnswers(configuration, ours, purchase.awards) : [])
    earned.set(wallet, (earned.get(wallet) ?? 0) + points)
  return JSON.stringify({
    ...checkoutView(configuration, stored, now),
    ...(purchase ? { earned: [...earned].map(([wallet, points]) => ({ wallet, points })) } : {}),
    wallets,
  })
}
