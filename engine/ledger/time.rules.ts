import { type Instant, isFar } from '@laurel/contract/instants'
import { digestOf } from '../base/keys.ts'
import { type Draft, type Hold, HOLD_STATUS, type Lot, type MemberState, type TermsOf } from './books.ts'
import { bookTakes, hasEnded, isPending, lookAt, recover, sliding } from './ledger.rules.ts'
import type { WalletState } from './wallets.rules.ts'
import { makeGood } from './written-off.rules.ts'

/** What time did to a member's books, to be told as an event of this type. */
export type Told = { type: string; data: Record<string, unknown> }

/** Whether time has changed something since the books were last written: then lots and holds must be known to go on. */
export function hasPassed(state: MemberState, terms: TermsOf, now: Instant): boolean {
  for (const w of state.wallets) {
    if (w.u > 0 && w.u <= now) return true
    if (w.t > 0 && hasSlidOut(w, terms, now)) return true
  }
  return false
}

export function hasSlidOut(wallet: WalletState, terms: TermsOf, now: Instant): boolean {
  const end = wallet.t > 0 ? terms(wallet.w).slideEnd?.(wallet.t) : undefined
  return end !== undefined && end <= now
}

/**
 * Books and tells what time did up to now, once: holds lapse, pending lots become active or are cancelled, lots expire, and
 * those that will expire soon are told of. However late it comes, points past their date were never spendable: whoever decides
 * about a member's points brings the books up to date first.
 */
export function passTime(d: Draft, now: Instant): Told[] {
  const told = [...lapse(d, now), ...activate(d, now), ...expire(d, now), ...announce(d, now)]
  for (const wallet of d.state.wallets) {
    const own = d.lots.filter((lot) => lot.walletId === wallet.w)
    if (wallet.n.length > 0) recover(d, wallet, own)
    if (hasSlidOut(wallet, d.terms, now)) beginAnew(wallet, own)
  }
  d.state.told = Math.max(d.state.told, now)
  refresh(d, now)
  d.state.dueAt = nextLook(d, now)
  return told
}

/** All ended by inactivity: what is still held of it stays over, and what is given later does not end before the next activity. */
function beginAnew(wallet: WalletState, own: readonly Lot[]): void {
  wallet.t = 0
  for (const lot of own) {
    if (!lot.slides) continue
    if (lot.remaining > 0) {
      if (!wallet.z.some(([seq]) => seq === lot.seq)) wallet.z = [...wallet.z, [lot.seq, lot.expiresAt ?? 0]]
      continue
    }
    lot.expiresAt = null
    lot.slides = false
  }
}

/** After a decision: what it opened past its date expires at once, and what is known of time is brought in step. */
export function settleTime(d: Draft, now: Instant): Told[] {
  const late = d.late || (d.known && d.lots.some((lot) => isOver(lot, now)))
  const told = late ? expire(d, now) : []
  if (d.known) {
    refresh(d, now)
    const next = nextLook(d, now)
    if (next > 0) lookAt(d.state, next)
    if (next > 0 && d.state.told === 0) d.state.told = now
  }
  return told
}

function lapse(d: Draft, now: Instant): Told[] {
  const told: Told[] = []
  const over = d.holds.filter((hold) => hold.status === HOLD_STATUS.open && hold.deadline <= now)
  for (const hold of over.sort((a, b) => a.deadline - b.deadline)) {
    hold.status = HOLD_STATUS.lapsed
    hold.settledAt = hold.deadline
    for (const part of hold.parts) for (const [seq, points] of part.l) freeLot(d, seq, points)
    payOwed(d, hold, hold.deadline, now)
    d.changedHolds.push(hold)
    told.push({ type: 'points.released', data: { hold: hold.id } })
  }
  return told
}

/** What came free of a hold then makes good what was written off and pays what is owed, as it would have if somebody had looked then. */
export function payOwed(d: Draft, hold: Hold, at: Instant, now: Instant): void {
  const freed = hold.parts.flatMap((part) => part.l.map(([seq]) => seq))
  for (const wallet of d.state.wallets) {
    if (wallet.n.length === 0 && wallet.k.length === 0) continue
    const live = d.lots.filter((lot) => lot.walletId === wallet.w && !hasEnded(lot, at))
    const back = freed.flatMap((seq) => live.find((lot) => lot.seq === seq) ?? [])
    makeGood(d, wallet, back, { at, now }, ([source]) => hold.id < source) // ids of one clock are in order
    recover(d, wallet, live)
  }
}

