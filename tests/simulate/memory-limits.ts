import type { Uuid } from '../../contract/ids.ts'
import { type Configuration, versionById } from '../../engine/earning/configuration.ts'
import type { Changes } from '../../engine/gate/decisions.ts'
import {
  type CounterNeed,
  familyOf,
  type LimitSlices,
  type NeedsLimits,
  noLimits,
} from '../../engine/gate/limit-slices.ts'
import { KINDS } from '../../engine/ledger/accounts.ts'
import type { Entry } from '../../engine/ledger/books.ts'
import { budgetName } from '../../engine/limits/budgets.rules.ts'
import { type Counter, counterName, SCOPES } from '../../engine/limits/counters.rules.ts'

/** What limit-slices.ts reads and save.ts writes of limits, as maps. */
export type LimitTables = { counters: Map<string, Counter>; budgets: Map<string, number> }

export function limitTablesOf(): LimitTables {
  return { counters: new Map(), budgets: new Map() }
}

/** Counters that were kept, or else counted from the member's entries; budgets; and when rules with a cooldown gave. */
export function loadLimits(
  t: LimitTables,
  c: Configuration,
  entriesOf: (member: Uuid) => readonly Entry[],
  needs: NeedsLimits,
  eldersOf: (member: Uuid) => Uuid[],
  purchasesOf: (member: Uuid) => Counting[],
): LimitSlices {
  const limits = noLimits()
  const wanted = [...needs.counters.values()]
  for (const member of new Set(wanted.map((need) => need.member))) {
    const elders = eldersOf(member).map((elder) => ({ member: elder, seq: entriesOf(elder).length }))
    if (elders.length > 0) limits.elders.set(member, elders)
  }
  limits.asked = [...needs.budgets.values()]
  for (const { name, points } of limits.asked.map((key) => named(t, budgetName(key))))
    if (points !== undefined) limits.budgets.set(name, points)
  const gave = (member: Uuid, ruleId: number) =>
    entriesOf(member).filter(
      (e) => e.kind === KINDS.earn.code && versionById(c, e.ruleVersionId ?? 0)?.ruleId === ruleId,
    )
  const family = (need: CounterNeed) => familyOf(limits, need.member).map((member) => ({ ...need, member }))
  for (const need of wanted.flatMap(family)) {
    const { member, scope, scopeId, period, from, until, since } = need
    const key = { member, scope, scopeId, period }
    const kept = t.counters.get(counterName(need))
    if (kept ? kept.keptAt >= since : from >= since) {
      if (kept) limits.counters.set(counterName(key), kept)
    } else if (need.count) {
      const own: Counting[] =
        scope === SCOPES.purchases
          ? purchasesOf(member)
          : scope === SCOPES.rule
            ? gave(member, scopeId)
            : entriesOf(member).filter((e) => e.kind === KINDS.earn.code && e.walletId === scopeId)
      const then = own.filter((e) => e.occurredAt >= from && e.occurredAt < until)
      limits.counters.set(counterName(key), { ...key, ...countedOf(then), keptAt: 0 })
    }
    if (!need.near) continue
    const times = gave(member, scopeId).map((e) => e.occurredAt)
    if (times.length > 0) limits.awardTimes.set(`${member} ${scopeId}`, times)
  }
  return limits
}

function named(t: LimitTables, name: string) {
  return { name, points: t.budgets.get(name) }
}

type Counting = Pick<Entry, 'source' | 'points' | 'occurredAt'>

function countedOf(entries: readonly Counting[]): Pick<Counter, 'times' | 'points' | 'lastAt'> {
  return {
    times: new Set(entries.map((e) => e.source)).size,
    points: entries.reduce((sum, e) => sum + e.points, 0),
    lastAt: entries.length === 0 ? null : Math.max(...entries.map((e) => e.occurredAt)),
  }
}

/** As save.ts writes. Nobody takes from a budget what is not there: in one process nothing is lost meanwhile. */
export function saveLimits(t: LimitTables, limits: NonNullable<Changes['limits']>): void {
  for (const counter of limits.counters) t.counters.set(counterName(counter), counter)
  for (const take of limits.takes) {
    const name = budgetName(take)
    const spent = t.budgets.get(name) ?? 0
    if (spent > take.room) throw new Error(`budget ${name}: ${spent} were spent, and ${take.points} do not fit`)
    t.budgets.set(name, spent + take.points)
  }
}
