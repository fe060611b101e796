import type { Instant } from '../../contract/instants.ts'
import type { Per } from '../../contract/periods.ts'
import type { TierWindow } from '../../contract/tiers.ts'
import type { LotExpiry, Pending, WalletSettings } from '../../contract/wallets.ts'

/** The calendar of docs/guides/wallets.md by trial: what a wall clock shows is asked of Intl, never computed. */
type Expiry = WalletSettings['expiry'] | LotExpiry
type RoundUp = 'day' | 'month' | 'quarter' | 'half_year' | 'year' | { month: number }
/** What a wall clock shows, written as if it stood in Greenwich in winter: ms since 1970. */
type Wall = number

const DAY_MS = 86_400_000
const clocks = new Map<string, Intl.DateTimeFormat>()

export function wallOf(at: Instant, timezone: string): Wall {
  let clock = clocks.get(timezone)
  if (!clock) {
    const numbers = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const
    clock = new Intl.DateTimeFormat('en-US', { timeZone: timezone, hourCycle: 'h23', ...numbers, second: 'numeric' })
    clocks.set(timezone, clock)
  }
  const ms = Math.floor(at / 1000)
  const shown: Record<string, number> = {}
  for (const { type, value } of clock.formatToParts(ms)) shown[type] = Number(value)
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = shown
  return Date.UTC(year, month - 1, day, hour, minute, second) + (ms % 1000)
}

/** When the clock shows it: the first time where twice; moved forward with the clocks where never. */
function instantOf(wall: Wall, timezone: string): Instant {
  const tries = [-1, 1].map((day) => {
    const near = wall * 1000 + day * DAY_MS * 1000
    return wall * 1000 - (wallOf(near, timezone) - near / 1000) * 1000
  })
  const right = tries.filter((at) => wallOf(at, timezone) === wall)
  return right.length > 0 ? Math.min(...right) : (tries[0] as Instant)
}

function add(wall: Wall, period: string): Wall {
  const count = Number.parseInt(period.slice(1), 10)
  if (period.endsWith('D')) return wall + count * DAY_MS
  if (period.endsWith('W')) return wall + count * 7 * DAY_MS
  const was = new Date(wall)
  const month = was.getUTCMonth() + count * (period.endsWith('Y') ? 12 : 1)
  const last = new Date(Date.UTC(was.getUTCFullYear(), month + 1, 0)).getUTCDate()
  const day = Date.UTC(was.getUTCFullYear(), month, Math.min(was.getUTCDate(), last))
  return day + (wall % DAY_MS)
}

const known = new Map<string, Instant>()
const KNOWN_MAX = 100_000

/** So long after, perhaps up to the end of what that falls in. Asked again and again for the same, so it is kept. */
function after(at: Instant, period: string, timezone: string, roundUp?: RoundUp): Instant {
  const key = `${at} ${period} ${timezone} ${JSON.stringify(roundUp)}`
  let found = known.get(key)
  if (found === undefined) {
    if (known.size > KNOWN_MAX) known.clear()
    known.set(key, (found = computed(at, period, timezone, roundUp)))
  }
  return found
}

function computed(at: Instant, period: string, timezone: string, roundUp?: RoundUp): Instant {
  const exact = /^PT(\d+)([HM])$/.exec(period)
  const due = exact
    ? at + Number(exact[1]) * (exact[2] === 'H' ? 3_600_000_000 : 60_000_000)
    : instantOf(add(wallOf(at, timezone), period), timezone) + (at % 1000) // a wall clock shows no microseconds
  return roundUp === undefined ? due : instantOf(endOf(wallOf(due, timezone), roundUp), timezone)
}

function endOf(wall: Wall, unit: RoundUp): Wall {
  const day = new Date(wall)
  const [year, month] = [day.getUTCFullYear(), day.getUTCMonth()]
  if (unit === 'day') return Date.UTC(year, month, day.getUTCDate() + 1)
  if (typeof unit === 'object') return Date.UTC(month >= unit.month ? year + 1 : year, unit.month)
  const months = { month: 1, quarter: 3, half_year: 6, year: 12 }[unit]
  return Date.UTC(year, month - (month % months) + months)
}

/** The end of the next such day of the year, today's included. */
function endOfNext(at: Instant, monthDay: string, timezone: string): Instant {
  const [month = 0, day = 0] = monthDay.split('-').map(Number)
  const wall = wallOf(at, timezone)
  for (let year = new Date(wall).getUTCFullYear(); ; year++) {
    const last = new Date(Date.UTC(year, month, 0)).getUTCDate()
    const end = Date.UTC(year, month - 1, Math.min(day, last) + 1)
    if (end > wall) return instantOf(end, timezone)
  }
}

const periods = new Map<string, string>()

