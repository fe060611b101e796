import { z } from 'zod'
import { budgetSpent } from './budgets.ts'
import { poolLow } from './code-pools.ts'
import { instant, minor, page, pointsOut } from './common.ts'
import { memberStatus } from './members.ts'
import { rewardKind } from './rewards.ts'
import { sourceType } from './sources.ts'
import { tierWhy } from './tiers.ts'

/**
 * Every type of event and what its `data` holds. Points are positive in earned, spent and reversed; but negative where a further
 * return leaves more standing than the one before it, and so gives back.
 */
const moved = z.object({
  entry: z.string(),
  program: z.string(),
  wallet: z.string(),
  points: pointsOut,
  balance: pointsOut,
  reason: z.string().nullable(),
  source: z.object({ type: sourceType, id: z.string() }),
})
const program = z.object({ program: z.string(), slug: z.string() })
const recorded = z.object({
  purchase: z.string(),
  program: z.string(),
  externalId: z.string(),
  occurredAt: instant,
  currency: z.string(),
  total: minor,
  points: pointsOut,
})
const activity = z.object({
  activity: z.string(),
  program: z.string(),
  type: z.string(),
  externalId: z.string().nullable(),
  occurredAt: instant,
  data: z.record(z.string(), z.unknown()),
  points: pointsOut,
})
/** decision: why it was approved or rejected */
const adjustment = z.object({
  adjustment: z.string(),
  program: z.string(),
  wallet: z.string(),
  points: pointsOut,
  reason: z.string(),
  code: z.string().nullable(),
})
/** expiresAt: of the lot that the entry opened; null where it does not end, or by inactivity */
const ofLot = z.object({ ...moved.shape, expiresAt: instant.nullable() })
/** lot: of which it was */
const gone = z.object({ ...moved.shape, lot: z.string().optional() })
const held = {
  hold: z.string(),
  program: z.string(),
  reason: z.string(),
  externalId: z.string().nullable(),
  deadline: instant,
}
/** In minor units: what the order comes to, and what is left to pay after vouchers, gift cards and points. */
const checkout = z.object({
  checkout: z.string(),
  program: z.string(),
  externalId: z.string(),
  deadline: instant,
  amount: minor,
  toPay: minor,
  points: z.array(z.object({ wallet: z.string(), points: pointsOut, amount: minor })),
})
/** By its id: whoever has its code is the member. */
const card = z.object({ card: z.string() })
/** By the slugs of both. */
const wallet = z.object({ program: z.string(), wallet: z.string() })

const tierLadder = z.object({
  ladder: z.string(),
  program: z.string(),
  slug: z.string(),
  version: z.int(),
  name: z.string(),
})

/** What was redeemed, as it was then; its code is read with the redemption. */
const redeemed = {
  redemption: z.string(),
  program: z.string(),
  reward: z.string(),
  slug: z.string(),
  name: z.string(),
  kind: rewardKind,
  version: z.int(),
  spent: z.record(z.string(), pointsOut),
  validFrom: instant,
  validUntil: instant.nullable(),
  externalId: z.string().nullable(),
}
const stepped = z.object({ ...redeemed, reason: z.string().optional() })

/**
 * Of vouchers: of nobody, since they are shared; `member`: whose order it was. By their ids, without the codes: whoever knows one can use
 * it, and events are read by many. `GET /v1/vouchers/{voucher}` says the code.
 */
const voucher = { program: z.string(), voucher: z.string() }
const onOrder = { program: z.string(), member: z.string().nullable(), session: z.string().nullable() }
const discounts = z.array(z.object({ voucher: z.string(), discount: minor }))

/** from, to: slugs of tiers; null: none. at: when it took effect. until: when it ends if nothing more counts; null: never */
const tierChanged = z.object({
  ladder: z.string(),
  program: z.string(),
  slug: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  at: instant,
  until: instant.nullable(),
  why: tierWhy,
})
/** slug: of the ladder; tier: that is held */
const tierKept = z.object({
  ladder: z.string(),
  program: z.string(),
  slug: z.string(),
  tier: z.string().nullable(),
  until: instant.nullable(),
})

