import { type Instant, parseInstant } from '@laurel/contract/instants'
import type { LadderTerms } from '@laurel/contract/tiers'
import { localDay } from '../base/calendar.ts'
import { withChanges } from './levels.rules.ts'
import { advance, type Advanced, beginning, daysOf } from './tiers.rules.ts'
import {
  type Bucket,
  type Cause,
  type Course,
  type Given,
  MEASURES,
  type TierChange,
  type TierState,
  type TierTold,
} from './tiers.ts'

/** One member on one ladder, in memory. */
export type Climber = {
  readonly state: TierState
  readonly changes: TierChange[]
  readonly told: TierTold[]
  /** Another one is published when somebody last looked, unless it says when. */
  course: Course
  balance: number
  /** Earns and spends so much in a purchase, on the day of `at`; decided at `now` (`at` unless told). Less: it comes back. */
  counts(amount: number, at: string, now?: string): void
  /** Lets time pass; tier and until as they are then. */
  at(now: string): [tier: string | null, until: string | null]
  assigns(tier: string | null, at: string, until?: string): void
}

export const at = (text: string): Instant => {
  const instant = parseInstant(text.includes('T') ? text : `${text}T12:00:00Z`)
  if (instant === undefined) throw new Error(`not an instant: ${text}`)
  return instant
}

export const THREE: LadderTerms['tiers'] = [
  { slug: 'bronze', name: 'Bronze', threshold: 0 },
  { slug: 'silver', name: 'Silver', threshold: 100 },
  { slug: 'gold', name: 'Gold', threshold: 500 },
]

/** The same tiers, so many times as hard to reach. */
export const times = (factor: number): LadderTerms['tiers'] =>
  THREE.map((tier) => ({ ...tier, threshold: tier.threshold * factor }))

export function aCourse(
  terms: Partial<LadderTerms> = {},
  more: Partial<Course['ladder']> = {},
  timezone = 'UTC',
): Course {
  const { metric = { kind: 'spend' } } = terms
  return {
    ladder: {
      ladderId: 1,
      id: '01890a5d-ac96-774b-bcce-b302099a8057',
      programId: 1,
      slug: 'status',
      version: 1,
      keeping: 1,
      firm: 1,
      createdAt: at('2020-01-01'),
      terms: {
        name: 'Status',
        metric,
        window: { kind: 'calendar', per: 'year' },
        upgrade: 'at_once',
        downgrade: 'reassess',
        grace: null,
        noticeDays: null,
        tiers: THREE,
        ...terms,
      },
      ...more,
    },
    timezone,
    sinks: metric.kind === 'balance',
    worth: (counted) => (metric.kind === 'expression' ? 0 : counted[metric.kind]),
    past: () => [],
  }
}

/** A climber who joined then. */
export function climber(first: Course, joined: string): Climber {
  let progress: Bucket[] = []
  let course = first
  const past: Course[] = []
  let looked = at(joined)
  const given = (now: Instant): Given => {
    const counts = { progress, balance: one.balance }
    return { now, ...counts, by: () => counts }
  }
  const take = ({ state, changes, told }: Advanced) => {
    current = state
    one.changes.push(...changes)
    one.told.push(...told)
  }
  const look = (now: Instant, cause?: Cause) => {
    looked = now
    take(advance(course, current, given(now), cause))
  }
  const one: Climber = {
    get state() {
      return current
    },
    changes: [],
    told: [],
    get course() {
      return course
    },
    set course(next) {
      past.push(course)
      const ladder = { ...next.ladder, publishedAt: next.ladder.publishedAt ?? looked, past: past.map((c) => c.ladder) }
      course = { ...next, ladder, past: () => past }
    },
    balance: 0,
    counts(amount, when, now = when) {
      const day = localDay(at(when), one.course.timezone)
      look(at(now))
      const { earned, spend, purchases } = MEASURES
      const counted: Bucket[] = [earned, spend].map((measure) => ({ measure, day, amount }))
      counted.push({ measure: purchases, day, amount: Math.sign(amount) })
      progress = withChanges(progress, counted)
      look(at(now), { at: at(when), why: 'reached', days: daysOf(counted), back: amount < 0 })
    },
    at(now) {
      look(at(now))
      const { tier, until } = current
      return [tier, until === null ? null : new Date(until / 1000).toISOString().replace(/:00.000Z$|.000Z$/, 'Z')]
    },
    assigns(tier, when, until) {
      const manual =
        tier === null ? null : { tier, until: until === undefined ? null : at(until), reason: 'x', by: null }
      look(at(when))
      current = { ...current, manual }
      look(at(when), { at: at(when), why: tier === null ? 'assignment_ended' : 'assigned' })
    },
  }
  let current = beginning(
    first,
    { member: '01890a5d-ac96-774b-bcce-b302099a8058', joined: at(joined) },
    given(at(joined)),
  )
  look(at(joined))
  return one
}

/** Another version of the ladder holds for a climber from then on. */
export function publish(
  one: Climber,
  when: string,
  terms: Partial<LadderTerms>,
  more: Partial<Course['ladder']>,
): void {
  one.course = aCourse(terms, { publishedAt: at(when), ...more })
}
