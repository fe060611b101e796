import { refusal } from '@laurel/contract/refusals'
import { openBooks, settleBooks } from './gate/books.ts'
import type { TimeAsk } from './gate/asks.ts'
import type { Verb } from './gate/decisions.ts'
import { findMember } from './gate/slices.ts'

/**
 * What happens when time passes for a member about whom nothing else is decided: lots become active, expire or are cancelled,
 * holds lapse, and what will expire soon is told of. The worker asks it of those who are due; asked twice, or late, it
 * books each thing once. Refusals: member_unknown.
 */
export const time: Verb<TimeAsk> = {
  name: () => undefined,

  needs() {},

  furtherNeeds(_ask, facts, slices, needs) {
    const member = findMember(slices, facts.member)
    if (member) needs.lots.add(member.member)
  },

  decide(slices, ask, facts) {
    const member = findMember(slices, facts.member)
    if (!member) return refusal('member_unknown', `there is no member "${ask.member}"`)
    if (member.dueAt === 0 || member.dueAt > facts.now) return { status: 200, body: '{"told":0}' }
    const opened = openBooks(slices, member, facts, true)
    settleBooks(opened, facts)
    return {
      status: 200,
      body: JSON.stringify({ told: opened.events.length }),
      changes: { member: member.member, at: facts.now, books: opened.books, events: opened.events, names: [] },
    }
  },
}
