import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Db } from '../base/db.ts'
import type { MemberFacts } from '../earning/question.ts'
import { type BudgetKey, budgetName } from '../limits/budgets.rules.ts'
import { type Counter, type CounterKey, counterName, SCOPES } from '../limits/counters.rules.ts'
import { countEntries, type Counted, loadAwardTimes, loadBudgets, loadCounters } from '../limits/limits.sql.ts'
import { loadStates } from '../ledger/states.sql.ts'
import { loadFacts } from '../members/members.sql.ts'
import { loadElders } from '../members/merges.sql.ts'
import { countPurchases } from '../purchases/purchases.sql.ts'
import type { LimitChanges } from './limits.ts'

/** A counter that a decision of `at` goes by, and the bounds of its period. */
export type CounterNeed = CounterKey & {
  from: Instant
  until: Instant
  /** what was given before may be uncounted */
  since: Instant
  at: Instant
  /** whether it is wanted so much that it is counted from history where it was not kept */
  count: boolean
  /** awards of the rule between these instants are to be known: for its cooldown */
  near: { after: Instant; before: Instant } | undefined
}
export type NeedsLimits = {
  counters: Map<string, CounterNeed>
  budgets: Map<string, BudgetKey>
  members: Set<Uuid>
}

/** Who was merged into a member, and how far its entries go: while it is another it books none. */
export type Elder = { member: Uuid; seq: number }

/**
 * Part of the slices. Counters by name; absent: nothing was given yet. Award times by `member ruleId`: those near. Each member has its own,
 * those too who live on as another: what was given them counts for that other (`elders`), until the merge is undone.
 */
export type LimitSlices = {
  elders: Map<Uuid, Elder[]>
  counters: Map<string, Counter>
  awardTimes: Map<string, Instant[]>
  budgets: Map<string, number>
  members: Map<Uuid, MemberFacts>
  /** the budgets that the list's rules may take from */
  asked: BudgetKey[]
}

export function noLimits(): LimitSlices {
  return {
    elders: new Map(),
    counters: new Map(),
    awardTimes: new Map(),
    budgets: new Map(),
    members: new Map(),
    asked: [],
  }
}

/** Reads what was said to be needed: a statement a table, none where nothing was. */
export async function loadLimits(db: Db, needs: NeedsLimits): Promise<LimitSlices> {
  const limits = noLimits()
  const wanted = [...needs.counters.values()]
  limits.asked = [...needs.budgets.values()]
  const [{ counters, merged }, budgets, members] = await Promise.all([
    wanted.length === 0 ? { counters: [], merged: false } : loadCounters(db, distinct(wanted)),
    limits.asked.length === 0 ? [] : loadBudgets(db, limits.asked),
    needs.members.size === 0 ? [] : loadFacts(db, [...needs.members]),
  ])
  for (const counter of counters) limits.counters.set(counterName(counter), counter)
  for (const budget of budgets) limits.budgets.set(budgetName(budget), budget.points)
  for (const { member, ...facts } of members) limits.members.set(member, facts)
  if (merged) wanted.push(...(await needElders(db, wanted, limits)))
  await count(db, wanted, limits)
  await lookAround(db, wanted, limits)
  return limits
}

/** What is asked of a member is asked of those who live on as it, too. */
async function needElders(db: Db, wanted: readonly CounterNeed[], limits: LimitSlices): Promise<CounterNeed[]> {
  const elders = await loadElders(db, [...new Set(wanted.map(({ member }) => member))])
  const states = await loadStates(db, [...new Set(elders.map(({ elder }) => elder))])
  const seqs = new Map(states.map((state) => [state.member, state.entrySeq]))
  for (const [member, own] of Map.groupBy(elders, (one) => one.member)) {
    const ids = own.map(({ elder }) => elder).sort()
    limits.elders.set(
      member,
      ids.map((elder) => ({ member: elder, seq: seqs.get(elder) ?? 0 })),
    )
  }
  const more = wanted.flatMap((need) =>
    (limits.elders.get(need.member) ?? []).map(({ member }): CounterNeed => ({ ...need, member })),
  )
  const { counters } = await loadCounters(db, distinct(more))
  for (const counter of counters) limits.counters.set(counterName(counter), counter)
  return more
}

/** A member, and all who live on as it. */
export function familyOf({ elders }: Pick<LimitSlices, 'elders'>, member: Uuid): Uuid[] {
  return [member, ...(elders.get(member) ?? []).map((elder) => elder.member)]
}

/** Counts from entries and purchases what was not kept from its beginning; it is saved with the next change. */
async function count(db: Db, wanted: readonly CounterNeed[], limits: LimitSlices): Promise<void> {
  const unknown = distinct(
    wanted.filter((need) => {
      const counter = limits.counters.get(counterName(need))
      return counter ? counter.keptAt < need.since : need.from < need.since
    }),
  )
  for (const need of unknown) limits.counters.delete(counterName(need))
  const missing = unknown.filter((need) => need.count)
  const given = missing.filter((need) => need.scope !== SCOPES.purchases)
  const bought = missing.filter((need) => need.scope === SCOPES.purchases)
  const [entries, purchases] = await Promise.all([
    given.length === 0 ? [] : countEntries(db, given),
    bought.length === 0 ? [] : countPurchases(db, bought),
  ])
  const put = ({ member, scope, scopeId, period }: CounterNeed, counted: Counted | undefined): void => {
    const key = { member, scope, scopeId, period }
    limits.counters.set(counterName(key), { ...key, times: 0, points: 0, lastAt: null, ...counted, keptAt: 0 })
  }
  for (const [i, need] of given.entries()) put(need, entries[i])
  for (const [i, need] of bought.entries()) put(need, purchases[i])
}

/** When rules with a cooldown gave something: the last time is known; for a purchase from before it, what lies near is asked. */
async function lookAround(db: Db, wanted: readonly CounterNeed[], limits: LimitSlices): Promise<void> {
  const late: { member: Uuid; ruleId: number; after: Instant; before: Instant }[] = []
  for (const need of wanted) {
    const lastAt = limits.counters.get(counterName(need))?.lastAt
    if (!need.near || lastAt == null) continue
    noteAward(limits, need.member, need.scopeId, lastAt)
    if (lastAt > need.at) late.push({ member: need.member, ruleId: need.scopeId, ...need.near })
  }
  if (late.length === 0) return
  for (const { member, ruleId, at } of await loadAwardTimes(db, late)) noteAward(limits, member, ruleId, at)
}

function noteAward(limits: LimitSlices, member: Uuid, ruleId: number, at: Instant): void {
  const name = `${member} ${ruleId}`
  const times = limits.awardTimes.get(name)
  if (times) times.push(at)
  else limits.awardTimes.set(name, [at])
}

/** As the asks after this one see it. */
export function applyLimits(limits: LimitSlices, { counters, takes, awarded, joined }: LimitChanges): void {
  if (joined) limits.members.set(joined.member, joined.facts)
  for (const counter of counters) limits.counters.set(counterName(counter), counter)
  for (const take of takes) {
    const name = budgetName(take)
    limits.budgets.set(name, (limits.budgets.get(name) ?? 0) + take.points)
  }
  for (const { member, ruleId, at } of awarded) noteAward(limits, member, ruleId, at)
}

function distinct(needs: readonly CounterNeed[]): CounterNeed[] {
  return [...new Map(needs.map((need) => [counterName(need), need])).values()]
}
