import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { LadderTerms } from '@laurel/contract/tiers'

/**
 * What a version of a ladder says. keeping: the version since which the same is counted in the same way; what was
 * counted before is counted anew. firm: the newest version that everybody is held against at once. publishedAt: since when it
 * holds (left out: always). timezone: by which days are counted (left out: the program's).
 */
export type LadderVersion = {
  version: number
  keeping: number
  firm: number
  terms: LadderTerms
  publishedAt?: Instant
  timezone?: string | null
}

/** A ladder that is in force, as its newest version says it. past: the versions before, oldest first. */
export type Ladder = LadderVersion & {
  ladderId: number
  id: Uuid
  programId: number
  slug: string
  createdAt: Instant
  past?: readonly LadderVersion[]
}
