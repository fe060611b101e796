import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Per } from '@laurel/contract/periods'
import { periodBounds, periodKey } from '../base/calendar.ts'
import { type Configuration, programById, type RuleVersion, rulesAt, versionById } from '../earning/configuration.ts'
import type { CompiledRule } from '../earning/question.ts'
import { ACCOUNTS, KINDS } from '../ledger/accounts.ts'
import type { Entry } from '../ledger/books.ts'
import type { BooksOf } from '../ledger/ledger.sql.ts'
import { budgetLimit } from '../limits/budgets.rules.ts'
import { type Counter, type CounterKey, counterName, SCOPES } from '../limits/counters.rules.ts'
import { capsRoom, isCooling, type RuleRoom } from '../limits/limits.rules.ts'
import type { Purchase } from '../purchases/purchases.rules.ts'
import { keptCounters } from './limit-plans.ts'
import type { Frozen } from './questions.ts'

/** What was given, as entries say it: by counter name. */
type Derived = Map<string, { key: CounterKey; sources: Set<Uuid>; points: number; lastAt: Instant; from: Instant }>

/** What gave points under limits: a purchase, or an activity (whose rooms its own audit looks at). */
type Source = { zone: string; purchase?: Purchase | undefined; frozen: Frozen | null }

/**
 * A member's counters against its entries and purchases, and what purchases froze against what had been given by then. `others`: what
 * besides purchases gave points, with what it froze.
 */
export function auditLimits(
  configuration: Configuration,
  { state: { member }, entries }: Pick<BooksOf, 'state' | 'entries'>,
  purchases: readonly Purchase[],
  counters: readonly Counter[],
  others: readonly { id: Uuid; frozen: string | null }[] = [],
): string | undefined {
  const limited = counters.length > 0 || purchases.some((p) => p.frozen !== null)
  const kept = keptCounters(configuration)
  if (!limited && kept.size === 0) return undefined
  const sources = sourcesOf(configuration, purchases, others)
  const derived: Derived = new Map()
  const awards = new Map<number, Instant[]>()
  const seen = new Set<Uuid>()
  for (const entry of entries) {
    const version = entry.ruleVersionId === undefined ? undefined : versionById(configuration, entry.ruleVersionId)
    if (entry.kind !== KINDS.earn.code || entry.to !== ACCOUNTS.member || !version) continue
    const source = sources.get(entry.source)
    if (source?.purchase && !seen.has(entry.source)) {
      const what = auditRooms(configuration, source.purchase, source.frozen, { member, derived, awards })
      if (what) return `purchase ${encodeId('pur', source.purchase.id)}: ${what}`
    }
    seen.add(entry.source)
    derive(configuration, derived, member, entry, version, source?.zone)
    awards.set(version.ruleId, [...(awards.get(version.ruleId) ?? []), entry.occurredAt])
  }
  return auditCounters(configuration, derived, counters) ?? auditNumbers(configuration, purchases, counters)
}

function sourcesOf(
  configuration: Configuration,
  purchases: readonly Purchase[],
  others: readonly { id: Uuid; frozen: string | null }[],
): Map<Uuid, Source> {
  const sources = new Map<Uuid, Source>()
  for (const purchase of purchases) {
    const frozen = purchase.frozen === null ? null : (JSON.parse(purchase.frozen) as Frozen)
    const zone = frozen?.zone ?? programById(configuration, purchase.programId)?.timezone ?? 'UTC'
    sources.set(purchase.id, { zone, purchase, frozen })
  }
  for (const other of others) {
    const frozen = other.frozen === null ? null : (JSON.parse(other.frozen) as Frozen)
    if (frozen) sources.set(other.id, { zone: frozen.zone, frozen })
  }
  return sources
}

const PERS: readonly Per[] = ['day', 'week', 'month', 'year', 'lifetime']

function derive(
  configuration: Configuration,
  derived: Derived,
  member: Uuid,
  entry: Entry,
  version: RuleVersion,
  zone: string | undefined,
): void {
  const timezone = zone ?? configuration.byWalletId.get(version.walletId)?.program.timezone ?? 'UTC'
  for (const per of PERS) {
    const period = periodKey(per, entry.occurredAt, timezone)
    for (const [scope, scopeId] of [
      [SCOPES.rule, version.ruleId],
      [SCOPES.wallet, entry.walletId],
    ] as const) {
      const key = { member, scope, scopeId, period }
      const name = counterName(key)
      const sum = derived.get(name)
      if (sum) {
        sum.sources.add(entry.source)
        sum.points += entry.points
        sum.lastAt = Math.max(sum.lastAt, entry.occurredAt)
      } else {
        const { from } = periodBounds(per, entry.occurredAt, timezone)
        derived.set(name, {
          key,
          sources: new Set([entry.source]),
          points: entry.points,
          lastAt: entry.occurredAt,
          from,
        })
      }
    }
  }
}

/** Rooms of rules, as they follow from all that had been given before: rules' caps never change, so they can be taken again. */
function auditRooms(
  configuration: Configuration,
  { programId, configVersion, occurredAt }: Purchase,
  frozen: Frozen | null,
  before: { member: Uuid; derived: Derived; awards: Map<number, Instant[]> },
): string | undefined {
  if (!frozen) return undefined
  const rules = rulesAt(configuration, programId, configVersion, occurredAt)
  const rooms = new Map((frozen.rules ?? []).map((room) => [room.rule, room]))
  for (const rule of rules) {
    const room: RuleRoom = rooms.get(rule.ruleId) ?? { rule: rule.ruleId }
    const due = roomOf(rule, occurredAt, frozen.zone, before)
    if (room.clip !== due.clip || room.refuse !== due.refuse || room.cooling !== due.cooling) {
      return `rule ${encodeId('rul', rule.rule)} could not give then what it says`
    }
    const { budget } = rule.terms
    const limit = budget && budgetLimit(budget).points
    if (limit === undefined ? room.budget !== undefined : !(room.budget !== undefined && room.budget <= limit)) {
      return `rule ${encodeId('rul', rule.rule)} had another budget than it says`
    }
  }
  const inForce = new Set(rules.map((rule) => rule.ruleId))
  return [...rooms.keys()].some((rule) => !inForce.has(rule)) ? 'it names rules that were not in force' : undefined
}

