import { encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import type { WalletSettings } from '@laurel/contract/wallets'
import { periodBounds } from './base/calendar.ts'
import type { Program } from './earning/configuration.ts'
import { type WalletAnswer, walletAnswers, walletsNow } from './gate/answers.ts'
import type { Facts, TransferAsk } from './gate/asks.ts'
import { openBooks, settleBooks } from './gate/books.ts'
import { walletFor } from './gate/checks.ts'
import { type Changes, type Decision, tell, type Verb } from './gate/decisions.ts'
import { transferDigest } from './gate/digests.ts'
import { transferKey } from './gate/names.ts'
import { findMember, type Slices, survivorOf } from './gate/slices.ts'
import type { Dates, Lot, MemberState, Why } from './ledger/books.ts'
import { credit, debit } from './ledger/ledger.rules.ts'

/**
 * What happens when a member gives points to another: they leave the sender's lots in burn order and come to the receiver as lots
 * that end when those would have, so that nobody makes points younger by sending them. A fee is taken from the sender on top.
 * Both members' books change, or neither's. Refusals: program_unknown, program_paused, wallet_unknown, member_unknown, same_member,
 * member_suspended, transfer_refused, insufficient_points, amount_out_of_range, external_id_conflict.
 */
export const transfer: Verb<TransferAsk> = {
  name: (ask) => (ask.externalId === undefined ? undefined : transferKey(ask.externalId)),

  other: (ask) => ask.to,

  needs() {},

  furtherNeeds(ask, facts, slices, needs) {
    const where = walletFor(slices.configuration, ask)
    const sender = findMember(slices, facts.member)
    if (!sender || 'code' in where) return
    needs.lots.add(sender.member)
    const before = slices.names.get(facts.name ?? '')
    if (before?.object) (needs.others ??= new Set()).add(before.object) // who received it may be somebody else by now
    for (const seq of before?.seq ? [before.seq, before.seq + 1] : []) {
      needs.entries.push({ member: before?.member ?? '', seq })
    }
    needs.sent.push({ member: sender.member, walletId: where.walletId, since: dayOf(where.program, facts.now) })
  },

  decide(slices, ask, facts) {
    const where = walletFor(slices.configuration, ask)
    if ('code' in where) return where
    const sender = findMember(slices, facts.member)
    const receiver = findMember(slices, facts.other)
    if (!sender) return refusal('member_unknown', `there is no member "${ask.member}"`)
    if (!receiver) return refusal('member_unknown', `there is no member "${ask.to}"`)
    const before = slices.names.get(facts.name ?? '')
    const from = before && survivorOf(slices, before.member) === sender.member ? before.member : sender.member
    const digest = transferDigest(from, where.walletId, ask.points, ask.reason, ask.externalId ?? null)
    if (before) return repeat(slices, where.program, ask, receiver, digest, facts)
    if (sender === receiver) return refusal('same_member', 'points are transferred to another member')
    const { settings } = slices.configuration.byWalletId.get(where.walletId) ?? {}
    const fee = feeOf(settings?.transfers ?? null, ask.points)
    const no = refuses(slices, where, sender, receiver, ask, settings?.transfers ?? null, facts.now)
    if (no) return no
    if (fee > Number.MAX_SAFE_INTEGER) return refusal('amount_out_of_range', 'the fee is beyond 2^53 − 1')
    return book(slices, where, sender, receiver, ask, fee, digest, facts)
  },
}

type Where = { program: Program; walletId: number }
type Allowed = WalletSettings['transfers']

/** Rounded down, in the member's favour. */
function feeOf(allowed: Allowed, points: number): number {
  const percent = BigInt(allowed?.feePercent ?? 0)
  return Number((BigInt(points) * percent) / 100n) + (allowed?.feePoints ?? 0)
}

function dayOf(program: Program, now: Instant): Instant {
  return periodBounds('day', now, program.timezone).from
}

function refuses(
  slices: Slices,
  { program, walletId }: Where,
  sender: MemberState,
  receiver: MemberState,
  ask: TransferAsk,
  allowed: Allowed,
  now: Instant,
): Refusal | undefined {
  if (program.status === 'paused') return refusal('program_paused', `the program "${program.slug}" is paused`)
  if (sender.status !== 1) return refusal('member_suspended', 'the sender is suspended or closed')
  if (receiver.status !== 1) return refusal('member_suspended', 'the receiver is suspended or closed')
  if (!allowed) return refusal('transfer_refused', `points of the wallet "${ask.wallet}" cannot be transferred`)
  if (allowed.min !== undefined && ask.points < allowed.min)
    return refusal('transfer_refused', `at least ${allowed.min} points are transferred at a time`)
  if (allowed.max !== undefined && ask.points > allowed.max)
    return refusal('transfer_refused', `at most ${allowed.max} points are transferred at a time`)
  const sent = slices.sent.get(`${sender.member} ${walletId} ${dayOf(program, now)}`) ?? 0
  if (allowed.perDay !== undefined && sent + ask.points > allowed.perDay)
    return refusal('transfer_refused', `at most ${allowed.perDay} points are transferred a day; ${sent} were today`)
  return undefined
}

function book(
  slices: Slices,
  { program, walletId }: Where,
  sender: MemberState,
  receiver: MemberState,
  ask: TransferAsk,
  fee: number,
  digest: Uuid,
  facts: Facts,
): Decision | Refusal {
  const from = openBooks(slices, sender, facts)
  const to = openBooks(slices, receiver, facts)
  const why: Omit<Why, 'kind'> = {
    source: facts.id,
    digest,
    occurredAt: facts.now,
    now: facts.now,
    reason: ask.reason,
    ...(facts.actor ? { actor: facts.actor } : {}),
  }
  const before = from.books.uses.length
  const named = ask.externalId === undefined ? {} : { externalId: ask.externalId }
  const short = debit(from.books, walletId, ask.points, { ...why, ...named, kind: 'transferOut' })
  if (short) return short
  const seq = from.books.state.entrySeq
  from.events.push(tell(from.books.state, 'points.transferred', { entry: seq }))
  const taken = from.books.uses.slice(before)
  if (fee > 0) {
    const none = debit(from.books, walletId, fee, { ...why, kind: 'fee' })
    if (none) return refusal('insufficient_points', `the fee of ${fee} comes on top: ${none.detail}`)
    from.events.push(tell(from.books.state, 'points.transferred', { entry: from.books.state.entrySeq }))
  }
  for (const { dates, points } of byEnd(from.books.lots, taken, facts.now)) {
    const full = credit(to.books, walletId, points, { ...why, kind: 'transferIn' }, dates)
    if (full) return full
    to.events.push(tell(to.books.state, 'points.transferred', { entry: to.books.state.entrySeq }))
  }
  settleBooks(from, facts)
  settleBooks(to, facts)
  const changes: Changes = {
    member: sender.member,
    at: facts.now,
    books: from.books,
    events: from.events,
    names: facts.name === undefined ? [] : [{ key: facts.name, member: sender.member, object: receiver.member, seq }],
    also: { member: receiver.member, at: facts.now, books: to.books, events: to.events, names: [] },
  }
  const wallets = walletAnswers(slices.configuration, from.books.state, program.programId)
  const said = { id: facts.id, at: facts.now, fee, seq }
  return { status: 201, body: answerText(program, ask, sender, receiver, said, wallets), changes }
}

/** What was taken, together where it ends together: the receiver's lots. */
function byEnd(
  lots: readonly Lot[],
  taken: readonly { lotSeq: number; points: number }[],
  now: Instant,
): { dates: Dates; points: number }[] {
  const ends = new Map<Instant | null, number>()
  for (const { lotSeq, points } of taken) {
    const lot = lots.find((l) => l.seq === lotSeq)
    const end = lot && !lot.slides ? lot.expiresAt : null
    ends.set(end, (ends.get(end) ?? 0) + points)
  }
  return [...ends].map(([expiresAt, points]) => ({ dates: { activatesAt: now, expiresAt }, points }))
}

function repeat(
  slices: Slices,
  program: Program,
  ask: TransferAsk,
  receiver: MemberState,
  digest: Uuid,
  facts: Facts,
): Decision | Refusal {
  const before = slices.names.get(facts.name ?? '')
  const state = before && slices.states.get(before.member)
  const entry = slices.entries.get(`${before?.member} ${before?.seq}`)
  if (!before || !state || !entry) throw new Error(`a transfer named "${ask.externalId}" was not loaded`)
  const same = findMember(slices, { id: before.object ?? '' }) ?? { member: before.object }
  if (entry.digest !== digest || same.member !== receiver.member) {
    return refusal('external_id_conflict', `the external id "${ask.externalId}" names a transfer with other content`)
  }
  const next = slices.entries.get(`${before.member} ${entry.seq + 1}`)
  const fee = next?.source === entry.source ? next.points : 0
  const wallets = walletsNow(slices, state, program.programId, facts.now)
  const said = { id: entry.source, at: entry.bookedAt, fee, seq: entry.seq }
  return { status: 200, body: answerText(program, ask, state, receiver, said, wallets) }
}

function answerText(
  program: Program,
  ask: TransferAsk,
  from: MemberState,
  to: MemberState,
  { id, at, fee, seq }: { id: Uuid; at: Instant; fee: number; seq: number },
  wallets: WalletAnswer[],
): string {
  return JSON.stringify({
    id: encodeId('trf', id),
    from: encodeId('mem', from.member),
    to: encodeId('mem', to.member),
    program: program.slug,
    wallet: ask.wallet,
    points: ask.points,
    fee,
    reason: ask.reason,
    ...(ask.externalId === undefined ? {} : { externalId: ask.externalId }),
    at: formatInstant(at),
    entries: (fee > 0 ? [seq, seq + 1] : [seq]).map((n) => encodeEntryId(from.member, n)),
    wallets,
  })
}
