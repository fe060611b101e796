import type { Instant } from '@laurel/contract/instants'
import { eventOf } from './compiled.ts'
import {
  type ActivityType,
  type CompiledRule,
  type Configuration,
  type Program,
  rulesAt,
  statusAt,
} from './configuration.ts'

/** The program's type of activity of that slug, archived or not. */
export function activityType(c: Configuration, programId: number, slug: string): ActivityType | undefined {
  return indexOf(c).types.get(`${programId} ${slug}`)
}

/**
 * The rules to decide a moment of life by, as `rulesAt`; without those that were not active when it came. So a rule for
 * birthdays gives for the birthdays after it was published, not for those that a job that was late happens to find.
 */
export function momentRulesAt(
  c: Configuration,
  programId: number,
  asOf: number,
  at: Instant,
  event: string,
): CompiledRule[] {
  const { activeTimes } = indexOf(c)
  const rules = rulesAt(c, programId, asOf, at, event)
  const listened = ({ ruleId }: CompiledRule) =>
    activeTimes.get(ruleId)?.some((time) => time.at <= at && (time.until === null || at < time.until)) ?? false
  return rules.every(listened) ? rules : rules.filter(listened)
}

/** A program, paused or not, and the moments of life that rules of it answer to. `events`: as Question.event. */
export type Listener = { program: Program; events: ReadonlySet<string>; inactiveDays: readonly number[] }

/** Programs with rules for moments of life; none where nothing listens, which is for most spaces. */
export function listeners(c: Configuration): readonly Listener[] {
  return indexOf(c).listeners
}

type Index = {
  types: Map<string, ActivityType>
  activeTimes: Map<number, Configuration['activeTimes']>
  listeners: Listener[]
}
const indexes = new WeakMap<Configuration, Index>()

function indexOf(c: Configuration): Index {
  let index = indexes.get(c)
  if (!index) {
    index = {
      types: new Map(c.activityTypes.map((type) => [`${type.programId} ${type.slug}`, type])),
      activeTimes: Map.groupBy(c.activeTimes, ({ ruleId }) => ruleId),
      listeners: c.programs.flatMap((program) => listenerOf(c, program)),
    }
    indexes.set(c, index)
  }
  return index
}

function listenerOf(c: Configuration, program: Program): Listener[] {
  const events = new Set<string>()
  for (const rule of c.rules.get(program.programId) ?? []) {
    if (statusAt(rule, c.configVersion) !== 'active') continue
    for (const { terms } of rule.versions) if (terms.on?.event === 'member') events.add(eventOf(terms))
  }
  const inactiveDays = [...events].flatMap((event) => {
    const days = /^member:inactive:(\d+)$/.exec(event)?.[1]
    return days === undefined ? [] : [Number(days)]
  })
  return events.size === 0 ? [] : [{ program, events, inactiveDays: inactiveDays.sort((a, b) => a - b) }]
}
