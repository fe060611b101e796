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

/** Purchases from before this are refused: loyalty programs do not reach back further. */
export const OCCURRED_MIN: Instant = Date.UTC(2000, 0, 1) * 1000
/** How far ahead of our clock a till's clock may be. */
export const OCCURRED_AHEAD = 5 * MINUTE

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** RFC 3339 with an offset and at most six decimals of a second; undefined for anything else, 30 February too. */
export function parseInstant(text: string): Instant | undefined {
  const m = RFC3339.exec(text)
  if (!m) return undefined
  const [year, month, day, hour, minute, second] = [m[1], m[2], m[3], m[4], m[5], m[6]].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined
  if (day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()) return undefined
  const offset = m[8] ? (m[8] === '-' ? -1 : 1) * (Number(m[9]) * 60 + Number(m[10])) : 0
  if (Number(m[9] ?? 0) > 23 || Number(m[10] ?? 0) > 59) return undefined
  const utc = new Date(0)
  utc.setUTCFullYear(year, month - 1, day)
  utc.setUTCHours(hour, minute - offset, second)
  return utc.getTime() * 1000 + Number((m[7] ?? '').padEnd(6, '0'))
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
