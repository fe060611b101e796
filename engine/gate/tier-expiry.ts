import type { Uuid } from '@laurel/contract/ids'
import type { LotExpiry } from '@laurel/contract/wallets'
import type { Configuration } from '../earning/configuration.ts'
import type { Lot } from '../ledger/books.ts'
import { heldAt } from '../tiers/tiers.rules.ts'
import type { StoredChange } from '../tiers/tiers.ts'
import type { Slices } from './slices.ts'
import { benefitsOf, courseAt, coursesOf } from './tier-courses.ts'
import { tierKey } from './tier-keys.ts'

const KNOWN = new WeakMap<Configuration, boolean>()

/** Whether any tier, in any version of a ladder in force, says when points end: only then are histories read for it. */
export function tiersSayExpiry(configuration: Configuration): boolean {
  let says = KNOWN.get(configuration)
  if (says === undefined) {
    says = configuration.ladders.some(({ terms, past = [] }) =>
      [terms, ...past.map((version) => version.terms)].some(({ tiers }) =>
        tiers.some(({ benefits }) => benefits?.expiry !== undefined),
      ),
    )
    KNOWN.set(configuration, says)
  }
  return says
}

/**
 * What the tiers said of the end of points that a rule gave and that waited since: those that were held when they were
 * earned, as it was known then, by what the ladder said then. What was reached by earning them does not count.
 */
export function expiryHeld(slices: Slices, member: Uuid, lot: Lot): LotExpiry | undefined {
  if (lot.ruleVersionId === null || !tiersSayExpiry(slices.configuration)) return undefined
  const programId = slices.configuration.byWalletId.get(lot.walletId)?.program.programId
  for (const course of coursesOf(slices.configuration).values()) {
    const { ladderId, createdAt } = course.ladder
    if (course.ladder.programId !== programId || createdAt > lot.bookedAt) continue
    const then = courseAt(course, lot.occurredAt)
    const history = slices.tiers.history.get(tierKey(member, ladderId)) ?? []
    const known = history.filter((change) => wasKnown(change, lot))
    const { expiry } = benefitsOf(then, heldAt(then.ladder.terms, known, lot.occurredAt))
    if (expiry) return expiry
  }
  return undefined
}

function wasKnown({ at, bookedAt, why }: StoredChange, { occurredAt, bookedAt: booked }: Lot): boolean {
  return bookedAt <= booked && (at < occurredAt || why !== 'reached')
}
