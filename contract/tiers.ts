import { z } from 'zod'
import { freeChecked, instant, page, programRef, slug, text, UNITS_MAX } from './common.ts'
import { period, roundUp } from './periods.ts'
import { CONDITION_MAX } from './rule-terms.ts'
import { lotExpiry } from './wallets.ts'

/** What members climb: ladders of tiers, by what of theirs counts and for how long a tier is kept. */

const TIERS_MAX = 50
const PERKS_MAX = 50

/** What counts towards the tiers of a ladder. All of it is net: what comes back counts no more. */
export const tierMetric = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({ kind: z.literal('earned'), wallet: slug }),
      z.strictObject({ kind: z.literal('balance'), wallet: slug }),
      z.strictObject({ kind: z.literal('spend') }),
      z.strictObject({ kind: z.literal('purchases') }),
      z.strictObject({ kind: z.literal('activities'), activity: slug }),
      z.strictObject({
        kind: z.literal('expression'),
        expression: text(CONDITION_MAX).meta({
          description: 'A number in CEL over earned, balance, spend, purchases, activities and daysAsMember',
          example: 'spend / 100 + purchases * 10',
        }),
        wallet: slug.optional().meta({ description: 'What earned and balance are of; points unless told' }),
        activity: slug.optional().meta({ description: 'What activities counts; activities of every type unless told' }),
      }),
    ],
    { error: 'expected earned, balance, spend, purchases, activities or expression' },
  )
  .meta({
    id: 'TierMetric',
    description:
      'earned: points that rules gave, less what was taken back. balance: points that can be spent. spend: minor units, less what came ' +
      'back. purchases: those of which something is left. activities: of one type. expression: a number of all these',
  })
export type TierMetric = z.infer<typeof tierMetric>

/** Whole local days only: progress is counted by the day. */
const dayPeriod = period.refine((said) => !said.startsWith('PT'), 'expected days, weeks, months or years')

export const tierWindow = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({ kind: z.literal('lifetime') }),
      z.strictObject({ kind: z.literal('calendar'), per: z.enum(['month', 'quarter', 'half_year', 'year']) }),
      z.strictObject({ kind: z.literal('rolling'), period: dayPeriod }),
      z.strictObject({ kind: z.literal('join_anniversary') }),
      z.strictObject({ kind: z.literal('tier_anniversary') }),
    ],
    { error: 'expected lifetime, calendar, rolling, join_anniversary or tier_anniversary' },
  )
  .meta({
    id: 'TierWindow',
    description:
      'What is counted, and how long a tier is kept that was reached: until the end of the next window. lifetime: all, for ever. calendar: ' +
      'local months, quarters, half-years or years. rolling: the days up to today; kept for as long again. join_anniversary: years of the ' +
      'membership. tier_anniversary: years from the day after the tier was reached',
  })
export type TierWindow = z.infer<typeof tierWindow>

export const tierGrace = z
  .strictObject({ period, roundUp: roundUp.optional() })
  .meta({ id: 'TierGrace', description: 'How much longer a tier is held that would fall, rounded up where told' })
export type TierGrace = z.infer<typeof tierGrace>

/** A decimal number from 1 to 1000, as text, so that it is exact: at most four decimals. */
export const tierMultiplier = z
  .string()
  .regex(/^(?:[1-9][0-9]{0,2}(?:\.[0-9]{1,4})?|1000(?:\.0{1,4})?)$/, 'expected a number from 1 to 1000 such as "1.5"')
  .meta({ description: 'A decimal number as text, from 1 to 1000, at most four decimals', example: '1.5' })

const language = z
  .string()
  .regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$/, 'expected a language tag such as en or pt-BR')

/** Texts by language. */
export const tierPerk = z
  .record(language, text(500))
  .refine((said) => Object.keys(said).length > 0 && Object.keys(said).length <= 50, 'expected 1 to 50 languages')
  .meta({ id: 'TierPerk', description: 'What the tier brings, in words, by language tag' })

export const tierBenefits = z
  .strictObject({
    multiplier: tierMultiplier.optional(),
    wallets: z
      .array(slug)
      .min(1)
      .max(50)
      .optional()
      .meta({ description: 'The wallets that the multiplier is for; all of the program unless told' }),
    expiry: lotExpiry.optional(),
    perks: z.array(tierPerk).max(PERKS_MAX).optional(),
    data: freeChecked.optional(),
  })
  .meta({
    id: 'TierBenefits',
    description:
      'multiplier: (multiplier − 1) × what rules give for a purchase comes on top, rounded down once a wallet. expiry: of points that are ' +
      'earned in the tier, where their rule says nothing. perks: in words. data: your own fields, such as freeShipping',
  })
export type TierBenefits = z.infer<typeof tierBenefits>

/** threshold: from so much on; 0 is the tier of everyone. */
export const tier = z
  .strictObject({
    slug,
    name: text(200),
    threshold: z.int().min(0).max(UNITS_MAX),
    benefits: tierBenefits.optional(),
  })
  .meta({ id: 'Tier' })
export type Tier = z.infer<typeof tier>

