import type { Instant } from '@laurel/contract/instants'
import type { TierWhy } from '@laurel/contract/tiers'
import { levelOf } from './levels.rules.ts'
import type { Course, StoredChange, TierState } from './tiers.ts'

/** Purchases may be dated a little ahead, and clocks of servers differ a little. */
const AHEAD = 6 * 60 * 1_000_000
/** What somebody may have done by hand; of two who became one, what was assigned to the other. */
const HAND: ReadonlySet<TierWhy> = new Set(['assigned', 'assignment_ended', 'merged'])

/**
 * What is wrong with the changes of a standing: they follow one another, each says what can be so, and the last of them
 * is what is held and by whom. versions: all of the ladder, where it is in force.
 */
export function historyFault(
  row: TierState,
  history: readonly StoredChange[],
  versions: readonly Course[],
): string | undefined {
  if (history.length !== row.historySeq) return `${row.historySeq} changes are noted, ${history.length} are there`
  let held: string | null = null
  let since: Instant | null = null
  let before: StoredChange | undefined
  for (const [i, change] of history.entries()) {
    const follows = change.seq === i + 1 && change.from === held && (since === null || change.at >= since)
    if (!follows) return `change ${change.seq} does not follow from the one before it`
    const what = changeFault(change, before, since, versions)
    if (what) return `change ${change.seq} ${what}`
    if (change.to !== change.from) since = change.at
    held = change.to
    before = change
  }
  if (row.tier !== held) return `${row.tier ?? 'nothing'} is held, ${held ?? 'nothing'} by the changes`
  if (row.since !== since) return 'it is held since another time than it changed'
  return handFault(row, history)
}

function changeFault(
  { from, to, at, bookedAt, until, why, reason, by }: StoredChange,
  before: StoredChange | undefined,
  since: Instant | null,
  versions: readonly Course[],
): string | undefined {
  if (at > bookedAt + AHEAD) return 'was written before it took effect'
  if (before && bookedAt + AHEAD < before.bookedAt) return 'was written before the one before it'
  if (until !== null && until < at) return 'ended before it took effect'
  if ((reason !== null || by !== null) && !HAND.has(why)) return `was done by somebody, and ${why}`
  if (why === 'assigned' && reason === null) return 'was done by somebody who gave no reason'
  if (from === to && reason === null) return 'changes nothing'
  if (versions.length === 0 || from === to) return undefined
  const goes = (up: boolean) =>
    versions.some(({ ladder: { terms } }) => levelOf(terms, to) > levelOf(terms, from) === up)
  if (why === 'reached' && !goes(true)) return `is a fall, and ${why}`
  if ((why === 'taken_back' || (why === 'assignment_ended' && reason !== null)) && !goes(false))
    return `is no fall, and ${why}`
  const isPublishing = versions.some(
    ({ ladder: { publishedAt = at } }) => publishedAt === at || (at === bookedAt && Math.abs(publishedAt - at) < AHEAD),
  )
  if (why === 'ladder_changed' && !isPublishing && at !== since) return 'took effect when no version was published'
  return undefined
}

/** What is held by hand is what was last done by hand. */
function handFault({ manual }: TierState, history: readonly StoredChange[]): string | undefined {
  if (!manual) return undefined
  const last = history.findLast(({ reason }) => reason !== null)
  if (!last || last.why === 'assignment_ended') return `${manual.tier} is held by hand, and nobody assigned it`
  if (last.reason !== manual.reason) return 'it was assigned for another reason'
  return last.by === manual.by ? undefined : 'it was assigned by somebody else'
}
