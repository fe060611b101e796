import { type Instant, MINUTE } from '@laurel/contract/instants'
import type { Per, Period, RoundUp } from '@laurel/contract/periods'
import { DAY_MS, midnight, offsetAt, toUtc, type Zone, zoneOf } from './zones.ts'

/**
 * The calendar of a program's time zone. Everything is half-open: a day is [its start, the next day's start), and what
 * lasts until the end of a month lasts until the first instant of the next. Days are counted from 1970-01-01, locally.
 */

/** What clocks and calendars in the zone show. weekday: 1 is Monday, 7 Sunday. dayOfYear: from 1. */
export type LocalTime = {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  weekday: number
  dayOfYear: number
}

export function localTime(at: Instant, timezone: string): LocalTime {
  const localMs = localMsOf(zoneOf(timezone), Math.floor(at / 1000))
  const localDay = Math.floor(localMs / DAY_MS)
  const { year, month, day } = dateOf(localDay)
  const minutes = Math.floor((localMs - localDay * DAY_MS) / 60_000)
  return {
    year,
    month,
    day,
    hour: Math.floor(minutes / 60),
    minute: minutes % 60,
    weekday: weekdayOf(localDay),
    dayOfYear: localDay - dayNumber(year, 1, 1) + 1,
  }
}

/** Names the local period that an instant lies in: 2027-03-28, 2027-W12 (ISO 8601), 2027-03, 2027 or `all`. */
export function periodKey(per: Per, at: Instant, timezone: string): string {
  if (per === 'lifetime') return 'all'
  return keysOf(localDayOf(zoneOf(timezone), at))[per]
}

/** The local period that an instant lies in: [from, until). A lifetime has the bounds of what an Instant can be. */
export function periodBounds(per: Per, at: Instant, timezone: string): { from: Instant; until: Instant } {
  if (per === 'lifetime') return { from: Number.MIN_SAFE_INTEGER, until: Number.MAX_SAFE_INTEGER }
  const zone = zoneOf(timezone)
  const localDay = localDayOf(zone, at)
  const { year, month } = dateOf(localDay)
  const [from, until] = {
    day: () => [localDay, localDay + 1] as const,
    week: () => [localDay - weekdayOf(localDay) + 1, localDay - weekdayOf(localDay) + 8] as const,
    month: () => [dayNumber(year, month, 1), monthStart(year, month + 1)] as const,
    year: () => [dayNumber(year, 1, 1), dayNumber(year + 1, 1, 1)] as const,
  }[per]()
  return { from: midnight(zone, from) * 1000, until: midnight(zone, until) * 1000 }
}

/**
 * So much later. Years, months, weeks and days keep the local time of day; a day that the month does not have is its last, a
 * time of day that the clocks skip moves forward with them, one that comes twice is the earlier. Hours and minutes are exact.
 */
export function addPeriod(at: Instant, period: Period, timezone: string): Instant {
  const length = lengthOf(period)
  if (length.exact !== undefined) return at + length.exact
  const zone = zoneOf(timezone)
  const ms = Math.floor(at / 1000)
  const localMs = localMsOf(zone, ms)
  const localDay = Math.floor(localMs / DAY_MS)
  return toUtc(zone, addDays(localDay, length) * DAY_MS + (localMs - localDay * DAY_MS)) * 1000 + (at - ms * 1000)
}

/**
 * The end of the local day, month, … that an instant lies in: always after it, so that what happens at the first instant of
 * a month is treated like the rest of that month.
 */
export function roundUp(at: Instant, how: RoundUp, timezone: string): Instant {
  const zone = zoneOf(timezone)
  return midnight(zone, nextStart(localDayOf(zone, at), how)) * 1000
}

/** addPeriod, then roundUp where it is to be; by the calendar alone, so the same for every instant of a local day. */
export function due(at: Instant, period: Period, how: RoundUp | undefined, timezone: string): Instant {
  if (how === undefined) return addPeriod(at, period, timezone)
  const length = lengthOf(period)
  if (length.exact !== undefined) return roundUp(at + length.exact, how, timezone)
  const zone = zoneOf(timezone)
  return midnight(zone, nextStart(addDays(localDayOf(zone, at), length), how)) * 1000
}

