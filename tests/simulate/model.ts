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
  spends: Map<string, { said: { member: string; wallet: string; points: number; externalId: string } }>
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
}

export type Lot = {
  n: number
  wallet: string
  /** the purchase that gave it, or what else made it */
  source: string
  points: number
  left: number
  from: Instant
  /** null: never, or by inactivity */
  until: Instant | null
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
    spends: new Map(),
    rules: new Map(),
    counter: 0,
  }
}

export function join(w: World, name: string): Member {
  const member: Member = { name, status: 'active', lots: [], journal: [], seen: new Map(), debts: new Map() }
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
    if (lot.wallet === wallet) now[lot.from <= w.now ? 'available' : 'pending'] += lot.left
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

/** What is left of lots, oldest first. */
export function openLots(w: World, member: Member): Pick<Lot, 'wallet' | 'left' | 'from' | 'until'>[] {
  const open = member.lots.filter((lot) => lot.left > 0)
  return open.map((lot) => ({ wallet: lot.wallet, left: lot.left, from: lot.from, until: endOf(w, member, lot) }))
}

/** From this instant on the lot is no longer there. */
export function endOf(w: World, member: Member, lot: Lot): Instant | null {
  const seen = member.seen.get(lot.wallet)
  if (lot.until !== null || seen === undefined) return lot.until
  return endByInactivity(settingsOf(w, lot.wallet).expiry, seen, w.setup.timezone)
}

/** Whatever is over by now expires. */
export function passTime(w: World): void {
  for (const member of w.members.values()) {
    for (const lot of member.lots) {
      if (lot.left === 0) continue
      const end = endOf(w, member, lot)
      if (end === null || end > w.now) continue
      member.journal.push({ what: 'expired', wallet: lot.wallet, points: lot.left })
      lot.left = 0
    }
    forget(w, member)
  }
}

/** Who was away for so long starts anew: what is given later does not end before the next activity. */
function forget(w: World, member: Member): void {
  for (const [wallet, last] of member.seen) {
    const end = endByInactivity(settingsOf(w, wallet).expiry, last, w.setup.timezone)
    if (end !== null && end <= w.now) member.seen.delete(wallet)
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

/** Gives points in a new lot. What is owed in that wallet is paid from it at once. */
export function give(w: World, member: Member, lot: Omit<Lot, 'n' | 'left'>, what: Movement['what'], sign = 1): void {
  member.journal.push({ what, wallet: lot.wallet, points: sign * lot.points })
  if (what === 'earned') seen(w, member, lot.wallet, 'earn')
  const debt = member.debts.get(lot.wallet) ?? 0
  const paid = Math.min(debt, lot.points)
  member.debts.set(lot.wallet, debt - paid)
  member.lots.push({ ...lot, n: ++w.counter, left: lot.points - paid })
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
    const n = Math.min(wanted, lot.left)
    if (n === 0) continue
    lot.left -= n
    wanted -= n
    taken(lot, n)
  }
  return wanted
}

/** What can be spent, in the order in which it is. */
export function spendable(w: World, member: Member, wallet: string): Lot[] {
  return member.lots
    .filter((lot) => lot.wallet === wallet && lot.left > 0 && lot.from <= w.now)
    .sort(burnOrder(w, member))
}
