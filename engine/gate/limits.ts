import type { Uuid } from '@laurel/contract/ids'
import { DAY, type Instant } from '@laurel/contract/instants'
import type { Per, Period } from '@laurel/contract/periods'
import { addPeriod, periodBounds, periodKey } from '../base/calendar.ts'
import type { Configuration, Program } from '../earning/configuration.ts'
import type { Award } from '../earning/earning.rules.ts'
import type { CompiledRule, MemberFacts } from '../earning/question.ts'
import { type BudgetLimit, type BudgetTake, budgetName } from '../limits/budgets.rules.ts'
import { type Counter, type CounterKey, counterName, counting, emptyCounter, SCOPES } from '../limits/counters.rules.ts'
import { capsRoom, isCooling, type Rooms, together } from '../limits/limits.rules.ts'
import { MovedError } from './faults.ts'
import { type Kept, type Plan, planOf } from './limit-plans.ts'
import { type CounterNeed, familyOf, type LimitSlices, type NeedsLimits } from './limit-slices.ts'
import type { Frozen } from './questions.ts'

/** Whom something is decided for. */
export type Whom = { member: Uuid; isNew: boolean; externalId: string | null }

/**
 * Says what is to be read so that these rules can be decided for a member (none: for one who joins with it). Nothing
 * where they are not limited.
 */
export function needLimits(
  needs: { limits?: NeedsLimits },
  c: Configuration,
  ours: Program,
  rules: readonly CompiledRule[],
  about: { event: string; member: Uuid | undefined; at: Instant },
): void {
  const plan = planOf(c, ours.programId, rules, about.event)
  if (!plan) return
  needs.limits ??= { counters: new Map(), budgets: new Map(), members: new Set() }
  for (const { rule, budget } of plan.rules) {
    if (!budget) continue
    const key = { ruleId: rule.ruleId, period: periodKey(budget.per, about.at, ours.timezone) }
    needs.limits.budgets.set(budgetName(key), key)
  }
  const { member, at } = about
  if (member === undefined) return
  if (plan.member) needs.limits.members.add(member)
  for (const need of countersOf(plan, ours, member, at))
    needs.limits.counters.set(`${counterName(need)} ${need.at}`, need)
}

/** The counters that a decision of `at` goes by, and counts in. */
function countersOf(plan: Plan, ours: Program, member: Uuid, at: Instant): CounterNeed[] {
  const need = (scope: CounterKey['scope'], scopeId: number, { per, since }: Kept): CounterNeed => ({
    member,
    scope,
    scopeId,
    period: periodKey(per, at, ours.timezone),
    ...periodBounds(per, at, ours.timezone),
    since,
    at,
    count: true,
    near: undefined,
  })
  const needs = plan.rules.flatMap(({ rule, kept, cooldown }) =>
    kept.map((one): CounterNeed => {
      const near = cooldown !== undefined && one.per === 'lifetime' ? around(at, cooldown, ours.timezone) : undefined
      return { ...need(SCOPES.rule, rule.ruleId, one), near }
    }),
  )
  for (const { walletId, kept } of plan.wallets) for (const one of kept) needs.push(need(SCOPES.wallet, walletId, one))
  if (plan.number) {
    const number = need(SCOPES.purchases, ours.programId, { per: 'lifetime', since: plan.numberSince })
    needs.push({ ...number, count: plan.number === 'asked' })
  }
  return needs
}

/** Beyond these instants no award is near enough for a cooldown: a day to spare for months and clocks that differ. */
function around(at: Instant, cooldown: Period, timezone: string): { after: Instant; before: Instant } {
  const reach = addPeriod(at, cooldown, timezone) - at + 5 * DAY
  return { after: at - reach, before: at + reach }
}

/** What a decision goes by beside what is asked, and what it will count. */
export type Limiting = {
  /** to be kept with what is decided; null where nothing was needed */
  frozen: Frozen | null
  plan: Plan
  ours: Program
  whom: Whom
  at: Instant
  now: Instant
}

/**
 * The one place to ask for limits: before `award`, by the slices as they are now. Undefined where these rules are not limited and
 * need to know nothing of the member. `frozen` goes into questionOf, and is stored with what was decided.
 */
export function limitsFor(
  slices: { configuration: Configuration; limits: LimitSlices },
  ours: Program,
  rules: readonly CompiledRule[],
  whom: Whom,
  about: { event: string; at: Instant; now: Instant },
): Limiting | undefined {
  const { at, now } = about
  const plan = planOf(slices.configuration, ours.programId, rules, about.event)
  if (!plan) return undefined
  const rooms = roomsNow(slices.limits, plan, ours, whom.member, at)
  const frozen: Frozen = { zone: ours.timezone }
  if (plan.number === 'asked') {
    const bought = familyOf(slices.limits, whom.member).map((member) => boughtBy(slices.limits, ours, member))
    frozen.number = bought.reduce((sum, times) => sum + times, 1)
  }
  if (plan.member) frozen.member = whom.isNew ? newcomer(whom, now) : known(slices.limits.members.get(whom.member))
  if (rooms.rules.length > 0) frozen.rules = rooms.rules
  if (rooms.wallets.length > 0) frozen.wallets = rooms.wallets
  const asked = plan.local || Object.keys(frozen).length > 1
  const elders = slices.limits.elders.get(whom.member)
  if (elders)
    frozen.elders = elders.map(({ member, seq }) => [
      member,
      seq,
      plan.number === 'asked' ? boughtBy(slices.limits, ours, member) : 0,
    ])
  return { frozen: asked ? frozen : null, plan, ours, whom, at, now }
}