/**
 * So long after what ended with the start of a local day, and to the end of the month, … where it is not there yet: what
 * ended with December and gets a month more ends with January. A period of days or more ends where a local day begins.
 */
export function endAfter(day: number, period: Period, how: RoundUp | undefined, timezone: string): Instant {
  const zone = zoneOf(timezone)
  const length = lengthOf(period)
  if (length.exact !== undefined) {
    const end = midnight(zone, day) * 1000 + length.exact
    return how === undefined ? end : roundUp(end - 1, how, timezone)
  }
  const end = addDays(day, length)
  return midnight(zone, how === undefined ? end : nextStart(end - 1, how)) * 1000
}

/** The first instant of a local date (YYYY-MM-DD): not always 00:00. A day that was skipped begins with the next. */
export function startOfDay(date: string, timezone: string): Instant {
  return midnight(zoneOf(timezone), dayOfDate(date)) * 1000
}

/** The first instant after a local date (YYYY-MM-DD). */
export function endOfDay(date: string, timezone: string): Instant {
  return midnight(zoneOf(timezone), dayOfDate(date) + 1) * 1000
}

/** The end of the next local day of that month and day (MM-DD), today's if it is today; 02-29 is the last of February. */
export function nextMonthDay(after: Instant, monthDay: string, timezone: string): Instant {
  const zone = zoneOf(timezone)
  const [month, day] = [Number(monthDay.slice(0, 2)), Number(monthDay.slice(3, 5))]
  for (let { year } = dateOf(localDayOf(zone, after)); ; year++) {
    const end = midnight(zone, dayNumber(year, month, Math.min(day, daysIn(year, month))) + 1) * 1000
    if (end > after) return end
  }
}

// ── local days, by number ──

/** The local day that an instant lies in. */
export function localDay(at: Instant, timezone: string): number {
  return localDayOf(zoneOf(timezone), at)
}

/** The first instant of a local day, where the zone's clocks skip its midnight too. */
export function dayStart(day: number, timezone: string): Instant {
  return midnight(zoneOf(timezone), day) * 1000
}

/** So many periods (of days or more) after a day; before it where `times` is negative. A day that its month lacks is the last of it. */
export function shiftDay(day: number, period: Period, times: number): number {
  const { months, days } = lengthOf(period)
  if (months === undefined && days === undefined) throw new Error(`not a period of days: ${period}`)
  return addDays(day, months === undefined ? { days: (days as number) * times } : { months: months * times })
}

/** The day on which the calendar's month, quarter, half-year or year after that of this day begins. */
export function nextPeriodDay(day: number, per: 'month' | 'quarter' | 'half_year' | 'year'): number {
  return nextStart(day, per)
}

/** A local day as calendars write it: 2027-03-28. */
export function dateText(day: number): string {
  return keysOf(day).day
}

// ── zones ──

function localMsOf(zone: Zone, ms: number): number {
  return ms + offsetAt(zone, ms)
}

function localDayOf(zone: Zone, at: Instant): number {
  return Math.floor(localMsOf(zone, Math.floor(at / 1000)) / DAY_MS)
}

// ── periods ──

/** In months, in days, or exactly. */
type Length = { months?: number; days?: number; exact?: Instant }

const lengths = new Map<Period, Length>()
const LENGTHS_MAX = 10_000

function lengthOf(period: Period): Length {
  const known = lengths.get(period)
  if (known) return known
  const said = /^P(T?)([1-9][0-9]{0,3})([YMWDH])$/.exec(period)
  const n = Number(said?.[2])
  const inUnits: Record<string, Length> = {
    PY: { months: 12 * n },
    PM: { months: n },
    PW: { days: 7 * n },
    PD: { days: n },
    PTH: { exact: n * 60 * MINUTE },
    PTM: { exact: n * MINUTE },
  }
  const length = inUnits[`P${said?.[1]}${said?.[3]}`]
  if (!length) throw new Error(`not a period: ${period}`)
  if (lengths.size >= LENGTHS_MAX) lengths.clear()
  lengths.set(period, length)
  return length
}

