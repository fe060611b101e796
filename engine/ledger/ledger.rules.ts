import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import { ACCOUNTS, KINDS, type Kind } from './accounts.ts'
import { link } from './chain.rules.ts'
import { emptyWallet, type WalletState } from './wallets.rules.ts'

/** A ledger line: `points` moved from one account to another. Immutable once saved. */
export type Entry = {
  seq: number
  walletId: number
  kind: number
  from: number
  to: number
  ruleVersionId?: number
  /** seq of the entry that this one corrects */
  reverses?: number
  points: number
  /** the member's account in this wallet after the entry */
  balance: number
  occurredAt: Instant
  bookedAt: Instant
  /** an entry that opens a lot says from when and until when it can be spent */
  activatesAt?: Instant
  expiresAt?: Instant
  /** the purchase, return, spend or adjustment that made it */
  source: Uuid
  /** of the source's content, so that the chain covers what may be erased */
  digest: Uuid
  actor?: Uuid
  reason?: string
  /** the caller's own name for a spend */
  externalId?: string
  hash: string
}

/** An open lot: an entry that credited the member, and what is left of it. */
export type Lot = {
  seq: number
  walletId: number
  source: Uuid
  points: number
  remaining: number
  activatesAt: Instant
  expiresAt: Instant | null
}
export type LotUse = { seq: number; lotSeq: number; points: number }

/** The guard row of all that a member owns. */
export type MemberState = {
  member: Uuid
  status: number
  version: number
  entrySeq: number
  eventSeq: number
  chain: string
  wallets: WalletState[]
}

/** A member's books while one ask is decided: a copy, which the list keeps only when the ask is not refused. */
export type Draft = {
  state: MemberState
  /** open lots, in no particular order; only loaded where points are taken */
  lots: Lot[]
  entries: Entry[]
  uses: LotUse[]
}

/** What an entry says besides the numbers. */
export type Why = {
  kind: Kind
  source: Uuid
  digest: Uuid
  occurredAt: Instant
  now: Instant
  ruleVersionId?: number
  reverses?: number
  actor?: Uuid
  reason?: string
  externalId?: string
}

export const POINTS_MAX = Number.MAX_SAFE_INTEGER

export function draft(state: MemberState, lots: readonly Lot[]): Draft {
  return {
    state: { ...state, version: state.version + 1, wallets: state.wallets.map((w) => ({ ...w })) },
    lots: lots.map((lot) => ({ ...lot })),
    entries: [],
    uses: [],
  }
}

export function walletOf(state: MemberState, walletId: number): WalletState {
  let wallet = state.wallets.find((w) => w.w === walletId)
  if (!wallet) {
    wallet = emptyWallet(walletId)
    state.wallets.push(wallet)
  }
  return wallet
}

/** Credits the member and opens a lot. Refuses amount_out_of_range when a total would leave ±(2^53 − 1). */
export function credit(d: Draft, walletId: number, points: number, why: Why): Refusal | undefined {
  const wallet = walletOf(d.state, walletId)
  if (points > POINTS_MAX - wallet.b || points > POINTS_MAX - wallet.e || points > POINTS_MAX - Math.abs(wallet.a)) {
    return refusal('amount_out_of_range', `${points} more points would leave the range of exact whole numbers`)
  }
  wallet.b += points
  count(wallet, why.kind, points)
  const entry = book(d, wallet, points, why, why.now)
  if (wallet.o === 0) wallet.o = entry.seq
  d.lots.push({
    seq: entry.seq,
    walletId,
    source: why.source,
    points,
    remaining: points,
    activatesAt: why.now,
    expiresAt: null,
  })
  return undefined
}

/** What can be spent now: the open lots that are active, whatever jobs have or have not run. */
export function available(lots: readonly Lot[], walletId: number, now: Instant): number {
  let sum = 0
  for (const lot of lots) if (lot.walletId === walletId && isActive(lot, now)) sum += lot.remaining
  return sum
}

export function isActive(lot: Lot, now: Instant): boolean {
  return lot.activatesAt <= now && (lot.expiresAt === null || lot.expiresAt > now)
}

/** Burn order, total: soonest expiry (never last), then earliest activation, then seq. */
export function burnOrder(a: Lot, b: Lot): number {
  const expiry = (a.expiresAt ?? Number.POSITIVE_INFINITY) - (b.expiresAt ?? Number.POSITIVE_INFINITY)
  return (Number.isNaN(expiry) ? 0 : expiry) || a.activatesAt - b.activatesAt || a.seq - b.seq
}

