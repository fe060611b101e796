import { z } from 'zod'
import { currency, externalId, instant, memberRef, minor, page, programRef, text, UNITS_MAX } from './common.ts'
import { lineBody, LINES_MAX } from './purchases.ts'

/** How many vouchers one order may carry, and how many of them may be of the category `never`. */
export const VOUCHERS_MAX = 30
export const NEVER_MAX = 5
/** For how long a checkout may lock vouchers. */
export const LOCK_MINUTES_DEFAULT = 15
export const LOCK_MINUTES_MAX = 60
const USES_MAX = 1_000_000_000

/** A code as a person types it: capitals, spaces and dashes do not matter. */
export const voucherCode = z
  .string()
  .min(1)
  .max(100)
  .regex(/[A-Za-z0-9]/, 'expected letters or digits')
  .meta({ description: 'As a person types it: capitals, spaces and dashes do not matter' })

const amount = z.int().min(1).max(UNITS_MAX)
const percent = z
  .number()
  .min(0.01)
  .max(100)
  .refine((said) => /^\d+(\.\d{1,2})?$/.test(String(said)), 'expected at most 2 decimals')
  .meta({ description: 'From 0.01 to 100, at most two decimals' })

/**
 * What a voucher takes off: an amount, a percentage (of what is left after the vouchers before it, or of what the lines cost at first),
 * so many units of a product, or what is left on a gift card. Money in minor units.
 */
export const voucherValue = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({ kind: z.literal('amount'), amount }),
      z.strictObject({
        kind: z.literal('percent'),
        percent,
        base: z.enum(['remaining', 'initial']).optional().meta({ description: 'remaining unless told' }),
        maxAmount: amount.optional(),
      }),
      z.strictObject({
        kind: z.literal('product'),
        sku: text(100),
        quantity: z.int().min(1).max(1000).optional().meta({ description: '1 unless told' }),
      }),
      z.strictObject({ kind: z.literal('gift'), balance: amount }),
    ],
    { error: 'expected amount, percent, product or gift' },
  )
  .meta({ id: 'VoucherValue' })
export type VoucherValue = z.infer<typeof voucherValue>

/** With which others a voucher stacks: common with common and always, never with never and always, always with all. */
export const voucherCategory = z.enum(['common', 'never', 'always'])
export type VoucherCategory = z.infer<typeof voucherCategory>

const names = z.array(text(200)).min(1).max(200)
/** Lines that have one of the SKUs, one of the categories or one of the brands. */
export const appliesTo = z
  .strictObject({ skus: names.optional(), categories: names.optional(), brands: names.optional() })
  .refine((said) => Object.keys(said).length > 0, 'expected skus, categories or brands')
  .meta({ id: 'VoucherAppliesTo', description: 'Lines with one of these SKUs, categories or brands' })
export type AppliesTo = z.infer<typeof appliesTo>

const uses = z
  .strictObject({
    total: z.int().min(1).max(USES_MAX).nullable().optional().meta({ description: 'null: no limit' }),
    perMember: z.int().min(1).max(USES_MAX).nullable().optional(),
  })
  .meta({ id: 'VoucherUses', description: 'One use in all unless told; a gift card as many as its balance lasts' })

const priority = z.int().min(0).max(1_000_000).meta({ description: 'Lower goes first; 100 unless told' })
const minAmount = amount.meta({ description: 'What the order must come to at least, before any discount' })

/** Without `code` one is made that people can read out. `uses` absent: one use in all. */
export const voucherBody = z
  .strictObject({
    program: programRef,
    code: voucherCode.optional(),
    prefix: z
      .string()
      .regex(/^[A-Z0-9]{1,10}$/, 'expected 1 to 10 capitals and digits')
      .optional()
      .meta({ description: 'What a code that is made begins with' }),
    value: voucherValue,
    category: voucherCategory.optional().meta({ description: 'common unless told' }),
    priority: priority.optional(),
    uses: uses.optional(),
    minAmount: minAmount.optional(),
    appliesTo: appliesTo.optional(),
    startsAt: instant.optional(),
    endsAt: instant.optional(),
    member: memberRef.optional(),
  })
  .refine(({ code, prefix }) => code === undefined || prefix === undefined, 'expected code or prefix')
  .meta({ id: 'VoucherBody' })
