import { type Refusal, refusal } from '@laurel/contract/refusals'
import { type Instant, isFar } from '@laurel/contract/instants'
import { ACCOUNTS, KINDS } from './accounts.ts'
import type { Dates, Draft, Entry, Held, Lot, MemberState, TermsOf, Why } from './books.ts'
import { link } from './chain.rules.ts'
import { count, outOfRange } from './range.rules.ts'
import { type Debt, emptyWallet, type WalletState } from './wallets.rules.ts'

export function draft(state: MemberState, held: Held | undefined, terms: TermsOf): Draft {
  return {
    state: { ...state, version: state.version + 1, wallets: state.wallets.map((w) => ({ ...w })) },
    terms,
    known: held !== undefined || state.entrySeq === 0,
    lots: (held?.lots ?? []).map((lot) => sliding(state, { ...lot }, terms)),
    holds: (held?.holds ?? []).map((hold) => ({ ...hold })),
    entries: [],
    uses: [],
    changedHolds: [],
    late: false,
  }
}

/** A lot without a date of its own expires by inactivity, where its wallet says so. */
export function sliding(state: MemberState, lot: Lot, terms: TermsOf): Lot {
  if (lot.expiresAt !== null && !lot.slides) return lot
  const wallet = state.wallets.find((w) => w.w === lot.walletId)
  const last = wallet?.t ?? 0
  const over = wallet?.z.find(([seq]) => seq === lot.seq)?.[1]
  const end = over ?? (last > 0 ? terms(lot.walletId).slideEnd?.(last) : undefined)
  lot.expiresAt = end ?? null
  lot.slides = end !== undefined
  return lot
}

export function walletOf(state: MemberState, walletId: number): WalletState {
  let wallet = state.wallets.find((w) => w.w === walletId)
  if (!wallet) {
    wallet = emptyWallet(walletId)
    state.wallets.push(wallet)
  }
  return wallet
}

/**
 * Credits the member and opens a lot, with these dates (from now on and for ever unless told). What the wallet owes is
 * paid from it at once, unless it does not pay (yet). Refuses amount_out_of_range when a total would leave ±(2^53 − 1).
 */
export function credit(
  d: Draft,
  walletId: number,
  points: number,
  why: Why,
  dates?: Dates,
  pays = true,
): Refusal | undefined {
  const wallet = walletOf(d.state, walletId)
  const full = outOfRange(wallet, why.kind, points)
  if (full) return full
  wallet.b += points
  count(wallet, why.kind, points)
  if (why.kind === 'earn') touch(d, walletId, 'earn', why.now)
  const activatesAt = dates ? Math.max(dates.activatesAt, why.now) : why.now
  openLot(d, wallet, points, why, { activatesAt, expiresAt: dates?.expiresAt ?? null }, pays)
  return undefined
}

/** Books an entry that opens a lot, and keeps what is known of time in step. */
export function openLot(d: Draft, wallet: WalletState, points: number, why: Why, dates: Dates, pays = true): Lot {
  const { activatesAt, expiresAt } = dates
  const entry = book(d, wallet, points, why, dates)
  const slide = expiresAt === null && wallet.t > 0 ? d.terms(wallet.w).slideEnd?.(wallet.t) : undefined
  const lot: Lot = {
    seq: entry.seq,
    walletId: wallet.w,
    source: why.source,
    points,
    remaining: points,
    held: 0,
    activatesAt,
    expiresAt: expiresAt ?? slide ?? null,
    slides: slide !== undefined,
    bookedAt: why.now,
    occurredAt: why.occurredAt,
    ruleVersionId: why.ruleVersionId ?? null,
  }
  d.lots.push(lot)
  if (pays && wallet.n.length > 0) recover(d, wallet, [lot])
  if (wallet.o === 0 && lot.remaining > 0) wallet.o = entry.seq
  if (activatesAt > why.now || expiresAt !== null) note(d, wallet, lot, why.now)
  return lot
}

/** Keeps pending points and the next look in step with a lot that was opened, where not all lots are known. */
function note(d: Draft, wallet: WalletState, lot: Lot, now: Instant): void {
  if (d.state.told === 0) d.state.told = now
  if (lot.expiresAt !== null && lot.expiresAt <= now) {
    d.late = true
    return
  }
  if (lot.activatesAt > now) wallet.p += lot.remaining
  const notice = d.terms(wallet.w).notice
  for (const at of [lot.activatesAt, lot.expiresAt]) {
    if (at === null || at <= now || isFar(at)) continue
    wallet.u = wallet.u === 0 ? at : Math.min(wallet.u, at)
    lookAt(d.state, at)
  }
  if (notice > 0 && lot.expiresAt !== null) lookAt(d.state, Math.max(lot.expiresAt - notice, now + 1))
}

/** The books are to be looked at by then. */
export function lookAt(state: MemberState, at: Instant): void {
  state.dueAt = state.dueAt === 0 ? at : Math.min(state.dueAt, at)
}

/** An activity moves the deadline of points that expire by inactivity. */
export function touch(d: Draft, walletId: number, activity: string, now: Instant): void {
  const terms = d.terms(walletId)
  const before = d.state.wallets.find((w) => w.w === walletId)
  if (before && !terms.slideEnd) before.t = 0 // nobody was away while points did not end by that
  if (!terms.slideEnd || !terms.slidesOn?.has(activity)) return
  const wallet = before ?? walletOf(d.state, walletId) // who was there before the first points came, was there
  wallet.t = Math.max(wallet.t, now)
  const end = terms.slideEnd(wallet.t)
  slideTo(d, walletId, end, now)
  lookAt(d.state, Math.max(end - terms.notice, now + 1))
  if (d.state.told === 0) d.state.told = now
}

