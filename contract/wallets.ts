import { z } from 'zod'
import { instant, points, slug, text, UNITS_MAX } from './common.ts'
import { localDate, monthDay, per, period, roundUp } from './periods.ts'

/** When points begin to be spendable. Until then they are pending: shown, never spendable, first to go in a return. */
export const pending = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({ kind: z.literal('none') }),
      z.strictObject({ kind: z.literal('period'), period, roundUp: roundUp.optional() }),
      z.strictObject({ kind: z.literal('until'), date: localDate }),
      z.strictObject({ kind: z.literal('event'), activity: slug, cancelAfter: period }),
    ],
    { error: 'expected none, period, until or event' },
  )
  .meta({
    id: 'Pending',
    description:
      'none: at once. period: counted from the purchase. until: from the start of that local day. event: when that activity is recorded; cancelled where it is not within cancelAfter',
  })
export type Pending = z.infer<typeof pending>

const fixed = [
  z.strictObject({ kind: z.literal('never') }),
  z.strictObject({ kind: z.literal('rolling'), period, roundUp: roundUp.optional() }),
  z.strictObject({ kind: z.literal('dates'), dates: z.array(monthDay).min(1).max(20) }),
  z.strictObject({ kind: z.literal('on'), date: localDate }),
] as const

/** When a lot ends, of kinds that are known when it is made: what a rule may say. */
export const lotExpiry = z
  .discriminatedUnion('kind', [...fixed], { error: 'expected never, rolling, dates or on' })
  .meta({
    id: 'LotExpiry',
    description:
      'never. rolling: counted from the purchase. dates: at the end of the next of these days. on: at the end of that day',
  })
export type LotExpiry = z.infer<typeof lotExpiry>

/** When points end. */
export const expiry = z
  .discriminatedUnion(
    'kind',
    [
      ...fixed,
      z.strictObject({
        kind: z.literal('sliding'),
        period,
        roundUp: roundUp.optional(),
        on: z.array(slug).min(1).max(50).optional(),
      }),
    ],
    { error: 'expected never, rolling, dates, on or sliding' },
  )
  .meta({
    id: 'Expiry',
    description:
      'never. rolling: counted from the purchase. dates: at the end of the next of these days. on: at the end of that day. sliding: all points of the wallet, counted from the last activity (`on`: earn, spend or the slugs of activities; earn and spend unless told)',
  })
export type Expiry = z.infer<typeof expiry>

/** A limit of what one member is given a period. */
export const cap = z
  .strictObject({
    per,
    points: points.optional(),
    times: z.int().min(1).max(1_000_000).optional(),
    over: z.enum(['clip', 'refuse']).optional(),
  })
  .refine((said) => said.points !== undefined || said.times !== undefined, 'expected points or times')
  .meta({
    id: 'Cap',
    description:
      'At most so many points, or so many times, a member and period; times are purchases or activities that gave something. over: clip (unless told) gives what is left, refuse gives nothing',
  })
export type Cap = z.infer<typeof cap>

const negative = z
  .discriminatedUnion(
    'policy',
    [
      z.strictObject({ policy: z.literal('forbid') }),
      z.strictObject({ policy: z.literal('floor'), floor: points }),
      z.strictObject({ policy: z.literal('allow') }),
    ],
    { error: 'expected forbid, floor or allow' },
  )
  .meta({
    id: 'NegativeBalance',
    description: 'Whether a return may take more than there is: never, down to −floor, or all of it',
  })

const percent = z.int().min(0).max(100)
const transferLimits = {
  min: points.optional(),
  max: points.optional(),
  perDay: points.optional().meta({ description: 'Points a sender may send a local day' }),
  feePercent: percent.optional(),
  feePoints: points.optional(),
}
const transfers = z.strictObject(transferLimits).meta({ id: 'TransferSettings' })
const conversion = z.strictObject({ to: slug, give: points, get: points }).meta({
  id: 'Conversion',
  description: 'give points of this wallet become get points of that one',
})
const conversions = z.array(conversion).max(20)
const pays = z
  .strictObject({
    points,
    amount: z.int().min(1).max(UNITS_MAX).meta({ description: 'In minor units' }),
    maxPercent: z.int().min(1).max(100).optional().meta({ description: 'Of what an order comes to after discounts' }),
    maxAmount: z.int().min(1).max(UNITS_MAX).optional().meta({ description: 'Of an order, in minor units' }),
    minPoints: points.optional(),
  })
  .meta({ id: 'Pays', description: 'points of the wallet pay amount of an order' })
