import { encodeId } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'
import type { Configuration } from '../earning/configuration.ts'
import { budgetLimit } from '../limits/budgets.rules.ts'
import { type Budget, allBudgets, givenOfBudgets } from '../limits/limits.sql.ts'
import { auditBudgets } from './audit.limits.rules.ts'

/**
 * Everything that was spent of budgets, against the entries of all members, and how much each may spend, against its rule's versions; in
 * the caller's snapshot.
 */
export async function auditAllBudgets(db: Db, configuration: Configuration): Promise<string | undefined> {
  const budgeted = configuration.versions.some((version) => version.terms.budget !== undefined)
  const budgets = await allBudgets(db)
  return (
    auditBudgets(configuration, budgets, budgeted ? await givenOfBudgets(db) : []) ??
    budgets.map((one) => wrongLimit(configuration, one)).find((what) => what !== undefined)
  )
}

/** As some version of its rule says; none yet where it was only held to be taken from. */
function wrongLimit({ versions }: Configuration, one: Budget & { limit: number }): string | undefined {
  const own = versions.filter((version) => version.ruleId === one.ruleId)
  const isSaid = own.some(({ terms }) => terms.budget && budgetLimit(terms.budget).points === one.limit)
  if (isSaid || one.limit === Number.MAX_SAFE_INTEGER) return undefined
  const rule = own[0] ? encodeId('rul', own[0].rule) : one.ruleId
  return `budget of rule ${rule} for ${one.period}: no version of its rule says that it is ${one.limit}`
}
