import { decodeId } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Db } from '../base/db.ts'
import { compileVersion, eventOf } from './compiled.ts'
import type { Configured, ConfiguredWallet, Program, Rule, RuleStatus, RuleVersion } from './configured.ts'
import { selectConfiguration } from './earning.sql.ts'
import { KINDS } from './kinds.ts'
import type { Kind } from './kinds/kind.ts'
import type { CompiledRule } from './question.ts'

export type { CompiledRule } from './question.ts'

export type { ActivityType, Configured, Program, Rule, RuleState, RuleStatus, RuleVersion } from './configured.ts'

/** The rules in force between changes of configuration: over occurredAt, between these instants, nothing changes. */
type Timeline = { boundaries: Instant[]; sets: (CompiledRule[] | undefined)[] }

/** Everything that is configured in a space at one config version: a value, shared and never changed. */
export type Configuration = Configured & {
  kinds: ReadonlyMap<string, Kind>
  /** By programId; rules in the order of their creation. */
  rules: ReadonlyMap<number, Rule[]>
  byRef: ReadonlyMap<string, Program>
  byProgramId: ReadonlyMap<number, Program>
  byVersionId: ReadonlyMap<number, RuleVersion>
  byWalletId: ReadonlyMap<number, ConfiguredWallet>
  /** Filled as questions come: what it holds follows from the rest. */
  memo: {
    compiled: Map<number, CompiledRule>
    changes: Map<number, number[]>
    timelines: Map<number | string, Timeline[]>
    events: Map<number, Set<string>>
  }
}

/** Indexes what was read. Tests give kinds of their own. */
export function configurationOf(configured: Configured, kinds: readonly Kind[] = KINDS): Configuration {
  const byWalletId = new Map<number, ConfiguredWallet>()
  const byRef = new Map<string, Program>()
  const rules = new Map<number, Rule[]>()
  for (const program of configured.programs) {
    byRef.set(program.slug, program)
    byRef.set(program.id, program)
    rules.set(program.programId, [])
    for (const { walletId, slug, settings, changedAt, past = [] } of program.wallets)
      byWalletId.set(walletId, { program, slug, settings, changedAt, past })
  }
  const byRuleId = new Map<number, Rule>()
  for (const version of configured.versions) {
    const rule = byRuleId.get(version.ruleId) ?? { ruleId: version.ruleId, versions: [], states: [] }
    if (rule.versions.push(version) > 1) continue
    byRuleId.set(version.ruleId, rule)
    const wallet = byWalletId.get(version.walletId)
    if (!wallet) throw new Error(`rule version ${version.ruleVersionId} gives in an unknown wallet`)
    rules.get(wallet.program.programId)?.push(rule)
  }
  for (const state of configured.states) byRuleId.get(state.ruleId)?.states.push(state)
  for (const rule of byRuleId.values()) {
    rule.versions.sort((a, b) => a.version - b.version)
    rule.states.sort((a, b) => a.configVersion - b.configVersion)
  }
  for (const list of rules.values()) list.sort((a, b) => a.ruleId - b.ruleId)
  return {
    ...configured,
    kinds: new Map(kinds.map((kind) => [kind.code, kind])),
    rules,
    byRef,
    byProgramId: new Map(configured.programs.map((program) => [program.programId, program])),
    byVersionId: new Map(configured.versions.map((version) => [version.ruleVersionId, version])),
    byWalletId,
    memo: { compiled: new Map(), changes: new Map(), timelines: new Map(), events: new Map() },
  }
}

/** The program that a caller names by its slug or its id (prg_…). */
export function program(configuration: Configuration, ref: string): Program | undefined {
  const named = configuration.byRef.get(ref)
  if (named?.slug === ref) return named // a bare UUID is not a name
  const id = decodeId('prg', ref)
  return id === undefined ? undefined : configuration.byRef.get(id)
}

export function programById(configuration: Configuration, programId: number): Program | undefined {
  return configuration.byProgramId.get(programId)
}

/** The rule version that an award or an entry names. */
export function versionById(configuration: Configuration, ruleVersionId: number): RuleVersion | undefined {
  return configuration.byVersionId.get(ruleVersionId)
}

/** What the rule's status was as configured at `asOf`; undefined before it was made. */
export function statusAt(rule: Rule, asOf: number): RuleStatus | undefined {
  return rule.states.findLast((state) => state.configVersion <= asOf)?.status
}

/**
 * The version that speaks for `at`, as configured at `asOf`: the newest of those effective by then. So a version is
 * effective over [effectiveFrom, the next one's effectiveFrom), and one that begins no later replaces another whole.
 */
export function versionAt(rule: Rule, asOf: number, at: Instant): RuleVersion | undefined {
  return rule.versions.findLast(
    (version) => version.publishedIn <= asOf && (version.effectiveFrom === null || version.effectiveFrom <= at),
  )
}

/**
 * The rules to decide an event of `at` by, as configured at config version `asOf`: by priority, then by creation,
 * those that multiply after all others. The same array for the same answer.
 */
export function rulesAt(
  c: Configuration,
  programId: number,
  asOf: number,
  at: Instant,
  event = 'purchase',
): CompiledRule[] {
  const timeline = timelineOf(c, programId, asOf, event)
  const index = timeline.boundaries.length === 0 ? 0 : countUpTo(timeline.boundaries, at)
  return (timeline.sets[index] ??= inForce(c, programId, asOf, at).filter((rule) => rule.event === event))
}

