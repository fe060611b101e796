import type { Instant } from '@laurel/contract/instants'
import type { Period } from '@laurel/contract/periods'
import type { TierGrace, TierWindow } from '@laurel/contract/tiers'
import { dayStart, endAfter, nextPeriodDay, shiftDay } from '../base/calendar.ts'
import type { Standing } from './tiers.ts'

/** When windows begin and end, in local days; all of them are half-open. */

/** Before every day that anything is counted on. */
export const ALWAYS = -1_000_000
const LENGTHS = { month: 'P1M', quarter: 'P3M', half_year: 'P6M', year: 'P1Y' } as const
const YEAR: Period = 'P1Y'

/** The window that a day lies in, and the beginning of the one before. Of members who have reached no tier yet. */
export function windowOf(
  window: TierWindow,
  joined: number,
  day: number,
): { from: number; to: number | null; before: number | undefined } {
  switch (window.kind) {
    case 'lifetime':
      return { from: ALWAYS, to: null, before: undefined }
    case 'rolling':
      return { from: day + 1, to: null, before: undefined }
    case 'calendar': {
      const to = nextPeriodDay(day, window.per)
      const back = (times: number) => shiftDay(to, LENGTHS[window.per], times)
      return { from: back(-1), to, before: back(-2) }
    }
    case 'join_anniversary':
    case 'tier_anniversary': {
      const n = yearsUntil(joined, day)
      const at = (times: number) => shiftDay(joined, YEAR, times)
      return { from: at(n), to: at(n + 1), before: at(n - 1) }
    }
  }
}

/**
 * Where the window ends that begins at `to`: a day that years lack is counted anew from the day that the first one had.
 */
export function nextEnd(window: TierWindow, joined: number, to: number): number {
  switch (window.kind) {
    case 'lifetime':
      throw new Error('a lifetime has no next')
    case 'rolling':
      return shiftDay(to, window.period, 1)
    case 'calendar':
      return nextPeriodDay(to, window.per)
    case 'join_anniversary':
      return shiftDay(joined, YEAR, yearsUntil(joined, to) + 1)
    case 'tier_anniversary':
      return shiftDay(to, YEAR, 1)
  }
}

/** How many whole years of anniversaries have passed by that day; negative before the first. */
function yearsUntil(joined: number, day: number): number {
  let years = Math.floor((day - joined) / 365.2425)
  while (shiftDay(joined, YEAR, years + 1) <= day) years++
  while (shiftDay(joined, YEAR, years) > day) years--
  return years
}

/** The days that count towards a tier on a day. */
export function countedDays(window: TierWindow, { from, to }: Standing, day: number): [from: number, to: number] {
  if (window.kind === 'lifetime') return [ALWAYS, Number.MAX_SAFE_INTEGER]
  if (window.kind === 'rolling') return [shiftDay(day + 1, window.period, -1), day + 1]
  return [from, to ?? Number.MAX_SAFE_INTEGER]
}

/** The earliest day that may still matter for a standing on a day; undefined: all days do, together. */
export function earliestDay(window: TierWindow, standing: Standing, day: number): number | undefined {
  if (window.kind === 'lifetime') return undefined
  let first = Math.min(standing.from, day + 1)
  for (let { before } = standing; before; before = before.before) first = Math.min(first, before.from)
  return window.kind === 'rolling' ? shiftDay(first, window.period, -1) : first
}

/** When a tier falls that is kept until that day, the day before being the last: what ends with December gets January. */
export function graceEnd(day: number, grace: TierGrace | null, timezone: string): Instant {
  return grace === null ? dayStart(day, timezone) : endAfter(day, grace.period, grace.roundUp, timezone)
}