export const EVENTS = {
  /** program: the one that was joined by buying */
  'member.enrolled': z.object({ externalId: z.string().nullable(), program: z.string().optional() }),
  'member.changed': z.object({ externalId: z.string().nullable(), status: memberStatus, fields: z.array(z.string()) }),
  'purchase.recorded': recorded,
  /** beside purchase.recorded, where the purchase was kept without a member before */
  'purchase.claimed': recorded,
  /** kept without a member: of nobody */
  'purchase.unclaimed': z.object({
    purchase: z.string(),
    program: z.string(),
    externalId: z.string(),
    occurredAt: instant,
    currency: z.string(),
    total: minor,
  }),
  'purchase.returned': z.object({
    return: z.string(),
    purchase: z.string().nullable(),
    program: z.string(),
    externalId: z.string(),
    occurredAt: instant,
    points: pointsOut,
  }),
  'activity.recorded': activity,
  /** Moments of life, where a rule answers to them. */
  'member.birthday': activity,
  'member.anniversary': activity,
  'member.profile_completed': activity,
  'member.inactive': activity,
  'points.earned': z.object({ ...moved.shape, rule: z.object({ id: z.string(), version: z.int() }).nullable() }),
  'points.spent': moved,
  'points.reversed': moved,
  'points.adjusted': moved,
  /** can be spent from now on: of the lot that the entry opened, or that went on in it */
  'points.activated': ofLot,
  /** pending points that are given up */
  'points.cancelled': gone,
  'points.expired': gone,
  /** what is left of a lot ends later: it went on in the lot of this entry */
  'points.extended': z.object({ ...ofLot.shape, activatesAt: instant.nullable() }),
  /** what had expired comes again, as a lot of its own */
  'points.reinstated': ofLot,
  /** told once a wallet and end, so many days before as the wallet's settings say */
  'points.will_expire': z.object({ program: z.string(), wallet: z.string(), points: pointsOut, expiresAt: instant }),
  /** spending that was undone: it goes back to the lots that it came from */
  'points.refunded': z.object({ ...moved.shape, spend: z.string() }),
  'points.held': z.object({ ...held, wallets: z.array(z.object({ wallet: z.string(), points: pointsOut })) }),
  /** points that were held are spent: by this entry, a wallet each (null where nothing of it was) */
  'points.captured': z.object({
    ...held,
    wallets: z.array(z.object({ wallet: z.string(), points: pointsOut, entry: z.string().nullable() })),
  }),
  /** lapsed: since its deadline has passed */
  'points.released': z.object({
    ...held,
    wallets: z.array(z.object({ wallet: z.string(), points: pointsOut })),
    lapsed: z.boolean(),
  }),
  /** brought along from another system */
  'points.opened': moved,
  'adjustment.requested': adjustment,
  'adjustment.approved': z.object({ ...adjustment.shape, decision: z.string(), entry: z.string() }),
  'adjustment.rejected': z.object({ ...adjustment.shape, decision: z.string() }),
  /** negative: to another member (or a fee); positive: from one */
  'points.transferred': moved,
  /** negative: out of a wallet; positive: into another */
  'points.converted': moved,
  /** told of both: of the one who lives on (into) and of the other (from) */
  'member.merged': z.object({ merge: z.string(), from: z.string(), into: z.string() }),
  'member.unmerged': z.object({ merge: z.string(), from: z.string(), into: z.string() }),
  'checkout.reserved': checkout,
  /** beside purchase.recorded, and points.captured and voucher.redeemed where it has any */
  'checkout.committed': z.object({ ...checkout.shape, purchase: z.string() }),
  'checkout.voided': checkout,
  'card.issued': card,
  'card.blocked': card,
  /** by: the card that took its place, told beside card.issued */
  'card.replaced': z.object({ card: z.string(), by: z.string() }),
  'voucher.created': z.object(voucher),
  /** fields: those that differ */
  'voucher.changed': z.object({ ...voucher, fields: z.array(z.string()) }),
  'voucher.blocked': z.object({ ...voucher, reason: z.string() }),
  'voucher.unblocked': z.object({ ...voucher, reason: z.string() }),
  'voucher.locked': z.object({ ...onOrder, until: instant, vouchers: discounts }),
  /** before the deadline; that a lock lapsed is not told */
  'voucher.unlocked': z.object({ ...onOrder, vouchers: z.array(z.object({ voucher: z.string() })) }),
  /** total: of the order; discount and gift: what vouchers and gift cards took of it */
  'voucher.redeemed': z.object({
    ...onOrder,
    redemption: z.string(),
    externalId: z.string(),
    total: minor,
    discount: minor,
    gift: minor,
    vouchers: discounts,
  }),
  /** undone: the voucher has its use back */
  'voucher.rolled_back': z.object({
    ...onOrder,
    redemption: z.string(),
    externalId: z.string(),
    amount: minor,
    reason: z.string().nullable(),
    vouchers: z.array(z.object({ voucher: z.string(), amount: minor, undone: z.boolean() })),
  }),
  /** automatic: a threshold redeemed it */
  'reward.redeemed': z.object({ ...redeemed, automatic: z.boolean() }),
  'redemption.ordered': stepped,
  'redemption.shipped': z.object({ ...stepped.shape, tracking: z.string().optional() }),
  'redemption.delivered': stepped,
  /** use: which one it is, from 1; left: how many there are after it */
  'redemption.used': z.object({ ...redeemed, use: z.int(), left: z.int() }),
  'redemption.expired': z.object(redeemed),
  'redemption.cancelled': stepped,
  'program.paused': program,
  'program.resumed': program,
  'wallet.created': wallet,
  /** fields: the settings that differ */
  'wallet.changed': z.object({ ...wallet.shape, fields: z.array(z.string()) }),
  /** of nobody: what all members together were given, in points */
  'budget.spent': budgetSpent,
  'member.tier_joined': tierChanged,
  'member.tier_upgraded': tierChanged,
  'member.tier_downgraded': tierChanged,
  'member.tier_left': tierChanged,
  /** the same tier ends later */
  'member.tier_prolonged': tierKept,
  /** told once for an end, so many days before as the ladder says; to: what would be held then */
  'member.tier_will_downgrade': z.object({ ...tierKept.shape, to: z.string().nullable() }),
  /** in full, as it was told: of nobody */
  'tier_ladder.published': tierLadder,
  'tier_ladder.archived': tierLadder,
  /** of nobody: so few codes of a pool are left as its lowAt says */
  'code_pool.low': poolLow,
  'rule.published': z.object({
    rule: z.string(),
    version: z.int(),
    program: z.string(),
    name: z.string(),
    kind: z.string(),
  }),
} as const
export type EventType = keyof typeof EVENTS

