import type { Instant } from '../../contract/instants.ts'
import type { Pending, LotExpiry, WalletSettings } from '../../contract/wallets.ts'
import { beginOf, endByInactivity, endOfPoints } from './calendar.ts'
import type { Setup } from './driver.ts'
import type { Rule } from './earning.ts'
import type { Random } from './random.ts'

/**
 * What the documentation says, as naively as it can be said: every member has a list of lots and a list of what ever
 * happened to its points, and every number is summed again from these lists each time that it is asked for. There
 * are no jobs, caches, versions or lists here: time passes for everybody at every step. Nothing is shared with the
 * engine but times and names.
 */
export type World = {
  setup: Setup
  now: Instant
  paused: boolean
  wallets: Map<string, WalletSettings>
  members: Map<string, Member>
  purchases: Map<string, Purchase>
  returns: Map<string, { said: object; content: string; points: number }>
  /** purchases that were made without a member, and what came back of them without one */
  guests: Map<string, Guest>
  guestReturns: Map<string, { content: string; points: number }>
  openings: Map<string, string>
  spends: Map<string, Spend>
  holds: Map<string, Hold>
  refunds: Map<string, { said: object; content: string; points: number }>
  transfers: Map<string, { said: object; content: string }>
  rules: Map<string, Rule>
  /** counts lots and purchases, in the order in which they came to be */
  counter: number
}

export type Member = {
  name: string
  status: 'active' | 'suspended' | 'closed'
  lots: Lot[]
  journal: Movement[]
  /** wallet → the last activity that keeps its points from expiring by inactivity */
  seen: Map<string, Instant>
  /** wallet → points that returns took beyond what there was, and that later points pay */
  debts: Map<string, number>
  /** what it transferred */
  sent: { wallet: string; points: number; at: Instant }[]
}

export type Lot = {
  n: number
  wallet: string
  /** the purchase that gave it, or what else made it */
  source: string
  points: number
  /** what of it was not taken yet; `held` of that is set aside in holds */
  left: number
  held: number
  from: Instant
  /** null: never, or by inactivity */
  until: Instant | null
  /** what expired of it, and whether that came again; ends under which it went on; whether it was given up */
  expired: { points: number; again: boolean }[]
  wentOn: (Instant | null)[]
  /** it was let begin before its time */
  begun: boolean
  /** some of it was in a hold once */
  wasHeld: boolean
  /** a refund after its end gave it (or what it went on from) a second life */
  graced: boolean
  cancelled: boolean
}

export type Hold = {
  name: string
  member: Member
  content: string
  deadline: Instant
  status: 'open' | 'captured' | 'released' | 'lapsed'
  parts: { wallet: string; points: number; lots: { lot: Lot; points: number }[] }[]
  captured: number[]
}

export type Spend = {
  said: { member: string; wallet: string; points: number; externalId: string }
  member: Member
  wallet: string
  /** from which lots, less what was given back since */
  lots: { lot: Lot; points: number }[]
}

export type Movement = {
  what: 'earned' | 'spent' | 'reversed' | 'expired' | 'adjusted' | 'moved'
  wallet: string
  points: number
}

export type Line = { line: string; sku: string; category?: string; quantity: number; amount: number }

export type Purchase = {
  n: number
  name: string
  member: Member
  content: string
  occurredAt: Instant
  lines: Line[]
  /** what decided it, and decides it again when something comes back */
  rules: Rule[]
  /** wallet → what it gave at first */
  given: Map<string, number>
  returned: number[]
  /** wallet → what returns took: from which lots, what was let go, and what was taken beyond what there was */
  taken: Map<string, { lots: { lot: Lot; points: number }[]; writtenOff: number; owed: number }>
}

export type Guest = {
  n: number
  name: string
  content: string
  occurredAt: Instant
  recordedAt: Instant
  lines: Line[]
  returned: number[]
  claimed: Purchase | undefined
}

export type Balances = {
  available: number
  pending: number
  held: number
  lifetimeEarned: number
  lifetimeSpent: number
  lifetimeReversed: number
  lifetimeExpired: number
  lifetimeAdjusted: number
  lifetimeMoved: number
}

