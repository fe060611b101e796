import { z } from 'zod'
import { instant, memberRef, page, pointsOut, text } from './common.ts'

/** booked: within the wallet's limit, at once. The others were above it: they wait until another key decides. */
export const adjustmentStatus = z.enum(['booked', 'waiting', 'approved', 'rejected'])
export type AdjustmentStatus = z.infer<typeof adjustmentStatus>

export const adjustmentAnswer = z
  .object({
    id: z.string(),
    status: adjustmentStatus,
    member: z.string(),
    program: z.string(),
    wallet: z.string(),
    points: pointsOut,
    reason: z.string(),
    code: z.string().nullable(),
    requestedAt: instant,
    requestedBy: z.string().nullable().meta({ description: 'The key (key_…) that asked' }),
    decidedAt: instant.nullable(),
    decidedBy: z.string().nullable().meta({ description: 'The key (key_…) that approved or rejected' }),
    decision: z.string().nullable().meta({ description: 'Why it was approved or rejected' }),
    entry: z.string().nullable().meta({ description: 'The entry that it made; null while there is none' }),
  })
  .meta({ id: 'Adjustment', description: 'Points that were added or taken by hand, or are to be' })
export type AdjustmentAnswer = z.infer<typeof adjustmentAnswer>

/** Why it is approved or rejected. */
export const decisionBody = z.strictObject({ reason: text(500) }).meta({ id: 'AdjustmentDecisionBody' })
export type DecisionBody = z.infer<typeof decisionBody>

export const adjustmentsQuery = z.strictObject({
  ...page,
  status: adjustmentStatus.optional(),
  member: memberRef.optional(),
})