const head = {
  id: z.string(),
  position: z.int().min(1),
  sequence: z.int().min(1).nullable(),
  member: z.string().optional(),
  at: instant,
}

/** position: gap-free over the space, from 1. sequence: gap-free over the member, from 1; null where there is none. */
export const eventAnswer = z
  .discriminatedUnion(
    'type',
    (Object.keys(EVENTS) as EventType[]).map((type) =>
      z.object({ ...head, type: z.literal(type), data: EVENTS[type] }),
    ) as never,
  )
  .meta({ id: 'Event' }) as z.ZodType<Event>
export type Event = {
  [T in EventType]: {
    id: string
    type: T
    position: number
    sequence: number | null
    member?: string
    at: string
    data: z.infer<(typeof EVENTS)[T]>
  }
}[EventType]

/** `next` is always given: ask again with it later and nothing is missed. hasMore: more can be read right now. */
export const eventsAnswer = z
  .object({ data: z.array(eventAnswer), next: z.string(), hasMore: z.boolean() })
  .meta({ id: 'Events' })

export const eventsQuery = z.strictObject({
  ...page,
  after: z
    .string()
    .regex(/^(0|[1-9][0-9]{0,15})$/, 'expected a position')
    .optional()
    .meta({ description: 'A position: events after it. The `next` of the answer before; 0 or nothing to begin' }),
})
