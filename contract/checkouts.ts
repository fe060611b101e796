import { z } from 'zod'
import {
  currency,
  externalId,
  free,
  instant,
  memberRef,
  minor,
  points,
  pointsOut,
  programRef,
  slug,
  text,
} from './common.ts'
import { walletAnswer } from './points.ts'
import { lineBody, LINES_MAX } from './purchases.ts'
import { LOCK_MINUTES_DEFAULT, LOCK_MINUTES_MAX, voucherCode, VOUCHERS_MAX, voucherVerdict } from './vouchers.ts'

/** How long a checkout sets points and vouchers aside. */
export const CHECKOUT_MINUTES_DEFAULT = LOCK_MINUTES_DEFAULT
const WALLETS_MAX = 20

const payAsked = points.or(z.literal('max'))
export type PayAsked = z.infer<typeof payAsked>

const pay = z
  .record(slug, payAsked)
  .refine((said) => Object.keys(said).length <= WALLETS_MAX, `expected at most ${WALLETS_MAX} wallets`)
  .meta({ description: 'By wallet: how many points may pay at most, or `max`; in the order in which they are said' })

const order = z
  .strictObject({
    currency,
    items: z.array(lineBody).min(1).max(LINES_MAX),
    channel: text(100).optional(),
    store: text(100).optional(),
    metadata: free.optional(),
  })
  .meta({ id: 'CheckoutOrder' })

const asked = {
  program: programRef,
  order,
  vouchers: z
    .array(voucherCode)
    .max(VOUCHERS_MAX)
    .optional()
    .meta({ description: `At most ${VOUCHERS_MAX} codes` }),
  policy: z
    .enum(['all', 'partial'])
    .optional()
    .meta({ description: 'all (unless told): all vouchers or none. partial: those that can be used' }),
  sequence: z
    .enum(['asked', 'priority'])
    .optional()
    .meta({ description: 'In which order vouchers are applied: as asked (unless told), or by priority, lower first' }),
  points: pay.optional(),
}

export const checkoutPreviewBody = z
  .strictObject({ ...asked, member: memberRef.optional() })
  .meta({ id: 'CheckoutPreviewBody' })
export type CheckoutPreviewBody = z.infer<typeof checkoutPreviewBody>

export const checkoutBody = z
  .strictObject({
    ...asked,
    member: memberRef,
    minutes: z
      .int()
      .min(1)
      .max(LOCK_MINUTES_MAX)
      .optional()
      .meta({ description: `Until it lapses: 1 to ${LOCK_MINUTES_MAX}, ${CHECKOUT_MINUTES_DEFAULT} unless told` }),
    externalId: externalId.meta({ description: 'Of the order: the purchase will have it' }),
  })
  .meta({ id: 'CheckoutBody' })
export type CheckoutBody = z.infer<typeof checkoutBody>

export const commitBody = z
  .strictObject({ occurredAt: instant.optional().meta({ description: 'When it was paid: now unless told' }) })
  .meta({ id: 'CheckoutCommitBody' })
export type CommitBody = z.infer<typeof commitBody>

/** In minor units. discount: by vouchers; gift: by gift cards; points: what points pay; toPay: what is left. */
const sums = { amount: minor, discount: minor, gift: minor, points: minor, toPay: minor }
const line = z.object({ line: z.string(), sku: z.string(), ...sums }).meta({ id: 'CheckoutLine' })
const paid = z.object({ wallet: z.string(), points: pointsOut, amount: minor }).meta({ id: 'PaidWithPoints' })
const earned = z.array(z.object({ wallet: z.string(), points: pointsOut }))

const quote = {
  program: z.string(),
  currency,
  vouchers: z.array(voucherVerdict),
  points: z.array(paid),
  lines: z.array(line),
  totals: z.object(sums).meta({ id: 'CheckoutTotals' }),
}

/** valid: reserving it so would succeed right now. earns: what the rules would give for what is left to pay. */
export const checkoutPreview = z
  .object({ valid: z.boolean(), member: z.string().nullable(), ...quote, earns: earned })
  .meta({ id: 'CheckoutPreview' })
export type CheckoutPreview = z.infer<typeof checkoutPreview>

export const checkoutStatus = z.enum(['reserved', 'committed', 'voided', 'lapsed'])

/** hold: of its points. purchase: what became of it, and what that earned. */
export const checkoutView = z
  .object({
    id: z.string(),
    member: z.string(),
    externalId: z.string(),
    status: checkoutStatus,
    reservedAt: instant,
    deadline: instant,
    settledAt: instant.nullable(),
    ...quote,
    hold: z.string().nullable(),
    purchase: z.string().nullable(),
  })
  .meta({ id: 'CheckoutView' })
export type CheckoutView = z.infer<typeof checkoutView>

/** Nothing of that name was known: whatever is reserved under it later sets nothing aside. */
export const voidedBefore = z
  .object({ externalId: z.string(), status: z.literal('voided') })
  .meta({ id: 'VoidedBefore', description: 'A checkout that was voided before it was reserved' })

export const checkoutAnswer = z
  .object({ ...checkoutView.shape, earned: earned.optional(), wallets: z.array(walletAnswer) })
  .meta({ id: 'Checkout', description: "An order that is being paid, and the member's wallets as of now" })
