import { z } from 'zod'
import { externalId, freeChecked, instant, minor, page, pointsOut, programRef, text } from './common.ts'
import { walletAnswer } from './points.ts'
import { rewardKind, rewardValue } from './rewards.ts'

/** How many prices a reward may have: the place of one, from 0. */
const PRICE_MAX = 9

/** A reward as the caller names it. */
const rewardRef = text(64).meta({ description: 'Slug or id (rwd_…) of the reward' })

/** `program` may be left out where the reward is named by its id, or the space has one program. */
export const redemptionBody = z
  .strictObject({
    program: programRef.optional(),
    reward: rewardRef,
    price: z
      .int()
      .min(0)
      .max(PRICE_MAX)
      .optional()
      .meta({ description: 'Which of its prices, from 0; unless told, the first that the member can pay' }),
    confirmed: z
      .literal(true)
      .optional()
      .meta({ description: 'The member has confirmed it, where the reward asks so' }),
    store: text(200).optional(),
    delivery: freeChecked
      .optional()
      .meta({ description: 'Where it is to be sent: your own fields, told again as said' }),
    externalId: externalId.optional(),
  })
  .meta({ id: 'RedemptionBody' })
export type RedemptionBody = z.infer<typeof redemptionBody>

/** Why, told with the redemption. */
export const redemptionReasonBody = z
  .strictObject({ reason: text(500).optional() })
  .meta({ id: 'RedemptionReasonBody' })
export type RedemptionReasonBody = z.infer<typeof redemptionReasonBody>

export const shipBody = z
  .strictObject({
    tracking: text(500).optional().meta({ description: 'The number or address by which the parcel is followed' }),
    reason: text(500).optional(),
  })
  .meta({ id: 'ShipBody' })
export type ShipBody = z.infer<typeof shipBody>

/** externalId: the till's own id of this use. The same again is the same; without it every ask is another use. */
export const useBody = z
  .strictObject({ externalId: externalId.optional(), store: text(200).optional(), reason: text(500).optional() })
  .meta({ id: 'UseBody' })
export type UseBody = z.infer<typeof useBody>

export const redemptionStatus = z.enum(['issued', 'ordered', 'shipped', 'delivered', 'used', 'expired', 'cancelled'])
export type RedemptionStatus = z.infer<typeof redemptionStatus>

const step = z.object({
  status: redemptionStatus,
  at: instant,
  reason: z.string().optional(),
  tracking: z.string().optional(),
  store: z.string().optional(),
})

/**
 * spent: points by wallet, what a cancellation gives back. version: of the reward, that was redeemed. history: what became of it,
 * oldest first. automatic: nobody asked for it, but its reward's threshold.
 */
const redemption = {
  id: z.string(),
  member: z.string(),
  program: z.string(),
  reward: z.string(),
  slug: z.string(),
  name: z.string(),
  kind: rewardKind,
  version: z.int(),
  status: redemptionStatus,
  spent: z.record(z.string(), pointsOut),
  money: minor.optional().meta({ description: 'Minor units that are to be paid beside the points' }),
  received: z
    .object({ wallet: z.string(), points: pointsOut })
    .optional()
    .meta({ description: 'Points of another wallet that came of it' }),
  value: rewardValue
    .optional()
    .meta({ description: 'What it is worth at a till; a dynamic value as the amount it came to' }),
  code: z.string().optional(),
  uses: z.object({ total: z.int(), used: z.int() }),
  validFrom: instant,
  validUntil: instant.nullable(),
  store: z.string().optional(),
  delivery: z.record(z.string(), z.unknown()).optional(),
  automatic: z.boolean(),
  externalId: z.string().optional(),
  issuedAt: instant,
  history: z.array(step),
  entries: z.array(z.string()),
}
export const redemptionView = z.object(redemption).meta({ id: 'RedemptionView' })
export type RedemptionView = z.infer<typeof redemptionView>

export const redemptionAnswer = z
  .object({ ...redemption, wallets: z.array(walletAnswer) })
  .meta({ id: 'Redemption', description: "A reward that was redeemed, and the member's wallets as of now" })

export const redemptionsQuery = z.strictObject({
  ...page,
  program: programRef.optional(),
  status: redemptionStatus.optional(),
})
