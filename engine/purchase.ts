import type { Uuid } from '@laurel/contract/ids'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { type Program, program, programById } from './earning/configuration.ts'
import { purchaseBody, walletAnswers, walletsNow } from './gate/answers.ts'
import type { Facts, PurchaseAsk } from './gate/asks.ts'
import { openBooks, settleBooks } from './gate/books.ts'
import { type Changes, type Decision, isRefusal, tell, type Verb } from './gate/decisions.ts'
import type { Whom } from './gate/limits.ts'
import { purchaseKey } from './gate/names.ts'
import { needSale, sell } from './gate/sales.ts'
import { contentOf, normalise, purchaseOf, refusesSale, type Said } from './gate/said.ts'
import { findMember, type Slices, survivorOf } from './gate/slices.ts'
import { claimed, isNobodys, refusesClaim, unclaimedNamed } from './gate/unclaimed.ts'
import type { MemberState } from './ledger/books.ts'
import type { MemberRef } from './members/refs.ts'
import { newState } from './ledger/chain.rules.ts'
import type { Purchase } from './purchases/purchases.rules.ts'
import type { Unclaimed } from './unclaimed/unclaimed.rules.ts'

/**
 * What happens when someone buys: the purchase is stored, rules give points, the ledger books them, the world is told.
 * A repeat (the same external id and content) answers the stored purchase, with 200. One that was kept without a member
 * (keep.ts) is claimed: decided as of when it happened, on what did not come back meanwhile, and booked now.
 * Refusals: invalid_request, program_unknown, program_paused, member_unknown, member_suspended, currency_mismatch,
 * amount_out_of_range, external_id_conflict; of a claim purchase_unknown, purchase_claimed, claim_expired.
 */
export const purchase: Verb<PurchaseAsk> = {
  name: (ask) => purchaseKey(ask.externalId),

  needs(ask, needs) {
    if (ask.claims) needs.names.add(purchaseKey(ask.externalId))
  },

  furtherNeeds(ask, facts, slices, needs) {
    const before = slices.names.get(facts.name ?? '')
    if (isNobodys(before)) {
      needs.unclaimed.add(facts.name ?? '')
      const member = findMember(slices, facts.member)
      if (member) needs.lots.add(member.member) // what comes back in this very list takes from them
    } else if (before?.object) needs.purchases.push({ member: before.member, id: before.object })
    const ours = program(slices.configuration, ask.program)
    if (!ours || (before && !isNobodys(before))) return
    const member = findMember(slices, facts.member)?.member
    needSale(slices, needs, ours, { member, occurredAt: ask.occurredAt, now: facts.now })
  },

  decide(slices, ask, facts) {
    const ours = program(slices.configuration, ask.program)
    if (!ours) return refusal('program_unknown', `there is no program "${ask.program}"`)
    const member = findMember(slices, facts.member)
    const said = normalise(ask, ours)
    if (isRefusal(said)) return said

    const before = slices.names.get(facts.name ?? '')
    const kept = unclaimedNamed(slices, facts.name)
    if (before && !kept) return repeat(slices, before.object ?? '', said, member, ask, facts)
    if (ask.claims && !kept) return refusal('purchase_unknown', `there is no purchase "external:${ask.externalId}"`)
    const no = (kept && refusesClaim(kept, ask, ours, said, facts)) ?? refuses(ask, ours, member, facts)
    if (no) return no

    const state = member ?? enrolled(facts)
    const opened = openBooks(slices, state, facts)
    const { books, events } = opened
    const bought = purchaseOf(slices.configuration, ours, ask, said, state.member, kept, facts)
    if (!member) events.push(tell(books.state, 'member.enrolled', { program: ours.slug }))
    const sold = sell(slices, opened, ours, bought, whom(state, member, facts), facts)
    if (isRefusal(sold)) return sold
    const { stored } = sold
    settleBooks(opened, facts)
    const changes: Changes = {
      member: state.member,
      at: facts.now,
      books,
      purchase: stored,
      limits: sold.limits,
      events,
      names: [{ key: facts.name ?? '', member: state.member, object: stored.id, seq: null }],
    }
    if (!member) enrols(changes, facts.member)
    if (kept) claims(changes, kept, stored)
    const wallets = walletAnswers(slices.configuration, books.state, ours.programId)
    return { status: 201, body: purchaseBody(slices.configuration, ours, stored, wallets), changes }
  },
}

function whom(state: MemberState, known: MemberState | undefined, { member }: Facts): Whom {
  return {
    member: state.member,
    isNew: known === undefined,
    externalId: member && 'externalId' in member ? member.externalId : null,
  }
}

function repeat(
  slices: Slices,
  id: Uuid,
  said: Said,
  member: MemberState | undefined,
  ask: PurchaseAsk,
  facts: Facts,
): Decision | Refusal {
  const stored = slices.purchases.get(id)
  const ours = stored && programById(slices.configuration, stored.programId)
  if (!stored || !ours) throw new Error(`purchase ${id} is named but was not loaded`)
  const own = member !== undefined && survivorOf(slices, stored.member) === member.member
  if (ask.claims && !own)
    return refusal('purchase_claimed', `the purchase "external:${stored.externalId}" has another member`)
  if (!own || stored.digest !== contentOf(said, stored.member)) {
    return refusal('external_id_conflict', `the external id "${stored.externalId}" names a purchase with other content`)
  }
  const wallets = walletsNow(slices, member, ours.programId, facts.now)
  return { status: 200, body: purchaseBody(slices.configuration, ours, stored, wallets) }
}

function refuses(ask: PurchaseAsk, ours: Program, member: MemberState | undefined, facts: Facts): Refusal | undefined {
  const no = refusesSale(ask, ours, facts.now)
  if (no) return no
  if (!member) {
    const joins = facts.member !== undefined && 'externalId' in facts.member && ours.joinPolicy === 'on_first_purchase'
    return joins ? undefined : refusal('member_unknown', `there is no member "${ask.member}"`)
  }
  if (member.status !== 1) return refusal('member_suspended', 'this member is suspended or closed: nothing was stored')
  return undefined
}

/** The purchase had no member before: it goes there, and what had come back of it comes along. */
function claims(changes: Changes, kept: Unclaimed, stored: Purchase): void {
  const { claims, names } = claimed(kept, stored)
  changes.claims = claims
  changes.names.push(...names)
}

/** The books of someone who joins with this purchase. */
function enrolled({ newMember }: Facts): MemberState {
  if (newMember === undefined) throw new Error('only an external id can join')
  return newState(newMember)
}

function enrols(changes: Changes, named: MemberRef | undefined): void {
  if (!named || !('externalId' in named)) throw new Error('only an external id can join')
  changes.enrols = { externalId: named.externalId, key: named.key }
  changes.names.push({ key: named.key, member: changes.member, object: null, seq: null })
}