export function freeLot(d: Draft, seq: number, points: number): void {
  const lot = d.lots.find((l) => l.seq === seq)
  if (!lot) throw new Error(`lot ${seq} is held but is not open`)
  lot.held -= points
}

/** A lot that was pending when it was opened, and became active since time was last told. */
function activate(d: Draft, now: Instant): Told[] {
  return d.lots
    .filter((lot) => beganUntold(d, lot) && lot.activatesAt <= now && lot.remaining > 0)
    .sort((a, b) => a.activatesAt - b.activatesAt || a.seq - b.seq)
    .map((lot) => ({ type: 'points.activated', data: { entry: lot.seq, points: lot.remaining } }))
}

function beganUntold(d: Draft, lot: Lot): boolean {
  return lot.activatesAt > lot.bookedAt && lot.activatesAt > d.state.told
}

function isOver(lot: Lot, now: Instant): boolean {
  return hasEnded(lot, now) && lot.remaining > lot.held
}

/** An entry a lot: what waited for an event in vain is cancelled, the rest expires. What is held stays until it is released. */
function expire(d: Draft, now: Instant): Told[] {
  const over = d.lots
    .filter((lot) => isOver(lot, now))
    .sort((a, b) => (a.expiresAt ?? 0) - (b.expiresAt ?? 0) || a.seq - b.seq)
  d.late = false
  return over.map((lot) => {
    const waited = isFar(lot.activatesAt)
    const source = digestOf(`${d.state.member}|${lot.seq}|${d.state.entrySeq + 1}`)
    const entry = bookTakes(d, lot.walletId, [{ lot, points: lot.remaining - lot.held }], {
      source,
      digest: source,
      kind: waited ? 'cancel' : 'expire',
      occurredAt: lot.expiresAt ?? now,
      now,
    })
    return { type: waited ? 'points.cancelled' : 'points.expired', data: { entry: entry?.seq, lot: lot.seq } }
  })
}

/** When the coming end of a lot is told: so long before it, or right after it was opened. */
function noticeAt(lot: Lot, notice: number): Instant {
  return Math.max((lot.expiresAt ?? 0) - notice, lot.slides ? 0 : lot.bookedAt + 1)
}

/** One notice for all points of a wallet that end at one instant. */
function announce(d: Draft, now: Instant): Told[] {
  const ends = new Map<string, { wallet: number; points: number; expiresAt: Instant }>()
  for (const lot of d.lots) {
    const { notice } = d.terms(lot.walletId)
    if (notice === 0 || lot.expiresAt === null || lot.expiresAt <= now || lot.remaining === 0) continue
    if (isFar(lot.activatesAt)) continue
    const at = noticeAt(lot, notice)
    if (at <= d.state.told || at > now) continue
    const key = `${lot.walletId} ${lot.expiresAt}`
    const end = ends.get(key) ?? { wallet: lot.walletId, points: 0, expiresAt: lot.expiresAt }
    ends.set(key, { ...end, points: end.points + lot.remaining })
  }
  return [...ends.values()]
    .sort((a, b) => a.expiresAt - b.expiresAt || a.wallet - b.wallet)
    .map((data) => ({ type: 'points.will_expire', data }))
}

/** Pending, held and until when that is true, of wallets whose lots and holds are all known. */
export function refresh(d: Draft, now: Instant): void {
  for (const wallet of d.state.wallets) {
    wallet.p = 0
    wallet.h = 0
    wallet.u = 0
    if (wallet.z.length > 0) letOver(d, wallet)
  }
  const by = new Map(d.state.wallets.map((wallet) => [wallet.w, wallet]))
  const until = (wallet: WalletState, at: Instant): void => {
    if (at > now && !isFar(at)) wallet.u = wallet.u === 0 ? at : Math.min(wallet.u, at)
  }
  for (const lot of d.lots) {
    const wallet = by.get(lot.walletId)
    if (!wallet || lot.remaining === 0) continue
    if (isPending(lot, now)) {
      wallet.p += lot.remaining
      until(wallet, lot.activatesAt)
    }
    if (lot.expiresAt !== null && !lot.slides) until(wallet, lot.expiresAt)
  }
  for (const hold of d.holds) {
    if (hold.status !== HOLD_STATUS.open) continue
    for (const part of hold.parts) {
      const wallet = by.get(part.w)
      if (!wallet) continue
      wallet.h += part.p
      until(wallet, hold.deadline)
    }
  }
}

