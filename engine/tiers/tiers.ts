import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { TierWhy } from '@laurel/contract/tiers'
import type { Ladder } from './ladders.ts'

/** What is counted by the day; the codes are those of tier_progress. */
export const MEASURES = { earned: 1, spend: 2, purchases: 3, activities: 4 } as const
export type Measure = (typeof MEASURES)[keyof typeof MEASURES]

/** What counts of one local day (since 1970-01-01), net of what came back; also a change of it. */
export type Bucket = { measure: Measure; day: number; amount: number }

/** What a metric reckons with. balance: points that can be spent now; daysAsMember: whole local days. */
export type Counted = {
  earned: number
  balance: number
  spend: number
  purchases: number
  activities: number
  daysAsMember: number
}

/** A tier that somebody gave: the member holds at least this one, until then (null: for ever). */
export type Manual = { tier: string; until: Instant | null; reason: string; by: Uuid | null }

/** What is needed to go on, besides the tier itself. Days are local, half-open. */
export type Standing = {
  /** the day on which the membership began */
  joined: number
  /** the window in which is counted: [from, to). rolling: as long as the tier is kept; null: there is no end */
  from: number
  to: number | null
  /** what is held through the window, whatever counts in it */
  floor: string | null
  /**
   * what `floor` was made of: the window before (it ended at `from`; rolling: it was to end at `to`) and what was held
   * through it
   */
  before?: Before
  /** tier_anniversary: where the window was to end, before a tier was reached in it */
  whole?: number
  /** what is held beyond its end: one a tier at most, each ends by itself */
  graces?: Grace[]
  /** what versions of the ladder let stand that took it away from nobody: the highest first */
  kept?: Kept[]
  /** the highest that a metric that may sink reached in the window */
  peak?: string
  /** the end that was told ahead */
  noticed?: Instant
}

/** A tier that is held beyond its end, which was on that day. */
export type Grace = { tier: string; until: Instant; day: number }

/**
 * What was held by an older version of the ladder when another was published (`at`) that lets everybody keep it: at most
 * this tier, and as long as the standing of then comes to it, as that version counts. So what comes back was never kept.
 * since: its window is over, and it is kept through the next by what that had reached, which counts from that day on.
 * until: a version since then let it stand so long, at the least (null: for ever); told: which, and the end of its window.
 */
export type Kept = {
  version: number
  at: Instant
  tier: string
  standing: Standing
  since?: number
  until?: Instant | null
  told?: { version: number; to: number | null }
}

/**
 * A window that is over. kept: what was let stand in it. whole: where it was to end, if a tier that was reached in it began the next one. before: what
 * `floor` was made of in its turn, where more was reached before it ended: at most one a tier.
 */
export type Before = {
  from: number
  to: number
  floor: string | null
  kept?: Kept[]
  whole?: number
  before?: Before
}

/** What a member holds on a ladder, as of some instant. until: its end if nothing more counts, null: never. */
export type TierState = {
  member: Uuid
  ladderId: number
  version: number
  keeping: number
  tier: string | null
  since: Instant | null
  until: Instant | null
  standing: Standing
  manual: Manual | null
  historySeq: number
  /** when time next changes something or has something to tell; 0: never */
  dueAt: Instant
}

/** at: when it took effect. */
export type TierChange = { from: string | null; to: string | null; at: Instant; until: Instant | null; why: TierWhy }
export type StoredChange = TierChange & {
  member: Uuid
  ladderId: number
  seq: number
  bookedAt: Instant
  reason: string | null
  by: Uuid | null
}

/** What is told besides changes: the same tier ends later; or it will end, and what then is held. */
export type TierTold =
  | { kind: 'prolonged'; until: Instant | null }
  | { kind: 'ending'; until: Instant; to: string | null }

/**
 * A ladder as it is climbed in a program's time zone. sinks: whether what is counted may become less without anything
 * that came back (a balance). worth: what the metric says; nothing that it cannot work out is worth anything. past: the
 * same, as each older version of the ladder said it, oldest first.
 */
export type Course = {
  ladder: Ladder
  timezone: string
  sinks: boolean
  worth: (counted: Counted) => number
  past: () => readonly Course[]
}

/** What counts. balance: of the metric's wallet, as it is now. progress: of all days that matter. */
export type Counts = { balance: number; progress: readonly Bucket[] }

/** What is known when a standing is looked at. by: what counted as an older version counts, where one may matter. */
export type Given = Counts & { now: Instant; by?: (course: Course) => Counts }

/**
 * Why it is looked at again. at: when that happened, days: those of which the counts changed, back: something came
 * back.
 */
export type Cause = { at: Instant; why: TierWhy; days?: readonly number[]; back?: boolean }
