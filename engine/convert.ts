import { encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import type { Program } from './earning/configuration.ts'
import { type WalletAnswer, walletAnswers, walletsNow } from './gate/answers.ts'
import type { ConvertAsk, Facts } from './gate/asks.ts'
import { openBooks, settleBooks } from './gate/books.ts'
import { walletFor } from './gate/checks.ts'
import { givenDates } from './gate/dates.ts'
import { type Decision, tell, type Verb } from './gate/decisions.ts'
import { conversionDigest } from './gate/digests.ts'
import { conversionKey } from './gate/names.ts'
import { findMember, type Slices, survivorOf } from './gate/slices.ts'
import type { MemberState, Why } from './ledger/books.ts'
import { credit, debit } from './ledger/ledger.rules.ts'

/**
 * What happens when points of one wallet become points of another: so many go, so many come, at the rate that the wallet's
 * settings say; what comes is a new lot, under the dates of its wallet. Refusals: program_unknown, program_paused,
 * wallet_unknown, member_unknown, member_suspended, conversion_refused, insufficient_points, amount_out_of_range, external_id_conflict.
 */
export const convert: Verb<ConvertAsk> = {
  name: (ask) => (ask.externalId === undefined ? undefined : conversionKey(ask.externalId)),

  needs() {},

  furtherNeeds(_ask, facts, slices, needs) {
    const member = findMember(slices, facts.member)
    if (member) needs.lots.add(member.member)
    const before = slices.names.get(facts.name ?? '')
    for (const seq of before?.seq ? [before.seq, before.seq + 1] : []) {
      needs.entries.push({ member: before?.member ?? '', seq })
    }
  },

  decide(slices, ask, facts) {
    const from = walletFor(slices.configuration, { program: ask.program, wallet: ask.from })
    if ('code' in from) return from
    const to = walletFor(slices.configuration, { program: ask.program, wallet: ask.to })
    if ('code' in to) return to
    const member = findMember(slices, facts.member)
    if (!member) return refusal('member_unknown', `there is no member "${ask.member}"`)
    const before = slices.names.get(facts.name ?? '')
    const whose = before && survivorOf(slices, before.member) === member.member ? before.member : member.member
    const digest = conversionDigest(whose, from.walletId, to.walletId, ask.points, ask.externalId ?? null)
    if (before) return repeat(slices, from.program, ask, digest, facts)
    if (from.program.status === 'paused')
      return refusal('program_paused', `the program "${from.program.slug}" is paused`)
    if (member.status !== 1) return refusal('member_suspended', 'this member is suspended or closed')
    const received = receivedFor(slices, from.walletId, ask)
    if (typeof received !== 'number') return received
    return book(slices, from.program, { from: from.walletId, to: to.walletId, received, digest }, member, ask, facts)
  },
}

/** So many for every `give`, whole ones only. */
function receivedFor(slices: Slices, walletId: number, ask: ConvertAsk): number | Refusal {
  const rate = slices.configuration.byWalletId.get(walletId)?.settings.conversions.find((c) => c.to === ask.to)
  if (!rate) return refusal('conversion_refused', `points of "${ask.from}" are not converted into "${ask.to}"`)
  if (ask.points % rate.give !== 0)
    return refusal('conversion_refused', `points of "${ask.from}" are converted ${rate.give} at a time`)
  const received = BigInt(ask.points / rate.give) * BigInt(rate.get)
  return received > BigInt(Number.MAX_SAFE_INTEGER)
    ? refusal('amount_out_of_range', 'what they become is beyond 2^53 − 1')
    : Number(received)
}

function book(
  slices: Slices,
  program: Program,
  { from, to, received, digest }: { from: number; to: number; received: number; digest: Uuid },
  member: MemberState,
  ask: ConvertAsk,
  facts: Facts,
): Decision | Refusal {
  const opened = openBooks(slices, member, facts)
  const { books, events } = opened
  const why: Omit<Why, 'kind'> = {
    source: facts.id,
    digest,
    occurredAt: facts.now,
    now: facts.now,
    ...(facts.actor ? { actor: facts.actor } : {}),
  }
  const named = ask.externalId === undefined ? {} : { externalId: ask.externalId }
  const short = debit(books, from, ask.points, { ...why, ...named, kind: 'convertOut' })
  if (short) return short
  const seq = books.state.entrySeq
  events.push(tell(books.state, 'points.converted', { entry: seq }))
  const dates = givenDates(slices.configuration, to, facts.now)
  const full = credit(books, to, received, { ...why, kind: 'convertIn' }, dates)
  if (full) return full
  events.push(tell(books.state, 'points.converted', { entry: books.state.entrySeq }))
  settleBooks(opened, facts)
  const wallets = walletAnswers(slices.configuration, books.state, program.programId)
  return {
    status: 201,
    body: answerText(program, ask, member, { id: facts.id, at: facts.now, received, seq }, wallets),
    changes: {
      member: member.member,
      at: facts.now,
      books,
      events,
      names: facts.name === undefined ? [] : [{ key: facts.name, member: member.member, object: null, seq }],
    },
  }
}

function repeat(slices: Slices, program: Program, ask: ConvertAsk, digest: Uuid, facts: Facts): Decision | Refusal {
  const before = slices.names.get(facts.name ?? '')
  const state = before && slices.states.get(before.member)
  const out = slices.entries.get(`${before?.member} ${before?.seq}`)
  const came = slices.entries.get(`${before?.member} ${(before?.seq ?? 0) + 1}`)
  if (!before || !state || !out || !came) throw new Error(`a conversion named "${ask.externalId}" was not loaded`)
  if (out.digest !== digest) {
    return refusal('external_id_conflict', `the external id "${ask.externalId}" names a conversion with other content`)
  }
  const wallets = walletsNow(slices, state, program.programId, facts.now)
  const said = { id: out.source, at: out.bookedAt, received: came.points, seq: out.seq }
  return { status: 200, body: answerText(program, ask, state, said, wallets) }
}

function answerText(
  program: Program,
  ask: ConvertAsk,
  { member }: MemberState,
  { id, at, received, seq }: { id: Uuid; at: Instant; received: number; seq: number },
  wallets: WalletAnswer[],
): string {
  return JSON.stringify({
    id: encodeId('cnv', id),
    member: encodeId('mem', member),
    program: program.slug,
    from: ask.from,
    to: ask.to,
    points: ask.points,
    received,
    ...(ask.externalId === undefined ? {} : { externalId: ask.externalId }),
    at: formatInstant(at),
    entries: [encodeEntryId(member, seq), encodeEntryId(member, seq + 1)],
    wallets,
  })
}
