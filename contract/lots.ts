import { z } from 'zod'
import { instant, minor, page, pointsOut, programRef, slug, text } from './common.ts'
import { walletAnswer } from './points.ts'
import { sourceType } from './sources.ts'

/** pending: not spendable yet; over: its end has passed, and it is held or not booked as expired yet. */
export const lotStatus = z.enum(['pending', 'active', 'over'])

/**
 * Points that were given together, as far as they are left. Of `remaining`, `held` are set aside. activatesAt null: when an event
 * comes, and then expiresAt is the day by which it must. expiresAt null: never. slides: expiresAt moves on with every activity.
 */
export const lotView = z
  .object({
    id: z.string(),
    program: z.string(),
    wallet: z.string(),
    status: lotStatus,
    points: pointsOut,
    remaining: minor,
    held: minor,
    activatesAt: instant.nullable(),
    expiresAt: instant.nullable(),
    slides: z.boolean(),
    occurredAt: instant,
    bookedAt: instant,
    source: z.object({ type: sourceType, id: z.string() }),
    rule: z.object({ id: z.string(), version: z.int() }).nullable(),
  })
  .meta({ id: 'Lot', description: 'Points that were given together, as far as they are left' })
export type LotView = z.infer<typeof lotView>

export const lotsQuery = z.strictObject({
  ...page,
  program: programRef.optional(),
  wallet: slug.optional(),
  status: z.enum(['pending', 'active', 'held', 'over']).optional().meta({ description: 'held: something of it is' }),
})

export const lotReasonBody = z.strictObject({ reason: text(500) }).meta({ id: 'LotReasonBody' })
export type LotReasonBody = z.infer<typeof lotReasonBody>
export const extendBody = z.strictObject({ expiresAt: instant, reason: text(500) }).meta({ id: 'ExtendBody' })
export type ExtendBody = z.infer<typeof extendBody>
/** expiresAt: as points that are given now, unless told. */
export const reinstateBody = z
  .strictObject({ expiresAt: instant.optional(), reason: text(500) })
  .meta({ id: 'ReinstateBody' })
export type ReinstateBody = z.infer<typeof reinstateBody>

/**
 * What became of which lots. points: how many in all; 0 where it was so already. changed: `lot` went on as (or was given up by, or came
 * again as) `entry`, with these dates.
 */
export const lotsChanged = z
  .object({
    change: z.enum(['activate', 'cancel', 'extend', 'reinstate']),
    member: z.string(),
    reason: z.string(),
    at: instant,
    points: minor,
    changed: z.array(
      z.object({
        lot: z.string(),
        entry: z.string(),
        wallet: z.string(),
        points: pointsOut,
        activatesAt: instant.nullable(),
        expiresAt: instant.nullable(),
      }),
    ),
    wallets: z.array(walletAnswer),
  })
  .meta({ id: 'LotsChanged' })
export type LotsChanged = z.infer<typeof lotsChanged>
