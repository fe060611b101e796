import { encodeId, type Uuid } from '@laurel/contract/ids'
import { DAY, formatInstant } from '@laurel/contract/instants'
import { refusal } from '@laurel/contract/refusals'
import { walletAnswers, walletsNow } from './gate/answers.ts'
import type { Facts, MergeAsk, UnmergeAsk } from './gate/asks.ts'
import { type Opened, openBooks, settleBooks } from './gate/books.ts'
import { type Decision, tell, type Verb } from './gate/decisions.ts'
import { mergeDigest } from './gate/digests.ts'
import { moveAll } from './gate/merging.ts'
import { moveBack } from './gate/unmerging.ts'
import { findMember, namedMember, type Slices } from './gate/slices.ts'
import { HOLD_STATUS, type MemberState } from './ledger/books.ts'
import type { Merge } from './members/merges.sql.ts'

const MERGED = 4
const UNDONE_WITHIN = 30 * DAY

/**
 * What happens when two members turn out to be one person: what the other holds goes on as lots of this member, at their age and
 * with their source, and what it owes is owed by this one; its id and names lead here from now on. Its history stays where it
 * is and is read with this one's. Twice is once. Refusals: member_unknown, same_member, member_merged, holds_open, amount_out_of_range.
 */
export const merge: Verb<MergeAsk> = {
  name: () => undefined,
  other: (ask) => ask.from,
  needs() {},
  furtherNeeds: needBoth,

  decide(slices, ask, facts) {
    const survivor = findMember(slices, facts.member)
    const other = namedMember(slices, facts.other)
    if (!survivor) return refusal('member_unknown', `there is no member "${ask.member}"`)
    if (!other) return refusal('member_unknown', `there is no member "${ask.from}"`)
    if (survivor === other) return refusal('same_member', 'a member is merged into another')
    const before = mergeOf(slices, survivor.member, other.member)
    if (other.mergedInto !== null) {
      if (before && other.mergedInto === survivor.member) return answered(slices, 200, before, survivor, facts)
      return refusal('member_merged', 'this member was merged into another before')
    }
    if (survivor.status === 3) return refusal('member_suspended', 'the member to merge into is closed')

    const to = openBooks(slices, survivor, facts)
    const from = openBooks(slices, other, facts)
    if (from.books.holds.some((hold) => hold.status === HOLD_STATUS.open))
      return refusal('holds_open', 'points of this member are held: capture or release them first')
    const digest = mergeDigest(survivor.member, other.member, ask.reason)
    const one: Merge = {
      member: survivor.member,
      id: facts.id,
      other: other.member,
      status: other.status,
      reason: ask.reason,
      digest,
      mergedAt: facts.now,
      undoneAt: null,
      lots: [],
      debts: [],
      undone: null,
    }
    const no = moveAll(from, to, one, facts)
    if (no) return no
    from.books.state.dueAt = 0 // nothing is left that time could change
    from.books.state.status = MERGED
    from.books.state.mergedInto = survivor.member
    return conclude(slices, 'member.merged', one, from, to, facts)
  },
}

/**
 * What happens when a merge was a mistake: within 30 days, what is left of the lots that came along goes back to the other, who
 * is a member of its own again; what was spent of them stays spent. What either paid of what the other owed is each one's own again.
 * Twice is once. Refusals: member_unknown, merge_over, holds_open, amount_out_of_range.
 */