function addDays(localDay: number, { months, days }: Length): number {
  if (months === undefined) return localDay + (days as number)
  const { year, month, day } = dateOf(localDay)
  const all = year * 12 + month - 1 + months
  const [y, m] = [Math.floor(all / 12), (all % 12) + 1]
  return dayNumber(y, m, Math.min(day, daysIn(y, m)))
}

/** The day after the period that a day lies in. */
function nextStart(localDay: number, how: RoundUp): number {
  if (how === 'day') return localDay + 1
  const { year, month } = dateOf(localDay)
  if (typeof how === 'object') return monthStart(how.month < month ? year + 1 : year, how.month + 1)
  const months = { month: 1, quarter: 3, half_year: 6, year: 12 }[how]
  return monthStart(year, month - ((month - 1) % months) + months)
}

// ── the Gregorian calendar ──

/** Days before each month of a year without 29 February. */
const BEFORE = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365]
const EPOCH_DAYS = 719_162 // from 0001-01-01 to 1970-01-01

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

function daysIn(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : (BEFORE[month] as number) - (BEFORE[month - 1] as number)
}

function daysBeforeYear(year: number): number {
  const y = year - 1
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) - EPOCH_DAYS
}

function dayNumber(year: number, month: number, day: number): number {
  return daysBeforeYear(year) + (BEFORE[month - 1] as number) + (month > 2 && isLeap(year) ? 1 : 0) + day - 1
}

/** `month` may be 13. */
function monthStart(year: number, month: number): number {
  return month > 12 ? dayNumber(year + 1, month - 12, 1) : dayNumber(year, month, 1)
}

function dayOfDate(date: string): number {
  return dayNumber(Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8, 10)))
}

function dateOf(localDay: number): { year: number; month: number; day: number } {
  let year = Math.floor((localDay + EPOCH_DAYS) / 365.2425) + 1 // at most one off
  let inYear = localDay - daysBeforeYear(year)
  if (inYear < 0) inYear = localDay - daysBeforeYear(--year)
  else if (inYear >= (isLeap(year) ? 366 : 365)) inYear = localDay - daysBeforeYear(++year)
  const leap = isLeap(year) ? 1 : 0
  let month = Math.floor(inYear / 31) + 1 // at most one too low
  if (month < 12 && inYear >= (BEFORE[month] as number) + (month > 1 ? leap : 0)) month++
  return { year, month, day: inYear - (BEFORE[month - 1] as number) - (month > 2 ? leap : 0) + 1 }
}

/** 1970-01-01 was a Thursday. */
function weekdayOf(localDay: number): number {
  return ((((localDay + 3) % 7) + 7) % 7) + 1
}

// ── names ──

type Keys = Record<Exclude<Per, 'lifetime'>, string>

const keys = new Map<number, Keys>()
/** Days whose names are remembered; then forgotten, all at once. */
const KEYS_MAX = 5_000

function keysOf(localDay: number): Keys {
  const known = keys.get(localDay)
  if (known) return known
  const { year, month, day } = dateOf(localDay)
  const thursday = localDay - weekdayOf(localDay) + 4 // a week is of the year that its Thursday is in
  const weekYear = dateOf(thursday).year
  const week = Math.floor((thursday - dayNumber(weekYear, 1, 1)) / 7) + 1
  const inMonth = `${digits(year, 4)}-${digits(month, 2)}`
  const named = {
    day: `${inMonth}-${digits(day, 2)}`,
    week: `${digits(weekYear, 4)}-W${digits(week, 2)}`,
    month: inMonth,
    year: digits(year, 4),
  }
  if (keys.size >= KEYS_MAX) keys.clear()
  keys.set(localDay, named)
  return named
}

function digits(n: number, length: number): string {
  return String(n).padStart(length, '0')
}