/** Takes points from active lots in burn order. Refuses insufficient_points: never below zero. */
export function debit(d: Draft, walletId: number, points: number, why: Why): Refusal | undefined {
  const has = available(d.lots, walletId, why.now)
  if (has < points) return refusal('insufficient_points', `${points} points were asked for and ${has} are available`)
  const wallet = walletOf(d.state, walletId)
  if (points > POINTS_MAX - wallet.s || points > POINTS_MAX + wallet.a) {
    return refusal('amount_out_of_range', `${points} more points would leave the range of exact whole numbers`)
  }
  const takes = takeFrom(
    d.lots.filter((lot) => lot.walletId === walletId && isActive(lot, why.now)).sort(burnOrder),
    points,
  )
  bookTakes(d, walletId, takes, why)
  return undefined
}

/** Lots to take `points` from, in the order given, until they are found or the lots end. */
export function takeFrom(lots: readonly Lot[], points: number): { lot: Lot; points: number }[] {
  const takes: { lot: Lot; points: number }[] = []
  let wanted = points
  for (const lot of lots) {
    if (wanted === 0) break
    const taken = Math.min(wanted, lot.remaining)
    if (taken > 0) takes.push({ lot, points: taken })
    wanted -= taken
  }
  return takes
}

/** One entry that takes from lots, and which of it came from where. Nothing when there is nothing to take. */
export function bookTakes(d: Draft, walletId: number, takes: readonly { lot: Lot; points: number }[], why: Why): void {
  const points = takes.reduce((sum, take) => sum + take.points, 0)
  if (points === 0) return
  const wallet = walletOf(d.state, walletId)
  wallet.b -= points
  count(wallet, why.kind, points)
  const entry = book(d, wallet, points, why)
  for (const take of takes) {
    take.lot.remaining -= take.points
    d.uses.push({ seq: entry.seq, lotSeq: take.lot.seq, points: take.points })
  }
  wallet.o = lowestOpen(d.lots, walletId)
}

/** Gives points back to the lots from which an earlier entry took them, at their original age. */
export function giveBack(d: Draft, walletId: number, gives: readonly { lot: Lot; points: number }[], why: Why): void {
  const points = gives.reduce((sum, give) => sum + give.points, 0)
  if (points === 0) return
  const wallet = walletOf(d.state, walletId)
  wallet.b += points
  count(wallet, why.kind, points)
  const entry = book(d, wallet, points, why)
  for (const give of gives) {
    give.lot.remaining += give.points
    d.uses.push({ seq: entry.seq, lotSeq: give.lot.seq, points: -give.points })
  }
  wallet.o = lowestOpen(d.lots, walletId)
}

function lowestOpen(lots: readonly Lot[], walletId: number): number {
  let lowest = 0
  for (const lot of lots) {
    if (lot.walletId === walletId && lot.remaining > 0 && (lowest === 0 || lot.seq < lowest)) lowest = lot.seq
  }
  return lowest
}

/** Lifetime counters. A restore undoes part of a reversal. */
function count(wallet: WalletState, kind: Kind, points: number): void {
  switch (kind) {
    case 'earn':
      wallet.e += points
      break
    case 'spend':
      wallet.s += points
      break
    case 'reverse':
      wallet.r += points
      break
    case 'restore':
      wallet.r -= points
      break
    case 'expire':
      wallet.x += points
      break
    case 'adjustUp':
      wallet.a += points
      break
    case 'adjustDown':
      wallet.a -= points
      break
  }
}

function book(d: Draft, wallet: WalletState, points: number, why: Why, activatesAt?: Instant): Entry {
  const { code, from, to } = KINDS[why.kind]
  const entry: Entry = {
    seq: ++d.state.entrySeq,
    walletId: wallet.w,
    kind: code,
    from,
    to,
    points,
    balance: wallet.b,
    occurredAt: why.occurredAt,
    bookedAt: why.now,
    source: why.source,
    digest: why.digest,
    hash: '',
  }
  if (activatesAt !== undefined) entry.activatesAt = activatesAt
  if (why.ruleVersionId !== undefined) entry.ruleVersionId = why.ruleVersionId
  if (why.reverses !== undefined) entry.reverses = why.reverses
  if (why.actor !== undefined) entry.actor = why.actor
  if (why.reason !== undefined) entry.reason = why.reason
  if (why.externalId !== undefined) entry.externalId = why.externalId
  entry.hash = link(d.state.chain, entry)
  d.state.chain = entry.hash
  d.entries.push(entry)
  return entry
}

/** The balance of the member's account that entries give: what every cache must agree with. */
export function signed(entry: Pick<Entry, 'to' | 'points'>): number {
  return entry.to === ACCOUNTS.member ? entry.points : -entry.points
}
