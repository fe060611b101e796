import { z } from 'zod'
import { externalId, instant, minor, page, points, pointsOut, programRef, slug, text } from './common.ts'
import { walletAnswer } from './points.ts'

/** How long points may be set aside: between a minute and a week. */
export const HOLD_MINUTES_DEFAULT = 15
export const HOLD_MINUTES_MAX = 7 * 24 * 60
const WALLETS_MAX = 20

const amount = z.strictObject({ wallet: slug, points })
const amounts = z
  .array(amount)
  .min(1)
  .max(WALLETS_MAX)
  .refine((said) => new Set(said.map(({ wallet }) => wallet)).size === said.length, 'expected each wallet once')

/** `program` may be left out where the space has one. One wallet (`wallet`, `points`) or several (`wallets`). */
export const holdBody = z
  .strictObject({
    program: programRef.optional(),
    wallet: slug.optional(),
    points: points.optional(),
    wallets: amounts.optional(),
    minutes: z
      .int()
      .min(1)
      .max(HOLD_MINUTES_MAX)
      .optional()
      .meta({ description: 'Until it lapses: 1 to 10,080, 15 unless told' }),
    reason: text(500),
    externalId: externalId.optional(),
  })
  .refine(
    ({ wallet, points: one, wallets }) =>
      wallets === undefined ? wallet !== undefined && one !== undefined : wallet === undefined && one === undefined,
    'expected wallet and points, or wallets',
  )
  .meta({ id: 'HoldBody' })
export type HoldBody = z.infer<typeof holdBody>

/** All that is held unless told; `points` of a hold in one wallet. Wallets that are not named are let go. */
export const captureBody = z
  .strictObject({ points: points.optional(), wallets: amounts.optional() })
  .refine((said) => said.points === undefined || said.wallets === undefined, 'expected points or wallets')
  .meta({ id: 'CaptureBody' })
export type CaptureBody = z.infer<typeof captureBody>

export const holdStatus = z.enum(['open', 'captured', 'released', 'lapsed'])
export type HoldStatus = z.infer<typeof holdStatus>

/** captured: what was spent of it, by `entry`; lots: what it holds, or held, in the order in which it is spent. */
const part = z
  .object({
    wallet: z.string(),
    points: pointsOut,
    captured: minor,
    entry: z.string().nullable(),
    lots: z.array(z.object({ entry: z.string(), points: pointsOut })),
  })
  .meta({ id: 'HoldPart' })

const hold = {
  id: z.string(),
  member: z.string(),
  program: z.string(),
  status: holdStatus,
  reason: z.string(),
  externalId: z.string().optional(),
  placedAt: instant,
  deadline: instant,
  settledAt: instant.nullable(),
  parts: z.array(part),
}
export const holdView = z
  .object(hold)
  .meta({ id: 'HoldView', description: 'settledAt: when it was captured, released or lapsed' })
export type HoldView = z.infer<typeof holdView>

export const holdAnswer = z
  .object({ ...hold, wallets: z.array(walletAnswer) })
  .meta({ id: 'Hold', description: "Points set aside until a deadline, and the member's wallets as of now" })

export const holdsQuery = z.strictObject({ ...page, status: holdStatus.optional() })

/** spend: the entry that spent (ent_…), a captured one too, or external:<the external id of the spend>. All that is left unless told. */
export const refundBody = z
  .strictObject({
    spend: z
      .string()
      .max(220)
      .regex(/^(ent_|external:)/, 'expected ent_… or external:<the external id of the spend>')
      .meta({ description: 'The entry that spent (ent_…), or external:<the external id of the spend>' }),
    points: points.optional(),
    reason: text(500),
    externalId: externalId.optional(),
  })
  .meta({ id: 'RefundBody' })
export type RefundBody = z.infer<typeof refundBody>

/** left: what could still be given back of the spend. */
export const refundAnswer = z
  .object({
    id: z.string(),
    member: z.string(),
    program: z.string(),
    wallet: z.string(),
    spend: z.string(),
    points: pointsOut,
    left: minor,
    reason: z.string(),
    externalId: z.string().optional(),
    at: instant,
    entries: z.array(z.string()),
    wallets: z.array(walletAnswer),
  })
  .meta({ id: 'Refund' })
