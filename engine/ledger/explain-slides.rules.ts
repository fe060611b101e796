import type { Instant } from '@laurel/contract/instants'
import { KINDS } from './accounts.ts'
import type { WalletTerms } from './books.ts'
import { type Line, placeOf, type SlideEnd, type UseThen } from './explain-columns.rules.ts'
import type { WalletState } from './wallets.rules.ts'

/** A merge of then, or the undoing of one, after which what another had done last counted for the member. */
export type Joined = { at: Instant; last: Instant }

/**
 * What else tells of an instant that has passed. `ended`: lots of which something had ended by then, booked after it, and when.
 */
export type SlidThen = { uses: readonly UseThen[]; joined: readonly Joined[]; ended: ReadonlyMap<number, Instant> }

/**
 * Where points end by inactivity, when they do: now (`at` undefined) by the last activity that the member's state knows; at an instant that
 * has passed by the last earning or spending that was booked by then, the member's or (`joined`) that of another who came along. What comes
 * back after the end begins anew; what was held past it stays over, whatever came after that.
 */
export function slideOf(
  { slideEnd, slidesOn }: WalletTerms,
  wallet: Pick<WalletState, 't' | 'z'> | undefined,
  at: Instant | undefined,
  { uses, joined, ended }: SlidThen,
): SlideEnd | undefined {
  const { t: last, z } = wallet ?? { t: 0, z: [] }
  const over = new Map(z)
  if (!slideEnd || !slidesOn) return undefined
  if (at === undefined) return () => (lot) => over.get(lot.seq) ?? (last === 0 ? null : slideEnd(last))
  return (lines) => {
    let activity = at >= last ? last : 0
    const isOver = (by: Instant) => activity === 0 || slideEnd(activity) <= by
    const coming = joined.filter((one) => one.at > activity && slideEnd(one.last) > one.at).toReversed()
    const join = (by: Instant) => {
      for (let next = coming.at(-1); next && next.at <= by; next = coming.at(-1)) {
        activity = Math.max(activity, next.last)
        coming.pop()
      }
    }
    for (const line of lines) {
      join(line.bookedAt)
      if (line.bookedAt <= activity) continue
      if (isActivity(line, slidesOn) || (comesBack(line) && isOver(line.bookedAt))) activity = line.bookedAt
    }
    join(at)
    const end = activity === 0 ? null : slideEnd(activity)
    const again = end === null || end > at ? new Set() : givenSince(uses, lines, end)
    return ({ seq, bookedAt }) => {
      const stays = ended.get(seq) ?? over.get(seq)
      if (stays !== undefined && stays <= at) return stays
      return end === null || end <= bookedAt || again.has(seq) ? null : end // what came after it waits for another activity
    }
  }
}

function isActivity({ kind }: Line, slidesOn: ReadonlySet<string>): boolean {
  return (kind === KINDS.earn.code && slidesOn.has('earn')) || (kind === KINDS.spend.code && slidesOn.has('spend'))
}

function comesBack({ kind, expiresAt }: Line): boolean {
  return kind === KINDS.refund.code || (kind === KINDS.reinstate.code && expiresAt === null)
}

/** Lots to which something was given back after their end. */
function givenSince(uses: readonly UseThen[], lines: readonly Line[], end: Instant): Set<number> {
  const given = new Set<number>()
  for (const { seq, lotSeq, points } of uses) {
    const place = points < 0 ? placeOf(lines, seq) : -1
    if (place >= 0 && (lines[place] as Line).bookedAt >= end) given.add(lotSeq)
  }
  return given
}
