/**
 * Time zones in whole milliseconds: how far a zone's clocks are from UTC, and back. Asked for every purchase, so what
 * Intl says is remembered a UTC day at a time.
 */
export type Zone = {
  format: Intl.DateTimeFormat
  /** By UTC day. */
  days: Map<number, Span>
}

/** A UTC day's offsets: `before` until `change`, `after` from then on. Infinity: the clocks do not change in it. */
type Span = { before: number; change: number; after: number }

export const DAY_MS = 86_400_000
/** Days a zone of which the offset is remembered; then forgotten, all at once. */
const DAYS_MAX = 5_000
/** There are about 600 names. */
const ZONES_MAX = 700

const zones = new Map<string, Zone>()
let lastName = ''
let lastZone: Zone | undefined

/** Throws (a RangeError) for what is no IANA zone: programs are checked when they are made. */
export function zoneOf(timezone: string): Zone {
  if (lastZone && timezone === lastName) return lastZone
  let zone = zones.get(timezone)
  if (!zone) {
    if (zones.size >= ZONES_MAX) zones.clear()
    zones.set(timezone, (zone = { format: formatOf(timezone), days: new Map() }))
  }
  lastName = timezone
  return (lastZone = zone)
}

/** What the zone's clocks show more than UTC's at that time, in milliseconds: negative west of Greenwich. */
export function offsetAt(zone: Zone, ms: number): number {
  const span = spanOf(zone, Math.floor(ms / DAY_MS))
  return ms < span.change ? span.before : span.after
}

/**
 * Local milliseconds (as if they were UTC) → milliseconds since 1970, as Temporal's "compatible" does (RFC 5545 too): in
 * the gap of spring forward by what the clocks skip, in the overlap of autumn the earlier.
 */
export function toUtc(zone: Zone, localMs: number): number {
  // No zone is a day from UTC: these two lie on either side of it.
  const before = offsetAt(zone, localMs - DAY_MS)
  const after = offsetAt(zone, localMs + DAY_MS)
  return before === after ? localMs - before : (fitting(zone, localMs, before, after) ?? localMs - before)
}

/** When a local day (counted from 1970-01-01) begins: where the clocks skip its midnight, at the end of the gap. */
export function midnight(zone: Zone, localDay: number): number {
  const localMs = localDay * DAY_MS
  const before = offsetAt(zone, localMs - DAY_MS)
  const after = offsetAt(zone, localMs + DAY_MS)
  if (before === after) return localMs - before
  return fitting(zone, localMs, before, after) ?? changeUpTo(zone, localMs - before)
}

function fitting(zone: Zone, localMs: number, before: number, after: number): number | undefined {
  const earlier = localMs - Math.max(before, after)
  if (earlier + offsetAt(zone, earlier) === localMs) return earlier
  const later = localMs - Math.min(before, after)
  return later + offsetAt(zone, later) === localMs ? later : undefined
}

/** The last change of the clocks at `ms` or before it, which is at most a day ago; it may be where two UTC days meet. */
function changeUpTo(zone: Zone, ms: number): number {
  for (let day = Math.floor(ms / DAY_MS); ; day--) {
    const { before, change } = spanOf(zone, day)
    if (change <= ms) return change
    if (spanOf(zone, day - 1).after !== before) return day * DAY_MS
  }
}

function spanOf(zone: Zone, day: number): Span {
  const known = zone.days.get(day)
  if (known) return known
  if (zone.days.size >= DAYS_MAX) zone.days.clear()
  const before = readOffset(zone, day * DAY_MS)
  const after = readOffset(zone, (day + 1) * DAY_MS - 1)
  const span = { before, change: before === after ? Number.POSITIVE_INFINITY : changeIn(zone, day, before), after }
  zone.days.set(day, span)
  return span
}

/** The clocks change once a day at most: halve the day until the millisecond is found. */
function changeIn(zone: Zone, day: number, before: number): number {
  let low = day * DAY_MS
  let high = low + DAY_MS - 1
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (readOffset(zone, middle) === before) low = middle
    else high = middle
  }
  return high
}

function formatOf(timezone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
}

function readOffset(zone: Zone, ms: number): number {
  const p: Record<string, string> = {}
  for (const { type, value } of zone.format.formatToParts(ms)) p[type] = value
  const local = new Date(0)
  local.setUTCFullYear(p.era === 'BC' ? 1 - Number(p.year) : Number(p.year), Number(p.month) - 1, Number(p.day))
  local.setUTCHours(Number(p.hour), Number(p.minute), Number(p.second))
  return local.getTime() - Math.floor(ms / 1000) * 1000
}
