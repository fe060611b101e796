import { refusal } from '@laurel/contract/refusals'
import { type Adjustment, mustWait, STATUS } from './adjustments/adjustments.rules.ts'
import { bookAdjustment } from './gate/adjustments.ts'
import { movementText } from './gate/answers.ts'
import type { AdjustAsk, Facts } from './gate/asks.ts'
import { openBooks, settleBooks } from './gate/books.ts'
import { walletFor } from './gate/checks.ts'
import { tell, type Verb } from './gate/decisions.ts'
import { findMember } from './gate/slices.ts'

/**
 * What happens when staff correct a balance: points are given (a new lot) or taken (in burn order, never below zero),
 * with a reason. More than the wallet's limit waits: nothing is booked until another key approves it (engine/decide-adjustment.ts).
 * A suspended member's balance can be corrected too.
 * Refusals: program_unknown, program_paused, wallet_unknown, member_unknown, insufficient_points, amount_out_of_range.
 */
export const adjust: Verb<AdjustAsk> = {
  name: () => undefined,

  needs() {},

  furtherNeeds(ask, facts, slices, needs) {
    const member = findMember(slices, facts.member)
    if (member && ask.points < 0) needs.lots.add(member.member)
  },

  decide(slices, ask, facts) {
    const { configuration } = slices
    const where = walletFor(configuration, ask)
    if ('code' in where) return where
    const member = findMember(slices, facts.member)
    if (!member) return refusal('member_unknown', `there is no member "${ask.member}"`)
    if (where.program.status === 'paused')
      return refusal('program_paused', `the program "${where.program.slug}" is paused`)

    const opened = openBooks(slices, member, facts)
    const { books, events } = opened
    const asked = askedFor(ask, member.member, where.walletId, facts)
    const waits = mustWait(ask.points, configuration.byWalletId.get(where.walletId)?.settings.adjustmentLimit ?? null)
    if (waits) {
      events.push(tell(books.state, 'adjustment.requested', { adjustment: asked.id }))
    } else {
      const seq = bookAdjustment(configuration, opened, asked, facts)
      if (typeof seq !== 'number') return seq
      asked.status = STATUS.booked
      asked.entry = { member: member.member, seq }
    }
    settleBooks(opened, facts)
    return {
      status: waits ? 202 : 201,
      body: movementText(configuration, where.program, books.state, {
        prefix: 'adj',
        id: facts.id,
        ...(waits ? { status: 'waiting' } : {}),
        wallet: ask.wallet,
        points: ask.points,
        reason: ask.reason,
        code: ask.code,
        at: facts.now,
        entries: asked.entry ? [asked.entry.seq] : [],
      }),
      changes: {
        member: member.member,
        at: facts.now,
        books,
        events,
        names: [],
        adjustment: { adjustment: asked, isNew: true },
      },
    }
  },
}

/** As it waits. */
function askedFor(ask: AdjustAsk, member: string, walletId: number, facts: Facts): Adjustment {
  return {
    id: facts.id,
    member,
    walletId,
    points: ask.points,
    reason: ask.reason,
    code: ask.code ?? null,
    status: STATUS.waiting,
    requestedAt: facts.now,
    requestedBy: facts.actor ?? null,
    decidedAt: null,
    decidedBy: null,
    decision: null,
    entry: null,
  }
}
