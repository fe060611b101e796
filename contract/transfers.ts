import { z } from 'zod'
import { externalId, instant, memberRef, minor, points, pointsOut, programRef, slug, text } from './common.ts'
import { walletAnswer } from './points.ts'

/** `program` may be left out where the space has one. The fee comes on top of `points`. */
export const transferBody = z
  .strictObject({
    to: memberRef,
    program: programRef.optional(),
    wallet: slug,
    points,
    reason: text(500),
    externalId: externalId.optional(),
  })
  .meta({ id: 'TransferBody' })
export type TransferBody = z.infer<typeof transferBody>

/** entries and wallets are the sender's. */
export const transferAnswer = z
  .object({
    id: z.string(),
    from: z.string(),
    to: z.string(),
    program: z.string(),
    wallet: z.string(),
    points: pointsOut,
    fee: minor,
    reason: z.string(),
    externalId: z.string().optional(),
    at: instant,
    entries: z.array(z.string()),
    wallets: z.array(walletAnswer),
  })
  .meta({ id: 'Transfer' })

/** `points` of the wallet `from`, a multiple of what its conversion gives at a time. */
export const conversionBody = z
  .strictObject({
    program: programRef.optional(),
    from: slug,
    to: slug,
    points,
    externalId: externalId.optional(),
  })
  .meta({ id: 'ConversionBody' })
export type ConversionBody = z.infer<typeof conversionBody>

/** points left the wallet `from`, received came into the wallet `to`. */
export const conversionAnswer = z
  .object({
    id: z.string(),
    member: z.string(),
    program: z.string(),
    from: z.string(),
    to: z.string(),
    points: pointsOut,
    received: pointsOut,
    externalId: z.string().optional(),
    at: instant,
    entries: z.array(z.string()),
    wallets: z.array(walletAnswer),
  })
  .meta({ id: 'Conversion' })