function boughtBy({ counters }: LimitSlices, { programId }: Program, member: Uuid): number {
  const key = { member, scope: SCOPES.purchases, scopeId: programId, period: 'all' }
  return counters.get(counterName(key))?.times ?? 0
}

function known(facts: MemberFacts | undefined): MemberFacts {
  if (!facts) throw new MovedError('a rule asks about a member who joined in this very list')
  return facts
}

function newcomer({ externalId }: Whom, now: Instant): MemberFacts {
  const nothing = { birthDate: null, locale: null, hasEmail: false, hasPhone: false, hasName: false }
  return { externalId, attributes: {}, joinedAt: now, ...nothing }
}

/** What may be given at that moment: rooms without any limit are left out. */
function roomsNow(limits: LimitSlices, plan: Plan, ours: Program, member: Uuid, at: Instant): Rooms {
  const rooms: Rooms = { rules: [], wallets: [] }
  const family = familyOf(limits, member)
  const given = (scope: CounterKey['scope'], scopeId: number) => (per: Per) => {
    const period = periodKey(per, at, ours.timezone)
    return together(family.map((one) => limits.counters.get(counterName({ member: one, scope, scopeId, period }))))
  }
  for (const { rule, cooldown, budget } of plan.rules) {
    const room: Rooms['rules'][number] = { rule: rule.ruleId, ...capsRoom(rule.caps, given(SCOPES.rule, rule.ruleId)) }
    if (budget) {
      const spent = limits.budgets.get(budgetName(budgetOf(rule, budget, ours, at))) ?? 0
      room.budget = Math.max(0, budget.points - spent)
    }
    const awards = family.flatMap((one) => limits.awardTimes.get(`${one} ${rule.ruleId}`) ?? [])
    if (cooldown !== undefined && isCooling(awards, at, cooldown, ours.timezone)) room.cooling = true
    if (Object.keys(room).length > 1) rooms.rules.push(room)
  }
  for (const { walletId, caps } of plan.wallets)
    rooms.wallets.push({ wallet: walletId, ...capsRoom(caps, given(SCOPES.wallet, walletId)) })
  return rooms
}

function budgetOf(rule: CompiledRule, budget: BudgetLimit, ours: Program, at: Instant) {
  return { ruleId: rule.ruleId, period: periodKey(budget.per, at, ours.timezone) }
}

/** What a decision counts and takes: part of its changes. */
export type LimitChanges = {
  counters: Counter[]
  takes: BudgetTake[]
  awarded: { member: Uuid; ruleId: number; at: Instant }[]
  /** who joined with it, as the asks after it in the list know them */
  joined?: { member: Uuid; facts: MemberFacts }
}

/** What these awards change of counters and budgets, once all of them stand. Undefined where nothing is limited. */
export function changesOf(
  slices: { limits: LimitSlices },
  limiting: Limiting | undefined,
  awards: readonly Award[],
): LimitChanges | undefined {
  if (!limiting) return undefined
  const { plan, ours, whom, at, now } = limiting
  const changes: LimitChanges = { counters: [], takes: [], awarded: [] }
  if (whom.isNew) changes.joined = { member: whom.member, facts: newcomer(whom, now) }
  const byRule = new Map<number, number>() // a tier adds an award to a rule's
  for (const a of awards) byRule.set(a.ruleVersionId, (byRule.get(a.ruleVersionId) ?? 0) + a.points)
  const ruleOf = new Map(plan.rules.map(({ rule }) => [rule.ruleId, rule.ruleVersionId]))
  for (const key of countersOf(plan, ours, whom.member, at)) {
    const counter = slices.limits.counters.get(counterName(key))
    if (key.scope === SCOPES.purchases) {
      if (counter || whom.isNew) changes.counters.push(counting(counter ?? emptyCounter(key), 0, at, now))
      continue
    }
    const points =
      key.scope === SCOPES.rule ? (byRule.get(ruleOf.get(key.scopeId) ?? 0) ?? 0) : inWallet(awards, key.scopeId)
    if (points > 0) changes.counters.push(counting(counter ?? emptyCounter(key), points, at, now))
    else if (counter?.keptAt === 0) changes.counters.push({ ...counter, keptAt: now }) // counted just now: once is enough
  }
  for (const { rule, budget, cooldown } of plan.rules) {
    const points = byRule.get(rule.ruleVersionId)
    if (points === undefined) continue
    if (cooldown !== undefined) changes.awarded.push({ member: whom.member, ruleId: rule.ruleId, at })
    if (!budget) continue
    const limit = budget.points
    changes.takes.push({ ...budgetOf(rule, budget, ours, at), points, room: limit - points, limit })
  }
  return changes
}

function inWallet(awards: readonly Award[], walletId: number): number {
  let points = 0
  for (const award of awards) if (award.walletId === walletId) points += award.points
  return points
}