export type VoucherBody = z.infer<typeof voucherBody>

/** What is not said stays; null takes a limit away. What a voucher gives never changes. */
export const voucherPatch = z
  .strictObject({
    category: voucherCategory.optional(),
    priority: priority.optional(),
    uses: uses.optional(),
    minAmount: minAmount.nullable().optional(),
    appliesTo: appliesTo.nullable().optional(),
    startsAt: instant.nullable().optional(),
    endsAt: instant.nullable().optional(),
  })
  .meta({ id: 'VoucherPatch' })
export type VoucherPatch = z.infer<typeof voucherPatch>

export const voucherReasonBody = z.strictObject({ reason: text(500) }).meta({ id: 'VoucherReasonBody' })
export type VoucherReasonBody = z.infer<typeof voucherReasonBody>

/** By its own dates and uses, whoever asks; scheduled: begins later. withdrawn: what it was issued for was cancelled. */
export const voucherStatus = z.enum(['active', 'scheduled', 'used_up', 'expired', 'blocked', 'withdrawn'])
export type VoucherStatus = z.infer<typeof voucherStatus>

/** uses.left, uses.total null: no limit. locked: uses that checkouts have set aside right now. balance: what is left of a gift card. */
export const voucherAnswer = z
  .object({
    id: z.string(),
    program: z.string(),
    code: z.string(),
    status: voucherStatus,
    value: voucherValue,
    category: voucherCategory,
    priority: z.int(),
    uses: z.object({
      total: z.int().nullable(),
      perMember: z.int().nullable(),
      used: z.int(),
      locked: z.int(),
      left: z.int().nullable(),
    }),
    balance: minor.optional(),
    minAmount: minor.nullable(),
    appliesTo: appliesTo.nullable(),
    startsAt: instant.nullable(),
    endsAt: instant.nullable(),
    member: z.string().nullable(),
    source: z.string().nullable(),
    reason: z.string().optional(),
    createdAt: instant,
  })
  .meta({ id: 'Voucher', description: 'A code that takes something off an order' })
export type VoucherAnswer = z.infer<typeof voucherAnswer>

export const vouchersQuery = z.strictObject({
  ...page,
  program: programRef.optional(),
  member: memberRef.optional(),
  code: voucherCode.optional(),
})

// ── at the till ──

export const orderBody = z
  .strictObject({ currency, items: z.array(lineBody).min(1).max(LINES_MAX) })
  .meta({ id: 'VoucherOrder' })
export type OrderBody = z.infer<typeof orderBody>

const codes = z.array(voucherCode).min(1).max(VOUCHERS_MAX)
const asked = {
  program: programRef,
  member: memberRef.optional(),
  codes: codes.meta({ description: `1 to ${VOUCHERS_MAX} codes` }),
  order: orderBody,
  policy: z
    .enum(['all', 'partial'])
    .optional()
    .meta({ description: 'all (unless told): all of them or none. partial: those that can be used' }),
  sequence: z
    .enum(['asked', 'priority'])
    .optional()
    .meta({ description: 'In which order they are applied: as asked (unless told), or by priority, lower first' }),
}
const session = text(100).meta({ description: 'Your own name of the checkout' })

export const validateBody = z
  .strictObject({ ...asked, session: session.optional() })
  .meta({ id: 'VoucherValidateBody' })
export type ValidateBody = z.infer<typeof validateBody>

export const lockBody = z
  .strictObject({
    ...asked,
    session,
    minutes: z
      .int()
      .min(1)
      .max(LOCK_MINUTES_MAX)
      .optional()
      .meta({ description: `Until it lapses: 1 to ${LOCK_MINUTES_MAX}, ${LOCK_MINUTES_DEFAULT} unless told` }),
  })
  .meta({ id: 'VoucherLockBody' })
export type LockBody = z.infer<typeof lockBody>

export const unlockBody = z
  .strictObject({ program: programRef, session, codes: codes.optional().meta({ description: 'All unless told' }) })
  .meta({ id: 'VoucherUnlockBody' })
