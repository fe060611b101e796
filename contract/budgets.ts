import { z } from 'zod'
import { instant, minor, points, pointsOut } from './common.ts'
import { per } from './periods.ts'

const inMoney = z.object({ currency: z.string(), limit: minor, spent: minor, left: minor })

/** from, until: of the period, in which `spent` was given; null for a lifetime. money: where the budget says a sum. */
export const budgetAnswer = z
  .object({
    rule: z.string(),
    version: z.int(),
    program: z.string(),
    wallet: z.string(),
    per,
    period: z.string().meta({ description: 'As 2027-03-28, 2027-W12, 2027-03, 2027 or all' }),
    from: instant.nullable(),
    until: instant.nullable(),
    limit: pointsOut,
    spent: pointsOut,
    left: pointsOut,
    money: inMoney.nullable(),
  })
  .meta({ id: 'RuleBudgetState', description: 'What a rule gave of its budget in one period, in points' })
export type BudgetAnswer = z.infer<typeof budgetAnswer>

export const budgetQuery = z.strictObject({
  at: instant.optional().meta({ description: 'An instant of the period to look at; now unless told' }),
})

/** Told once for each period in which a rule has given all that it may. */
export const budgetSpent = z.object({
  rule: z.string(),
  program: z.string(),
  name: z.string(),
  wallet: z.string(),
  period: z.string(),
  points,
})
