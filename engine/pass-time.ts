import type pg from 'pg'
import { encodeId, type Uuid } from '@laurel/contract/ids'
import { refusal } from '@laurel/contract/refusals'
import { openBooks, settleBooks } from './gate/books.ts'
import type { TimeAsk } from './gate/asks.ts'
import type { Verb } from './gate/decisions.ts'
import type { Gate } from './gate/gate.ts'
import { findMember } from './gate/slices.ts'
import { isBehind } from './gate/tiers.ts'
import { loadDue } from './ledger/states.sql.ts'
import { withBound } from './base/db.ts'
import { loadBehind } from './tiers/tiers.sql.ts'

/**
 * What happens when time passes for a member about whom nothing else is decided: lots become active, expire or are
 * cancelled, holds lapse, and what will expire soon is told of. The worker asks it of those who are due; asked twice,
 * or late, it books each thing once. Refusals: member_unknown.
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
    const due = member.dueAt > 0 && member.dueAt <= facts.now
    if (!due && !isBehind(slices, member.member)) return { status: 200, body: '{"told":0}' }
    const opened = openBooks(slices, member, facts, true)
    settleBooks(opened, facts)
    return {
      status: 200,
      body: JSON.stringify({ told: opened.events.length }),
      changes: { member: member.member, at: facts.now, books: opened.books, events: opened.events, names: [] },
    }
  },
}

/** Members whose time could not be booked, and until when (ms) they are not asked again: others get their turn. */
export type Failed = Map<Uuid, number>
const FAILED_MS = 60_000
const FAILED_MAX = 10_000

/**
 * Passes time for members who are due, the longest due first, at most `limit` of them, in lists behind what is asked of
 * the same gate; where there is room, also for those whom a new version of a ladder of tiers may have moved. Gives for
 * how many it did. A member that fails is told of by the gate's onFault, and asked again a minute later.
 */
export async function passDue(
  pool: pg.Pool,
  gate: Gate,
  space: number,
  limit: number,
  failed: Failed = new Map(),
): Promise<number> {
  const now = Date.now()
  for (const [member, until] of failed) if (until <= now) failed.delete(member)
  const due = await withBound(pool, space, async (db) => {
    const waiting = await loadDue(db, now * 1000, limit, [...failed.keys()])
    if (waiting.length >= limit) return waiting
    return [...new Set([...waiting, ...(await loadBehind(db, limit - waiting.length, [...failed.keys()]))])]
  })
  const asked = due.map(async (member): Promise<number> => {
    const ask: TimeAsk = { verb: 'time', member: encodeId('mem', member) }
    const outcome = await gate.submit(space, ask, {}, 'bulk').catch(() => undefined)
    if (!outcome && failed.size < FAILED_MAX) failed.set(member, now + FAILED_MS)
    return outcome?.status === 200 ? 1 : 0
  })
  return (await Promise.all(asked)).reduce((sum, one) => sum + one, 0)
}
