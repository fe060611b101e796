import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Kind } from './accounts.ts'
import type { WalletState } from './wallets.rules.ts'

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
  /** the purchase, adjustment … that gave the points, also when they went on under other dates since */
  source: Uuid
  points: number
  remaining: number
  /** of what remains: set aside in open holds */
  held: number
  /** FAR or beyond: until an event comes; such a lot's expiresAt is the day by which it is cancelled */
  activatesAt: Instant
  /** null: never, or by inactivity (`slides`), and then the deadline as it stands */
  expiresAt: Instant | null
  slides: boolean
  bookedAt: Instant
  occurredAt: Instant
  ruleVersionId: number | null
}
export type LotUse = { seq: number; lotSeq: number; points: number }

/** When a lot can be spent from, and until when. */
export type Dates = { activatesAt: Instant; expiresAt: Instant | null }

/** Points set aside until a deadline; `parts` a wallet, each with the lots it holds as [seq, points]. */
export type Hold = {
  member: Uuid
  id: Uuid
  programId: number
  status: HoldStatus
  deadline: Instant
  placedAt: Instant
  settledAt: Instant | null
  digest: Uuid
  reason: string
  externalId: string | null
  parts: HoldPart[]
  /** what was taken a part, once it was captured, and by which entry (0: nothing) */
  captured: Captured[] | null
}
export type Captured = [points: number, seq: number]
export type HoldPart = { w: number; p: number; l: [seq: number, points: number][] }
export const HOLD_STATUS = { open: 1, captured: 2, released: 3, lapsed: 4 } as const
export type HoldStatus = (typeof HOLD_STATUS)[keyof typeof HOLD_STATUS]

/** The guard row of all that a member owns. */
export type MemberState = {
  member: Uuid
  /** 1 active, 2 suspended, 3 closed, 4 merged into another */
  status: number
  version: number
  entrySeq: number
  eventSeq: number
  chain: string
  wallets: WalletState[]
  /** when time next changes something, never later than it does; 0: never */
  dueAt: Instant
  /** up to when time's changes are booked and told; 0: none yet */
  told: Instant
  /** whom this member lives on as */
  mergedInto: Uuid | null
}

/** What a wallet's settings say of time and debts. */
export type WalletTerms = {
  /** Where points expire by inactivity: from the last activity to the deadline. */
  slideEnd?: ((lastActivity: Instant) => Instant) | undefined
  /** the activities that move it: earn, spend, and types of activity */
  slidesOn?: ReadonlySet<string> | undefined
  /** how long before they expire it is told, in microseconds; 0: it is not told */
  notice: number
  /** how far below zero a return may take the balance */
  floor: number
}
export type TermsOf = (walletId: number) => WalletTerms
export const NO_TERMS: WalletTerms = { notice: 0, floor: 0 }

/** A member's open lots and open holds, all of them. */
export type Held = { lots: readonly Lot[]; holds: readonly Hold[] }

/** A member's books while one ask is decided: a copy, which the list keeps only when the ask is not refused. */
export type Draft = {
  state: MemberState
  terms: TermsOf
  /** whether `lots` and `holds` are all there are; they are only loaded where points are taken or time has passed */
  known: boolean
  /** open lots, in no particular order */
  lots: Lot[]
  holds: Hold[]
  entries: Entry[]
  uses: LotUse[]
  /** holds that were placed or settled */
  changedHolds: Hold[]
  /** a lot was opened whose date to expire has passed already */
  late: boolean
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
