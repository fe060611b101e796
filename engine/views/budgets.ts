import type { BudgetAnswer } from '@laurel/contract/budgets'
import { decodeId, encodeId } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import { periodBounds, periodKey } from '../base/calendar.ts'
import type { Db } from '../base/db.ts'
import { type Configurations, type RuleVersion, versionAt } from '../earning/configuration.ts'
import { budgetLimit, costOf } from '../limits/budgets.rules.ts'
import { loadBudgets } from '../limits/limits.sql.ts'
import { currentConfiguration } from './current.ts'

/**
 * What a rule gave of its budget in the local period that `at` lies in, as its version of that time says.
 * Refusals: rule_unknown, budget_unknown.
 */
export async function getBudget(db: Db, known: Configurations, ref: string, at: Instant): Promise<BudgetAnswer> {
  const configuration = await currentConfiguration(db, known)
  const id = decodeId('rul', ref)
  const versions = configuration.versions.filter((version) => version.rule === id)
  const newest = versions.at(-1)
  if (!newest) throw new Refused('rule_unknown', `there is no earning rule "${ref}"`)
  const rule = { ruleId: newest.ruleId, versions, states: [] }
  const version = versionAt(rule, configuration.configVersion, at) ?? (versions[0] as RuleVersion)
  const said = version.terms.budget
  const wallet = configuration.byWalletId.get(version.walletId)
  if (!said || !wallet)
    throw new Refused('budget_unknown', `version ${version.version} of "${version.name}" has no budget`)
  const { timezone, currency, slug } = wallet.program
  const { per, points: limit } = budgetLimit(said)
  const period = periodKey(per, at, timezone)
  const [row] = await loadBudgets(db, [{ ruleId: version.ruleId, period }])
  const spent = row?.points ?? 0
  const bounds = per === 'lifetime' ? undefined : periodBounds(per, at, timezone)
  const cost = said.money === undefined ? undefined : { limit: said.money, spent: costOf(spent, said) }
  return {
    rule: encodeId('rul', version.rule),
    version: version.version,
    program: slug,
    wallet: wallet.slug,
    per,
    period,
    from: bounds ? formatInstant(bounds.from) : null,
    until: bounds ? formatInstant(bounds.until) : null,
    limit,
    spent,
    left: Math.max(0, limit - spent),
    money: cost ? { currency, ...cost, left: Math.max(0, cost.limit - cost.spent) } : null,
  }
}
