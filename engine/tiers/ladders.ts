import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { LadderTerms } from '@laurel/contract/tiers'

/**
 * A ladder that is in force, as its newest version says it. keeping: the version since which the same is counted in the
 * same way; what was counted before is counted anew. firm: the newest version that everybody is held against at once.
 */
export type Ladder = {
  ladderId: number
  id: Uuid
  programId: number
  slug: string
  version: number
  keeping: number
  firm: number
  terms: LadderTerms
  createdAt: Instant
}
