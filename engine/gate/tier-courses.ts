import type { Instant } from '@laurel/contract/instants'
import type { TierBenefits } from '@laurel/contract/tiers'
import { type Configuration, type Program, programById } from '../earning/configuration.ts'
import type { ConfiguredLadder } from '../earning/configured.ts'
import { compileNumber, type Expression } from '../earning/expressions.ts'
import { type Counted, type Course, type Measure, MEASURES } from '../tiers/tiers.ts'
import { versionAt } from '../tiers/versions.rules.ts'

/**
 * A ladder with all that it is climbed by: which measures are kept, of which wallet (its points) and which activity.
 */
export type LadderCourse = Omit<Course, 'past'> & {
  ladder: ConfiguredLadder
  program: Program
  measures: ReadonlySet<Measure>
  walletId: number | undefined
  activity: string | undefined
  /** it goes by how long somebody is a member: it may rise by itself */
  ages: boolean
  past: () => readonly LadderCourse[]
}

const COURSES = new WeakMap<Configuration, Map<number, LadderCourse>>()

/** By the ladder's number. Once a configuration. */
export function coursesOf(configuration: Configuration): ReadonlyMap<number, LadderCourse> {
  let courses = COURSES.get(configuration)
  if (!courses) {
    courses = new Map()
    for (const ladder of configuration.ladders) {
      const program = programById(configuration, ladder.programId)
      if (program) courses.set(ladder.ladderId, courseOf(program, ladder))
    }
    COURSES.set(configuration, courses)
  }
  return courses
}

/** Of a ladder that is configured, or that somebody thinks of. */
export function courseOf(program: Program, ladder: ConfiguredLadder): LadderCourse {
  const { metric } = ladder.terms
  const expression = metric.kind === 'expression' ? compileNumber(metric.expression, 'tier') : undefined
  const wallet = 'wallet' in metric ? (metric.wallet ?? 'points') : 'points'
  let past: LadderCourse[] | undefined
  const before = () => (ladder.past ?? []).map((version) => courseOf(program, { ...ladder, ...version, past: [] }))
  const reads = expression && 'names' in expression ? expression.names : new Set<string>([metric.kind])
  const measures = new Set<Measure>()
  for (const [name, measure] of Object.entries(MEASURES)) if (reads.has(name)) measures.add(measure)
  return {
    ladder,
    program,
    timezone: ladder.timezone ?? program.timezone,
    past: () => (past ??= before()),
    sinks: reads.has('balance'),
    worth: metric.kind === 'expression' ? worthOf(program, expression) : (counted) => counted[metric.kind],
    measures,
    walletId: program.wallets.find(({ slug }) => slug === wallet)?.walletId,
    activity: 'activity' in metric ? metric.activity : undefined,
    ages: reads.has('daysAsMember'),
  }
}

/** What cannot be worked out is worth nothing. */
function worthOf(program: Program, expression: Expression<number> | { fault: string } | undefined) {
  return (counted: Counted): number => {
    if (!expression || 'fault' in expression) return 0
    const { timezone, currency } = program
    const said = expression.run({ event: 'tier', lines: [], occurredAt: 0, timezone, currency, counted })
    return typeof said === 'number' && !Number.isNaN(said) ? said : 0
  }
}

/** Of the newest or an older version, by its number. */
export function courseBy(course: LadderCourse, version: number): LadderCourse | undefined {
  return course.ladder.version === version ? course : course.past().find(({ ladder }) => ladder.version === version)
}

/** As the version said it that held then. */
export function courseAt(course: LadderCourse, at: Instant): LadderCourse {
  return versionAt(course, at) as LadderCourse
}

/** All ways in which a ladder ever counted, by a version each. */
export function waysOfCounting(course: LadderCourse): LadderCourse[] {
  const past = course.ladder.past?.length ? course.past() : []
  return [...new Map([...past, course].map((one) => [one.ladder.keeping, one])).values()]
}

/** What a tier brings; nothing where it is none, or the ladder has it no longer. */
export function benefitsOf({ ladder }: Course, tier: string | null): TierBenefits {
  return ladder.terms.tiers.find(({ slug }) => slug === tier)?.benefits ?? {}
}
