import { refusal } from '@laurel/contract/refusals'
import { movementText } from './gate/answers.ts'
import type { AdjustAsk } from './gate/asks.ts'
import { tell, type Verb } from './gate/decisions.ts'
import { adjustDigest } from './gate/digests.ts'
import { openBooks, settleBooks } from './gate/books.ts'
import { walletFor } from './gate/checks.ts'
import { givenDates } from './gate/dates.ts'
import { findMember } from './gate/slices.ts'
import type { Why } from './ledger/books.ts'
import { credit, debit } from './ledger/ledger.rules.ts'

/**
 * What happens when staff correct a balance: points are given (a new lot) or taken (in burn order, never below zero),
 * with a reason. A suspended member's balance can be corrected too.
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
    const where = walletFor(slices.configuration, ask)
    if ('code' in where) return where
    const member = findMember(slices, facts.member)
    if (!member) return refusal('member_unknown', `there is no member "${ask.member}"`)
    if (where.program.status === 'paused')
      return refusal('program_paused', `the program "${where.program.slug}" is paused`)

    const opened = openBooks(slices, member, facts)
    const { books, events } = opened
    const why: Omit<Why, 'kind'> = {
      source: facts.id,
      digest: adjustDigest(member.member, where.walletId, ask.points, ask.reason),
      occurredAt: facts.now,
      now: facts.now,
      reason: ask.reason,
      ...(facts.actor ? { actor: facts.actor } : {}),
    }
    const no =
      ask.points > 0
        ? credit(
            books,
            where.walletId,
            ask.points,
            { ...why, kind: 'adjustUp' },
            givenDates(slices.configuration, where.walletId, facts.now),
          )
        : debit(books, where.walletId, -ask.points, { ...why, kind: 'adjustDown' })
    if (no) return no
    const seq = books.state.entrySeq
    events.push(tell(books.state, 'points.adjusted', { entry: seq }))
    settleBooks(opened, facts)
    return {
      status: 201,
      body: movementText(slices.configuration, where.program, books.state, {
        prefix: 'adj',
        id: facts.id,
        wallet: ask.wallet,
        points: ask.points,
        reason: ask.reason,
        at: facts.now,
        entries: [seq],
      }),
      changes: { member: member.member, at: facts.now, books, events, names: [] },
    }
  },
}
