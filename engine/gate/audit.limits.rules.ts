import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Per } from '@laurel/contract/periods'
import type { Activity } from '../activities/activities.rules.ts'
import { periodBounds, periodKey } from '../base/calendar.ts'
import { type Configuration, programById, type RuleVersion, rulesAt, versionById } from '../earning/configuration.ts'
import type { CompiledRule } from '../earning/question.ts'
import { ACCOUNTS, KINDS } from '../ledger/accounts.ts'
import type { Entry } from '../ledger/books.ts'
import type { BooksOf } from '../ledger/ledger.sql.ts'
import { budgetLimit } from '../limits/budgets.rules.ts'
import { type Counter, type CounterKey, counterName, SCOPES } from '../limits/counters.rules.ts'
import { capsRoom, isCooling, type RuleRoom, together } from '../limits/limits.rules.ts'
import type { Purchase } from '../purchases/purchases.rules.ts'
import { doneBefore, rulesFor } from './activities.ts'
import { countedWithMore, type ElderBook, type ElderBooks } from './audit-elders.ts'
import { keptCounters, numberedSince } from './limit-plans.ts'
import type { Frozen } from './questions.ts'

/** What was given, as entries say it: by counter name. */
type Derived = Map<string, { key: CounterKey; sources: Set<Uuid>; points: number; lastAt: Instant; from: Instant }>
/** All that was given one member by then, and when by which rule. */
type Before = { member: Uuid; derived: Derived; awards: Map<number, Instant[]> }

/** What gave points: by what it was decided, in what zone, and what it froze. */
type Source = { what: string; rules: readonly CompiledRule[]; at: Instant; zone: string; frozen: Frozen | null }

/**
 * A member's counters against its entries and purchases, and what purchases and activities froze against what had been given by then.
 */
export function auditLimits(
  configuration: Configuration,
  { state: { member }, entries }: Pick<BooksOf, 'state' | 'entries'>,
  purchases: readonly Purchase[],
  counters: readonly Counter[],
  activities: readonly Activity[] = [],
  family: ElderBooks = new Map(),
): string | undefined {
  const limited = counters.length > 0 || purchases.some((p) => p.frozen !== null)
  const kept = keptCounters(configuration)
  if (!limited && kept.size === 0) return undefined
  const sources = sourcesOf(configuration, purchases, activities)
  const own: Before = { member, derived: new Map(), awards: new Map() }
  const elders = eldersThen(configuration, family, member)
  const seen = new Set<Uuid>()
  for (const entry of entries) {
    const version = entry.ruleVersionId === undefined ? undefined : versionById(configuration, entry.ruleVersionId)
    if (entry.kind !== KINDS.earn.code || entry.to !== ACCOUNTS.member || !version) continue
    const source = sources.get(entry.source)
    if (source && !seen.has(entry.source)) {
      const others = elders(source.frozen)
      const what = typeof others === 'string' ? others : auditRooms(source, [own, ...others])
      if (what) return `${source.what}: ${what}`
    }
    seen.add(entry.source)
    note(configuration, own, entry, version, source?.zone)
  }
  return auditCounters(configuration, own.derived, counters) ?? auditNumbers(configuration, purchases, counters, family)
}

/** One more entry of what was given. */
function note(c: Configuration, before: Before, entry: Entry, version: RuleVersion, zone: string | undefined): void {
  derive(c, before.derived, before.member, entry, version, zone)
  const times = before.awards.get(version.ruleId)
  if (times) times.push(entry.occurredAt)
  else before.awards.set(version.ruleId, [entry.occurredAt])
}

/** Who lived on as the member when something was decided, as what was frozen says, and what had been given them; or what is wrong with that. */
function eldersThen(c: Configuration, family: ElderBooks, member: Uuid) {
  const known = new Map<string, Before>()
  return (frozen: Frozen | null): Before[] | string => {
    const then: Before[] = []
    for (const [elder, seq] of frozen?.elders ?? []) {
      const books = family.get(elder)
      if (!books?.heirs.has(member)) return `it was counted with ${encodeId('mem', elder)}, who was never this member`
      const before = known.get(`${elder} ${seq}`) ?? { member: elder, derived: new Map(), awards: new Map() }
      if (!known.has(`${elder} ${seq}`)) noteAll(c, before, books, seq)
      known.set(`${elder} ${seq}`, before)
      then.push(before)
    }
    return then
  }
}

function noteAll(c: Configuration, before: Before, books: ElderBook, seq: number): void {
  const sources = sourcesOf(c, books.purchases, books.activities)
  for (const entry of books.entries) {
    const version = entry.ruleVersionId === undefined ? undefined : versionById(c, entry.ruleVersionId)
    if (entry.seq > seq || entry.kind !== KINDS.earn.code || entry.to !== ACCOUNTS.member || !version) continue
    note(c, before, entry, version, sources.get(entry.source)?.zone)
  }
}

