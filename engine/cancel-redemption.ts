import type { Uuid } from '@laurel/contract/ids'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { programById } from './earning/configuration.ts'
import { walletAnswers, walletsNow } from './gate/answers.ts'
import type { Facts } from './gate/asks.ts'
import type { CancelRedemptionAsk } from './gate/redemption-asks.ts'
import { alsoOf, isOwn, sendHome } from './gate/apart.ts'
import { type Opened, openBooks, settleBooks } from './gate/books.ts'
import { type Decision, isRefusal, tell, type Verb } from './gate/decisions.ts'
import { MovedError } from './gate/faults.ts'
import { findRedemption, needRedemption, redemptionDigest, redemptionView } from './gate/redemptions.ts'
import { type RedemptionChanges, redemptionNeeds } from './gate/redemption-slices.ts'
import { settleVoucher } from './gate/redemption-vouchers.ts'
import { carryOn, graceOf, usesOf } from './gate/refunds.ts'
import { findMember, type Slices, survivorOf } from './gate/slices.ts'
import type { MemberState } from './ledger/books.ts'
import { refund } from './ledger/refunds.rules.ts'
import { advance, type Redemption } from './redemptions/redemptions.rules.ts'
import type { VoucherChanges } from './vouchers/vouchers.rules.ts'

/**
 * What happens when a redemption is cancelled: its points go back to the lots that they came from, at their age (what has ended since
 * lives as long as the wallet's refundGrace says), and what was taken of stock and limits is there again; so is a code of a pool
 * whose codes come back. Twice is once. Refusals: redemption_unknown, redemption_not_open (used, in part or whole, or expired),
 * program_paused, amount_out_of_range.
 */
export const cancelRedemption: Verb<CancelRedemptionAsk> = {
  name: () => undefined,

  needs() {},

  furtherNeeds(ask, facts, slices, needs) {
    const state = needRedemption(slices, ask, facts, needs)
    if (!state) return
    needs.lots.add(survivorOf(slices, state.member))
    needs.apart = new Set([...(needs.apart ?? []), state.member])
    redemptionNeeds(needs).undone.add(ask.redemption)
  },

  decide(slices, ask, facts) {
    const found = findRedemption(slices, ask, facts)
    if (isRefusal(found)) return found
    const { state, stored } = found
    const one = advance(stored, 'cancel', {
      at: facts.now,
      ...(ask.reason === undefined ? {} : { reason: ask.reason }),
    })
    if (isRefusal(one)) return one
    const whose = findMember(slices, facts.member) ?? state
    if (one === stored) return shown(slices, stored, whose, facts)
    const program = programById(slices.configuration, stored.programId)
    if (program?.status === 'paused') return refusal('program_paused', `the program "${program.slug}" is paused`)
    const vouchers = settleVoucher(slices, stored, 'withdraw', facts.now)
    return vouchers && isRefusal(vouchers) ? vouchers : book(slices, one, vouchers, state, whose, facts)
  },
}

function book(
  slices: Slices,
  one: Redemption,
  vouchers: VoucherChanges | undefined,
  state: MemberState,
  whose: MemberState,
  facts: Facts,
): Decision | Refusal {
  const opened = openBooks(slices, state, facts)
  const heir = whose === state ? undefined : openBooks(slices, whose, facts)
  const owners = new Map(heir ? [[whose.member, heir]] : [])
  const full = giveBack(slices, one, opened, heir, owners, facts)
  if (full) return full
  opened.events.push(tell(opened.books.state, 'redemption.cancelled', { redemption: one.id }))
  for (const each of [...owners.values(), opened]) settleBooks(each, facts)
  const { books } = heir ?? opened
  return {
    status: 200,
    body: JSON.stringify({
      ...redemptionView(slices.configuration, one, facts.now),
      wallets: walletAnswers(slices.configuration, books.state, one.programId),
    }),
    changes: {
      member: one.member,
      at: facts.now,
      ...opened,
      names: [],
      redemption: freed(slices, one),
      vouchers,
      ...alsoOf(owners.values(), facts),
    },
  }
}

/** Each spend goes back whole; what belongs to a member who lives on as another goes on there. */
function giveBack(
  slices: Slices,
  one: Redemption,
  opened: Opened,
  heir: Opened | undefined,
  owners: Map<Uuid, Opened>,
  facts: Facts,
): Refusal | undefined {
  const { member } = one
  for (const [walletId, points, seq] of one.spent) {
    const uses = usesOf(slices, { member, seq })
    if (uses.reduce((sum, use) => sum + use.points, 0) !== points)
      throw new MovedError(`entry ${seq} was given back meanwhile`)
    const why = {
      source: one.id,
      digest: redemptionDigest(one),
      occurredAt: facts.now,
      now: facts.now,
      reverses: seq,
      reason: one.said.name,
      ...(facts.actor ? { actor: facts.actor } : {}),
    }
    const grace = graceOf(slices, member, facts, { walletId })
    const spender = { source: one.id, isOwn: isOwn(slices, member, walletId) }
    const made = refund(opened.books, walletId, uses, points, grace, why, spender)
    if (isRefusal(made)) return made
    opened.events.push(tell(opened.books.state, 'points.refunded', { entry: made.seq }))
    const spent = { source: one.id }
    const no =
      sendHome(slices, opened, owners, spent, made, facts) ?? (heir && carryOn(opened, heir, spent, made, facts))
    if (no) return no
  }
  return undefined
}

/** What others can have now. */
function freed({ redemptions }: Slices, one: Redemption): RedemptionChanges {
  const { rewardId, code, poolId, said } = one
  const change: RedemptionChanges = {
    one,
    times: -1,
    stock: (said.stock ?? []).map((period) => ({ rewardId, period, times: -1, room: Number.MAX_SAFE_INTEGER })),
    codes: [],
  }
  if (said.key === undefined || code === null || poolId === null) return change
  const read = redemptions.pools.get(poolId)?.pool
  if (!read) throw new MovedError(`pool ${poolId}, to which a code goes back, was not read`)
  change.codes.push({ read, next: read.next, last: read.last + 1, returned: [{ code, key: said.key }] })
  return change
}

function shown(slices: Slices, stored: Redemption, whose: MemberState, facts: Facts): Decision {
  return {
    status: 200,
    body: JSON.stringify({
      ...redemptionView(slices.configuration, stored, facts.now),
      wallets: walletsNow(slices, whose, stored.programId, facts.now),
    }),
  }
}