/** What was held past its end and is gone is over no more: what comes back to such a lot lives as in any other. */
function letOver(d: Draft, wallet: WalletState): void {
  const left = (seq: number) => d.lots.some((lot) => lot.seq === seq && lot.remaining > 0)
  const gone = wallet.z.filter(([seq]) => !left(seq)).map(([seq]) => seq)
  wallet.z = wallet.z.filter(([seq]) => left(seq))
  for (const lot of d.lots) if (gone.includes(lot.seq)) sliding(d.state, lot, d.terms)
}

/** When time next changes something or has something to tell; 0: never. */
function nextLook(d: Draft, now: Instant): Instant {
  let next = Number.POSITIVE_INFINITY
  const at = (instant: Instant): void => {
    if (instant > now && !isFar(instant) && instant < next) next = instant
  }
  for (const lot of d.lots) {
    if (lot.remaining === 0) continue
    at(lot.activatesAt)
    if (beganUntold(d, lot) && lot.activatesAt <= now) next = Math.min(next, lot.activatesAt) // given back since
    if (lot.expiresAt === null) continue
    at(lot.expiresAt)
    const { notice } = d.terms(lot.walletId)
    if (notice > 0) at(noticeAt(lot, notice))
  }
  for (const hold of d.holds) if (hold.status === HOLD_STATUS.open) at(hold.deadline)
  return Number.isFinite(next) ? next : 0
}

/**
 * A wallet as time has made it, for readers: available, pending and held now; not booked yet: `over`, what is past its date, and `back`,
 * what waited for an event in vain, or made good what returns had written off.
 */
export type Standing = { available: number; pending: number; held: number; over: number; back: number }

/** From the cache alone: right until `wallet.u`, and where points do not expire by inactivity until the deadline. */
export function standing(wallet: WalletState): Standing {
  return { available: wallet.b - wallet.p - wallet.h, pending: wallet.p, held: wallet.h, over: 0, back: 0 }
}

/** From all of the member's open lots and holds, right whenever it is asked. */
export function standingOf(d: Draft, walletId: number, now: Instant): Standing {
  const { state, lots, holds } = withoutLapsed(d, now)
  const wallet = state.wallets.find((w) => w.w === walletId)
  const balance = wallet?.b ?? 0
  const good = (wallet?.r ?? 0) - (d.state.wallets.find((w) => w.w === walletId)?.r ?? 0)
  let waited = 0
  let pending = 0
  let over = 0
  let held = 0
  for (const hold of holds) {
    if (hold.status !== HOLD_STATUS.open) continue
    for (const part of hold.parts) if (part.w === walletId) held += part.p
  }
  for (const lot of lots) {
    if (lot.walletId !== walletId) continue
    if (hasEnded(lot, now) && isFar(lot.activatesAt)) waited += lot.remaining
    else if (hasEnded(lot, now)) over += lot.remaining - lot.held
    else if (isPending(lot, now)) pending += lot.remaining
  }
  return { available: balance - pending - held - over - waited, pending, held, over, back: good + waited }
}

/** The books as they will be when it is booked that holds lapsed: what came free may have paid what was owed before it ended. */
export function withoutLapsed(d: Draft, now: Instant): Draft {
  if (!d.holds.some((hold) => hold.status === HOLD_STATUS.open && hold.deadline <= now)) return d
  const copy: Draft = {
    ...d,
    state: { ...d.state, wallets: d.state.wallets.map((w) => ({ ...w })) },
    lots: d.lots.map((lot) => ({ ...lot })),
    holds: d.holds.map((hold) => ({ ...hold })),
    entries: [],
    uses: [],
    changedHolds: [],
  }
  lapse(copy, now)
  return copy
}
