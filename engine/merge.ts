import { encodeId, type Uuid } from '@laurel/contract/ids'
import { DAY, formatInstant } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { walletAnswers, walletsNow } from './gate/answers.ts'
import type { Facts, MergeAsk, UnmergeAsk } from './gate/asks.ts'
import { type Opened, openBooks, settleBooks } from './gate/books.ts'
import { type Decision, tell, type Verb } from './gate/decisions.ts'
import { mergeDigest } from './gate/digests.ts'
import { findMember, namedMember, type Slices } from './gate/slices.ts'
import { HOLD_STATUS, type Lot, type MemberState, type Why } from './ledger/books.ts'
import { bookTakes, burnOrder, credit, hasEnded, takeFrom, walletOf } from './ledger/ledger.rules.ts'
import { debtOf } from './ledger/wallets.rules.ts'
import type { Merge, MergedLot } from './members/merges.sql.ts'

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
 * is a member of its own again; what was spent of them stays spent. Twice is once. Refusals: member_unknown, merge_over.
 */
export const unmerge: Verb<UnmergeAsk> = {
  name: () => undefined,
  other: (ask) => ask.from,
  needs() {},
  furtherNeeds: needBoth,

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
    const undone: Merge = { ...before, undoneAt: facts.now, undone: [] }
    const no = moveBack(from, to, undone, facts)
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

function whyOf(one: Merge, facts: Facts): Omit<Why, 'kind' | 'source' | 'occurredAt'> {
  return { digest: one.digest, now: facts.now, ...(facts.actor ? { actor: facts.actor } : {}) }
}

/** Every open lot goes on as one of the survivor's, with its dates and source; a debt is taken on. */
function moveAll(from: Opened, to: Opened, one: Merge, facts: Facts): Refusal | undefined {
  for (const wallet of from.books.state.wallets) {
    const lots = from.books.lots.filter((lot) => lot.walletId === wallet.w && lot.remaining > 0)
    const debt = debtOf(wallet)
    seenAsOne(from, to, wallet.w)
    const no = carry(
      from,
      to,
      lots.map((lot) => ({ lot, points: lot.remaining })),
      one,
      one.lots,
      facts,
    )
    if (no) return no
    if (debt > 0) {
      const owed = takeOver(from, to, wallet.w, debt, one, facts)
      if (owed) return owed
    }
  }
  return undefined
}

/** Where points end by inactivity: what either did last counts for the one that gets them. */
function seenAsOne(from: Opened, to: Opened, walletId: number): void {
  const last = from.books.state.wallets.find((w) => w.w === walletId)?.t ?? 0
  const wallet = walletOf(to.books.state, walletId)
  wallet.t = Math.max(wallet.t, last)
}

/** Takes from one member's lots by one entry a wallet, and opens lots of the other's: `moved` says which became which. */
function carry(
  from: Opened,
  to: Opened,
  takes: readonly { lot: Lot; points: number }[],
  one: Merge,
  moved: MergedLot[],
  facts: Facts,
): Refusal | undefined {
  const why = whyOf(one, facts)
  const [first] = takes
  if (!first) return undefined
  const { walletId } = first.lot
  bookTakes(from.books, walletId, takes, { ...why, kind: 'mergeOut', source: one.id, occurredAt: facts.now })
  for (const { lot, points } of takes) {
    const full = credit(
      to.books,
      walletId,
      points,
      {
        ...why,
        kind: 'mergeIn',
        source: lot.source,
        occurredAt: lot.occurredAt,
        ...(lot.ruleVersionId === null ? {} : { ruleVersionId: lot.ruleVersionId }),
      },
      { activatesAt: lot.activatesAt, expiresAt: lot.slides ? null : lot.expiresAt },
    )
    if (full) return full
    moved.push([walletId, lot.seq, to.books.state.entrySeq, points, lot.source])
  }
  return undefined
}

/** What the other owes is paid by this member's lots, pending ones too as with a return, and owed by it as far as they do not suffice. */
function takeOver(
  from: Opened,
  to: Opened,
  walletId: number,
  debt: number,
  one: Merge,
  facts: Facts,
): Refusal | undefined {
  const why = { ...whyOf(one, facts), source: one.id, occurredAt: facts.now }
  const full = credit(from.books, walletId, debt, { ...why, kind: 'mergeIn' })
  if (full) return full
  const lots = to.books.lots.filter((lot) => lot.walletId === walletId && !hasEnded(lot, facts.now)).sort(burnOrder)
  const takes = takeFrom(lots, debt)
  const found = takes.reduce((sum, take) => sum + take.points, 0)
  bookTakes(to.books, walletId, takes, { ...why, kind: 'mergeOut' }, debt - found)
  one.debts.push([walletId, debt])
  return undefined
}

/** What is left of the lots that came along, also of what went on since under other dates, or by another merge and back. */
function moveBack(from: Opened, to: Opened, undone: Merge, facts: Facts): Refusal | undefined {
  const came = new Set(undone.lots.map(([walletId, , , , source]) => `${walletId} ${source}`))
  const left = to.books.lots
    .filter((lot) => lot.remaining > lot.held && came.has(`${lot.walletId} ${lot.source}`))
    .map((lot) => ({ lot, points: lot.remaining - lot.held }))
  for (const [walletId, own] of Map.groupBy(left, ({ lot }) => lot.walletId)) {
    seenAsOne(to, from, walletId)
    const no = carry(to, from, own, undone, (undone.undone ??= []), facts)
    if (no) return no
  }
  return undefined
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
  for (const [walletId, , , points] of one.undone ?? one.lots) add(walletId, points)
  if (one.undone === null) for (const [walletId, points] of one.debts) add(walletId, -points)
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