const tiers = z
  .array(tier)
  .min(1)
  .max(TIERS_MAX)
  .refine((said) => new Set(said.map((one) => one.slug)).size === said.length, 'expected each slug once')
  .refine(
    (said) => said.every((one, i) => i === 0 || one.threshold > (said[i - 1] as Tier).threshold),
    'expected thresholds that ascend',
  )

export const tierUpgrade = z.enum(['at_once', 'period_end']).meta({ id: 'TierUpgrade' })
export const tierDowngrade = z.enum(['none', 'one_level', 'reassess']).meta({
  id: 'TierDowngrade',
  description:
    'When a kept tier ends that was not reached again. none: it never ends. one_level: the one below. reassess: what was reached',
})
const noticeDays = z.int().min(1).max(365).nullable()

/** What a ladder says, whole. Unless told: upgrade at_once, downgrade reassess, no grace, no notice. */
const terms = {
  name: text(200),
  metric: tierMetric,
  window: tierWindow,
  upgrade: tierUpgrade.optional(),
  downgrade: tierDowngrade.optional(),
  grace: tierGrace.nullable().optional(),
  noticeDays: noticeDays.optional().meta({ description: 'Tell so many days before a tier would end; null: never' }),
  tiers,
}

export const ladderBody = z
  .strictObject({ program: programRef, slug, ...terms })
  .meta({ id: 'TierLadderBody', description: 'Tiers in ascending order; one of threshold 0 is the tier of everyone' })
export type LadderBody = z.infer<typeof ladderBody>

/** A new version: what is left out stays as in the version before. Slug and program stay. */
export const ladderVersionBody = z
  .strictObject({
    name: terms.name.optional(),
    metric: tierMetric.optional(),
    window: tierWindow.optional(),
    upgrade: terms.upgrade,
    downgrade: terms.downgrade,
    grace: terms.grace,
    noticeDays: terms.noticeDays,
    tiers: tiers.optional(),
    keep: z
      .boolean()
      .optional()
      .meta({
        description:
          'true: nobody falls by this version before the tier that is held would end anyway. false (unless told): everybody is held ' +
          'against it at once',
      }),
  })
  .meta({ id: 'TierLadderVersionBody' })
export type LadderVersionBody = z.infer<typeof ladderVersionBody>

/** What a ladder says, nothing left out: as it is stored and configured. */
export const ladderTerms = z.object({
  name: text(200),
  metric: tierMetric,
  window: tierWindow,
  upgrade: tierUpgrade,
  downgrade: tierDowngrade,
  grace: tierGrace.nullable(),
  noticeDays,
  tiers: z.array(tier),
})
export type LadderTerms = z.infer<typeof ladderTerms>

export const ladderAnswer = z
  .object({
    id: z.string(),
    program: z.string(),
    slug: z.string(),
    status: z.enum(['active', 'archived']),
    version: z.int(),
    ...ladderTerms.shape,
    createdAt: instant,
    updatedAt: instant,
    versions: z
      .array(z.object({ version: z.int(), ...ladderTerms.shape, createdAt: instant }))
      .optional()
      .meta({ description: 'Every version, newest first; where one ladder was asked for' }),
  })
  .meta({ id: 'TierLadder', description: 'A ladder of tiers as its newest version says it' })
export type LadderAnswer = z.infer<typeof ladderAnswer>

export const ladderQuery = z.strictObject({ ...page, program: programRef.optional() })

/** The member holds at least this tier until then; for ever unless told. */
export const assignTierBody = z
  .strictObject({ tier: slug, until: instant.nullable().optional(), reason: text(500) })
  .meta({
    id: 'AssignTierBody',
    description: 'The member holds at least this tier, until then (for ever unless told). What is earned higher stands',
  })
export type AssignTierBody = z.infer<typeof assignTierBody>

export const releaseTierBody = z.strictObject({ reason: text(500) }).meta({ id: 'ReleaseTierBody' })
export type ReleaseTierBody = z.infer<typeof releaseTierBody>

/** Why a tier changed. */
export const tierWhy = z
  .enum([
    'reached',
    'taken_back',
    'period_ended',
    'assigned',
    'assignment_ended',
    'ladder_changed',
    'merged',
    'unmerged',
  ])
  .meta({
    id: 'TierWhy',
    description:
      'reached: by what was done. taken_back: what it rested on came back, was spent or expired. period_ended: a kept period (and its ' +
      'grace). assigned, assignment_ended: by hand. ladder_changed: a new version of the ladder. merged, unmerged: with another member',
  })
export type TierWhy = z.infer<typeof tierWhy>

/**
 * from, to: null where there is none. at: when it took effect; bookedAt: when that was written. What is done by hand is there also
 * where another tier is not held by it: from and to are then the same.
 */
export const tierChange = z
  .object({
    from: z.string().nullable(),
    to: z.string().nullable(),
    at: instant,
    bookedAt: instant,
    until: instant.nullable(),
    why: tierWhy,
    reason: z.string().nullable(),
    by: z.string().nullable(),
  })
  .meta({
    id: 'TierChange',
    description:
      'What is assigned or taken away by hand is there too where the same tier is held: from and to are the same then',
  })
export type TierChangeAnswer = z.infer<typeof tierChange>
