import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import type { Program } from './earning/configuration.ts'
import { movementText, walletsNow } from './gate/answers.ts'
import type { SpendAsk } from './gate/asks.ts'
import { type Decision, tell, type Verb } from './gate/decisions.ts'
import { openBooks, settleBooks } from './gate/books.ts'
import { walletFor } from './gate/checks.ts'
import { spendDigest } from './gate/digests.ts'
import { spendKey } from './gate/names.ts'
import { findMember, type Slices, survivorOf } from './gate/slices.ts'
import { debit } from './ledger/ledger.rules.ts'

/**
 * What happens when points are spent: they leave the member's lots in burn order, and never go below zero.
 * Refusals: program_unknown, program_paused, wallet_unknown, member_unknown, member_suspended, insufficient_points,
 * external_id_conflict.
 */
export const spend: Verb<SpendAsk> = {
  name: (ask) => (ask.externalId === undefined ? undefined : spendKey(ask.externalId)),

  needs() {},

  furtherNeeds(_ask, facts, slices, needs) {
    const member = findMember(slices, facts.member)
    if (member) needs.lots.add(member.member)
    const before = slices.names.get(facts.name ?? '')
    if (before?.seq) needs.entries.push({ member: before.member, seq: before.seq })
  },

  decide(slices, ask, facts) {
    const where = walletFor(slices.configuration, ask)
    if ('code' in where) return where
    const member = findMember(slices, facts.member)
    if (!member) return refusal('member_unknown', `there is no member "${ask.member}"`)
    const before = slices.names.get(facts.name ?? '')
    const spender = before?.member ?? member.member
    const digest = spendDigest(spender, where.walletId, ask.points, ask.reason, ask.externalId ?? null)
    if (before && survivorOf(slices, before.member) !== member.member)
      return refusal('external_id_conflict', `the external id "${ask.externalId}" names a spend of another member`)
    if (before) return repeat(slices, where.program, ask, before, digest, facts.now)
    if (where.program.status === 'paused')
      return refusal('program_paused', `the program "${where.program.slug}" is paused`)
    if (member.status !== 1) return refusal('member_suspended', 'this member is suspended or closed: nothing was spent')

    const opened = openBooks(slices, member, facts)
    const { books, events } = opened
    const short = debit(books, where.walletId, ask.points, {
      kind: 'spend',
      source: facts.id,
      digest,
      occurredAt: facts.now,
      now: facts.now,
      reason: ask.reason,
      ...(ask.externalId === undefined ? {} : { externalId: ask.externalId }),
      ...(facts.actor ? { actor: facts.actor } : {}),
    })
    if (short) return short
    const seq = books.state.entrySeq
    events.push(tell(books.state, 'points.spent', { entry: seq }))
    settleBooks(opened, facts)
    return {
      status: 201,
      body: movementText(slices.configuration, where.program, books.state, {
        prefix: 'spd',
        id: facts.id,
        wallet: ask.wallet,
        points: ask.points,
        reason: ask.reason,
        externalId: ask.externalId,
        at: facts.now,
        entries: [seq],
      }),
      changes: {
        member: member.member,
        at: facts.now,
        books,
        events,
        names: facts.name === undefined ? [] : [{ key: facts.name, member: member.member, object: null, seq }],
      },
    }
  },
}

function repeat(
  slices: Slices,
  ours: Program,
  ask: SpendAsk,
  before: { member: Uuid; seq: number | null },
  digest: Uuid,
  now: Instant,
): Decision | Refusal {
  const entry = slices.entries.get(`${before.member} ${before.seq}`)
  const state = slices.states.get(before.member)
  if (!entry || !state) throw new Error(`entry ${before.seq} of a spend is named but was not loaded`)
  if (entry.digest !== digest) {
    return refusal('external_id_conflict', `the external id "${ask.externalId}" names a spend with other content`)
  }
  return {
    status: 200,
    body: movementText(slices.configuration, ours, state, {
      prefix: 'spd',
      id: entry.source,
      wallet: ask.wallet,
      points: ask.points,
      reason: ask.reason,
      externalId: ask.externalId,
      at: entry.bookedAt,
      entries: [entry.seq],
      wallets: walletsNow(slices, state, ours.programId, now),
    }),
  }
}
