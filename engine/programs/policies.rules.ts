import { FAR, type Instant, isFar } from '@laurel/contract/instants'
import type { Expiry, Pending } from '@laurel/contract/wallets'
import { addPeriod, due, endOfDay, nextMonthDay, startOfDay } from '../base/calendar.ts'

/**
 * When points begin and end, as a wallet's settings or a rule say. Everything is counted from when the purchase happened, not
 * from when it was booked: what is booked late has the dates that it would have had, though it cannot begin before now.
 */

/** When a lot opened now becomes spendable: at once, at its time, or FAR, where it waits for an event. */
export function activationOf(pending: Pending, occurredAt: Instant, now: Instant, timezone: string): Instant {
  switch (pending.kind) {
    case 'none':
      return now
    case 'period':
      return Math.max(now, due(occurredAt, pending.period, pending.roundUp, timezone))
    case 'until':
      return Math.max(now, startOfDay(pending.date, timezone))
    case 'event':
      return FAR
  }
}

/** By when the event must have come that a lot waits for: from then on it is cancelled. Null: it waits for none. */
export function cancelByOf(pending: Pending, occurredAt: Instant, timezone: string): Instant | null {
  return pending.kind === 'event' ? addPeriod(occurredAt, pending.cancelAfter, timezone) : null
}

/**
 * The first instant at which a lot is no longer there; null where it has no end of its own (never, or sliding).
 *
 * `activatesAt` is when the lot becomes spendable by its terms alone (activationOf with `now` = occurredAt), or when its event
 * came. Calendar dates (`dates`) are counted from then where that is later, so that points bought in December and pending
 * until January do not end at new year before anyone could spend them. So is `rolling` where it would end before the lot begins:
 * a rule's pending may be longer than its wallet's period, an event may come after it. `on` is a day, whatever begins after it; and what
 * was bought so long before a launch (`until`) that it would be over by then, is over (lotDatesOf).
 */
export function expiryOf(expiry: Expiry, occurredAt: Instant, activatesAt: Instant, timezone: string): Instant | null {
  const end = saidEnd(expiry, occurredAt, activatesAt, timezone)
  if (expiry.kind !== 'rolling' || end === null || end > activatesAt || isFar(activatesAt)) return end
  return saidEnd(expiry, activatesAt, activatesAt, timezone)
}

/** The end as it is said, though the lot may not have begun by then. */
export function saidEnd(expiry: Expiry, occurredAt: Instant, activatesAt: Instant, timezone: string): Instant | null {
  switch (expiry.kind) {
    case 'never':
    case 'sliding':
      return null
    case 'rolling':
      return endOrNone(due(occurredAt, expiry.period, expiry.roundUp, timezone))
    case 'dates': {
      const from = isFar(activatesAt) ? occurredAt : Math.max(occurredAt, activatesAt)
      return endOrNone(Math.min(...expiry.dates.map((monthDay) => nextMonthDay(from, monthDay, timezone))))
    }
    case 'on':
      return endOfDay(expiry.date, timezone)
  }
}

/** Both dates of a lot that is opened now. One that waits for an event ends when its event has not come by then. */
export function lotDatesOf(
  terms: { pending: Pending; expiry: Expiry },
  occurredAt: Instant,
  now: Instant,
  timezone: string,
): { activatesAt: Instant; expiresAt: Instant | null } {
  const { pending, expiry } = terms
  const activatesAt = activationOf(pending, occurredAt, now, timezone)
  const byItsTerms = activationOf(pending, occurredAt, occurredAt, timezone)
  const endOf = pending.kind === 'until' ? saidEnd : expiryOf
  return {
    activatesAt,
    expiresAt: cancelByOf(pending, occurredAt, timezone) ?? endOf(expiry, occurredAt, byItsTerms, timezone),
  }
}

/** When all points of a wallet end that nobody has moved since; null where they do not slide. */
export function slideEnd(expiry: Expiry, lastActivity: Instant, timezone: string): Instant | null {
  return expiry.kind === 'sliding' ? endOrNone(due(lastActivity, expiry.period, expiry.roundUp, timezone)) : null
}

/** An end that no instant can say is none. */
function endOrNone(at: Instant): Instant | null {
  return at < FAR ? at : null
}