/** Between two changes of a program's rules, every config version means the same: one timeline serves them all. */
function timelineOf(c: Configuration, programId: number, asOf: number, event: string): Timeline {
  const key = event === 'purchase' ? programId : keyOf(c, programId, event)
  let timelines = c.memo.timelines.get(key)
  if (!timelines) c.memo.timelines.set(key, (timelines = []))
  let changes = c.memo.changes.get(programId)
  if (!changes) c.memo.changes.set(programId, (changes = changesOf(c.rules.get(programId) ?? [])))
  const index = countUpTo(changes, asOf)
  return (timelines[index] ??= { boundaries: boundariesOf(c.rules.get(programId) ?? [], asOf), sets: [] })
}

/** Events that no rule answers to are one: who sends what nobody has heard of makes nothing grow. */
function keyOf(c: Configuration, programId: number, event: string): string {
  let answered = c.memo.events.get(programId)
  if (!answered) {
    const versions = (c.rules.get(programId) ?? []).flatMap((rule) => rule.versions)
    c.memo.events.set(programId, (answered = new Set(versions.map(({ terms }) => eventOf(terms)))))
  }
  return answered.has(event) ? `${programId} ${event}` : `${programId} -`
}

function changesOf(rules: Rule[]): number[] {
  return ascending(
    rules.flatMap((rule) => [
      ...rule.versions.map((version) => version.publishedIn),
      ...rule.states.map((state) => state.configVersion),
    ]),
  )
}

function boundariesOf(rules: Rule[], asOf: number): Instant[] {
  return ascending(
    rules
      .filter((rule) => statusAt(rule, asOf) === 'active')
      .flatMap((rule) => rule.versions.filter((version) => version.publishedIn <= asOf))
      .flatMap((version) => [version.effectiveFrom, version.startsAt, version.endsAt])
      .filter((instant) => instant !== null),
  )
}

function ascending(numbers: number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b)
}

/** How many of the ascending numbers are ≤ n. */
function countUpTo(numbers: number[], n: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((numbers[middle] as number) <= n) low = middle + 1
    else high = middle
  }
  return low
}

/** As rulesAt, now, with these rules (by ruleId) as if they were active. */
export function rulesTried(
  c: Configuration,
  programId: number,
  at: Instant,
  event: string,
  tried: ReadonlySet<number>,
): CompiledRule[] {
  return inForce(c, programId, c.configVersion, at, tried).filter((rule) => rule.event === event)
}

const NONE: ReadonlySet<number> = new Set()

function inForce(
  c: Configuration,
  programId: number,
  asOf: number,
  at: Instant,
  tried: ReadonlySet<number> = NONE,
): CompiledRule[] {
  const found: CompiledRule[] = []
  for (const rule of c.rules.get(programId) ?? []) {
    const status = statusAt(rule, asOf)
    if (status !== 'active' && !(status !== undefined && tried.has(rule.ruleId))) continue
    const version = versionAt(rule, asOf, at)
    if (version && inWindow(version, at)) found.push(compile(c, version))
  }
  return found.sort(
    (a, b) => Number(a.multiplies) - Number(b.multiplies) || a.priority - b.priority || a.ruleId - b.ruleId,
  )
}

/** Half-open: at `startsAt` it gives, at `endsAt` no longer. */
function inWindow(version: RuleVersion, at: Instant): boolean {
  return (version.startsAt === null || version.startsAt <= at) && (version.endsAt === null || at < version.endsAt)
}

/** Throws (a fault) on a kind that this process does not know: to leave the rule out would decide wrongly. */
export function compile(c: Configuration, version: RuleVersion): CompiledRule {
  const known = c.memo.compiled.get(version.ruleVersionId)
  if (known) return known
  const kind = c.kinds.get(version.kind)
  if (!kind) throw new Error(`earning rule version ${version.ruleVersionId} is of an unknown kind: ${version.kind}`)
  const wallet = c.byWalletId.get(version.walletId)
  if (!wallet) throw new Error(`earning rule version ${version.ruleVersionId} gives in an unknown wallet`)
  const { currency } = wallet.program
  const compiled = compileVersion(kind, version, { slug: wallet.slug, currency, caps: wallet.settings.caps })
  c.memo.compiled.set(version.ruleVersionId, compiled)
  return compiled
}

/** One statement, so one snapshot, however many programs and rules there are. */
export async function loadConfiguration(db: Db): Promise<Configuration> {
  return configurationOf(await selectConfiguration(db))
}

/** Configurations that this process holds: a handful of spaces, the newest version of each or two. */
const HELD_MAX = 64

export type Configurations = {
  /**
   * The space's configuration at `version` (spaces.config_version, read just now) or at a later one, which was
   * committed in between: go by the `configVersion` of what you get.
   */
  get(db: Db, version: number): Promise<Configuration>
}

/** One a process. Nothing needs to tell it of changes: who asks says which version. */
export function configurations(): Configurations {
  const held = new Map<string, Configuration>()
  return {
    async get(db, version) {
      const key = `${db.space} ${version}`
      const found = held.get(key)
      if (found) {
        if (held.size > 1) {
          // last used goes last, so that the first is the one to let go
          held.delete(key)
          held.set(key, found)
        }
        return found
      }
      const loaded = await loadConfiguration(db)
      if (loaded.configVersion < version) {
        throw new Error(`space ${db.space} is at config version ${loaded.configVersion}, but was at ${version} before`)
      }
      held.set(`${db.space} ${loaded.configVersion}`, loaded)
      for (const oldest of held.keys()) {
        if (held.size <= HELD_MAX) break
        held.delete(oldest)
      }
      return loaded
    },
  }
}