export function worldOf(setup: Setup, now: Instant): World {
  return {
    setup,
    now,
    paused: false,
    wallets: new Map(setup.wallets.map(({ slug, settings }) => [slug, settings])),
    members: new Map(),
    purchases: new Map(),
    returns: new Map(),
    guests: new Map(),
    guestReturns: new Map(),
    openings: new Map(),
    spends: new Map(),
    holds: new Map(),
    refunds: new Map(),
    transfers: new Map(),
    rules: new Map(),
    counter: 0,
  }
}

export function join(w: World, name: string): Member {
  const member: Member = { name, status: 'active', lots: [], journal: [], seen: new Map(), debts: new Map(), sent: [] }
  w.members.set(name, member)
  return member
}

export const aWallet = (r: Random, w: World): string => r.pick([...w.wallets.keys()])
export const settingsOf = (w: World, wallet: string): WalletSettings => w.wallets.get(wallet) as WalletSettings

export function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const n of numbers) total += n
  return total
}

export function balances(w: World, member: Member, wallet: string): Balances {
  const now = { available: -(member.debts.get(wallet) ?? 0), pending: 0, held: 0 }
  for (const lot of member.lots) {
    if (lot.wallet !== wallet) continue
    now[lot.from <= w.now ? 'available' : 'pending'] += lot.left - lot.held
    now.held += lot.held
  }
  const ever = { earned: 0, spent: 0, reversed: 0, expired: 0, adjusted: 0, moved: 0 }
  for (const { what, wallet: where, points } of member.journal) if (where === wallet) ever[what] += points
  return {
    ...now,
    lifetimeEarned: ever.earned,
    lifetimeSpent: ever.spent,
    lifetimeReversed: ever.reversed,
    lifetimeExpired: ever.expired,
    lifetimeAdjusted: ever.adjusted,
    lifetimeMoved: ever.moved,
  }
}

/** What is left of lots that have not ended, oldest first. */
export function openLots(w: World, member: Member): Pick<Lot, 'wallet' | 'left' | 'from' | 'until'>[] {
  const open = member.lots.filter((lot) => lot.left > 0 && (endOf(w, member, lot) ?? Number.POSITIVE_INFINITY) > w.now)
  return open.map((lot) => ({ wallet: lot.wallet, left: lot.left, from: lot.from, until: endOf(w, member, lot) }))
}

/** From this instant on the lot is no longer there. */
export function endOf(w: World, member: Member, lot: Lot): Instant | null {
  const seen = member.seen.get(lot.wallet)
  if (lot.until !== null || seen === undefined) return lot.until
  return endByInactivity(settingsOf(w, lot.wallet).expiry, seen, w.setup.timezone)
}

/** Holds whose deadline has come lapse, and whatever is over by now expires; what is held stays until it is let go. */
export function passTime(w: World): void {
  for (const hold of w.holds.values()) {
    if (hold.status !== 'open' || hold.deadline > w.now) continue
    hold.status = 'lapsed'
    letGo(hold)
  }
  for (const member of w.members.values()) {
    for (const lot of member.lots) {
      if (lot.left === 0 || !hasEnded(w, member, lot)) continue
      if (lot.held > 0) lot.until = endOf(w, member, lot) // no later activity brings back what a hold keeps past its end
      const over = lot.left - lot.held
      if (over === 0) continue
      member.journal.push({ what: 'expired', wallet: lot.wallet, points: over })
      lot.expired.push({ points: over, again: false })
      lot.left -= over
    }
    forget(w, member)
    for (const wallet of w.wallets.keys())
      payDebts(
        member,
        wallet,
        member.lots.filter((lot) => lot.wallet === wallet),
      )
  }
}

export function hasEnded(w: World, member: Member, lot: Lot): boolean {
  return (endOf(w, member, lot) ?? Number.POSITIVE_INFINITY) <= w.now
}

/** What a hold set aside can be spent again. */
export function letGo(hold: Hold): void {
  for (const { lot, points } of hold.parts.flatMap((part) => part.lots)) lot.held -= points
}

/** What is owed is paid as soon as there is something to pay with: from these lots, in this order. */
export function payDebts(member: Member, wallet: string, lots: readonly Lot[]): void {
  const debt = member.debts.get(wallet) ?? 0
  if (debt > 0) member.debts.set(wallet, take(lots, debt))
}