export const unmerge: Verb<UnmergeAsk> = {
  name: () => undefined,
  other: (ask) => ask.from,
  needs() {},

  furtherNeeds(ask, facts, slices, needs) {
    needBoth(ask, facts, slices, needs)
    const survivor = findMember(slices, facts.member)
    const other = namedMember(slices, facts.other)
    if (!survivor || other?.mergedInto !== survivor.member) return
    needs.undoing = { member: survivor.member, other: other.member }
    for (const { n } of survivor.wallets) for (const [seq] of n) needs.entries.push({ member: survivor.member, seq })
  },

  decide(slices, ask, facts) {
    const survivor = findMember(slices, facts.member)
    const other = namedMember(slices, facts.other)
    if (!survivor) return refusal('member_unknown', `there is no member "${ask.member}"`)
    if (!other) return refusal('member_unknown', `there is no member "${ask.from}"`)
    const before = mergeOf(slices, survivor.member, other.member)
    if (before && before.undoneAt !== null && other.mergedInto === null)
      return answered(slices, 200, before, survivor, facts)
    if (!before || other.mergedInto !== survivor.member)
      return refusal('merge_over', `"${ask.from}" is not merged into this member`)
    if (facts.now - before.mergedAt > UNDONE_WITHIN) return refusal('merge_over', 'a merge is undone within 30 days')

    const from = openBooks(slices, other, facts)
    const to = openBooks(slices, survivor, facts)
    const came = slices.together?.came
    if (to.books.lots.some((lot) => lot.held > 0 && came?.has(`${lot.walletId} ${lot.source}`)))
      return refusal('holds_open', 'points that came along are held: capture or release them first')
    const undone: Merge = { ...before, undoneAt: facts.now, undone: [] }
    const no = moveBack(slices, from, to, undone, facts)
    if (no) return no
    from.books.state.told = facts.now // time begins anew for who is a member again; and its status is saved with it
    from.books.state.status = before.status
    from.books.state.mergedInto = null
    return conclude(slices, 'member.unmerged', undone, from, to, facts)
  },
}

function needBoth(
  _ask: MergeAsk | UnmergeAsk,
  facts: Facts,
  slices: Slices,
  needs: Parameters<Verb<MergeAsk>['furtherNeeds']>[3],
): void {
  const survivor = findMember(slices, facts.member)
  const other = namedMember(slices, facts.other)
  for (const member of [survivor, other]) if (member) needs.lots.add(member.member)
  if (survivor && other) needs.merges.push({ member: survivor.member, other: other.member })
}

function mergeOf(slices: Slices, member: Uuid, other: Uuid): Merge | undefined {
  let last: Merge | undefined
  for (const one of slices.merges.values()) if (one.member === member && one.other === other) last = one
  return last
}

function conclude(
  slices: Slices,
  type: 'member.merged' | 'member.unmerged',
  one: Merge,
  from: Opened,
  to: Opened,
  facts: Facts,
): Decision {
  for (const opened of [to, from]) {
    opened.events.push(tell(opened.books.state, type, { merge: one.id, from: one.other, into: one.member }))
    settleBooks(opened, facts)
  }
  const changes = {
    member: one.member,
    at: facts.now,
    books: to.books,
    events: to.events,
    names: [],
    merges: one,
    also: { member: one.other, at: facts.now, books: from.books, events: from.events, names: [] },
  }
  return { ...answered(slices, 201, one, to.books.state), changes }
}

function answered(slices: Slices, status: 200 | 201, one: Merge, state: MemberState, facts?: Facts): Decision {
  const { configuration } = slices
  const sums = new Map<number, number>()
  const add = (walletId: number, points: number) => sums.set(walletId, (sums.get(walletId) ?? 0) + points)
  for (const [walletId, , , points] of one.undone ?? one.lots) if (points > 0) add(walletId, points)
  for (const [walletId, points, seq] of one.debts) if (one.undone === null || seq !== undefined) add(walletId, -points)
  const moved = [...sums].map(([walletId, points]) => {
    const wallet = configuration.byWalletId.get(walletId)
    return { program: wallet?.program.slug, wallet: wallet?.slug, points }
  })
  const wallets = facts
    ? walletsNow(slices, state, undefined, facts.now)
    : walletAnswers(configuration, state, undefined)
  const body = JSON.stringify({
    id: encodeId('mrg', one.id),
    member: encodeId('mem', one.member),
    from: encodeId('mem', one.other),
    reason: one.reason,
    mergedAt: formatInstant(one.mergedAt),
    undoneAt: one.undoneAt === null ? null : formatInstant(one.undoneAt),
    moved,
    wallets,
  })
  return { status: one.undoneAt === null ? status : 200, body }
}
