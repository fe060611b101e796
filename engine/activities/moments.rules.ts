import type { Uuid } from '@laurel/contract/ids'
import { DAY, formatInstant, type Instant } from '@laurel/contract/instants'
import { addPeriod, localTime, startOfDay } from '../base/calendar.ts'

/**
 * Moments of a member's life: joined, birthday, anniversary, profile_complete, inactive. A moment is recorded as an activity of the type
 * `member.<moment>`; which one it was (the year, say) is in its external id, so that each is recorded once.
 */

/** What is known of a member when its life is looked at. */
export type Life = {
  member: Uuid
  joinedAt: Instant
  /** YYYY-MM-DD */
  birthDate: string | null
  /** name, birth date, and e-mail or phone are all known */
  complete: boolean
  /** when the profile was last changed */
  changedAt: Instant
  /** the last purchase, activity or spend; null: none, or nobody asked */
  lastActivity: Instant | null
}

/** A program whose rules answer to moments. `events`: as rules say them, member:<moment> or member:inactive:<days>. */
export type Listening = { timezone: string; events: ReadonlySet<string>; inactiveDays: readonly number[] }

/** `which`: of all moments of that type in this life, the one; a number that follows from the member alone. */
export type Moment = { type: string; which: string; occurredAt: Instant; data: Record<string, unknown> }

/** A moment that is found later than this is let go. */
export const CATCH_UP = 31 * DAY

/** What rules are asked about: the type of an activity, or a moment with what is in its data. */
export function eventOfActivity(type: string, data: Record<string, unknown>): string {
  if (!isMoment(type)) return `activity:${type}`
  const moment = type.slice(MEMBER.length)
  return moment === 'inactive' ? `member:inactive:${String(data.days)}` : `member:${moment}`
}

/** Slugs of types have no dots. */
export function isMoment(type: string): boolean {
  return type.startsWith(MEMBER)
}
const MEMBER = 'member.'

/** The moments that a program listens to and that came within the last 31 days. */
export function momentsDue(life: Life, program: Listening, now: Instant): Moment[] {
  return [
    { type: 'member.joined', which: '1', occurredAt: life.joinedAt, data: {} },
    ...(life.complete ? [{ type: 'member.profile_complete', which: '1', occurredAt: life.changedAt, data: {} }] : []),
    ...birthdays(life, program.timezone, now),
    ...anniversaries(life, program.timezone, now),
    ...silences(life, program),
  ].filter(
    ({ type, data, occurredAt }) =>
      program.events.has(eventOfActivity(type, data)) && occurredAt <= now && occurredAt > now - CATCH_UP,
  )
}

/**
 * When this life must be looked at again: never later than its next moment in any program, listening now or then. A date is looked at
 * when it begins anywhere on earth, where it begins in each program, and when it has begun everywhere.
 */
export function nextLook(life: Life, programs: readonly Listening[], now: Instant): Instant {
  const { year } = localTime(now, 'UTC')
  const years = [year - 1, year, year + 1, year + 2]
  const dates = [
    ...(life.birthDate === null ? [] : years.map((y) => dayOfYear(y, life.birthDate as string))),
    // the date of joining is the day before or after in some zones
    ...years.flatMap((y) => [-DAY, 0, DAY].map((off) => dayOfYear(y, dateOf(life.joinedAt + off, 'UTC')))),
  ]
  const starts = dates.flatMap((date) => {
    const utc = startOfDay(date, 'UTC')
    return [utc - EARLIEST, utc + LATEST, ...programs.map(({ timezone }) => startOfDay(date, timezone))]
  })
  const silent = programs.flatMap((program) => lookForSilence(life, program, now))
  return Math.min(...[...starts, ...silent].filter((at) => at > now))
}

/** Who has been silent is looked at after as long again: nobody tells us when the silence ends, and another cannot be over sooner. */
function lookForSilence(life: Life, program: Listening, now: Instant): Instant[] {
  return silences(life, program).map(({ occurredAt, data }) =>
    occurredAt > now ? occurredAt : addPeriod(now, `P${String(data.days)}D`, program.timezone),
  )
}

const HOUR = DAY / 24
/** UTC+14 and UTC−12 are the ends of the earth's calendar. */
const EARLIEST = 14 * HOUR
const LATEST = 12 * HOUR

/** On the local day, at its first instant or when they join that day; 29 February is 28 February in years without it. */
function birthdays({ birthDate, joinedAt }: Life, timezone: string, now: Instant): Moment[] {
  if (birthDate === null) return []
  const born = Number(birthDate.slice(0, 4))
  const joined = startOfDay(dateOf(joinedAt, timezone), timezone)
  const { year } = localTime(now, timezone)
  return [year - 1, year]
    .filter((y) => y > born)
    .map((y) => ({
      type: 'member.birthday',
      which: String(y),
      occurredAt: startOfDay(dayOfYear(y, birthDate), timezone),
      data: { year: y },
    }))
    .filter(({ occurredAt }) => occurredAt >= joined)
    .map((moment) => ({ ...moment, occurredAt: Math.max(moment.occurredAt, joinedAt) }))
}

function anniversaries({ joinedAt }: Life, timezone: string, now: Instant): Moment[] {
  const joined = dateOf(joinedAt, timezone)
  const since = Number(joined.slice(0, 4))
  const { year } = localTime(now, timezone)
  return [year - 1, year]
    .filter((y) => y > since)
    .map((y) => ({
      type: 'member.anniversary',
      which: String(y - since),
      occurredAt: startOfDay(dayOfYear(y, joined), timezone),
      data: { years: y - since },
    }))
}

/** So many days after the last activity, or after joining where there was none: once a silence. */
function silences({ joinedAt, lastActivity }: Life, { timezone, inactiveDays }: Listening): Moment[] {
  const since = Math.max(joinedAt, lastActivity ?? joinedAt)
  return inactiveDays.map((days) => ({
    type: 'member.inactive',
    which: `${days}:${since}`,
    occurredAt: addPeriod(since, `P${days}D`, timezone),
    data: { days, since: formatInstant(since) },
  }))
}

/** That day of the year; 29 February is the last of February. `date`: YYYY-MM-DD. */
function dayOfYear(year: number, date: string): string {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return `${String(year).padStart(4, '0')}-${date.slice(5) === '02-29' && !leap ? '02-28' : date.slice(5)}`
}

function dateOf(at: Instant, timezone: string): string {
  const { year, month, day } = localTime(at, timezone)
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}