function sourcesOf(
  c: Configuration,
  purchases: readonly Purchase[],
  activities: readonly Activity[],
): Map<Uuid, Source> {
  const sources = new Map<Uuid, Source>()
  for (const p of purchases) {
    const rules = rulesAt(c, p.programId, p.configVersion, p.occurredAt)
    sources.set(p.id, sourceOf(c, p, `purchase ${encodeId('pur', p.id)}`, rules))
  }
  for (const a of activities) {
    const rules = rulesFor(c, a.programId, a.configVersion, doneBefore(a))
    sources.set(a.id, sourceOf(c, a, `activity ${encodeId('act', a.id)}`, rules))
  }
  return sources
}

function sourceOf(
  c: Configuration,
  stored: Pick<Purchase, 'programId' | 'occurredAt' | 'frozen'>,
  what: string,
  rules: readonly CompiledRule[],
): Source {
  const frozen = stored.frozen === null ? null : (JSON.parse(stored.frozen) as Frozen)
  const zone = frozen?.zone ?? programById(c, stored.programId)?.timezone ?? 'UTC'
  return { what, rules, at: stored.occurredAt, zone, frozen }
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
function auditRooms({ rules, at, frozen }: Source, before: readonly Before[]): string | undefined {
  if (!frozen) return undefined
  const rooms = new Map((frozen.rules ?? []).map((room) => [room.rule, room]))
  for (const rule of rules) {
    const room: RuleRoom = rooms.get(rule.ruleId) ?? { rule: rule.ruleId }
    const due = roomOf(rule, at, frozen.zone, before)
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

function roomOf(rule: CompiledRule, at: Instant, zone: string, before: readonly Before[]): RuleRoom {
  const room: RuleRoom = { rule: rule.ruleId }
  const caps = capsRoom(rule.caps, (per) => {
    const period = periodKey(per, at, zone)
    const sums = before.map(({ member, derived }) => {
      const sum = derived.get(counterName({ member, scope: SCOPES.rule, scopeId: rule.ruleId, period }))
      return sum && { times: sum.sources.size, points: sum.points }
    })
    return together(sums)
  })
  Object.assign(room, caps)
  const { cooldown } = rule.terms
  const times = (one: Before) => one.awards.get(rule.ruleId) ?? []
  if (cooldown !== undefined && before.some((one) => isCooling(times(one), at, cooldown, zone))) room.cooling = true
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

/** As many purchases as there are; each has a number of its own, beyond those of whoever was counted with the member. */
function auditNumbers(
  configuration: Configuration,
  purchases: readonly Purchase[],
  counters: readonly Counter[],
  family: ElderBooks,
): string | undefined {
  for (const counter of counters) {
    if (counter.scope !== SCOPES.purchases) continue
    const own = purchases.filter((p) => p.programId === counter.scopeId)
    const there = countedBy(configuration, counter, own).length
    if (counter.times !== there) {
      return `counter of ${named(configuration, counter)}: says ${counter.times}, there are ${there}`
    }
    const numbers = own.flatMap((p) => {
      const { number, elders = [] } = p.frozen === null ? {} : (JSON.parse(p.frozen) as Partial<Frozen>)
      return number === undefined ? [] : number - elders.reduce((sum, [, , bought]) => sum + bought, 0)
    })
    if (countedWithMore(own, family, counter.scopeId))
      return `purchases of ${named(configuration, counter)}: one was counted with more than there were`
    if (new Set(numbers).size !== numbers.length || numbers.some((n) => n < 1 || n > own.length)) {
      return `purchases of ${named(configuration, counter)}: two have the same number`
    }
  }
  return undefined
}

/** What a counter has counted: all; of one that was last written just as a rule was made, what had been decided by then. */
function countedBy(configuration: Configuration, { scopeId, keptAt }: Counter, own: readonly Purchase[]) {
  const since = numberedSince(configuration, scopeId)
  if (since !== undefined && keptAt >= since) return own
  return own.filter(({ claimed, recordedAt }) => (claimed?.at ?? recordedAt) <= keptAt)
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
  given: readonly { ruleVersionId: number; quarter: number; zone: string | null; points: number }[],
): string | undefined {
  const due = new Map<string, number>()
  for (const { ruleVersionId, quarter, zone, points } of given) {
    const version = versionById(configuration, ruleVersionId)
    const budget = version?.terms.budget
    const timezone = zone ?? (version && configuration.byWalletId.get(version.walletId)?.program.timezone)
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