/** Where all had ended by inactivity, what comes again lives as long as after an activity now. */
export function restart(w: World, member: Member, wallet: string): void {
  if (settingsOf(w, wallet).expiry.kind === 'sliding' && !member.seen.has(wallet)) member.seen.set(wallet, w.now)
}

/** Who was away for so long starts anew: what is given later does not end before the next activity. */
function forget(w: World, member: Member): void {
  for (const [wallet, last] of member.seen) {
    const end = endByInactivity(settingsOf(w, wallet).expiry, last, w.setup.timezone)
    const left = member.lots.some((lot) => lot.wallet === wallet && lot.until === null && lot.left > 0)
    if (end !== null && end <= w.now && !left) member.seen.delete(wallet)
  }
}

/** From when and until when points can be spent that are given for something of then; a rule may say its own. */
export function datesOf(
  w: World,
  wallet: string,
  occurredAt: Instant,
  terms: { pending?: Pending; expiry?: LotExpiry } = {},
): Pick<Lot, 'from' | 'until'> {
  const { pending, expiry } = { ...settingsOf(w, wallet), ...terms }
  return {
    from: beginOf(pending, occurredAt, w.now, w.setup.timezone),
    until: endOfPoints(expiry, pending, occurredAt, w.setup.timezone),
  }
}

type NewLot = Pick<Lot, 'wallet' | 'points' | 'source' | 'from' | 'until'>

/** Gives points in a new lot. What is owed in that wallet is paid from it at once. */
export function give(w: World, member: Member, lot: NewLot, what: Movement['what']): void {
  member.journal.push({ what, wallet: lot.wallet, points: lot.points })
  if (what === 'earned') seen(w, member, lot.wallet, 'earn')
  openLot(w, member, lot)
}

export function openLot(w: World, member: Member, lot: NewLot): Lot {
  const open: Lot = {
    ...lot,
    n: ++w.counter,
    left: lot.points,
    held: 0,
    expired: [],
    wentOn: [],
    begun: false,
    wasHeld: false,
    graced: false,
    cancelled: false,
  }
  member.lots.push(open)
  payDebts(member, lot.wallet, [open])
  return open
}

/** What is left of a lot goes on under other dates, as a lot of its own; what is held stays as it is. */
export function goOn(w: World, member: Member, lot: Lot, from: Instant, until: Instant | null): Lot {
  const points = lot.left - lot.held
  lot.left -= points
  return openLot(w, member, { wallet: lot.wallet, points, source: lot.source, from: Math.max(from, w.now), until })
}

/** An activity that may keep the points of a wallet from expiring. */
export function seen(w: World, member: Member, wallet: string, activity: string): void {
  const { expiry } = settingsOf(w, wallet)
  if (expiry.kind === 'sliding' && (expiry.on ?? ['earn', 'spend']).includes(activity)) member.seen.set(wallet, w.now)
}

/** Soonest expiry, then earliest activation, then the older lot. */
export function burnOrder(w: World, member: Member): (a: Lot, b: Lot) => number {
  return (a, b) => {
    const [ends, other] = [endOf(w, member, a), endOf(w, member, b)]
    if (ends !== other) return ends === null ? 1 : other === null ? -1 : ends - other
    return a.from === b.from ? a.n - b.n : a.from - b.from
  }
}

/** Takes from these lots in this order; gives what it could not find. */
export function take(
  lots: readonly Lot[],
  points: number,
  taken: (lot: Lot, points: number) => void = () => {},
): number {
  let wanted = points
  for (const lot of lots) {
    const n = Math.min(wanted, lot.left - lot.held)
    if (n === 0) continue
    lot.left -= n
    wanted -= n
    taken(lot, n)
  }
  return wanted
}

export const available = (w: World, member: Member, wallet: string): number =>
  sum(spendable(w, member, wallet).map((lot) => lot.left - lot.held))

/** What can be spent, in the order in which it is. */
export function spendable(w: World, member: Member, wallet: string): Lot[] {
  return member.lots
    .filter((lot) => lot.wallet === wallet && lot.left > lot.held && lot.from <= w.now)
    .sort(burnOrder(w, member))
}
