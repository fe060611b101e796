import type pg from 'pg'
import { encodeId } from '@laurel/contract/ids'
import { refusal } from '@laurel/contract/refusals'
import { openBooks, settleBooks } from './gate/books.ts'
import type { TimeAsk } from './gate/asks.ts'
import type { Verb } from './gate/decisions.ts'
import type { Gate } from './gate/gate.ts'
import { findMember } from './gate/slices.ts'
import { loadDue } from './ledger/states.sql.ts'
import { withBound } from './base/db.ts'

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

/**
 * Passes time for members who are due, the longest due first, at most `limit` of them, in lists behind what is asked of
 * the same gate. Gives how many were due. A member that fails is told of by the gate's onFault and is due again.
 */
export async function passDue(pool: pg.Pool, gate: Gate, space: number, limit: number): Promise<number> {
  const due = await withBound(pool, space, (db) => loadDue(db, Date.now() * 1000, limit))
  const asked = due.map((member) =>
    gate.submit(space, { verb: 'time', member: encodeId('mem', member) }, {}, 'bulk').catch(() => undefined),
  )
  const outcomes = await Promise.all(asked)
  return outcomes.every((outcome) => outcome && outcome.status === 200) ? due.length : 0 // else not at once again
}
