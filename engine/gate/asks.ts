import type { PayAsked } from '@laurel/contract/checkouts'
import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Digits } from '../cards/cards.rules.ts'
import type { MemberRef } from '../members/refs.ts'
import type { Manual } from '../tiers/tiers.ts'
import type { AskedItem, AskedReturn } from '../purchases/purchases.rules.ts'
import type { CancelRedemptionAsk, ExpireAsk, FulfilAsk, RedeemAsk } from './redemption-asks.ts'

/** What is said of a purchase, whoever's it is. */
type Sale = {
  program: string
  externalId: string
  occurredAt: Instant
  currency: string
  items: readonly AskedItem[]
  channel?: string | undefined
  store?: string | undefined
  metadata?: Record<string, unknown> | undefined
}

/**
 * What may be asked of the verbs that change points: the validated wire body, instants parsed. A member is `mem_…` or
 * `external:<externalId>`, a program a slug or `prg_…`, a purchase `pur_…` or `external:<externalId>`.
 */
export type PurchaseAsk = Sale & {
  verb: 'purchase'
  member: string
  /** it was recorded without a member before, and this member claims it */
  claims?: true
}
/** A purchase without a member. */
export type KeepAsk = Sale & { verb: 'keep'; member?: undefined }
/** Without a member, `purchase` is `external:…`: whose it is says whose return it is. */
export type ReturnAsk = {
  verb: 'return'
  program: string
  externalId: string
  member?: string | undefined
  occurredAt: Instant
  purchase?: string | undefined
  items: AskedReturn
}
export type SpendAsk = {
  verb: 'spend'
  member: string
  program?: string | undefined
  wallet: string
  points: number
  reason: string
  externalId?: string | undefined
}
export type AdjustAsk = {
  verb: 'adjust'
  member: string
  program?: string | undefined
  wallet: string
  points: number
  reason: string
  /** the caller's reason code */
  code?: string | undefined
}
/** An adjustment that waits is to be approved or rejected. `member`: whose it is. */
export type DecideAsk = { verb: 'decide'; member: string; adjustment: Uuid; way: 'approve' | 'reject'; reason: string }
/**
 * Points that a member brings along from another system. Without `activatesAt` they begin when they were earned; without
 * `expiresAt` they end as the wallet says.
 */