/** Where points expire by inactivity and all had: what comes back lives as long as after an activity now. */
export function restart(d: Draft, walletId: number, now: Instant): void {
  const wallet = walletOf(d.state, walletId)
  const end = wallet.t === 0 ? d.terms(walletId).slideEnd?.(now) : undefined
  if (end === undefined) return
  wallet.t = now
  slideTo(d, walletId, end, now)
}

/** But for what was held past its end: nothing brings that back. */
function slideTo(d: Draft, walletId: number, end: Instant, now: Instant): void {
  for (const lot of d.lots) {
    if (lot.walletId !== walletId || (lot.expiresAt !== null && !lot.slides) || hasEnded(lot, now)) continue
    lot.expiresAt = end
    lot.slides = true
  }
}

/** What new points pay of what the wallet owes: the entries that took too much take it now, oldest first. */
export function recover(d: Draft, wallet: WalletState, lots: readonly Lot[]): void {
  for (const lot of lots) {
    while (wallet.n.length > 0 && lot.remaining > lot.held) {
      const [seq, owed] = wallet.n[0] as Debt
      const paid = Math.min(owed, lot.remaining - lot.held)
      lot.remaining -= paid
      const before = d.uses.find((use) => use.seq === seq && use.lotSeq === lot.seq)
      if (before) before.points += paid
      else d.uses.push({ seq, lotSeq: lot.seq, points: paid })
      wallet.n = paid === owed ? wallet.n.slice(1) : [[seq, owed - paid], ...wallet.n.slice(1)]
    }
  }
}

/** What can be spent now: the open lots that are active and not held, whatever jobs have or have not run. */
export function available(lots: readonly Lot[], walletId: number, now: Instant): number {
  let sum = 0
  for (const lot of lots) if (lot.walletId === walletId && isActive(lot, now)) sum += lot.remaining - lot.held
  return sum
}

export function isActive(lot: Lot, now: Instant): boolean {
  return !isPending(lot, now) && (lot.expiresAt === null || lot.expiresAt > now)
}

/** Not to be spent yet. What began when it was booked is there at once, also where the clock is a little behind. */
export function isPending(lot: Pick<Lot, 'activatesAt' | 'bookedAt'>, now: Instant): boolean {
  return lot.activatesAt > Math.max(now, lot.bookedAt)
}

/** Past its date, whether or not that is booked yet. */
export function hasEnded(lot: Lot, now: Instant): boolean {
  return lot.expiresAt !== null && lot.expiresAt <= now
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
  const full = outOfRange(walletOf(d.state, walletId), why.kind, points)
  if (full) return full
  const lots = d.lots.filter((lot) => lot.walletId === walletId && isActive(lot, why.now)).sort(burnOrder)
  bookTakes(d, walletId, takeFrom(lots, points), why)
  return undefined
}

/** Lots to take `points` from, in the order given, until they are found or the lots end; never what is held. */
export function takeFrom(lots: readonly Lot[], points: number): { lot: Lot; points: number }[] {
  const takes: { lot: Lot; points: number }[] = []
  let wanted = points
  for (const lot of lots) {
    if (wanted === 0) break
    const taken = Math.min(wanted, lot.remaining - lot.held)
    if (taken > 0) takes.push({ lot, points: taken })
    wanted -= taken
  }
  return takes
}

/**
 * One entry that takes from lots, and which of it came from where; `owed` more than they hold is taken below zero, to be
 * found in what comes later. Nothing when there is nothing to take.
 */
export function bookTakes(
  d: Draft,
  walletId: number,
  takes: readonly { lot: Lot; points: number }[],
  why: Why,
  owed = 0,
): Entry | undefined {
  const points = takes.reduce((sum, take) => sum + take.points, 0) + owed
  if (points === 0) return undefined
  const wallet = walletOf(d.state, walletId)
  wallet.b -= points
  count(wallet, why.kind, points)
  const entry = book(d, wallet, points, why)
  if (owed > 0) wallet.n = [...wallet.n, [entry.seq, owed]]
  for (const take of takes) {
    take.lot.remaining -= take.points
    d.uses.push({ seq: entry.seq, lotSeq: take.lot.seq, points: take.points })
  }
  if (d.known) wallet.o = lowestOpen(d.lots, walletId)
  if (why.kind === 'spend') touch(d, walletId, 'spend', why.now)
  return entry
}

export function lowestOpen(lots: readonly Lot[], walletId: number): number {
  let lowest = 0
  for (const lot of lots) {
    if (lot.walletId === walletId && lot.remaining > 0 && (lowest === 0 || lot.seq < lowest)) lowest = lot.seq
  }
  return lowest
}

export function book(d: Draft, wallet: WalletState, points: number, why: Why, dates?: Dates): Entry {
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
  if (dates) entry.activatesAt = dates.activatesAt
  if (dates && dates.expiresAt !== null) entry.expiresAt = dates.expiresAt
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

/** What an entry does to the member's balance: what every cache must agree with. */
export function signed(entry: Pick<Entry, 'from' | 'to' | 'points'>): number {
  if (entry.to !== ACCOUNTS.member) return -entry.points
  return entry.from === ACCOUNTS.member ? 0 : entry.points
}
