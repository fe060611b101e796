import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import type { RedemptionStatus } from '@laurel/contract/redemptions'
import type { RewardValue } from '@laurel/contract/rewards'
import { digestOf } from '../base/keys.ts'

/** A reward that a member redeemed. Its member is who redeemed it, also when merged into another since. */
export type Redemption = {
  member: Uuid
  id: Uuid
  programId: number
  rewardId: number
  /** of the reward */
  version: number
  status: Status
  /** of what was said and what came of it at once: its entries carry it */
  digest: Uuid
  issuedAt: Instant
  validFrom: Instant
  /** half-open; null: never */
  validUntil: Instant | null
  /** how often it can be used, and was */
  uses: number
  used: number
  code: string | null
  /** the pool that the code is of */
  poolId: number | null
  externalId: string | null
  said: Said
  /** where it goes, as JSON text; null where nothing was said, or it was erased since */
  delivery: string | null
  /** what was taken a wallet, by which entry; of a conversion, what came too */
  spent: Moved[]
  received: Moved | null
  history: Step[]
}
export type Moved = [walletId: number, points: number, seq: number]

/** What was asked, and what of the reward is needed to go on with it. Keys in this order: the digest goes by it. */
export type Said = {
  /** of the reward, as it was then */
  name: string
  /** the place of the price that was paid; `asked`: it was asked for */
  price: number
  asked?: true
  /** minor units to be paid beside the points */
  money?: number
  store?: string
  /** of where it goes (`deliveryDigest`), which can be forgotten while this stays */
  delivery?: Uuid
  value?: RewardValue
  /** it is to be ordered, shipped and delivered, and is never used */
  fulfilment?: true
  /** a threshold redeemed it: what reached it */
  auto?: string
  /** periods of the stock that it was taken from */
  stock?: string[]
  /** a code of a pool: what it is told apart by, where it goes back there when this is cancelled */
  key?: Uuid
  /** what a till knows its code by, as a voucher */
  voucher?: Uuid
}
/** A name and an address are personal: what is chained and compared is a digest of them, bound to this redemption. */
export function deliveryDigest(id: Uuid, delivery: string): Uuid {
  return digestOf(`delivery|${id}|${delivery}`)
}
export type Step = { s: Status; at: Instant; reason?: string; tracking?: string; store?: string }

export const STATUS = { issued: 1, ordered: 2, shipped: 3, delivered: 4, used: 5, expired: 6, cancelled: 7 } as const
export type Status = (typeof STATUS)[keyof typeof STATUS]
export const STATUS_NAMES: readonly RedemptionStatus[] = [
  'issued',
  'issued',
  'ordered',
  'shipped',
  'delivered',
  'used',
  'expired',
  'cancelled',
]

/** What an operator can do with it, and a till. */
export type Way = 'cancel' | 'order' | 'ship' | 'deliver' | 'use'

const LEADS: Record<Way, Status> = {
  cancel: STATUS.cancelled,
  order: STATUS.ordered,
  ship: STATUS.shipped,
  deliver: STATUS.delivered,
  use: STATUS.used,
}
/** From which status each leads on. What was shipped or delivered and came back can be cancelled. */
const FROM: Record<Way, readonly Status[]> = {
  cancel: [STATUS.issued, STATUS.ordered, STATUS.shipped, STATUS.delivered],
  order: [STATUS.issued],
  ship: [STATUS.ordered],
  deliver: [STATUS.shipped],
  use: [STATUS.issued],
}

/** As it is now, however late the job that books its end: from `validUntil` on what was only issued has expired. */
export function statusNow(one: Pick<Redemption, 'status' | 'validUntil'>, now: Instant): Status {
  return isOver(one, now) ? STATUS.expired : one.status
}

export function isOver({ status, validUntil }: Pick<Redemption, 'status' | 'validUntil'>, now: Instant): boolean {
  return status === STATUS.issued && validUntil !== null && validUntil <= now
}

/**
 * One step further, as a copy; the same again is itself, unchanged (but a use is another use). Refuses redemption_not_open: what is over, the wrong order,
 * what cannot be used (yet), and cancelling what was partly used.
 */
export function advance(one: Redemption, way: Way, step: Omit<Step, 's'>): Redemption | Refusal {
  const status = statusNow(one, step.at)
  if (status === LEADS[way] && way !== 'use') return one
  const no = (why: string) => refusal('redemption_not_open', `the redemption ${why}`)
  if (!FROM[way].includes(status)) return no(`is ${STATUS_NAMES[status]}: it cannot be ${PAST[way]}`)
  if (way === 'cancel' && one.used > 0) return no(`was used ${one.used} times: it cannot be cancelled`)
  if (way === 'use' || way === 'cancel') return way === 'use' ? used(one, step, no) : to(one, LEADS[way], step)
  if (!one.said.fulfilment) return no(`is nothing to be sent: it cannot be ${PAST[way]}`)
  return to(one, LEADS[way], step)
}

const PAST: Record<Way, string> = {
  cancel: 'cancelled',
  order: 'ordered',
  ship: 'shipped',
  deliver: 'delivered',
  use: 'used',
}

function used(one: Redemption, step: Omit<Step, 's'>, no: (why: string) => Refusal): Redemption | Refusal {
  if (one.said.fulfilment) return no('is sent, and not used')
  const isAtOnce = one.validFrom <= one.issuedAt // also where the clock is a little behind that of who issued it
  if (!isAtOnce && step.at < one.validFrom) return no('cannot be used yet')
  const more = { ...one, used: one.used + 1 }
  return more.used === one.uses ? to(more, STATUS.used, step) : more
}

/** Its end, booked at the instant of the end, whenever that is. */
export function expire(one: Redemption): Redemption {
  return to(one, STATUS.expired, { at: one.validUntil ?? one.issuedAt })
}

/** It was used up at tills, which is known only when it is looked at. */
export function usedAtTills(one: Redemption, at: Instant): Redemption {
  return to(one, STATUS.used, { at })
}

function to(one: Redemption, s: Status, step: Omit<Step, 's'>): Redemption {
  return { ...one, status: s, history: [...one.history, { s, ...step }] }
}
