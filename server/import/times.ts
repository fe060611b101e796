import { type Instant, parseInstant } from '@laurel/contract/instants'
import { toUtc, zoneOf } from '@laurel/engine/base/zones'

/** Local times of a shop as instants. A time without an offset is read in the shop's zone (engine/base/zones.ts). */
export type Clock = (text: string) => Instant | undefined

type Field = 'year' | 'month' | 'day' | 'hour' | 'hour12' | 'half' | 'minute' | 'second' | 'fraction' | 'offset'
type Format = { pattern: RegExp; fields: Field[] }

const TOKENS: Record<string, [Field, string]> = {
  yyyy: ['year', '(\\d{4})'],
  MM: ['month', '(\\d{2})'],
  M: ['month', '(\\d{1,2})'],
  dd: ['day', '(\\d{2})'],
  d: ['day', '(\\d{1,2})'],
  HH: ['hour', '(\\d{2})'],
  H: ['hour', '(\\d{1,2})'],
  hh: ['hour12', '(\\d{2})'],
  h: ['hour12', '(\\d{1,2})'],
  a: ['half', '([AaPp][Mm])'],
  mm: ['minute', '(\\d{2})'],
  m: ['minute', '(\\d{1,2})'],
  ss: ['second', '(\\d{2})'],
  s: ['second', '(\\d{1,2})'],
  SSS: ['fraction', '(\\d{1,6})'],
  XXX: ['offset', '([Zz]|[+-]\\d{2}:?\\d{2})'],
}
const WHOLE = { iso8601: /^\d{4}-\d{2}-\d{2}[Tt ]/, 'epoch-seconds': /^\d{1,11}$/, 'epoch-milliseconds': /^\d{1,14}$/ }

/** A format ready for use, or what is wrong with it. */
export function compileFormat(format: string): Format | string {
  if (Object.hasOwn(WHOLE, format)) return { pattern: WHOLE[format as keyof typeof WHOLE], fields: [] }
  const fields: Field[] = []
  let pattern = ''
  for (const [part] of format.matchAll(/'[^']*'|([a-zA-Z])\1*|[\s\S]/g)) {
    const token = Object.hasOwn(TOKENS, part) ? TOKENS[part] : undefined
    if (token) {
      if (fields.includes(token[0])) return `says the ${token[0]} twice`
      fields.push(token[0])
      pattern += token[1]
    } else if (/^[a-zA-Z]/.test(part)) {
      return `"${part}" means nothing; known are ${Object.keys(TOKENS).join(', ')}, and texts of your own in single quotes`
    } else pattern += (part.length > 1 ? part.slice(1, -1) : part).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  }
  for (const needed of ['year', 'month', 'day'] as const)
    if (!fields.includes(needed)) return `does not say the ${needed}`
  if (fields.includes('hour12') !== fields.includes('half'))
    return 'an hour of 12 (h) needs AM or PM (a), and the other way round'
  return { pattern: new RegExp(`^${pattern}$`), fields }
}

export function timeZoneKnown(timezone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone }).format()
    return true
  } catch {
    return false
  }
}

/**
 * Reads times of one format in one zone; undefined for what is no such time (30 February too). Remembers the text
 * before, so that a row costs well under a microsecond.
 */
export function clock(format: string, timezone: string): Clock {
  const compiled = compileFormat(format)
  if (typeof compiled === 'string') throw new Error(`the format ${format}: ${compiled}`)
  const zone = zoneOf(timezone)
  const toInstant = (localMs: number) => toUtc(zone, localMs)
  let lastText: string | undefined
  let last: Instant | undefined
  return (text) => {
    if (text === lastText) return last
    lastText = text
    last =
      compiled.fields.length > 0
        ? readFields(compiled, text, toInstant)
        : readWhole(format, compiled.pattern, text, toInstant)
    return last
  }
}

function readFields(format: Format, text: string, toInstant: (localMs: number) => number): Instant | undefined {
  const found = format.pattern.exec(text)
  if (!found) return undefined
  const parts: Partial<Record<Field, string>> = {}
  for (const [i, field] of format.fields.entries()) parts[field] = found[i + 1] as string
  const hour = hourOf(parts)
  const [year, month, day] = [Number(parts.year), Number(parts.month), Number(parts.day)]
  const [minute, second] = [Number(parts.minute ?? 0), Number(parts.second ?? 0)]
  if (hour === undefined || minute > 59 || second > 59) return undefined
  const local = new Date(0)
  local.setUTCFullYear(year, month - 1, day)
  if (month < 1 || local.getUTCMonth() !== month - 1 || local.getUTCDate() !== day) return undefined
  local.setUTCHours(hour, minute, second)
  const micros = Number((parts.fraction ?? '').padEnd(6, '0'))
  if (parts.offset === undefined) return toInstant(local.getTime()) * 1000 + micros
  const minutes = offsetMinutes(parts.offset)
  return minutes === undefined ? undefined : (local.getTime() - minutes * 60_000) * 1000 + micros
}

function hourOf(parts: Partial<Record<Field, string>>): number | undefined {
  if (parts.hour12 === undefined) {
    const hour = Number(parts.hour ?? 0)
    return hour <= 23 ? hour : undefined
  }
  const hour = Number(parts.hour12)
  if (hour < 1 || hour > 12) return undefined
  return (hour % 12) + (parts.half?.toLowerCase() === 'pm' ? 12 : 0)
}

function offsetMinutes(text: string): number | undefined {
  if (text === 'Z' || text === 'z') return 0
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(-2))]
  return hours > 23 || minutes > 59 ? undefined : (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

function readWhole(
  format: string,
  pattern: RegExp,
  text: string,
  toInstant: (localMs: number) => number,
): Instant | undefined {
  if (!pattern.test(text)) return undefined
  if (format === 'epoch-seconds') return Number(text) * 1_000_000
  if (format === 'epoch-milliseconds') return Number(text) * 1_000
  const withT = `${text.slice(0, 10)}T${text.slice(11)}`
  if (/(?:[Zz]|[+-]\d\d:\d\d)$/.test(withT)) return parseInstant(withT)
  const local = parseInstant(`${withT}Z`)
  if (local === undefined) return undefined
  const micros = local % 1000
  return toInstant((local - micros) / 1000) * 1000 + micros
}
