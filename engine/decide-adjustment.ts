import { refusal } from '@laurel/contract/refusals'
import { type Adjustment, decidable, decided } from './adjustments/adjustments.rules.ts'
import { bookAdjustment } from './gate/adjustments.ts'
import { adjustmentAnswer } from './gate/answers.ts'
import type { DecideAsk } from './gate/asks.ts'
import { openBooks, settleBooks } from './gate/books.ts'
import { tell, type Verb } from './gate/decisions.ts'
import { findMember } from './gate/slices.ts'

/**
 * What happens when an adjustment that waits is approved or rejected: approved, it is booked now, once; whoever asked for it may
 * take it back, but only another key can approve it. Deciding the same again says what stands.
 * Refusals: adjustment_unknown, adjustment_decided, same_key, member_unknown, program_paused (to approve), insufficient_points,
 * amount_out_of_range.
 */
export const decideAdjustment: Verb<DecideAsk> = {
  name: () => undefined,

  needs() {},

  furtherNeeds(ask, facts, slices, needs) {
    needs.adjustments.push(ask.adjustment)
    const member = findMember(slices, facts.member)
    if (member && ask.way === 'approve') needs.lots.add(member.member) // it may take points
  },

  decide(slices, ask, facts) {
    const { configuration } = slices
    const waiting = slices.adjustments.get(ask.adjustment)
    if (!waiting) return refusal('adjustment_unknown', 'there is no such adjustment')
    const wallet = configuration.byWalletId.get(waiting.walletId)
    if (!wallet) throw new Error(`wallet ${waiting.walletId} is not in the configuration`)
    const how = decidable(waiting, ask.way, facts.actor ?? null)
    const text = (adjustment: Adjustment) => JSON.stringify(adjustmentAnswer(configuration, adjustment))
    if (how === 'again') return { status: 200, body: text(waiting) }
    if (how !== 'now') return how
    const member = findMember(slices, facts.member)
    if (!member) return refusal('member_unknown', 'the member is not there any more')
    if (ask.way === 'approve' && wallet.program.status === 'paused')
      return refusal('program_paused', `the program "${wallet.program.slug}" is paused`)

    const opened = openBooks(slices, member, facts)
    const { books, events } = opened
    let entry: Adjustment['entry'] = null
    if (ask.way === 'approve') {
      const seq = bookAdjustment(configuration, opened, waiting, facts)
      if (typeof seq !== 'number') return seq
      entry = { member: member.member, seq }
    }
    const type = ask.way === 'approve' ? 'adjustment.approved' : 'adjustment.rejected'
    events.push(tell(books.state, type, { adjustment: waiting.id }))
    settleBooks(opened, facts)
    const by = { key: facts.actor ?? null, reason: ask.reason, at: facts.now, entry }
    const adjustment = decided(waiting, ask.way, by)
    return {
      status: 200,
      body: text(adjustment),
      changes: {
        member: member.member,
        at: facts.now,
        books,
        events,
        names: [],
        adjustment: { adjustment, isNew: false },
      },
    }
  },
}
