import { encodeId } from '@laurel/contract/ids'
import { MINUTE } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import type { Configuration } from './earning/configuration.ts'
import { programById } from './earning/configuration.ts'
import { walletAnswers, walletsNow } from './gate/answers.ts'
import type { CaptureAsk, Facts, HoldAsk, ReleaseAsk } from './gate/asks.ts'
import { type Opened, openBooks, settleBooks } from './gate/books.ts'
import { type Decision, isRefusal, tell, type Verb } from './gate/decisions.ts'
import { holdDigest } from './gate/digests.ts'
import { amountsOf, holdView, isOpen, walletsFor } from './gate/holds.ts'
import { holdIdKey, holdKey } from './gate/names.ts'
import { findMember, type FurtherNeeds, type Named, namedMember, type Slices, survivorOf } from './gate/slices.ts'
import { type Hold, HOLD_STATUS, type MemberState } from './ledger/books.ts'
import * as holds from './ledger/holds.rules.ts'

/**
 * What happens when points are set aside: they stay the member's, and nobody else can spend, move or take them back until they are
 * captured, released, or the deadline has passed. Refusals: invalid_request, program_unknown, program_paused, wallet_unknown,
 * member_unknown, member_suspended, insufficient_points, external_id_conflict.
 */
export const hold: Verb<HoldAsk> = {
  name: (ask) => (ask.externalId === undefined ? undefined : holdKey(ask.externalId)),

  needs() {},

  furtherNeeds(_ask, facts, slices, needs) {
    const member = findMember(slices, facts.member)
    if (member) needs.lots.add(member.member)
    const before = slices.names.get(facts.name ?? '')
    if (before?.object) needs.holds.push({ member: before.member, id: before.object })
  },

  decide(slices, ask, facts) {
    const where = walletsFor(slices.configuration, ask)
    if (isRefusal(where)) return where
    const member = findMember(slices, facts.member)
    if (!member) return refusal('member_unknown', `there is no member "${ask.member}"`)
    const { program, parts } = where
    const before = slices.names.get(facts.name ?? '')
    if (before) return repeated(slices, ask, before, member, where, facts)
    const no = refuses(program, member, 'held')
    if (no) return no

    const opened = openBooks(slices, member, facts)
    const placed = holds.place(opened.books, parts, {
      member: member.member,
      id: facts.id,
      programId: program.programId,
      deadline: facts.now + ask.minutes * MINUTE,
      placedAt: facts.now,
      digest: digestOf(ask, member, where),
      reason: ask.reason,
      externalId: ask.externalId ?? null,
    })
    if (isRefusal(placed)) return placed
    opened.events.push(tell(opened.books.state, 'points.held', { hold: placed.id }))
    const named = { member: member.member, object: placed.id, seq: null }
    const names = [{ key: holdIdKey(placed.id), ...named }]
    if (facts.name !== undefined) names.push({ key: facts.name, ...named })
    return conclude(slices.configuration, placed, opened, facts, 201, names)
  },
}

/**
 * What happens when held points are spent, all or some of them: the rest is free again. Before the deadline it succeeds though the lots
 * have expired meanwhile. The same again is the same. Refusals: hold_unknown, hold_over, invalid_request, program_paused,
 * member_suspended, insufficient_points, amount_out_of_range.
 */
export const capture: Verb<CaptureAsk> = {
  name: () => undefined,

  needs() {},

  furtherNeeds: needsHold,

  decide(slices, ask, facts) {
    const found = findHold(slices, ask, facts)
    if (isRefusal(found)) return found
    const { member, stored } = found
    const amounts = amountsOf(slices.configuration, stored, ask)
    if (stored.status === HOLD_STATUS.captured) {
      const same = !isRefusal(amounts) && stored.captured?.every(([points], i) => points === amounts[i])
      return same ? shown(slices, member, stored, facts) : refusal('hold_over', 'the hold was captured already')
    }
    if (!isOpen(stored, facts.now)) return refusal('hold_over', `the hold ${ended(stored)}`)
    if (isRefusal(amounts)) return amounts
    const program = programById(slices.configuration, stored.programId)
    if (!program) throw new Error(`program ${stored.programId} is not in the configuration`)
    const no = refuses(program, member, 'captured')
    if (no) return no

    const opened = openBooks(slices, member, facts)
    const own = ownHold(opened, stored)
    const full = holds.capture(opened.books, own, amounts, {
      source: own.id,
      digest: own.digest,
      occurredAt: facts.now,
      now: facts.now,
      reason: own.reason,
      ...(facts.actor ? { actor: facts.actor } : {}),
    })
    if (full) return full
    opened.events.push(tell(opened.books.state, 'points.captured', { hold: own.id }))
    return conclude(slices.configuration, own, opened, facts, 200)
  },
}

/**
 * What happens when held points are let go: they can be spent again, but for those whose end has passed, which expire at once. Twice is
 * once, and what lapsed is let go already. Refusals: hold_unknown, hold_over (captured).
 */