export type Pays = z.infer<typeof pays>
const caps = z.array(cap).max(10)
const noticeDays = z.int().min(1).max(365)

const language = z
  .string()
  .regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$/, 'expected a language tag such as en or pt-BR')
const name = z.strictObject({ one: text(100), other: text(100) }).meta({ id: 'UnitName' })
const LANGUAGES_MAX = 50
const names = z
  .record(language, name)
  .refine((said) => Object.keys(said).length <= LANGUAGES_MAX, `expected at most ${LANGUAGES_MAX} languages`)
const unit = z.enum(['points', 'stamps', 'money']).meta({
  description: "What the wallet's whole numbers count; money: minor units of the program's currency",
})
const target = z.int().min(1).max(1_000_000).meta({ description: 'How many stamps fill a card' })

/** How a wallet behaves. A change concerns what is given from then on, and sliding expiry at once. */
export const walletSettings = z
  .object({
    unit,
    target: target.optional(),
    names: names.meta({ description: 'By language tag: what one is called, and what several are called' }),
    pending,
    expiry,
    expiryNoticeDays: noticeDays.nullable().meta({ description: 'Tell so many days before points end; null: never' }),
    negative,
    refundGrace: period.nullable().meta({ description: 'How long refunded points live whose end has passed' }),
    transfers: transfers.nullable().meta({ description: 'null: members cannot send each other points' }),
    conversions,
    adjustmentLimit: points.nullable().meta({ description: 'Larger adjustments wait for approval; null: none do' }),
    pays: pays.nullable().meta({ description: 'null: points do not pay orders' }),
    caps: caps.meta({ description: 'What all rules together give one member in this wallet' }),
  })
  .meta({ id: 'WalletSettings' })
export type WalletSettings = z.infer<typeof walletSettings>

/** What a wallet does that was told nothing. */
export const DEFAULT_SETTINGS: WalletSettings = {
  unit: 'points',
  names: {},
  pending: { kind: 'none' },
  expiry: { kind: 'never' },
  expiryNoticeDays: null,
  negative: { policy: 'forbid' },
  refundGrace: null,
  transfers: null,
  conversions: [],
  adjustmentLimit: null,
  pays: null,
  caps: [],
}

/** Settings as they are stored: what was never said is as in DEFAULT_SETTINGS. They were checked when they were written. */
export function settingsOf(stored: unknown): WalletSettings {
  return { ...DEFAULT_SETTINGS, ...(stored as Partial<WalletSettings>) }
}

const said = {
  names: names.optional(),
  pending: pending.optional(),
  expiry: expiry.optional(),
  expiryNoticeDays: noticeDays.nullable().optional(),
  negative: negative.optional(),
  refundGrace: period.nullable().optional(),
  transfers: transfers.nullable().optional(),
  conversions: conversions.optional(),
  adjustmentLimit: points.nullable().optional(),
  pays: pays.nullable().optional(),
  caps: caps.optional(),
}

/** unit: points unless told, and never changes. Stamps need a target. */
export const walletBody = z
  .strictObject({ slug, unit: unit.optional(), target: target.optional(), ...said })
  .meta({ id: 'WalletBody' })
export type WalletBody = z.infer<typeof walletBody>

/**
 * Merge patch (RFC 7396): null sets back to what it is unless told. Whatever has a kind or a policy, and lists, are
 * replaced whole; transfers and names are merged, null taking one of them away.
 */
export const walletPatch = z
  .strictObject({
    target: target.optional(),
    names: z.record(language, name.nullable()).nullable().optional(),
    pending: pending.nullable().optional(),
    expiry: expiry.nullable().optional(),
    expiryNoticeDays: noticeDays.nullable().optional(),
    negative: negative.nullable().optional(),
    refundGrace: period.nullable().optional(),
    transfers: z
      .strictObject({
        min: points.nullable().optional(),
        max: points.nullable().optional(),
        perDay: points.nullable().optional(),
        feePercent: percent.nullable().optional(),
        feePoints: points.nullable().optional(),
      })
      .nullable()
      .optional(),
    conversions: conversions.nullable().optional(),
    adjustmentLimit: points.nullable().optional(),
    pays: pays.nullable().optional(),
    caps: caps.nullable().optional(),
  })
  .meta({ id: 'WalletPatch' })
export type WalletPatch = z.infer<typeof walletPatch>

export const walletConfigured = z
  .object({ program: z.string(), slug: z.string(), ...walletSettings.shape, createdAt: instant, updatedAt: instant })
  .meta({ id: 'ProgramWallet', description: "A program's wallet and how it behaves" })
export type WalletConfigured = z.infer<typeof walletConfigured>
