/**
 * A point in time as whole microseconds since 1970-01-01T00:00:00Z: PostgreSQL's own precision, and exact in a
 * JavaScript number until the year 2255.
 */
export type Instant = number

export const SECOND = 1_000_000
export const MINUTE = 60 * SECOND
export const DAY = 24 * 60 * MINUTE

/** So far ahead that it never comes, and still exact: points that wait for an event begin then. */
export const FAR: Instant = Date.UTC(2255, 0, 1) * 1000
/** Of a begin: it waits for an event. How far beyond FAR it lies says by which settings (engine/gate/dates.ts). */
export const isFar = (at: Instant): boolean => at >= FAR

/** Purchases from before this are refused: loyalty programs do not reach back further. */
export const OCCURRED_MIN: Instant = Date.UTC(2000, 0, 1) * 1000
/** How far ahead of our clock a till's clock may be. */
export const OCCURRED_AHEAD = 5 * MINUTE

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[Zz]|[+-]\d\d:\d\d)$/
/** The calendar repeats after so many years. They are added before Date.UTC and taken off after it, which takes years below 100 for those of the 20th century. */
const CYCLE_YEARS = 400
const CYCLE_MS = 146_097 * 86_400_000

/** RFC 3339 with an offset and at most six decimals of a second; undefined for anything else, 30 February too. */
export function parseInstant(text: string): Instant | undefined {
  if (!RFC3339.test(text)) return undefined
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 7)
  const day = digits(text, 8, 10)
  const hour = digits(text, 11, 13)
  const minute = digits(text, 14, 16)
  const second = digits(text, 17, 19)
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined
  if (day > 28 && day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()) return undefined
  let offset = 0
  const zulu = text.endsWith('Z') || text.endsWith('z')
  const end = zulu ? text.length - 1 : text.length - 6
  if (!zulu) {
    const hours = digits(text, end + 1, end + 3)
    const minutes = digits(text, end + 4, end + 6)
    if (hours > 23 || minutes > 59) return undefined
    offset = (text.charCodeAt(end) === 45 ? -1 : 1) * (hours * 60 + minutes)
  }
  let micros = 0
  for (let at = 20; at < 26; at++) micros = micros * 10 + (at < end ? text.charCodeAt(at) - 48 : 0)
  return (Date.UTC(year + CYCLE_YEARS, month - 1, day, hour, minute - offset, second) - CYCLE_MS) * 1000 + micros
}

function digits(text: string, from: number, to: number): number {
  let n = 0
  for (let at = from; at < to; at++) n = n * 10 + text.charCodeAt(at) - 48
  return n
}

const TWO = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, '0'))
const THREE = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0'))
const DAY_MS = 86_400_000
/** The date that was written last: instants that are written one after another are mostly of one day. */
let lastDay = Number.NaN
let lastDate = ''

/** RFC 3339 in UTC with milliseconds, or microseconds where there are any. */
export function formatInstant(at: Instant): string {
  const micros = ((at % 1000) + 1000) % 1000
  const ms = (at - micros) / 1000
  const day = Math.floor(ms / DAY_MS)
  if (day !== lastDay) {
    lastDate = new Date(day * DAY_MS).toISOString().slice(0, -13)
    lastDay = day
  }
  const inDay = ms - day * DAY_MS
  const seconds = Math.floor(inDay / 1000)
  const minutes = Math.floor(seconds / 60)
  const time = `${TWO[Math.floor(minutes / 60)]}:${TWO[minutes % 60]}:${TWO[seconds % 60]}.${THREE[inDay % 1000]}`
  return `${lastDate}${time}${micros === 0 ? '' : THREE[micros]}Z`
}
