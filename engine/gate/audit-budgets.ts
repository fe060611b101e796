import type { Db } from '../base/db.ts'
import type { Configuration } from '../earning/configuration.ts'
import { allBudgets, givenOfBudgets } from '../limits/limits.sql.ts'
import { auditBudgets } from './audit.limits.rules.ts'

/** Everything that was spent of budgets, against the entries of all members; in the caller's snapshot. */
export async function auditAllBudgets(db: Db, configuration: Configuration): Promise<string | undefined> {
  const budgeted = configuration.versions.some((version) => version.terms.budget !== undefined)
  return auditBudgets(configuration, await allBudgets(db), budgeted ? await givenOfBudgets(db) : [])
}
