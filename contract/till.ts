import { z } from 'zod'
import { externalId, instant, memberRef, problem, programRef, slug, text } from './common.ts'
import { refundBody } from './holds.ts'
import { walletAnswer } from './points.ts'
import { purchaseBody } from './purchases.ts'
import { returnBody } from './returns.ts'
import { spendBody } from './points.ts'
import { redeemVouchersBody, rollBackBody } from './vouchers.ts'

/** As it was scanned or said: exactly one of them. */
export const identifyBody = z
  .strictObject({
    card: text(100).optional().meta({ description: 'What a card showed, with the digits of a rotating one' }),
    email: text(254).optional(),
    phone: text(40).optional(),
    program: programRef.optional().meta({ description: 'Wallets, tiers and offers of this program only' }),
    store: text(100).optional().meta({ description: 'Of which offers are counted' }),
  })
  .refine(
    ({ card, email, phone }) => [card, email, phone].filter((said) => said !== undefined).length === 1,
    'expected one of card, email and phone',
  )
  .meta({ id: 'IdentifyBody' })
export type IdentifyBody = z.infer<typeof identifyBody>

/** initials: enough to ask "is that you?". offers: how many rewards the member could redeem now, 100 at most. */
export const identifyAnswer = z
  .object({
    member: z.string(),
    externalId: z.string().nullable(),
    initials: z.string().nullable(),
    status: z.enum(['active', 'suspended', 'closed', 'merged']),
    wallets: z.array(walletAnswer),
    tiers: z.array(z.object({ program: z.string(), ladder: z.string(), tier: z.string().nullable() })),
    offers: z.int(),
  })
  .meta({ id: 'Identified', description: 'Who stands at the till' })
export type IdentifyAnswer = z.infer<typeof identifyAnswer>

export const QUEUE_MAX = 500

const ofCheckout = {
  checkout: z
    .string()
    .max(220)
    .regex(/^(chk_|external:)/, 'expected chk_… or external:<the external id it was reserved with>'),
}
const named = { externalId }

/** Of a spend of the member's, or of what points paid of a checkout: which wallet's, where several did. */
const queuedRefund = z
  .strictObject({
    ...refundBody.partial({ spend: true }).shape,
    ...named,
    member: memberRef.optional(),
    checkout: ofCheckout.checkout.optional(),
    wallet: slug.optional(),
  })
  .refine(
    ({ member, spend, checkout, wallet }) =>
      checkout === undefined
        ? member !== undefined && spend !== undefined && wallet === undefined
        : member === undefined && spend === undefined,
    'expected member and spend, or checkout (and wallet, where several paid)',
  )

/** What a till may have done while it was offline. Each has the name that the till gave it. */
export const QUEUED = {
  purchase: purchaseBody,
  return: returnBody,
  refund: queuedRefund,
  spend: z.strictObject({ ...spendBody.shape, ...named, member: memberRef }),
  checkout_commit: z.strictObject({ ...ofCheckout, occurredAt: instant.optional() }),
  checkout_void: z.strictObject(ofCheckout),
  redeem_vouchers: redeemVouchersBody,
  roll_back_vouchers: z.strictObject({
    ...rollBackBody.shape,
    ...named,
    redemption: z.string().max(220),
  }),
} as const
export type QueuedType = keyof typeof QUEUED

/** Each item is looked at by itself, so that a bad one spoils no other. */
export const queueBody = z
  .strictObject({
    items: z
      .array(z.unknown())
      .min(1)
      .max(QUEUE_MAX)
      .meta({
        description:
          `At most ${QUEUE_MAX}, in any order; each has a type (${Object.keys(QUEUED).join(', ')}) and beside it what the ` +
          'operation of that name takes. A spend names its `member`; commit and void their `checkout`; a roll-back its `redemption`; ' +
          'a refund its `member` and `spend`, or the `checkout` that points paid',
      }),
  })
  .meta({ id: 'QueueBody' })
export type QueueBody = z.infer<typeof queueBody>

/** status: as if it had been asked alone. again: nothing was decided yet, such as of a return whose purchase has not come. */
const queued = z.object({ type: z.string().nullable(), status: z.int() })
export const queueAnswer = z
  .object({
    results: z.array(
      z.union([
        z.object({ ...queued.shape, result: z.record(z.string(), z.unknown()) }),
        z.object({ ...queued.shape, error: problem, again: z.boolean() }),
      ]),
    ),
  })
  .meta({ id: 'QueueResults', description: 'In the order of what was sent; each with its own status' })
