import { z } from 'zod'
import { externalId, instant, minor, page, points, pointsOut, programRef, slug, text, UNITS_MAX } from './common.ts'
import { sourceType } from './sources.ts'

/**
 * One wallet of a member. available = what can be spent now = earned − spent − reversed − expired + adjusted + moved − pending − held;
 * below zero where the wallet's policy lets a return take more than there is. lifetimeSpent is net of refunds; lifetimeMoved: transfers,
 * conversions, merges and fees, net. target, cards: of stamps, how many fill a card, and how many cards are full.
 */
export const walletAnswer = z
  .object({
    program: z.string(),
    wallet: z.string(),
    available: pointsOut,
    pending: minor,
    held: minor,
    lifetimeEarned: minor,
    lifetimeSpent: minor,
    lifetimeReversed: minor,
    lifetimeExpired: minor,
    lifetimeAdjusted: pointsOut,
    lifetimeMoved: pointsOut,
    target: z.int().optional(),
    cards: z.int().optional(),
  })
  .meta({ id: 'Wallet' })
export type WalletAnswer = z.infer<typeof walletAnswer>

export const walletsAnswer = z.object({ data: z.array(walletAnswer) }).meta({ id: 'Wallets' })

const move = { program: programRef.optional(), wallet: slug, reason: text(500) }

/** `program` may be left out where the space has one. */
export const spendBody = z
  .strictObject({ ...move, points, externalId: externalId.optional() })
  .meta({ id: 'SpendBody' })
export type SpendBody = z.infer<typeof spendBody>

export const adjustBody = z
  .strictObject({
    ...move,
    points: z
      .int()
      .min(-UNITS_MAX)
      .max(UNITS_MAX)
      .refine((n) => n !== 0, 'expected a whole number other than 0'),
    code: slug.optional().meta({ description: 'A reason code of your own, such as goodwill' }),
  })
  .meta({ id: 'AdjustBody' })
export type AdjustBody = z.infer<typeof adjustBody>

/** points: what the member's wallet gained (an adjustment up) or lost (a spend; an adjustment down is negative). */
export const movementAnswer = z
  .object({
    id: z.string(),
    member: z.string(),
    program: z.string(),
    wallet: z.string(),
    points: pointsOut,
    reason: z.string(),
    externalId: z.string().optional(),
    status: z.literal('waiting').optional().meta({ description: 'It waits for approval: nothing is booked yet' }),
    code: z.string().optional(),
    at: instant,
    entries: z.array(z.string()),
    wallets: z.array(walletAnswer),
  })
  .meta({ id: 'Movement', description: 'A spend or an adjustment' })

/** A line of the ledger. points: signed as the member sees it; balance: the wallet after it. */
const entry = {
  id: z.string(),
  member: z.string(),
  program: z.string(),
  wallet: z.string(),
  kind: z.string(),
  points: pointsOut,
  balance: pointsOut,
  from: z.string(),
  to: z.string(),
  occurredAt: instant,
  bookedAt: instant,
  reason: z.string().nullable(),
  source: z.object({ type: sourceType, id: z.string() }),
  rule: z.object({ id: z.string(), version: z.int() }).nullable(),
  reverses: z.string().nullable(),
  lot: z.object({ activatesAt: instant.nullable(), expiresAt: instant.nullable(), remaining: minor }).nullable(),
}
export const entryAnswer = z.object(entry).meta({ id: 'Entry' })
export type EntryAnswer = z.infer<typeof entryAnswer>

/** An entry with its story: what it took from which lots, what took from its lot, what corrected it. */
export const entryStory = z
  .object({
    ...entry,
    source: z.object({
      type: entry.source.shape.type,
      id: z.string(),
      externalId: z.string().nullable(),
      occurredAt: instant.nullable(),
    }),
    rule: z
      .object({
        id: z.string(),
        version: z.int(),
        name: z.string(),
        kind: z.string(),
        args: z.record(z.string(), z.unknown()),
      })
      .nullable(),
    took: z.array(z.object({ lot: z.string(), points: pointsOut })),
    takenBy: z.array(z.object({ entry: z.string(), points: pointsOut })),
    reversedBy: z.array(z.object({ entry: z.string(), points: pointsOut })),
    hash: z.string(),
  })
  .meta({ id: 'EntryStory' })
export type EntryStory = z.infer<typeof entryStory>

export const entriesQuery = z.strictObject({ ...page, program: programRef.optional(), wallet: slug.optional() })
