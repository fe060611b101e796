import { z } from 'zod'
import { instant, minor, page, points, programRef, slug, text, UNITS_MAX } from './common.ts'
import { condition, patchShape, saidShape, termsShape } from './rule-terms.ts'

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

/** `points` for the member's nth purchase, or for every nth. */
export const nthPurchaseArgs = z
  .strictObject({ n: z.int().min(1).max(1_000_000), points, every: z.boolean().optional() })
  .meta({
    id: 'NthPurchaseArgs',
    description: "points for the member's nth purchase in the program; every: for each nth",
  })
export type NthPurchaseArgs = z.infer<typeof nthPurchaseArgs>

const lists = {
  skus: texts.optional(),
  categories: texts.optional(),
  brands: texts.optional(),
}

/** The points of the highest step that the eligible total reaches. */
export const basketThresholdArgs = z
  .strictObject({
    steps: z
      .array(z.strictObject({ from: minor, points }))
      .min(1)
      .max(50)
      .refine((steps) => new Set(steps.map((step) => step.from)).size === steps.length, 'expected each `from` once'),
    ...lists,
    excludeSkus: texts.optional(),
    excludeCategories: texts.optional(),
  })
  .meta({ id: 'BasketThresholdArgs', description: 'the points of the highest step that the eligible total reaches' })
export type BasketThresholdArgs = z.infer<typeof basketThresholdArgs>

/** `points` where all groups are in the purchase; no unit counts for two groups. */
export const productCombinationArgs = z
  .strictObject({
    groups: z
      .array(
        z
          .strictObject({ ...lists, quantity: z.int().min(1).max(1_000_000) })
          .refine(
            ({ skus, categories, brands }) => skus !== undefined || categories !== undefined || brands !== undefined,
            'expected skus, categories or brands',
          ),
      )
      .min(1)
      .max(6),
    points,
    repeat: z.boolean().optional(),
  })
  .meta({
    id: 'ProductCombinationArgs',
    description: 'points where so many units of each group are in the purchase; repeat: for each time that they are',
  })
export type ProductCombinationArgs = z.infer<typeof productCombinationArgs>

/** `points` the first time that the rule gives the member anything. */
export const firstTimeArgs = z
  .strictObject({ points, ...lists })
  .meta({ id: 'FirstTimeArgs', description: 'points for the first purchase of a member that holds one of these' })
export type FirstTimeArgs = z.infer<typeof firstTimeArgs>

/** What a formula comes to, rounded once (floor unless told). */
export const formulaArgs = z
  .strictObject({
    expression: condition.meta({
      description: 'A number in CEL, over what a condition reads too',
      example: 'purchase.total / 100 * 2',
    }),
    rounding: z.enum(['floor', 'half_up', 'ceil']).optional(),
  })
  .meta({ id: 'FormulaArgs', description: 'what the expression comes to, rounded (floor unless told)' })
export type FormulaArgs = z.infer<typeof formulaArgs>

/** Every kind's argument shape, by its code. */
export const RULE_ARGS = {
  per_amount: perAmountArgs,
  fixed: fixedArgs,
  per_item: perItemArgs,
  nth_purchase: nthPurchaseArgs,
  basket_threshold: basketThresholdArgs,
  product_combination: productCombinationArgs,
  first_time: firstTimeArgs,
  formula: formulaArgs,
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
const head = {
  program: programRef,
  wallet: slug.optional(),
  status: z.enum(['draft', 'active']).optional(),
  ...common,
  ...termsShape,
}

/** status: active unless told; wallet: points unless told; priority: 0 unless told. startsAt is before endsAt. */
export const ruleBody = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({ ...head, kind: z.literal('per_amount'), args: perAmountArgs }),
      z.strictObject({ ...head, kind: z.literal('fixed'), args: fixedArgs }),
      z.strictObject({ ...head, kind: z.literal('per_item'), args: perItemArgs }),
      z.strictObject({ ...head, kind: z.literal('nth_purchase'), args: nthPurchaseArgs }),
      z.strictObject({ ...head, kind: z.literal('basket_threshold'), args: basketThresholdArgs }),
      z.strictObject({ ...head, kind: z.literal('product_combination'), args: productCombinationArgs }),
      z.strictObject({ ...head, kind: z.literal('first_time'), args: firstTimeArgs }),
      z.strictObject({ ...head, kind: z.literal('formula'), args: formulaArgs }),
      z.strictObject({ ...head, kind: z.literal('multiplier'), args: multiplierArgs }),
    ],
    { error: `expected ${Object.keys(RULE_ARGS).join(', ')}` },
  )
  .meta({ id: 'EarningRuleBody' })
export type RuleBody = z.infer<typeof ruleBody>

/**
 * A new version: what is left out stays as in the version before, null takes it away. The kind stays, and what the rule
 * answers to (`on`); args are checked against them.
 */
export const ruleVersionBody = z
  .strictObject({
    args: z.record(z.string(), z.unknown()).optional(),
    ...common,
    name: common.name.optional(),
    ...patchShape,
    effectiveFrom: instant.optional().meta({ description: 'For purchases that occur from then on; now unless told' }),
  })
  .meta({ id: 'EarningRuleVersionBody' })
export type RuleVersionBody = z.infer<typeof ruleVersionBody>

const said = {
  version: z.int(),
  name: z.string(),
  args: z.record(z.string(), z.unknown()),
  priority: z.int(),
  ...saidShape,
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
