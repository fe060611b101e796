import { z } from 'zod'
import { instant, page, points, programRef, slug, text, UNITS_MAX } from './common.ts'

/** Argument shapes by kind: what each kind means is in engine/earning/kinds/. */

/** As long as a line's own texts may be (purchases.ts). */
const texts = z.array(text(200)).min(1).max(1000)

/** `points` for every full `per` of the eligible total (minor units), rounded once. */
export const perAmountArgs = z
  .strictObject({
    points,
    per: z.int().min(1).max(UNITS_MAX),
    rounding: z.enum(['floor', 'half_up', 'ceil']).optional(),
    skus: texts.optional(),
    categories: texts.optional(),
    excludeSkus: texts.optional(),
    excludeCategories: texts.optional(),
  })
  .meta({ id: 'PerAmountArgs', description: 'points × eligible total ÷ per, rounded once (floor unless told)' })
export type PerAmountArgs = z.infer<typeof perAmountArgs>

/** `points` for a purchase, whatever is in it. */
export const fixedArgs = z.strictObject({ points }).meta({ id: 'FixedArgs', description: 'points for every purchase' })
export type FixedArgs = z.infer<typeof fixedArgs>

/** `points` for every unit of an eligible line. */
export const perItemArgs = z
  .strictObject({
    points,
    skus: texts.optional(),
    categories: texts.optional(),
    brands: texts.optional(),
  })
  .meta({ id: 'PerItemArgs', description: 'points for every unit of the eligible lines' })
export type PerItemArgs = z.infer<typeof perItemArgs>

/** (factor − 1) × what the other rules gave in the rule's wallet, floored once, as an award of its own. */
export const multiplierArgs = z
  .strictObject({
    factor: z
      .number()
      .min(1)
      .max(1000)
      .refine((factor) => /^\d+(\.\d{1,4})?$/.test(String(factor)), 'expected at most 4 decimals')
      .meta({ description: 'From 1 to 1000, at most four decimals' }),
  })
  .meta({ id: 'MultiplierArgs', description: '(factor − 1) × what the other rules gave, floored once' })
export type MultiplierArgs = z.infer<typeof multiplierArgs>

/** Every kind's argument shape, by its code. */
export const RULE_ARGS = {
  per_amount: perAmountArgs,
  fixed: fixedArgs,
  per_item: perItemArgs,
  multiplier: multiplierArgs,
} as const
export type RuleKind = keyof typeof RULE_ARGS

const kind = z.enum(Object.keys(RULE_ARGS) as [RuleKind, ...RuleKind[]])
const common = {
  name: text(200),
  startsAt: instant.nullable().optional(),
  endsAt: instant.nullable().optional(),
  priority: z.int().min(-1_000_000).max(1_000_000).optional(),
}
const head = { program: programRef, wallet: slug.optional(), status: z.enum(['draft', 'active']).optional(), ...common }

/** status: active unless told; wallet: points unless told; priority: 0 unless told. startsAt is before endsAt. */
export const ruleBody = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({ ...head, kind: z.literal('per_amount'), args: perAmountArgs }),
      z.strictObject({ ...head, kind: z.literal('fixed'), args: fixedArgs }),
      z.strictObject({ ...head, kind: z.literal('per_item'), args: perItemArgs }),
      z.strictObject({ ...head, kind: z.literal('multiplier'), args: multiplierArgs }),
    ],
    { error: `expected ${Object.keys(RULE_ARGS).join(', ')}` },
  )
  .meta({ id: 'EarningRuleBody' })
export type RuleBody = z.infer<typeof ruleBody>

/** A new version: what is left out stays as in the version before. The kind stays; args are checked against it. */
export const ruleVersionBody = z
  .strictObject({
    args: z.record(z.string(), z.unknown()).optional(),
    ...common,
    name: common.name.optional(),
    effectiveFrom: instant.optional().meta({ description: 'For purchases that occur from then on; now unless told' }),
  })
  .meta({ id: 'EarningRuleVersionBody' })
export type RuleVersionBody = z.infer<typeof ruleVersionBody>

const said = {
  version: z.int(),
  name: z.string(),
  args: z.record(z.string(), z.unknown()),
  priority: z.int(),
  startsAt: instant.nullable(),
  endsAt: instant.nullable(),
  effectiveFrom: instant.nullable(),
}

export const ruleAnswer = z
  .object({
    id: z.string(),
    program: z.string(),
    wallet: z.string(),
    kind,
    status: z.enum(['draft', 'active', 'paused', 'archived']),
    ...said,
    createdAt: instant,
    versions: z
      .array(z.object({ ...said, createdAt: instant }))
      .optional()
      .meta({ description: 'Every version, newest first; where one rule was asked for' }),
  })
  .meta({ id: 'EarningRule', description: 'A rule as its newest version says it' })
export type RuleAnswer = z.infer<typeof ruleAnswer>

export const ruleQuery = z.strictObject({ ...page, program: programRef.optional() })
