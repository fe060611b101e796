import { z } from 'zod'
import { instant, minor, page, points, programRef, slug, text, UNITS_MAX } from './common.ts'
import { localDate, period, roundUp } from './periods.ts'
import { condition } from './rule-terms.ts'

/** What members can redeem points for. What a redemption does with it is in redemptions.ts. */

export const REWARD_KINDS = [
  'coupon',
  'product',
  'gift_card',
  'physical',
  'experience',
  'donation',
  'conversion',
] as const
export const rewardKind = z.enum(REWARD_KINDS).meta({
  description:
    'coupon: money off or a product free, at a till. product: a product free. gift_card: money to pay with. ' +
    'physical: something to send. experience, donation: as its texts say. conversion: points of another wallet',
})
export type RewardKind = (typeof REWARD_KINDS)[number]

export const rewardStatus = z.enum(['draft', 'active', 'archived'])
export type RewardStatus = z.infer<typeof rewardStatus>

const WALLETS_MAX = 10
const PRICES_MAX = 10
const LISTED_MAX = 200

const cost = z
  .record(slug, points)
  .refine((said) => Object.keys(said).length <= WALLETS_MAX, `expected at most ${WALLETS_MAX} wallets`)
  .meta({ id: 'RewardCost', description: 'Points by the slug of a wallet; all of them are taken together. {}: none' })
export type RewardCost = Readonly<Record<string, number>>

export const rewardPrice = z.union([cost, z.array(cost).min(1).max(PRICES_MAX)]).meta({
  id: 'RewardPrice',
  description: 'One price; or several, of which the first that the member can pay is taken',
})

const seen = z.array(text(200)).min(1).max(LISTED_MAX)

/** Who may redeem it, where and when. */
export const rewardVisibility = z
  .strictObject({
    tiers: z
      .record(slug, z.array(slug).min(1).max(50))
      .optional()
      .meta({ description: 'By the slug of a ladder: the tiers that may redeem it; of each ladder that is named' }),
    stores: seen.optional().meta({ description: 'Only in these stores, as they are named in purchases' }),
    startsAt: instant.optional(),
    endsAt: instant.optional(),
    when: condition
      .optional()
      .meta({ description: 'A condition in CEL over member, local and occurredAt (now)', example: 'member.hasEmail' }),
  })
  .meta({ id: 'RewardVisibility' })
export type RewardVisibility = z.infer<typeof rewardVisibility>

const times = z.int().min(1).max(1_000_000_000)
const calendarPer = z.enum(['day', 'week', 'month', 'year'])
/** By the program's local calendar. perMember: a number is for all time. */
export const rewardStock = z
  .strictObject({
    total: z.int().min(0).max(1_000_000_000).optional(),
    perMember: z.union([times, z.strictObject({ per: calendarPer, times })]).optional(),
    perPeriod: z.strictObject({ per: calendarPer, total: times }).optional(),
  })
  .meta({ id: 'RewardStock', description: 'How often it can be redeemed: in all, by one member, in a period' })
export type RewardStock = z.infer<typeof rewardStock>

export const codeAlphabet = z.enum(['readable', 'digits', 'letters']).meta({
  description: 'readable: digits and letters that cannot be mistaken for one another. letters: without vowels',
})
export type CodeAlphabet = z.infer<typeof codeAlphabet>
/** length: random characters, to which one check character is added. */
export const generatedCode = z
  .strictObject({
    length: z.int().min(10).max(24).optional().meta({ description: 'Random characters; 11 unless told' }),
    prefix: z
      .string()
      .regex(/^[A-Z0-9]{1,12}$/, 'expected at most 12 capitals and digits')
      .optional(),
    alphabet: codeAlphabet.optional(),
  })
  .meta({ id: 'GeneratedCode', description: 'A code is the prefix, random characters and a check character' })
export type GeneratedCode = z.infer<typeof generatedCode>

const codeSource = z
  .union([z.strictObject({ pool: slug }), z.strictObject({ generate: generatedCode })])
  .meta({ id: 'RewardCode', description: 'Each redemption has a code: the next one of a pool, or one made for it' })

/** From when, for how long and how often what was redeemed can be used. */
export const rewardValidity = z
  .strictObject({
    activatesAfter: period.optional().meta({ description: 'Counted from the redemption' }),
    for: period.optional().meta({ description: 'Counted from the redemption; without it and until: it never ends' }),
    roundUp: roundUp.optional(),
    until: localDate.optional().meta({ description: 'To the end of that day; the earlier, where `for` is said too' }),
    uses: times.optional().meta({ description: 'How often the code can be used: once unless told' }),
  })
  .refine(({ roundUp: up, for: long }) => up === undefined || long !== undefined, 'roundUp needs for')
  .meta({ id: 'RewardValidity' })
export type RewardValidity = z.infer<typeof rewardValidity>

const amount = z.int().min(1).max(UNITS_MAX)
export const rewardValue = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({ kind: z.literal('amount'), amount }),
      z.strictObject({ kind: z.literal('percent'), percent: z.int().min(1).max(100), maxAmount: amount.optional() }),
      z.strictObject({ kind: z.literal('product'), sku: text(200), quantity: z.int().min(1).max(1000).optional() }),
      z.strictObject({
        kind: z.literal('dynamic'),
        expression: condition.meta({
          description: 'Minor units in CEL, over paid (by wallet), member, local and occurredAt; rounded down',
          example: 'paid.points * 5',
        }),
        min: minor.optional(),
        max: amount.optional(),
      }),
      z.strictObject({ kind: z.literal('points'), wallet: slug, points }),
    ],
    { error: 'expected amount, percent, product, dynamic or points' },
  )
  .meta({
    id: 'RewardValue',
    description:
      'amount: minor units. percent: of what is bought. product: one unit free unless told. ' +
      'dynamic: an amount that is reckoned when it is redeemed. points: of another wallet (conversion)',
  })
