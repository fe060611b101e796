import type { Instant } from '../../contract/instants.ts'
import type { WalletSettings } from '../../contract/wallets.ts'
import type { Checkout } from './checkouts.ts'
import type { Setup } from './driver.ts'
import type { Rooms, Rule } from './earning.ts'
import type { Given } from './limits.ts'
import type { Random } from './random.ts'
import type { Ladder } from './ladders.ts'
import type { Pool, Redemption, Reward } from './rewards.ts'
import type { Climb } from './tiers.ts'
import type { Used, Voucher } from './vouchers.ts'

/**
 * What the documentation says, as naively as it can be said: every member has a list of lots and a list of what ever
 * happened to its points, and every number is summed again from these lists each time that it is asked for. There
 * are no jobs, caches, versions or lists here: time passes for everybody at every step. Nothing is shared with the
 * engine but times and names.
 */
export type World = {
  setup: Setup
  now: Instant
  /** up to when time has done what it does */
  passed: Instant
  paused: boolean
  wallets: Map<string, WalletSettings>
  members: Map<string, Member>
  purchases: Map<string, Purchase>
  returns: Map<string, { said: object; content: string; member: Member; points: number }>
  /** purchases that were made without a member, and what came back of them without one */
  guests: Map<string, Guest>
  guestReturns: Map<string, { content: string; points: number }>
  openings: Map<string, { said: object; content: string; member: Member }>
  spends: Map<string, Spend>
  holds: Map<string, Hold>
  refunds: Map<string, { said: object; content: string; points: number }>
  transfers: Map<string, { said: Sent; from: Member; to: Member }>
  adjustments: Map<string, Adjustment>
  activities: Map<string, { said: object; content: string; member: Member; points: number }>
  merges: Merge[]
  /** by their code, and what was redeemed by its external id */
  vouchers: Map<string, Voucher>
  checkouts: Map<string, Checkout>
  /** names of orders that were voided before anybody reserved them */
  closed: Set<string>
  used: Map<string, Used>
  ladders: Map<string, Ladder>
  rewards: Map<string, Reward>
  redemptions: Map<string, Redemption>
  pools: Map<string, Pool>
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
  /** what returns let go since it was spent or held: what of that comes back is taken */
  letOff: { n: number; wallet: string; points: number }[]
  /** what it transferred */
  sent: { wallet: string; points: number; at: Instant }[]
  /** all that rules ever gave, which limits count */
  given: Given[]
  joined: Instant
  /** by ladder */
  climbs: Map<string, Climb>
  /** whom it lives on as, by every name */
  mergedInto: Member | undefined
}

/** `brought`: wallet and source of the lots that came along. `letOff`: what came along of it. */
/** n: before what came later. owed: either of them owed something then. undoneAt: null while it is not. */
export type Merge = {
  into: Member
  from: Member
  at: Instant
  n: number
  owed: boolean
  undoneAt: Instant | null
  brought: Set<string>
  letOff: Member['letOff']
  /** what came back since may be the other's: who has what then is not played (merges-make-nothing.test.ts does) */
  mixed?: true
}

/** Something came back to who lives on as the member, of whosever purchases, or was taken of it beyond what its purchase gave. */
export function mix({ merges }: Pick<World, 'merges'>, member: Member): void {
  for (const one of merges) if (living(one.into) === living(member)) one.mixed = true
}

export type Sent = { externalId: string; member: string; to: string; wallet: string; points: number }

export type Lot = {
  n: number
  wallet: string
  /** the purchase that gave it, or what else made it */
  source: string
  points: number
  /** what of it was not taken yet; `held` of that is set aside in holds */
  left: number
  held: number
  /** FAR where it waits for an activity; it is given up then, should that not have come by its end */
  from: Instant
  waits?: Waits | undefined
  /** null: never, or by inactivity */
  until: Instant | null
  /** what expired of it, and whether that came again; ends under which it went on; whether it was given up */
  expired: { points: number; again: boolean }[]
  wentOn: (Instant | null)[]
  /** it was let begin before its time */
  begun: boolean
  /** its end, which came while some of it was held: until that is let go */
  over: Instant | null
  /** some of it was in a hold once */
  wasHeld: boolean
  /** a refund after its end gave it (or what it went on from) a second life */
  graced: boolean
  cancelled: boolean
  /** what of it was given up before it began */
  givenUp: number
}

/** For an activity of that type; once it has come, the points end as was said when they were given. */
export type Waits = { activity: string; expiry: WalletSettings['expiry']; occurredAt: Instant }
export const FAR: Instant = Number.POSITIVE_INFINITY

/** By which staff asks. */
export type Key = 'shop' | 'office'
/** booked: at once. Else it waits, or waited, for another key than the one that asked. */
export type Adjustment = {
  name: string
  member: Member
  wallet: string
  points: number
  key: Key
  status: 'booked' | 'waiting' | 'approved' | 'rejected'
}

export type Hold = {
  n: number
  name: string
  member: Member
  content: string
  deadline: Instant
  status: 'open' | 'captured' | 'released' | 'lapsed'
  parts: { wallet: string; points: number; lots: { lot: Lot; points: number }[] }[]
  captured: number[]
}

export type Spend = {
  n: number
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
  /** what limits left then */
  rooms: Rooms
  /** wallet → what it gave at first */
  given: Map<string, number>
  returned: number[]
  /** wallet → what returns took: from which lots, what was let go, what was taken beyond what there was, and what had ended unused */
  taken: Map<string, { lots: { lot: Lot; points: number }[]; writtenOff: number; owed: number; gone: number }>
  /** from whom: the member who bought, or who lives on as it */
  takenFrom: Member
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
    passed: now,
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
    adjustments: new Map(),
    activities: new Map(),
    merges: [],
    vouchers: new Map(),
    checkouts: new Map(),
    closed: new Set(),
    used: new Map(),
    ladders: new Map(setup.ladders.map((ladder) => [ladder.slug, ladder])),
    rewards: new Map(),
    redemptions: new Map(),
    pools: new Map(setup.pools.map(({ slug, reusable }) => [slug, { reusable, ever: new Set(), left: [] }])),
    rules: new Map(),
    counter: 0,
  }
}

export function join(w: World, name: string): Member {
  const member: Member = {
    name,
    status: 'active',
    lots: [],
    journal: [],
    seen: new Map(),
    debts: new Map(),
    letOff: [],
    sent: [],
    given: [],
    joined: w.now,
    climbs: new Map(),
    mergedInto: undefined,
  }
  w.members.set(name, member)
  return member
}

/** Whoever was merged into another is that other. */
export const living = (member: Member): Member => (member.mergedInto ? living(member.mergedInto) : member)
/** A member, and all who live on as it by now. */
export const familyOf = (w: World, member: Member): Member[] =>
  [...w.members.values()].filter((one) => living(one) === member)

export function find(w: World, name: string): Member | undefined {
  const member = w.members.get(name)
  return member && living(member)
}

export const aWallet = (r: Random, w: World): string => r.pick([...w.wallets.keys()])
export const settingsOf = (w: World, wallet: string): WalletSettings => w.wallets.get(wallet) as WalletSettings

export function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const n of numbers) total += n
  return total
}
