import { encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import type { Activity } from '../activities/activities.rules.ts'
import { digestOf } from '../base/keys.ts'
import { type Kind, kindOf, KINDS } from '../ledger/accounts.ts'
import type { Entry, Hold, LotUse } from '../ledger/books.ts'
import type { BooksOf } from '../ledger/ledger.sql.ts'
import { MADE_GOOD, SET_RIGHT } from '../ledger/written-off.rules.ts'
import { conversionDigest, holdDigest, lotDigest, refundDigest, transferDigest } from './digests.ts'

/**
 * What is not a purchase, return, spend or adjustment: holds against what was said of them, refunds against their spends,
 * and what began, ended, went on or came again against its lot and its reason. Names the first that is wrong.
 * `merged`: whether others were ever merged into this member. `redeemed`: redemptions, whose entries are looked at with them.
 */
export function auditActs(
  books: BooksOf,
  activities: readonly Activity[],
  merged = false,
  redeemed: ReadonlySet<Uuid> = new Set(),
): string | undefined {
  for (const hold of books.holds) {
    const wrong = auditHold(hold)
    if (wrong) return `hold ${encodeId('hld', hold.id)}: ${wrong}`
  }
  const known: Known = {
    books,
    lots: new Map(books.uses.map((use) => [use.seq, use])),
    holds: new Map(books.holds.map((hold) => [hold.id, hold])),
    activities: new Map(activities.map((activity) => [activity.digest, activity])),
    again: new Map(),
  }
  const unseen = merged ? undefined : auditActivity(books, activities)
  if (unseen) return unseen
  for (const entry of books.entries) {
    const kind = kindOf(entry)
    const isRedeemed = redeemed.has(entry.source)
    const wrong =
      kind &&
      ((isRedeemed && kind !== 'move' ? undefined : AUDITS[kind]?.(known, entry)) ?? words(kind, entry, isRedeemed))
    if (wrong) return `entry ${encodeEntryId(books.state.member, entry.seq)}: ${wrong}`
  }
  return undefined
}

/** The last activity of a wallet is of an entry or an activity, the member's own unless a merge brought it along. */
function auditActivity({ state, entries }: BooksOf, activities: readonly Activity[]): string | undefined {
  for (const { w, t } of state.wallets) {
    const own = entries.filter((entry) => entry.walletId === w)
    if (
      t === 0 ||
      entries.some(({ kind }) => kind === KINDS.mergeIn.code) ||
      own.some(({ bookedAt }) => bookedAt === t)
    )
      continue
    if (!activities.some(({ recordedAt }) => recordedAt === t))
      return `state: nothing was done when wallet ${w} says that it was last active`
  }
  return undefined
}

type Known = {
  books: BooksOf
  /** by entry, the last lot that it took from: those that are asked for have one */
  lots: Map<number, LotUse>
  holds: Map<Uuid, Hold>
  activities: Map<Uuid, Activity>
  /** what was given back, or came again, of an entry up to now */
  again: Map<number, number>
}
type Audit = (known: Known, entry: Entry) => string | undefined

const REASON = 'its reason or external id is not what was booked'

/** Which entries callers name, and which say no reason: what made them does. */
const NAMED: ReadonlySet<Kind> = new Set(['spend', 'refund', 'transferOut', 'convertOut', 'open'])
const SILENT: ReadonlySet<Kind> = new Set([
  'earn',
  'reverse',
  'restore',
  'convertOut',
  'convertIn',
  'mergeOut',
  'mergeIn',
])

function words(kind: Kind, { reason, externalId }: Entry, isRedeemed: boolean): string | undefined {
  const isSilent = SILENT.has(kind) && !isRedeemed && reason !== MADE_GOOD && reason !== SET_RIGHT
  return (externalId !== undefined && !NAMED.has(kind)) || (reason !== undefined && isSilent) ? REASON : undefined
}

function auditHold(hold: Hold): string | undefined {
  const parts = hold.parts.map(({ w, p }) => [w, p] as const)
  const digest = holdDigest(
    hold.member,
    hold.programId,
    parts,
    hold.deadline - hold.placedAt,
    hold.reason,
    hold.externalId,
  )
  return digest === hold.digest ? undefined : 'its content is not what was recorded'
}

const AUDITS: Partial<Record<Kind, Audit>> = {
  spend({ holds }, { seq, source, digest, reason }) {
    const hold = holds.get(source)
    if (!hold) return undefined
    if (!hold.captured?.some(([, entry]) => entry === seq)) return 'its hold does not say that it was captured'
    return hold.digest === digest && hold.reason === reason ? undefined : 'it is not what its hold was for'
  },

  refund(known, entry) {
    const { member } = known.books.state
    const spend = known.books.entries[(entry.reverses ?? 0) - 1]
    if (!spend || kindOf(spend) !== 'spend' || spend.walletId !== entry.walletId)
      return 'it gives back what was not spent'
    if (addUp(known, entry) > spend.points) return 'more was given back than was spent'
    const { points, reason = '', externalId = null } = entry
    return entry.digest === refundDigest(member, spend.seq, points, reason, externalId) ? undefined : REASON
  },

  move({ books, lots, activities }, { seq, digest, reason, reverses }) {
    if (reverses !== undefined)
      return books.entries[reverses - 1]?.digest === digest ? undefined : 'it is not of its refund'
    const awaited = activities.get(digest)
    if (awaited) return awaited.type === reason ? undefined : REASON
    return digest === lotDigest(books.state.member, KINDS.move.code, lots.get(seq)?.lotSeq ?? 0, reason ?? '')
      ? undefined
      : REASON
  },

  transferOut({ books }, { walletId, points, reason = '', externalId = null, digest }) {
    return digest === transferDigest(books.state.member, walletId, points, reason, externalId) ? undefined : REASON
  },

  convertOut({ books }, { seq, source, walletId, points, externalId = null, digest }) {
    const came = books.entries[seq]
    if (!came || kindOf(came) !== 'convertIn' || came.source !== source)
      return 'what it was converted into did not come'
    return digest === conversionDigest(books.state.member, walletId, came.walletId, points, externalId)
      ? undefined
      : REASON
  },

  expire: byTime,

  cancel(known, entry) {
    if (entry.reason === undefined) return byTime(known, entry)
    const { member } = known.books.state
    const lot = known.lots.get(entry.seq)?.lotSeq ?? 0
    return entry.digest === lotDigest(member, entry.kind, lot, entry.reason) ? undefined : REASON
  },

  reinstate(known, entry) {
    const expired = known.books.entries[(entry.reverses ?? 0) - 1]
    if (!expired || kindOf(expired) !== 'expire') return 'what comes again by it had not expired'
    if (addUp(known, entry) > expired.points) return 'more came again than had expired'
    const { member } = known.books.state
    return entry.digest === lotDigest(member, entry.kind, expired.seq, entry.reason ?? '') ? undefined : REASON
  },
}

function byTime({ books, lots }: Known, { seq, digest, source, reason }: Entry): string | undefined {
  if (reason !== undefined) return REASON
  const due = digestOf(`${books.state.member}|${lots.get(seq)?.lotSeq}|${seq}`)
  return source === due && digest === due ? undefined : 'it does not say which lot ended'
}

function addUp({ again }: Known, { reverses = 0, points }: Entry): number {
  const sum = (again.get(reverses) ?? 0) + points
  again.set(reverses, sum)
  return sum
}
