import { decodeEntryId, encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import type { Configuration } from './earning/configuration.ts'
import { type WalletAnswer, walletAnswers, walletsNow } from './gate/answers.ts'
import type { Facts, RefundAsk } from './gate/asks.ts'
import { alsoOf, isOwn, sendHome } from './gate/apart.ts'
import { openBooks, settleBooks } from './gate/books.ts'
import { type Decision, isRefusal, tell, type Verb } from './gate/decisions.ts'
import { refundDigest } from './gate/digests.ts'
import { refundKey, spendKey } from './gate/names.ts'
import { redemptionNeeds } from './gate/redemption-slices.ts'
import { carryOn, graceOf, usesOf } from './gate/refunds.ts'
import { findMember, type Named, namedMember, type Slices, survivorOf } from './gate/slices.ts'
import { KINDS } from './ledger/accounts.ts'
import type { Entry, MemberState } from './ledger/books.ts'
import { refund as giveBack } from './ledger/refunds.rules.ts'

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
    needs.apart = new Set([...(needs.apart ?? []), member.member])
    needs.entries.push(spend)
    needs.uses.push(spend)
    if (slices.configuration.rewards.length > 0) redemptionNeeds(needs).entries.push(spend)
  },

  decide(slices, ask, facts) {
    const named = namedMember(slices, facts.member)
    if (!named) return refusal('member_unknown', `there is no member "${ask.member}"`)
    const spend = spendOf(slices, ask)
    const whose = spend && findMember(slices, { id: spend.member })
    const entry = spend && slices.entries.get(`${spend.member} ${spend.seq}`)
    if (!spend || !whose || entry?.kind !== KINDS.spend.code || whose !== findMember(slices, facts.member))
      return refusal('entry_unknown', `this member has no spend "${ask.spend}"`)
    if (slices.redemptions.made.has(`${spend.member} ${spend.seq}`))
      return refusal('entry_unknown', `the spend "${ask.spend}" redeemed a reward: cancel that redemption`)
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
  const why = {
    source: facts.id,
    digest: refundDigest(member, entry.seq, points, ask.reason, ask.externalId ?? null),
    occurredAt: facts.now,
    now: facts.now,
    reverses: entry.seq,
    reason: ask.reason,
    ...(ask.externalId === undefined ? {} : { externalId: ask.externalId }),
    ...(facts.actor ? { actor: facts.actor } : {}),
  }
  const grace = graceOf(slices, member, facts, entry)
  const made = giveBack(opened.books, entry.walletId, uses, points, grace, why, {
    source: entry.source,
    isOwn: isOwn(slices, member, entry.walletId),
  })
  if (isRefusal(made)) return made
  opened.events.push(tell(opened.books.state, 'points.refunded', { entry: made.seq }))
  const heir = whose === state ? undefined : openBooks(slices, whose, facts)
  const owners = new Map(heir ? [[whose.member, heir]] : [])
  const full =
    sendHome(slices, opened, owners, entry, made, facts) ?? (heir && carryOn(opened, heir, entry, made, facts))
  if (full) return full
  for (const one of [...owners.values(), opened]) settleBooks(one, facts)
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
      ...alsoOf(owners.values(), facts),
    },
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