export type OpenAsk = {
  verb: 'open'
  member: string
  program: string
  wallet: string
  points: number
  earnedAt: Instant
  activatesAt?: Instant | undefined
  expiresAt?: Instant | 'never' | undefined
  externalId: string
}
/** `to`: the receiver, named as a member is. */
export type TransferAsk = {
  verb: 'transfer'
  member: string
  to: string
  program?: string | undefined
  wallet: string
  points: number
  reason: string
  externalId?: string | undefined
}
/** `from`, `to`: wallets. */
export type ConvertAsk = {
  verb: 'convert'
  member: string
  program?: string | undefined
  from: string
  to: string
  points: number
  externalId?: string | undefined
}
/** `from`: the member that is merged into `member`, or was. */
export type MergeAsk = { verb: 'merge'; member: string; from: string; reason: string }
export type UnmergeAsk = { verb: 'unmerge'; member: string; from: string; reason: string }
/** What is held of each wallet, in the order in which they were said. */
export type HoldAsk = {
  verb: 'hold'
  member: string
  program?: string | undefined
  wallets: readonly { wallet: string; points: number }[]
  minutes: number
  reason: string
  externalId?: string | undefined
}
/** Of the member (mem_…) whose hold it is. All that it holds unless told; `points` of a hold in one wallet. */
export type CaptureAsk = {
  verb: 'capture'
  member: string
  hold: Uuid
  points?: number | undefined
  wallets?: readonly { wallet: string; points: number }[] | undefined
}
export type ReleaseAsk = { verb: 'release'; member: string; hold: Uuid }
/** `spend`: ent_… or external:…; all that is left of it unless `points` are told. */
export type RefundAsk = {
  verb: 'refund'
  member: string
  spend: string
  points?: number | undefined
  reason: string
  externalId?: string | undefined
}
/** Of one lot (by the seq of its entry) or of all lots of a purchase, of the member (mem_…) whose they are. */
export type ChangeLotAsk = {
  verb: 'changeLot'
  member: string
  of: { lot: number } | { purchase: Uuid }
  change: 'activate' | 'cancel' | 'extend' | 'reinstate'
  expiresAt?: Instant | undefined
  reason: string
}
/** What time did to a member is to be booked and told: the worker asks it. */
export type TimeAsk = { verb: 'time'; member: string }
/** `type`: a slug; of a moment of life (`moment`, asked by the worker alone) member.…, and `externalId` says which one. */
export type ActivityAsk = {
  verb: 'activity'
  program: string
  type: string
  externalId: string
  member: string
  occurredAt: Instant
  data: Record<string, unknown>
  moment?: true
}
/** `code`: of a card that is there already, such as one that was printed; made unless told. `replaces`: a card of the member. */
export type CardAsk = {
  verb: 'card'
  member: string
  code?: string | undefined
  rotating?: boolean | undefined
  replaces?: string | undefined
  reason?: string | undefined
}
/** Of the member (mem_…) whose card it is. */
export type BlockCardAsk = { verb: 'blockCard'; member: string; card: Uuid; reason: string }
/** Vouchers on an order: `policy` all or none of them, or those that can be used; `sequence` in which they are applied. */
export type VouchersOnOrder = {
  program: string
  member?: string | undefined
  codes: readonly string[]
  order: { currency: string; items: readonly AskedItem[] }
  policy: 'all' | 'partial'
  sequence: 'asked' | 'priority'
}
/** `session`: the checkout, as the caller names it. */
export type LockVouchersAsk = VouchersOnOrder & { verb: 'lockVouchers'; session: string; minutes: number }
export type UnlockVouchersAsk = {
  verb: 'unlockVouchers'
  member?: undefined
  program: string
  session: string
  /** all of them unless told */
  codes?: readonly string[] | undefined
}
export type RedeemVouchersAsk = VouchersOnOrder & {
  verb: 'redeemVouchers'
  session?: string | undefined
  externalId: string
}
/** `redemption`: the key of its external id. `amount` in minor units; all that is left of these codes (or of all) unless told. */
export type RollBackVouchersAsk = {
  verb: 'rollBackVouchers'
  member?: undefined
  redemption: Uuid
  codes?: readonly string[] | undefined
  amount?: number | undefined
  reason?: string | undefined
  externalId?: string | undefined
}
/** `until`: for ever unless told. `program`: where ladders of several have the same slug. */
export type AssignTierAsk = {
  verb: 'assignTier'
  member: string
  program?: string | undefined
  ladder: string
  tier: string
  until?: Instant | undefined
  reason: string
}
export type ReleaseTierAsk = {
  verb: 'releaseTier'
  member: string
  program?: string | undefined
  ladder: string
  reason: string
}
/** An order whose vouchers (codes) and points (a wallet's slug: how many at most) are to be set aside until it is paid. */
export type ReserveAsk = VouchersOnOrder & {
  verb: 'reserve'
  member: string
  externalId: string
  order: {
    currency: string
    items: readonly AskedItem[]
    channel?: string | undefined
    store?: string | undefined
    metadata?: Record<string, unknown> | undefined
  }
  points: Readonly<Record<string, PayAsked>>
  minutes: number
}
/** Of the member (mem_…) whose checkout it is; programId, externalId and codes as it is stored. paidAt: now unless told. */
export type CommitCheckoutAsk = {
  verb: 'commitCheckout'
  member: string
  checkout: Uuid
  programId: number
  externalId: string
  codes: readonly string[]
  paidAt?: Instant | undefined
}
export type VoidCheckoutAsk = Omit<CommitCheckoutAsk, 'verb' | 'paidAt'> & { verb: 'voidCheckout' }
/** Of a checkout that is not known (yet), by the till's own id of it. */
export type VoidUnknownAsk = { verb: 'voidUnknown'; member?: undefined; externalId: string }
export type Ask =
  | ReserveAsk
  | CommitCheckoutAsk
  | VoidCheckoutAsk
  | VoidUnknownAsk
  | AssignTierAsk
  | ReleaseTierAsk
  | LockVouchersAsk
  | UnlockVouchersAsk
  | RedeemVouchersAsk
  | RollBackVouchersAsk
  | OpenAsk
  | PurchaseAsk
  | KeepAsk
  | ReturnAsk
  | ActivityAsk
  | SpendAsk
  | AdjustAsk
  | DecideAsk
  | TimeAsk
  | HoldAsk
  | CaptureAsk
  | ReleaseAsk
  | RefundAsk
  | ChangeLotAsk
  | TransferAsk
  | ConvertAsk
  | MergeAsk
  | CardAsk
  | BlockCardAsk
  | UnmergeAsk
  | RedeemAsk
  | CancelRedemptionAsk
  | FulfilAsk
  | ExpireAsk

/** How an ask came: the caller's idempotency key (hashed, within its operation) and its request's hash, and who asks. */
export type Submit = { idempotency?: { key: Uuid; request: Uuid } | undefined; actor?: Uuid | undefined }

/** Of a member, the tier that somebody assigns on a ladder; null: takes away again. */
export type Assigns = { ladderId: number; manual: Manual | null; reason: string }

/** What is fixed at the door when an ask arrives, so that deciding it again decides the same. */
export type Facts = {
  now: Instant
  /** of the purchase, return, spend or adjustment that it may make */
  id: Uuid
  /** of the member that it may enrol, where it names one by an external id */
  newMember: Uuid | undefined
  actor: Uuid | undefined
  /** whom the ask names, and the key of the name that what it makes will have */
  member: MemberRef | undefined
  /** the second member, of an ask that concerns two */
  other: MemberRef | undefined
  name: Uuid | undefined
  /** of the card that names the member, where one does: judged when it was shown */
  digits?: Digits
  /** of the card that names the second member */
  otherDigits?: Digits
  /** 32 hexadecimal characters of crypto randomness, for verbs that say so: what nobody may guess is made of it */
  chance?: string
}

/** The answer to one ask as it goes on the wire: JSON of the answer, or of the problem when status >= 400. */
export type Outcome = { status: number; body: string; replayed: boolean }