function roomOf(
  rule: CompiledRule,
  at: Instant,
  zone: string,
  { member, derived, awards }: { member: Uuid; derived: Derived; awards: Map<number, Instant[]> },
): RuleRoom {
  const room: RuleRoom = { rule: rule.ruleId }
  const caps = capsRoom(rule.caps, (per) => {
    const period = periodKey(per, at, zone)
    const sum = derived.get(counterName({ member, scope: SCOPES.rule, scopeId: rule.ruleId, period }))
    return sum && { times: sum.sources.size, points: sum.points }
  })
  Object.assign(room, caps)
  const { cooldown } = rule.terms
  if (cooldown !== undefined && isCooling(awards.get(rule.ruleId) ?? [], at, cooldown, zone)) room.cooling = true
  return room
}

/** Every counter says what its entries say; none is missing that was kept from the beginning of its period. */
function auditCounters(
  configuration: Configuration,
  derived: Derived,
  counters: readonly Counter[],
): string | undefined {
  const kept = keptCounters(configuration)
  const stored = new Map(counters.map((counter) => [counterName(counter), counter]))
  for (const counter of counters) {
    const since = kept.get(`${counter.scope} ${counter.scopeId} ${perOf(counter.period)}`)
    if (counter.scope === SCOPES.purchases || since === undefined || counter.keptAt < since.changedAt) continue
    const sum = derived.get(counterName(counter))
    const due = { times: sum?.sources.size ?? 0, points: sum?.points ?? 0, lastAt: sum?.lastAt ?? null }
    if (counter.times !== due.times || counter.points !== due.points || counter.lastAt !== due.lastAt) {
      return `counter of ${named(configuration, counter)}: says ${counter.points} points in ${counter.times}, its entries ${due.points} in ${due.times}`
    }
  }
  for (const [name, { key, from }] of derived) {
    const since = kept.get(`${key.scope} ${key.scopeId} ${perOf(key.period)}`)
    if (since !== undefined && from >= since.complete && !stored.has(name)) {
      return `counter of ${named(configuration, key)}: is gone`
    }
  }
  return undefined
}

/** As many purchases as there are; each has a number of its own. */
function auditNumbers(
  configuration: Configuration,
  purchases: readonly Purchase[],
  counters: readonly Counter[],
): string | undefined {
  for (const counter of counters) {
    if (counter.scope !== SCOPES.purchases) continue
    const own = purchases.filter((p) => p.programId === counter.scopeId)
    if (counter.times !== own.length) {
      return `counter of ${named(configuration, counter)}: says ${counter.times}, there are ${own.length}`
    }
    const numbers = own.flatMap((p) => (p.frozen === null ? [] : ((JSON.parse(p.frozen) as Frozen).number ?? [])))
    if (new Set(numbers).size !== numbers.length || numbers.some((n) => n < 1 || n > own.length)) {
      return `purchases of ${named(configuration, counter)}: two have the same number`
    }
  }
  return undefined
}

function named(configuration: Configuration, { scope, scopeId, period }: CounterKey): string {
  if (scope === SCOPES.wallet) return `wallet "${configuration.byWalletId.get(scopeId)?.slug ?? scopeId}" for ${period}`
  if (scope === SCOPES.purchases) return `program "${programById(configuration, scopeId)?.slug ?? scopeId}"`
  const rule = configuration.versions.find((version) => version.ruleId === scopeId)?.rule
  return `rule ${rule === undefined ? scopeId : encodeId('rul', rule)} for ${period}`
}

/** By how a period is called. */
function perOf(period: string): Per {
  if (period === 'all') return 'lifetime'
  if (period.includes('W')) return 'week'
  return period.length === 4 ? 'year' : period.length === 7 ? 'month' : 'day'
}

/** What was spent of budgets, against what their rules gave by quarters of an hour: nobody's alone. */
export function auditBudgets(
  configuration: Configuration,
  budgets: readonly { ruleId: number; period: string; points: number }[],
  given: readonly { ruleVersionId: number; quarter: number; points: number }[],
): string | undefined {
  const due = new Map<string, number>()
  for (const { ruleVersionId, quarter, points } of given) {
    const version = versionById(configuration, ruleVersionId)
    const budget = version?.terms.budget
    const timezone = version && configuration.byWalletId.get(version.walletId)?.program.timezone
    if (!budget || timezone === undefined) continue
    const name = `${version.ruleId} ${periodKey(budgetLimit(budget).per, quarter * QUARTER, timezone)}`
    due.set(name, (due.get(name) ?? 0) + points)
  }
  const spent = new Map(budgets.map((b) => [`${b.ruleId} ${b.period}`, b.points]))
  for (const name of new Set([...due.keys(), ...spent.keys()])) {
    const [ruleId = '', period = ''] = name.split(' ')
    const [says, gave] = [spent.get(name) ?? 0, due.get(name) ?? 0]
    if (says === gave) continue
    const key: CounterKey = { member: '', scope: SCOPES.rule, scopeId: Number(ruleId), period }
    return `budget of ${named(configuration, key)}: says that ${says} points were spent, its entries ${gave}`
  }
  return undefined
}

const QUARTER = 900_000_000
