import { encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import type { Activity } from '../activities/activities.rules.ts'
import { digestOf } from '../base/keys.ts'
import { type Configuration, type Program, programById, rulesAt, versionById } from '../earning/configuration.ts'
import { award } from '../earning/earning.rules.ts'
import { ACCOUNTS, KINDS } from '../ledger/accounts.ts'
import { endedIn, endedKey } from '../ledger/ended.rules.ts'
import { MADE_GOOD, SET_RIGHT } from '../ledger/written-off.rules.ts'
import type { Entry } from '../ledger/books.ts'
import type { BooksOf } from '../ledger/ledger.sql.ts'
import {
  contentText,
  decidedItems,
  kept,
  perWallet,
  type Purchase,
  remainingItems,
  type Return,
  totalOf,
} from '../purchases/purchases.rules.ts'
import { auditActivity } from './activities.ts'
import { isRefusal } from './decisions.ts'
import { questionAgain } from './questions.ts'
import { adjustDigest, bookedDigest, openingDigest, returnDigest, spendDigest } from './digests.ts'

/** A member's purchases and returns against each other, the rules, and the entries that they made. */
export function auditCommerce(
  configuration: Configuration,
  books: BooksOf,
  purchases: readonly Purchase[],
  all: readonly Return[],
  activities: readonly Activity[] = [],
  redeemed: ReadonlySet<Uuid> = new Set(),
): string | undefined {
  const bySource = Map.groupBy(books.entries, (e) => e.source)
  const ended = everEnded(books, purchases)
  for (const p of purchases) {
    const what = auditPurchase(configuration, p, all) ?? auditGone(ended, p)
    if (what) return `purchase ${encodeId('pur', p.id)}: ${what}`
    const earned = (bySource.get(p.id) ?? []).filter((e) => e.kind === KINDS.earn.code)
    const made = earned.map((e) => `${e.seq} ${e.kind} ${e.ruleVersionId} ${e.points} ${e.digest}`)
    const due = p.awards.map(
      ([version, points, , seq]) => `${seq} ${KINDS.earn.code} ${version} ${points} ${bookedDigest(p)}`,
    )
    if (made.join() !== due.join()) return `purchase ${encodeId('pur', p.id)}: its awards are not what its entries gave`
    const isClaimed = p.claimed !== null // which books it later
    if (!isClaimed && earned.some((e) => e.bookedAt !== p.recordedAt))
      return `purchase ${encodeId('pur', p.id)}: it was not recorded when its entries were booked`
  }
  for (const a of activities) {
    const what = auditActivity(configuration, a, bySource.get(a.id) ?? [])
    if (what) return `activity ${encodeId('act', a.id)}: ${what}`
  }
  for (const r of all) {
    if (r.member !== books.state.member) continue // through whom the member was merged into: audited there
    if (r.digest !== returnDigest(r.member, r.programId, r.occurredAt, r.asked)) {
      return `return ${encodeId('ret', r.id)}: its content is not what was recorded`
    }
    const made = (bySource.get(r.id) ?? [])
      .filter((e) => (e.kind === KINDS.reverse.code || e.kind === KINDS.restore.code) && !isLater(e))
      .reduce((sum, e) => sum + (e.to === ACCOUNTS.member ? -e.points : e.points), 0)
    const said = r.taken.reduce((sum, t) => sum + t.points, 0)
    if (made !== said) return `return ${encodeId('ret', r.id)}: says it took ${said} points, its entries ${made}`
  }
  const holds = new Set(books.holds.map(({ id }) => id))
  const altered = books.entries.find((e) => {
    const points = e.to === ACCOUNTS.member ? e.points : -e.points
    if (e.kind === KINDS.open.code) return e.digest !== openingDigest(books.state.member, e)
    if (e.kind === KINDS.adjustUp.code)
      return e.digest !== adjustDigest(books.state.member, e.walletId, points, e.reason ?? '')
    return (
      e.kind === KINDS.spend.code &&
      !holds.has(e.source) &&
      !redeemed.has(e.source) &&
      e.digest !== spendDigest(books.state.member, e.walletId, e.points, e.reason ?? '', e.externalId ?? null)
    )
  })
  if (altered) {
    return `entry ${encodeEntryId(books.state.member, altered.seq)}: its reason or external id is not what was booked`
  }
  const sources = new Set<Uuid>([...purchases, ...all, ...activities].map(({ id }) => id))
  const orphan = books.entries.find(
    (e) =>
      (e.kind === KINDS.earn.code || e.kind === KINDS.reverse.code || e.kind === KINDS.restore.code) &&
      !sources.has(e.source) &&
      e.reason !== SET_RIGHT,
  )
  return orphan ? `entry ${encodeEntryId(books.state.member, orphan.seq)}: what made it is not stored` : undefined
}

/** By what it wrote off before, or by what an undone merge set right: not of what a return says that it took. */
function isLater({ reason }: Entry): boolean {
  return reason === MADE_GOOD || reason === SET_RIGHT
}

function auditPurchase(configuration: Configuration, p: Purchase, all: readonly Return[]): string | undefined {
  const program = programById(configuration, p.programId)
  if (!program) return 'its program is not stored'
  const metadata = p.metadata
  if (
    p.digest !==
    digestOf(
      `${p.member}|${contentText(p.programId, p.occurredAt, program.currency, p.itemsText, p.channel, p.store, metadata)}`,
    )
  ) {
    return 'its content is not what was recorded'
  }
  if (totalOf(p.items) !== p.total) return `its lines do not add up to ${p.total}`
  if (p.claimed?.units?.some((units, i) => units > (p.returned?.units[i] ?? 0)))
    return 'more had come back before it was claimed than came back at all'
  const rules = rulesAt(configuration, p.programId, p.configVersion, p.occurredAt)
  const decided = award(rules, questionAgain(program, p, decidedItems(p)))
  if (isRefusal(decided)) return 'its rules refuse it'
  if (decided.map((a) => `${a.ruleVersionId} ${a.points}`).join() !== p.awards.map(([v, n]) => `${v} ${n}`).join())
    return 'its rules give other awards'
  return auditReturned(configuration, program, p, all, rules)
}

/**
 * What ever ended unused of what sources gave, where returns count any of it. What came again since was gone all the same. Undefined
 * where the member was merged into another: it may have ended there.
 */
function everEnded({ entries, uses }: BooksOf, purchases: readonly Purchase[]): Map<string, number> | undefined {
  const ended = new Map<string, number>()
  if (!purchases.some(({ returned }) => returned?.wallets.some(({ gone }) => gone !== undefined))) return ended
  if (entries.some((e) => e.kind === KINDS.mergeOut.code && e.from === ACCOUNTS.member)) return undefined
  for (const { source, walletId, points } of endedIn(entries, uses, (seq) => entries[seq - 1]?.source)) {
    const key = endedKey(source, walletId)
    if (points > 0) ended.set(key, (ended.get(key) ?? 0) + points)
  }
  return ended
}

/** Returns count no more of a purchase as gone than ever ended unused of it. */
function auditGone(ended: Map<string, number> | undefined, { id, returned }: Purchase): string | undefined {
  if (!ended || returned?.by !== undefined) return undefined
  for (const { walletId, gone } of returned?.wallets ?? []) {
    const most = ended.get(endedKey(id, walletId)) ?? 0
    if (gone !== undefined && (gone < 0 || gone > most))
      return `its returns count ${gone} points as gone, ${most} ended unused`
  }
  return undefined
}

/** What returns took of a purchase is what its rules say, whatever their order. */
function auditReturned(
  configuration: Configuration,
  program: Program,
  p: Purchase,
  all: readonly Return[],
  rules: ReturnType<typeof rulesAt>,
): string | undefined {
  const units = p.items.map(() => 0)
  const taken = new Map<number, number>()
  for (const r of all) {
    for (const line of r.lines) if (line.purchase === p.id) units[line.index] = (units[line.index] ?? 0) + line.quantity
    for (const t of r.taken)
      if (t.purchase === p.id)
        taken.set(t.walletId, (taken.get(t.walletId) ?? 0) + t.points + t.writtenOff + (t.gone ?? 0))
  }
  if ((p.returned?.units ?? p.items.map(() => 0)).join() !== units.join())
    return 'its returned units are not what its returns say'
  if (p.items.some((item, i) => (units[i] ?? 0) > item.quantity)) return 'more was returned than was bought'
  for (const wallet of p.returned?.wallets ?? []) {
    const steps = all.flatMap((r) => r.taken.filter((t) => t.purchase === p.id && t.walletId === wallet.walletId))
    const lots = new Map<number, number>()
    for (const [seq, points] of steps.flatMap((t) => t.lots)) lots.set(seq, (lots.get(seq) ?? 0) + points)
    // What was taken before the buyer was merged into another, or before that was undone, is known as a sum only.
    const moved = all.some((r) => r.member !== p.member && r.taken.some((t) => t.purchase === p.id))
    const same = moved || wallet.lots.every((lot) => lots.get(lot.seq) === lot.taken)
    const found = steps.reduce((sum, t) => sum + t.points, 0)
    const kept = wallet.lots.reduce((sum, lot) => sum + lot.taken, wallet.owed ?? 0)
    if (!same || found !== kept || wallet.writtenOff !== steps.reduce((sum, t) => sum + t.writtenOff, 0)) {
      return 'what its returns took from lots, or wrote off, is not what they say'
    }
    if ((wallet.gone ?? 0) !== steps.reduce((sum, t) => sum + (t.gone ?? 0), 0))
      return 'what its returns counted as gone is not what they say'
  }
  const decided = award(rules, questionAgain(program, p, remainingItems(p.items, units)))
  if (isRefusal(decided)) return 'its rules refuse what is left of it'
  const standing = perWallet(decided)
  const original = perWallet(
    p.awards.map(([id, points]) => ({ walletId: versionById(configuration, id)?.walletId ?? 0, points })),
  )
  for (const [walletId, points] of original) {
    const due = points - (units.every((n) => n === 0) ? points : kept(points, standing.get(walletId) ?? 0))
    if ((taken.get(walletId) ?? 0) !== due)
      return `returns took ${taken.get(walletId) ?? 0} points, its rules say ${due}`
  }
  return undefined
}