export const release: Verb<ReleaseAsk> = {
  name: () => undefined,

  needs() {},

  furtherNeeds: needsHold,

  decide(slices, ask, facts) {
    const found = findHold(slices, ask, facts)
    if (isRefusal(found)) return found
    const { member, stored } = found
    if (stored.status === HOLD_STATUS.captured) return refusal('hold_over', 'the hold was captured already')
    if (stored.status !== HOLD_STATUS.open) return shown(slices, member, stored, facts)
    const opened = openBooks(slices, member, facts, !isOpen(stored, facts.now))
    const own = ownHold(opened, stored)
    if (own.status === HOLD_STATUS.open) {
      holds.release(opened.books, own, facts.now)
      opened.events.push(tell(opened.books.state, 'points.released', { hold: own.id }))
    }
    return conclude(slices.configuration, own, opened, facts, 200)
  },
}

type Where = Exclude<ReturnType<typeof walletsFor>, Refusal>

function refuses(program: Where['program'], member: MemberState, what: string): Refusal | undefined {
  if (program.status === 'paused') return refusal('program_paused', `the program "${program.slug}" is paused`)
  if (member.status !== 1) return refusal('member_suspended', `this member is suspended or closed: nothing was ${what}`)
  return undefined
}

function digestOf(ask: HoldAsk, member: MemberState, { program, parts }: Where) {
  return holdDigest(
    member.member,
    program.programId,
    parts.map(({ walletId, points }) => [walletId, points] as const),
    ask.minutes * MINUTE,
    ask.reason,
    ask.externalId ?? null,
  )
}

function repeated(
  slices: Slices,
  ask: HoldAsk,
  before: Named,
  member: MemberState,
  where: Where,
  facts: Facts,
): Decision | Refusal {
  const stored = slices.holds.get(before.object ?? '')
  const state = slices.states.get(before.member)
  if (!stored || !state) throw new Error(`hold ${before.object} is named but was not loaded`)
  const whose = findMember(slices, { id: before.member }) === member ? state : member
  if (stored.digest !== digestOf(ask, whose, { ...where, parts: asPlaced(where.parts, stored) }))
    return refusal('external_id_conflict', `the external id "${ask.externalId}" names a hold with other content`)
  return shown(slices, state, stored, facts)
}

/** In which order wallets are named says nothing: in that in which the hold was placed, as its digest has them. */
function asPlaced(parts: Where['parts'], { parts: placed }: Hold): Where['parts'] {
  const place = new Map(placed.map(({ w }, i) => [w, i]))
  return parts.toSorted((a, b) => (place.get(a.walletId) ?? placed.length) - (place.get(b.walletId) ?? placed.length))
}

function needsHold(
  ask: { hold: string },
  facts: Facts,
  slices: Slices,
  needs: Pick<FurtherNeeds, 'lots' | 'holds'>,
): void {
  const member = namedMember(slices, facts.member)
  if (!member) return
  needs.lots.add(member.member).add(survivorOf(slices, member.member))
  needs.holds.push({ member: member.member, id: ask.hold })
}

/** A hold stays with the member who it was placed for. */
function findHold(
  slices: Slices,
  ask: { hold: string },
  facts: Facts,
): { member: MemberState; stored: Hold } | Refusal {
  const member = namedMember(slices, facts.member)
  const stored = slices.holds.get(ask.hold)
  return member && stored?.member === member.member
    ? { member, stored }
    : refusal('hold_unknown', `there is no hold "${encodeId('hld', ask.hold)}"`)
}

/** The copy that this decision changes; where its deadline has passed it has lapsed in it. */
function ownHold(opened: Opened, stored: Hold): Hold {
  const own = opened.books.holds.find(({ id }) => id === stored.id)
  if (!own) throw new Error(`hold ${stored.id} is open but not among its member's`)
  return own
}

function ended(stored: Hold): string {
  return stored.status === HOLD_STATUS.released ? 'was released' : 'has lapsed'
}

/** Nothing is changed: as it is stored, with the wallets as of now. */
function shown(slices: Slices, member: MemberState, stored: Hold, facts: Facts): Decision {
  const view = holdView(slices.configuration, stored, facts.now)
  return {
    status: 200,
    body: JSON.stringify({ ...view, wallets: walletsNow(slices, member, stored.programId, facts.now) }),
  }
}

function conclude(
  configuration: Configuration,
  one: Hold,
  opened: Opened,
  facts: Facts,
  status: 200 | 201,
  names: (Named & { key: string })[] = [],
): Decision {
  const { books, events } = opened
  settleBooks(opened, facts)
  return {
    status,
    body: JSON.stringify({
      ...holdView(configuration, one, facts.now),
      wallets: walletAnswers(configuration, books.state, one.programId),
    }),
    changes: { member: one.member, at: facts.now, books, events, names },
  }
}