export type UnlockBody = z.infer<typeof unlockBody>

export const redeemVouchersBody = z
  .strictObject({ ...asked, session: session.optional(), externalId })
  .meta({ id: 'VoucherRedeemBody' })
export type RedeemVouchersBody = z.infer<typeof redeemVouchersBody>

/** All that is left of it unless codes or an amount (minor units) are told: what was applied last goes back first. */
export const rollBackBody = z
  .strictObject({
    codes: codes.optional(),
    amount: amount.optional(),
    reason: text(500).optional(),
    externalId: externalId.optional(),
  })
  .meta({ id: 'VoucherRollBackBody' })
export type RollBackBody = z.infer<typeof rollBackBody>

const lineDiscount = z.object({ line: z.string(), discount: minor })

/** One code, and what it would do; `why` where it can do nothing. */
export const voucherVerdict = z
  .object({
    code: z.string(),
    voucher: z.string().nullable(),
    applicable: z.boolean(),
    why: z.object({ code: z.string(), detail: z.string() }).optional(),
    kind: z.enum(['amount', 'percent', 'product', 'gift']).nullable(),
    discount: minor,
    lines: z.array(lineDiscount),
  })
  .meta({ id: 'VoucherVerdict' })
export type VoucherVerdict = z.infer<typeof voucherVerdict>

/** amount: as it was said; discount and gift: what vouchers and gift cards take of it; toPay: what is left. */
const sums = { amount: minor, discount: minor, gift: minor, toPay: minor }
const quoteLine = z.object({ line: z.string(), sku: z.string(), ...sums }).meta({ id: 'VoucherQuoteLine' })

const quote = {
  program: z.string(),
  member: z.string().nullable(),
  currency,
  policy: z.enum(['all', 'partial']),
  sequence: z.enum(['asked', 'priority']),
  vouchers: z.array(voucherVerdict),
  lines: z.array(quoteLine),
  totals: z.object(sums).meta({ id: 'VoucherTotals' }),
}
/** valid: redeeming it so would succeed right now. */
export const validateAnswer = z.object({ valid: z.boolean(), ...quote }).meta({ id: 'VoucherQuote' })
export type ValidateAnswer = z.infer<typeof validateAnswer>

export const lockAnswer = z.object({ session: z.string(), until: instant, ...quote }).meta({ id: 'VoucherLock' })
export type LockAnswer = z.infer<typeof lockAnswer>

export const unlockAnswer = z
  .object({ session: z.string(), unlocked: z.array(z.string()) })
  .meta({ id: 'VoucherUnlock', description: 'unlocked: the codes that were locked by it' })

/** rolledBack: of the discount, in minor units. undone: the voucher has its use back, since all of the discount went back. */
const redeemedVoucher = z
  .object({
    voucher: z.string(),
    code: z.string(),
    kind: z.enum(['amount', 'percent', 'product', 'gift']),
    discount: minor,
    lines: z.array(lineDiscount),
    rolledBack: minor,
    undone: z.boolean(),
  })
  .meta({ id: 'RedeemedVoucher' })
export const redemptionStatus = z.enum(['redeemed', 'partly_rolled_back', 'rolled_back'])

/** skipped: codes that could not be used, where the policy was partial. */
export const voucherRedemptionAnswer = z
  .object({
    id: z.string(),
    program: z.string(),
    member: z.string().nullable(),
    externalId: z.string(),
    session: z.string().optional(),
    status: redemptionStatus,
    redeemedAt: instant,
    currency,
    vouchers: z.array(redeemedVoucher),
    skipped: z.array(z.object({ code: z.string(), why: z.object({ code: z.string(), detail: z.string() }) })),
    lines: z.array(quoteLine),
    totals: z.object(sums),
    rollBacks: z.array(
      z.object({
        at: instant,
        amount: minor,
        vouchers: z.array(z.object({ code: z.string(), amount: minor })),
        externalId: z.string().optional(),
        reason: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'VoucherRedemption', description: 'Vouchers that were redeemed together on one order' })
export type VoucherRedemptionAnswer = z.infer<typeof voucherRedemptionAnswer>
