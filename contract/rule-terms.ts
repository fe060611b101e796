import { z } from 'zod'
import { points, slug, text, UNITS_MAX } from './common.ts'
import { per, period } from './periods.ts'
import { cap, lotExpiry, pending } from './wallets.ts'

/** What may be said of a rule of any kind: what it answers to, on what condition, how often and how much. */

const DAYS_MAX = 3650

/** What a rule answers to. Purchases unless told; activities of one type; a moment in a membership. */
export const trigger = z
  .discriminatedUnion(
    'event',
    [
      z.strictObject({ event: z.literal('purchase') }),
      z.strictObject({ event: z.literal('activity'), activity: slug }),
      z.strictObject({
        event: z.literal('member'),
        moment: z.enum(['joined', 'birthday', 'anniversary', 'profile_complete', 'inactive']),
        days: z.int().min(1).max(DAYS_MAX).optional().meta({ description: 'inactive: for so many days' }),
      }),
    ],
    { error: 'expected purchase, activity or member' },
  )
  .meta({ id: 'RuleTrigger', description: 'What the rule answers to: purchases unless told' })
export type Trigger = z.infer<typeof trigger>

export const CONDITION_MAX = 2000
export const condition = text(CONDITION_MAX).meta({
  description:
    'A condition in CEL over purchase, items, member, activity, local and occurredAt; the rule gives where it is true',
  example: 'purchase.channel == "app" && local.weekday == 2',
})

export const ruleGroup = z.strictObject({ name: slug, pick: z.enum(['all', 'best', 'first']) }).meta({
  id: 'RuleGroup',
  description:
    'Rules of one group and wallet stand together. all: each gives. best: only the one that gives most. ' +
    'first: only the first, by priority, that gives anything',
})
export type RuleGroup = z.infer<typeof ruleGroup>

/** What a rule may give all members together. `money` in minor units, reckoned by `pointCost`. */
export const budget = z
  .strictObject({
    points: points.optional(),
    money: z.int().min(1).max(UNITS_MAX).optional(),
    pointCost: z
      .strictObject({ points, money: z.int().min(1).max(UNITS_MAX) })
      .optional()
      .meta({
        description: 'So many points cost so much money (minor units); one minor unit a point unless told',
      }),
    per: per.optional(),
  })
  .refine((said) => said.points !== undefined || said.money !== undefined, 'expected points or money')
  .meta({
    id: 'RuleBudget',
    description: 'What the rule gives all members together, a period; for all time unless told',
  })
export type Budget = z.infer<typeof budget>

export const termsShape = {
  on: trigger.optional(),
  when: condition.optional(),
  group: ruleGroup.optional(),
  caps: z.array(cap).min(1).max(10).optional(),
  cooldown: period
    .optional()
    .meta({ description: 'After it gave, the rule gives the same member nothing for so long' }),
  budget: budget.optional(),
  pending: pending.optional(),
  expiry: lotExpiry.optional(),
}

/** As a new version says them. What a rule answers to stays. */
export const patchShape = {
  when: condition.nullable().optional(),
  group: ruleGroup.nullable().optional(),
  caps: z.array(cap).min(1).max(10).nullable().optional(),
  cooldown: period.nullable().optional(),
  budget: budget.nullable().optional(),
  pending: pending.nullable().optional(),
  expiry: lotExpiry.nullable().optional(),
}

/** As answers say them: always, null where nothing was said. */
export const saidShape = {
  on: trigger,
  when: z.string().nullable(),
  group: ruleGroup.nullable(),
  caps: z.array(cap),
  cooldown: period.nullable(),
  budget: budget.nullable(),
  pending: pending.nullable(),
  expiry: lotExpiry.nullable(),
}

/** What a rule's version says beside its arguments, as it is stored: immutable, so returns decide by it too. */
export const ruleTerms = z.strictObject(termsShape).meta({ id: 'RuleTerms' })
export type RuleTerms = z.infer<typeof ruleTerms>
