import { z } from 'zod'
import {
  currency,
  externalId,
  free,
  instant,
  memberRef,
  minor,
  page,
  points,
  pointsOut,
  programRef,
  text,
  UNITS_MAX,
} from './common.ts'
import { walletAnswer } from './points.ts'

export const LINES_MAX = 1000
export const BATCH_MAX = 1000

/** amount: the whole line's, in the currency's minor unit. `line` is `1`, `2`, … unless told; unique in a purchase. */
export const lineBody = z
  .strictObject({
    line: text(100).optional(),
    sku: text(100),
    name: text(500).optional(),
    category: text(200).optional(),
    brand: text(200).optional(),
    quantity: z.int().min(1).max(UNITS_MAX),
    amount: minor,
  })
  .meta({ id: 'PurchaseLine' })

const items = z.array(lineBody).min(1).max(LINES_MAX)
const basket = {
  program: programRef,
  occurredAt: instant,
  currency,
  items,
  channel: text(100).optional(),
  store: text(100).optional(),
  metadata: free.optional(),
}

/**
 * occurredAt: from 2000-01-01 to five minutes ahead of our clock. Without `member` the purchase is kept unclaimed: it earns when
 * somebody claims it.
 */
export const purchaseBody = z
  .strictObject({ externalId, member: memberRef.optional(), ...basket })
  .meta({ id: 'PurchaseBody' })
export type PurchaseBody = z.infer<typeof purchaseBody>

/** Each item is looked at by itself, so that a bad one spoils no other. */
export const batchBody = z
  .strictObject({
    purchases: z
      .array(z.unknown())
      .min(1)
      .max(BATCH_MAX)
      .meta({ description: 'At most 1,000 purchases, each as in POST /v1/purchases' }),
  })
  .meta({ id: 'PurchaseBatchBody' })
export type BatchBody = z.infer<typeof batchBody>

export const previewBody = z
  .strictObject({
    ...basket,
    externalId: externalId.optional(),
    member: memberRef
      .optional()
      .meta({ description: 'With a member, what the member is and was given counts: conditions, caps, budgets' }),
    occurredAt: instant.optional().meta({ description: 'Now unless told; may lie ahead' }),
    rules: z
      .array(text(64))
      .max(50)
      .optional()
      .meta({ description: 'Drafts and paused rules (rul_…) that are to be taken for active' }),
  })
  .meta({ id: 'PreviewBody' })
export type PreviewBody = z.infer<typeof previewBody>

export const awardAnswer = z
  .object({ rule: z.string(), version: z.int(), wallet: z.string(), points, why: z.string() })
  .meta({ id: 'Award' })

const lineAnswer = z.object({ ...lineBody.shape, line: z.string() })

/**
 * points: what the rules gave in the wallet `points`. wallets: the member's, after it. An unclaimed purchase has no member, no
 * points and no wallets yet; claimedAt: when one that was unclaimed found its member.
 */
export const purchaseAnswer = z
  .object({
    id: z.string(),
    program: z.string(),
    externalId: z.string(),
    member: z.string().nullable(),
    status: z.enum(['recorded', 'unclaimed']),
    occurredAt: instant,
    recordedAt: instant,
    claimedAt: instant.optional(),
    currency,
    total: minor,
    items: z.array(lineAnswer),
    channel: z.string().optional(),
    store: z.string().optional(),
    metadata: free.optional(),
    points: pointsOut,
    awards: z.array(awardAnswer),
    wallets: z.array(walletAnswer),
    tiers: z.record(z.string(), z.string().nullable()).optional().meta({
      description:
        'What the member holds after it, by the slug of each ladder of the program; when it was just recorded',
    }),
  })
  .meta({ id: 'Purchase' })
export type PurchaseAnswer = z.infer<typeof purchaseAnswer>

/** A purchase read back: units and money taken back so far per line; the wallets are read at /wallets. */
export const purchaseView = z
  .object({
    ...purchaseAnswer.shape,
    wallets: z.array(walletAnswer).optional(),
    returned: z.array(z.object({ line: z.string(), quantity: z.int(), amount: minor })).optional(),
  })
  .meta({ id: 'PurchaseView' })
export type PurchaseView = z.infer<typeof purchaseView>

export const claimBody = z.strictObject({ member: memberRef }).meta({ id: 'ClaimBody' })
export type ClaimBody = z.infer<typeof claimBody>

export const unclaimedQuery = z.strictObject({
  ...page,
  status: z.literal('unclaimed').meta({ description: "The only list of purchases that is not a member's" }),
  program: programRef.optional(),
})

export const ruleStory = z
  .object({
    rule: z.string(),
    name: z.string(),
    version: z.int(),
    fired: z.boolean(),
    points: pointsOut,
    cause: z.string().meta({ description: '`fired`, or a code for why not: may grow', example: 'condition_false' }),
    reason: z.string().meta({ description: 'The cause in a sentence' }),
  })
  .meta({ id: 'RuleStory', description: 'Whether a rule fired, what it gave, and why (not)' })

export const previewAnswer = z
  .object({ points: pointsOut, awards: z.array(awardAnswer), rules: z.array(ruleStory) })
  .meta({ id: 'Preview' })