export type RewardValue = z.infer<typeof rewardValue>

const auto = z.strictObject({ wallet: slug, threshold: points }).meta({
  id: 'RewardAuto',
  description: 'Redeemed without being asked for when the wallet holds so many spendable points',
})

const language = z
  .string()
  .regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$/, 'expected a language tag such as en or pt-BR')
const LANGUAGES_MAX = 50
const rewardTexts = z
  .record(
    language,
    z.strictObject({
      name: text(200).optional(),
      description: text(5000).optional(),
      terms: text(10_000).optional(),
    }),
  )
  .refine((said) => Object.keys(said).length <= LANGUAGES_MAX, `expected at most ${LANGUAGES_MAX} languages`)
  .meta({ description: 'By language tag: what members read' })
const images = z
  .array(z.url({ protocol: /^https$/, error: 'expected a URL that begins with https://' }).max(2000))
  .max(20)

/** What decides a redemption. */
const terms = {
  price: rewardPrice,
  money: amount.optional().meta({ description: 'Minor units to be paid beside the points, at your till' }),
  visibility: rewardVisibility.optional(),
  stock: rewardStock.optional(),
  code: codeSource.optional(),
  valid: rewardValidity.optional(),
  value: rewardValue.optional(),
  fulfilment: z
    .boolean()
    .optional()
    .meta({ description: 'It is to be ordered, shipped and delivered; so are physical ones unless told' }),
  auto: auto.optional(),
  stepUp: z.boolean().optional().meta({ description: 'A redemption has to say that it was confirmed' }),
}
/** What members see of it. */
const shown = {
  category: slug.optional().meta({ description: 'Any slug: what rewards are listed under' }),
  images: images.optional(),
  texts: rewardTexts.optional(),
}

/** As it is stored with each version and read by whoever decides: prices as a list, always. */
export const rewardTerms = z.strictObject({ ...terms, price: z.array(cost) })
export type RewardTerms = z.infer<typeof rewardTerms>
export const rewardShown = z.strictObject(shown)
export type RewardShown = z.infer<typeof rewardShown>

export const rewardBody = z
  .strictObject({
    program: programRef,
    slug,
    name: text(200),
    kind: rewardKind,
    status: z.enum(['draft', 'active']).optional().meta({ description: 'active unless told' }),
    ...terms,
    code: codeSource
      .nullable()
      .optional()
      .meta({ description: 'For a coupon, product or gift card one is made unless told; null: none' }),
    ...shown,
  })
  .meta({ id: 'RewardBody' })
export type RewardBody = z.infer<typeof rewardBody>

/** What is left out stays; null takes it away. What changes makes a version more; redemptions keep theirs. */
export const rewardPatch = z
  .strictObject({
    name: text(200).optional(),
    price: rewardPrice.optional(),
    money: terms.money.nullable(),
    visibility: rewardVisibility.nullable().optional(),
    stock: rewardStock.nullable().optional(),
    code: codeSource.nullable().optional(),
    valid: rewardValidity.nullable().optional(),
    value: rewardValue.nullable().optional(),
    fulfilment: z.boolean().optional(),
    auto: auto.nullable().optional(),
    stepUp: z.boolean().optional(),
    category: slug.nullable().optional(),
    images: images.nullable().optional(),
    texts: rewardTexts.nullable().optional(),
  })
  .meta({ id: 'RewardPatch' })
export type RewardPatch = z.infer<typeof rewardPatch>

const said = {
  version: z.int(),
  name: z.string(),
  price: z.array(cost),
  money: minor.nullable(),
  visibility: rewardVisibility.nullable(),
  stock: rewardStock.nullable(),
  code: codeSource.nullable(),
  valid: rewardValidity.nullable(),
  value: rewardValue.nullable(),
  fulfilment: z.boolean(),
  auto: auto.nullable(),
  stepUp: z.boolean(),
  category: z.string().nullable(),
  images: z.array(z.string()),
  texts: rewardTexts,
}
const count = { taken: z.int(), left: z.int() }
/** taken: redemptions that count against the stock, cancelled ones not among them. null: as many as are asked for. */
export const rewardLeft = z.object({
  total: z.object(count).nullable(),
  period: z
    .object({ period: z.string().meta({ description: 'As 2027-03-28, 2027-W12, 2027-03 or 2027' }), ...count })
    .nullable(),
  codes: z.int().nullable().meta({ description: 'Codes left in its pool; null: it takes none from a pool' }),
})
export const rewardAnswer = z
  .object({
    id: z.string(),
    program: z.string(),
    slug: z.string(),
    kind: rewardKind,
    status: rewardStatus,
    ...said,
    left: rewardLeft.optional().meta({ description: 'Where one reward was asked for' }),
    createdAt: instant,
    updatedAt: instant,
    versions: z
      .array(z.object({ ...said, createdAt: instant }))
      .optional()
      .meta({ description: 'Every version, newest first; where one reward was asked for' }),
  })
  .meta({ id: 'Reward', description: 'A reward as its newest version says it' })
export type RewardAnswer = z.infer<typeof rewardAnswer>

export const rewardQuery = z.strictObject({
  ...page,
  program: programRef.optional(),
  status: rewardStatus.optional(),
  category: slug.optional(),
})