/** Which local day, week from Monday, month or year it lies in; everything lies in one lifetime. */
export function periodOf(per: Per, at: Instant, timezone: string): string {
  if (per === 'lifetime') return per
  const key = `${per} ${at} ${timezone}`
  let found = periods.get(key)
  if (found === undefined) {
    if (periods.size > KNOWN_MAX) periods.clear()
    const day = Math.floor(wallOf(at, timezone) / DAY_MS)
    const date = new Date(day * DAY_MS).toISOString()
    found = { day: date, week: `${Math.floor((day + 3) / 7)}`, month: date.slice(0, 7), year: date.slice(0, 4) }[per]
    periods.set(key, found) // 1 January 1970 was a Thursday
  }
  return found
}

const starts = new Map<string, Map<number, Instant>>()

/** When a local day begins. */
export function startOf(day: number, timezone: string): Instant {
  let own = starts.get(timezone)
  if (!own || own.size > KNOWN_MAX) starts.set(timezone, (own = new Map()))
  let found = own.get(day)
  if (found === undefined) own.set(day, (found = instantOf(day * DAY_MS, timezone)))
  return found
}

/** The local day, counted from 1 January 1970. */
export function dayOf(at: Instant, timezone: string): number {
  let own = days.get(timezone)
  if (!own || own.size > KNOWN_MAX) days.set(timezone, (own = new Map()))
  let day = own.get(at)
  if (day === undefined) own.set(at, (day = dayFound(at, timezone)))
  return day
}
const days = new Map<string, Map<Instant, number>>()

function dayFound(at: Instant, timezone: string): number {
  let day = Math.floor(at / 1000 / DAY_MS)
  while (startOf(day, timezone) > at) day--
  while (startOf(day + 1, timezone) <= at) day++
  return day
}

/** So many periods after a day, or before. */
export function shift(day: number, period: string, times: number): number {
  const count = Number.parseInt(period.slice(1), 10) * times
  return add(day * DAY_MS, `P${count}${period.at(-1)}`) / DAY_MS
}

const MONTHS = { month: 1, quarter: 3, half_year: 6, year: 12 }

/** The window that a day lies in, which ends before `to`; and when the one before began. */
export function windowAround(window: TierWindow, joined: number, day: number) {
  if (window.kind === 'calendar') {
    const date = new Date(day * DAY_MS)
    const many = MONTHS[window.per]
    const month = date.getUTCMonth() - (date.getUTCMonth() % many)
    const [before = 0, from = 0, to = 0] = [-many, 0, many].map(
      (more) => Date.UTC(date.getUTCFullYear(), month + more, 1) / DAY_MS,
    )
    return { before, from, to }
  }
  let year = -1
  while (shift(joined, 'P1Y', year + 1) <= day) year++
  while (shift(joined, 'P1Y', year) > day) year--
  const [before = 0, from = 0, to = 0] = [year - 1, year, year + 1].map((n) => shift(joined, 'P1Y', n))
  return { before, from, to }
}

/** So long from then, rounded up only where told. */
export const later = (at: Instant, period: string, timezone: string, roundUp?: RoundUp): Instant =>
  after(at, period, timezone, roundUp)

/** When points begin that are given for something of then. */
export function beginOf(pending: Pending, occurredAt: Instant, now: Instant, timezone: string): Instant {
  if (pending.kind === 'period') return Math.max(now, after(occurredAt, pending.period, timezone, pending.roundUp))
  if (pending.kind === 'until') return Math.max(now, instantOf(Date.parse(pending.date), timezone))
  return now
}

/** When they end; null: never, or by inactivity. */
export function endOfPoints(expiry: Expiry, pending: Pending, occurredAt: Instant, timezone: string): Instant | null {
  const begin = beginOf(pending, occurredAt, occurredAt, timezone)
  // nothing ends before it begins, but what was bought so long before a launch
  if (expiry.kind === 'rolling' && pending.kind === 'until')
    return after(occurredAt, expiry.period, timezone, expiry.roundUp)
  return endOnceBegun(expiry, begin, occurredAt, timezone)
}

/** When points end that begin then. */
export function endOnceBegun(expiry: Expiry, begin: Instant, occurredAt: Instant, timezone: string): Instant | null {
  if (expiry.kind === 'rolling') {
    const end = after(occurredAt, expiry.period, timezone, expiry.roundUp)
    return end <= begin ? after(begin, expiry.period, timezone, expiry.roundUp) : end
  }
  if (expiry.kind === 'on') return instantOf(Date.parse(expiry.date) + DAY_MS, timezone)
  if (expiry.kind !== 'dates') return null
  return Math.min(...expiry.dates.map((monthDay) => endOfNext(begin, monthDay, timezone)))
}

/** When points end that nobody has moved since. */
export function endByInactivity(expiry: Expiry, last: Instant, timezone: string): Instant | null {
  return expiry.kind === 'sliding' ? after(last, expiry.period, timezone, expiry.roundUp) : null
}
