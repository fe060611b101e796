import { decodeEntryId, encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { addPeriod } from './base/calendar.ts'
import type { Configuration } from './earning/configuration.ts'
import { type WalletAnswer, walletAnswers, walletsNow } from './gate/answers.ts'
import type { Facts, RefundAsk } from './gate/asks.ts'
import { type Opened, openBooks, settleBooks } from './gate/books.ts'
import { type Decision, isRefusal, tell, type Verb } from './gate/decisions.ts'
import { refundDigest } from './gate/digests.ts'
import { MovedError } from './gate/faults.ts'
import { refundKey, spendKey } from './gate/names.ts'
import { findMember, type Named, namedMember, type Slices, survivorOf } from './gate/slices.ts'
import { KINDS } from './ledger/accounts.ts'
import type { Entry, Lot, MemberState } from './ledger/books.ts'
import { bookTakes, credit, hasEnded, walletOf as stateOf } from './ledger/ledger.rules.ts'
import { type Grace, refund as giveBack } from './ledger/refunds.rules.ts'
import { makeGood } from './ledger/written-off.rules.ts'

/**
 * What happens when a spend is undone, in part or whole: the points go back to the very lots that they came from, what was taken last
 * first, and end when those do. What comes back to a lot whose end has passed lives as long as the wallet's refundGrace says, once a
 * lot, and without one expires at once. A suspended member's spending can be undone too. What was spent by a member who was merged into
 * another since comes to that other. Refusals: entry_unknown, program_paused, member_unknown, refund_exceeds_spend, amount_out_of_range,
 * external_id_conflict.
 */
export const refund: Verb<RefundAsk> = {
  name: (ask) => (ask.externalId === undefined ? undefined : refundKey(ask.externalId)),

  needs(ask, needs) {
    const entry = decodeEntryId(ask.spend)
    if (entry) needs.members.add(entry.member)
    else if (ask.spend.startsWith('external:')) needs.names.add(spendKey(ask.spend.slice(9)))
  },

  furtherNeeds(ask, facts, slices, needs) {
    const spend = spendOf(slices, ask)
    const member = spend && slices.states.get(spend.member)
    const before = slices.names.get(facts.name ?? '')
    if (before?.seq) {
      needs.lots.add(before.member)
      needs.entries.push({ member: before.member, seq: before.seq })
    }
    if (!member) return
    needs.lots.add(member.member)
    needs.lots.add(survivorOf(slices, member.member))
    needs.entries.push(spend)
    needs.uses.push(spend)
  },

  decide(slices, ask, facts) {
    const named = namedMember(slices, facts.member)
    if (!named) return refusal('member_unknown', `there is no member "${ask.member}"`)
    const spend = spendOf(slices, ask)
    const whose = spend && findMember(slices, { id: spend.member })
    const entry = spend && slices.entries.get(`${spend.member} ${spend.seq}`)
    if (!spend || !whose || entry?.kind !== KINDS.spend.code || whose !== findMember(slices, facts.member))
      return refusal('entry_unknown', `this member has no spend "${ask.spend}"`)
    const before = slices.names.get(facts.name ?? '')
    if (before) return repeat(slices, ask, spend, before, facts)
    const { program } = walletOf(slices.configuration, entry)
    if (program.status === 'paused') return refusal('program_paused', `the program "${program.slug}" is paused`)
    return book(slices, ask, entry, spend.member, whose, facts)
  },
}

type Spend = { member: Uuid; seq: number }

function spendOf(slices: Slices, { spend }: RefundAsk): Spend | undefined {
  if (!spend.startsWith('external:')) return decodeEntryId(spend)
  const named = slices.names.get(spendKey(spend.slice(9)))
  return named?.seq ? { member: named.member, seq: named.seq } : undefined
}

function walletOf(configuration: Configuration, entry: Entry) {
  const wallet = configuration.byWalletId.get(entry.walletId)
  if (!wallet) throw new Error(`wallet ${entry.walletId} is not in the configuration`)
  return wallet
}

/** What of the spend was not given back yet, a lot. */
function usesOf(slices: Slices, { member, seq }: Spend) {
  const uses = slices.uses.get(`${member} ${seq}`)
  if (!uses || uses.length === 0) throw new MovedError(`what entry ${seq} took was not read`)
  return uses
}

function book(
  slices: Slices,
  ask: RefundAsk,
  entry: Entry,
  member: Uuid,
  whose: MemberState,
  facts: Facts,
): Decision | Refusal {
  const spend = { member, seq: entry.seq }
  const uses = usesOf(slices, spend)
  const left = uses.reduce((sum, use) => sum + use.points, 0)
  const points = ask.points ?? left
  if (points > left || points === 0)
    return refusal(
      'refund_exceeds_spend',
      `${left} of the ${entry.points} points that were spent are left to give back`,
    )
  const state = slices.states.get(member)
  if (!state) throw new Error(`member ${member} was not read`)
  const opened = openBooks(slices, state, facts)
  const made = giveBack(opened.books, entry.walletId, uses, points, graceOf(slices, member, facts, entry), {
    source: facts.id,
    digest: refundDigest(member, entry.seq, points, ask.reason, ask.externalId ?? null),
    occurredAt: facts.now,
    now: facts.now,
    reverses: entry.seq,
    reason: ask.reason,
    ...(ask.externalId === undefined ? {} : { externalId: ask.externalId }),
    ...(facts.actor ? { actor: facts.actor } : {}),
  })
  if (isRefusal(made)) return made
  opened.events.push(tell(opened.books.state, 'points.refunded', { entry: made.seq }))
  const heir = whose === state ? undefined : carryOn(slices, opened, whose, entry, made, facts)
  if (heir && isRefusal(heir)) return heir
  settleBooks(opened, facts)
  const { program } = walletOf(slices.configuration, entry)
  const name = facts.name === undefined ? [] : [{ key: facts.name, member, object: null, seq: made.seq }]
  const { books } = heir ?? opened
  return {
    status: 201,
    body: bodyOf(
      slices,
      spend,
      made,
      left - points,
      walletAnswers(slices.configuration, books.state, program.programId),
    ),
    changes: {
      member,
      at: facts.now,
      books: opened.books,
      events: opened.events,
      names: name,
      ...(heir ? { also: { member: whose.member, at: facts.now, ...heir, names: [] } } : {}),
    },
  }
}

/**
 * What came back to a member who lives on as another goes on there, with its dates and source, as all went on when they were merged.
 * What returns of the other wrote off since it was spent is made good first, as if it had been the other who spent it.
 */
function carryOn(
  slices: Slices,
  from: Opened,
  whose: MemberState,
  spent: Entry,
  made: Entry,
  facts: Facts,
): Opened | Refusal {
  const to = openBooks(slices, whose, facts)
  const { walletId, digest, source } = made
  const takes = from.books.lots
    .filter((lot) => lot.walletId === walletId && lot.remaining > lot.held && !hasEnded(lot, facts.now))
    .map((lot) => ({ lot, points: lot.remaining - lot.held }))
  const why = { digest, now: facts.now, ...(facts.actor ? { actor: facts.actor } : {}) }
  const came: Lot[] = []
  bookTakes(from.books, walletId, takes, { ...why, kind: 'mergeOut', source, occurredAt: facts.now })
  for (const { lot, points } of takes) {
    const rule = lot.ruleVersionId === null ? {} : { ruleVersionId: lot.ruleVersionId }
    const full = credit(
      to.books,
      walletId,
      points,
      { ...why, ...rule, kind: 'mergeIn', source: lot.source, occurredAt: lot.occurredAt },
      { activatesAt: lot.activatesAt, expiresAt: lot.slides ? null : lot.expiresAt },
    )
    if (full) return full
    came.push(...to.books.lots.slice(-1))
    const spend = encodeEntryId(from.books.state.member, made.reverses ?? 0)
    to.events.push(tell(to.books.state, 'points.refunded', { entry: to.books.state.entrySeq, spend }))
  }
  from.books.state.dueAt = 0 // nothing is left that time could change
  makeGood(to.books, stateOf(to.books.state, walletId), came, facts.now, ([source]) => spent.source < source) // ids of one clock are in order
  settleBooks(to, facts)
  return to
}

/**
 * Until when what comes back to a lot lives whose end has passed: the grace of its wallet, but once. A lot that went on so before has
 * an entry that says so (a move that names a refund), and so has the lot in which it went on.
 */
function graceOf(slices: Slices, member: Uuid, facts: Facts, { walletId }: Entry): Grace {
  const wallet = slices.configuration.byWalletId.get(walletId)
  const period = wallet?.settings.refundGrace ?? null
  return (lot) => {
    const fate = slices.fates.get(`${member} ${lot.seq}`)
    if (!fate) throw new MovedError(`what became of lot ${lot.seq} was not read`)
    const had = [fate, ...fate.uses].some((one) => one.kind === KINDS.move.code && one.reverses !== null)
    return period === null || had ? undefined : addPeriod(facts.now, period, wallet?.program.timezone ?? 'UTC')
  }
}

/** As before, where it says the same. Without `points` it is the refund that was made then, whatever was left. */
function repeat(slices: Slices, ask: RefundAsk, spend: Spend, before: Named, facts: Facts): Decision | Refusal {
  const entry = slices.entries.get(`${before.member} ${before.seq}`)
  const state = findMember(slices, { id: before.member })
  if (!entry || !state) throw new Error(`entry ${before.seq} of a refund is named but was not loaded`)
  const digest = refundDigest(spend.member, spend.seq, ask.points ?? entry.points, ask.reason, ask.externalId ?? null)
  if (before.member !== spend.member || entry.digest !== digest)
    return refusal('external_id_conflict', `the external id "${ask.externalId}" names a refund with other content`)
  const { program } = walletOf(slices.configuration, entry)
  const left = usesOf(slices, spend).reduce((sum, use) => sum + use.points, 0)
  return {
    status: 200,
    body: bodyOf(slices, spend, entry, left, walletsNow(slices, state, program.programId, facts.now)),
  }
}

function bodyOf(slices: Slices, spend: Spend, made: Entry, left: number, wallets: WalletAnswer[]): string {
  const { program, slug } = walletOf(slices.configuration, made)
  return JSON.stringify({
    id: encodeId('rfd', made.source),
    member: encodeId('mem', survivorOf(slices, spend.member)),
    program: program.slug,
    wallet: slug,
    spend: encodeEntryId(spend.member, spend.seq),
    points: made.points,
    left,
    reason: made.reason,
    ...(made.externalId ? { externalId: made.externalId } : {}),
    at: formatInstant(made.bookedAt),
    entries: [encodeEntryId(spend.member, made.seq)],
    wallets,
  })
}
