import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { midnight, offsetAt, toUtc, zoneOf } from './zones.ts'

const DAY = 86_400_000
const HOUR = 3_600_000
/** Each with something of its own: half hours, changes at midnight, a day that was skipped, Ramadan, no change at all. */
const ZONES = [
  'Europe/London',
  'America/New_York',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/Sao_Paulo',
  'America/St_Johns',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Beirut',
  'America/Havana',
  'America/Nuuk',
  'Asia/Kathmandu',
  'Asia/Pyongyang',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  'Antarctica/Troll',
  'Etc/UTC',
]
const zone = fc.constantFrom(...ZONES)
const ms = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2040, 0, 1) })

/** What Intl shows, as if it were UTC. */
const formats = new Map<string, Intl.DateTimeFormat>()
function shown(name: string, at: number): number {
  let format = formats.get(name)
  if (!format) {
    format = new Intl.DateTimeFormat('sv-SE', { timeZone: name, dateStyle: 'short', timeStyle: 'medium' })
    formats.set(name, format)
  }
  return Date.parse(`${format.format(at).replace(' ', 'T')}Z`) + (((at % 1000) + 1000) % 1000)
}

describe('what the clocks of a zone show', () => {
  test('is what Intl says, at any instant', () => {
    fc.assert(
      fc.property(zone, ms, (name, at) => {
        expect(at + offsetAt(zoneOf(name), at)).toBe(shown(name, at))
      }),
      { numRuns: 3000 },
    )
  })

  test.each(ZONES)('in %s is what Intl says around every change of two decades', (name) => {
    let changes = 0
    for (let day = Date.UTC(2005, 0, 1); day < Date.UTC(2025, 0, 1); day += DAY) {
      const before = offsetAt(zoneOf(name), day)
      if (before === offsetAt(zoneOf(name), day + DAY)) continue
      changes++
      for (let at = day; at <= day + DAY; at += HOUR / 2) {
        for (const near of [at - 1, at]) expect(near + offsetAt(zoneOf(name), near)).toBe(shown(name, near))
      }
      for (const at of [day - DAY, day, day + DAY, day + 2 * DAY]) {
        const localDay = Math.floor(shown(name, at) / DAY)
        const start = midnight(zoneOf(name), localDay)
        expect([start, start - 1].map((ms) => Math.floor(shown(name, ms) / DAY) >= localDay)).toEqual([true, false])
      }
    }
    expect(changes > 0).toBe(!['Etc/UTC', 'Asia/Kathmandu', 'Pacific/Kiritimati'].includes(name))
  })

  test('is not known for what is no zone', () => {
    expect(() => zoneOf('Europe/Londn')).toThrow(RangeError)
  })
})

describe('a local time', () => {
  test('comes back as the instant that showed it, or as the earlier one that did', () => {
    fc.assert(
      fc.property(zone, ms, (name, at) => {
        const local = shown(name, at)
        const back = toUtc(zoneOf(name), local)
        expect(shown(name, back)).toBe(local)
        expect(back).toBeLessThanOrEqual(at)
        if (back !== at) expect(at - back).toBeLessThanOrEqual(3 * HOUR)
      }),
      { numRuns: 3000 },
    )
  })

  test('that the clocks skip moves forward by what they skip', () => {
    const at = toUtc(zoneOf('Europe/London'), Date.UTC(2026, 2, 29, 1, 30))
    expect(new Date(at).toISOString()).toBe('2026-03-29T01:30:00.000Z')
    const howe = toUtc(zoneOf('Australia/Lord_Howe'), Date.UTC(2026, 9, 4, 2, 15))
    expect(shown('Australia/Lord_Howe', howe)).toBe(Date.UTC(2026, 9, 4, 2, 45))
  })
})

describe('a local day', () => {
  test('begins at the first instant that shows it', () => {
    fc.assert(
      fc.property(zone, ms, (name, at) => {
        const localDay = Math.floor(shown(name, at) / DAY)
        const start = midnight(zoneOf(name), localDay)
        expect(Math.floor(shown(name, start) / DAY)).toBe(localDay)
        expect(Math.floor(shown(name, start - 1) / DAY)).toBeLessThan(localDay)
        expect(start).toBeLessThanOrEqual(at)
      }),
      { numRuns: 3000 },
    )
  })

  test.each([
    ['America/Sao_Paulo', Date.UTC(2018, 10, 4), '2018-11-04T03:00:00.000Z', 'its midnight is skipped: 01:00'],
    ['Africa/Casablanca', Date.UTC(2009, 5, 1), '2009-06-01T00:00:00.000Z', 'the same, where UTC days meet'],
    ['Asia/Beirut', Date.UTC(2022, 2, 27), '2022-03-26T22:00:00.000Z', 'the same, east of Greenwich'],
    ['America/Havana', Date.UTC(2025, 10, 2), '2025-11-02T04:00:00.000Z', 'its midnight comes twice: the earlier'],
    ['America/Toronto', Date.UTC(1919, 2, 31), '1919-03-31T04:30:00.000Z', 'the clocks skip 23:30 to 00:30'],
    ['Pacific/Apia', Date.UTC(2011, 11, 31), '2011-12-30T10:00:00.000Z', 'the day before was skipped'],
    ['Pacific/Apia', Date.UTC(2011, 11, 30), '2011-12-30T10:00:00.000Z', 'skipped itself: with the next'],
  ])('of %s at %d begins at %s: %s', (name, day, expected) => {
    expect(new Date(midnight(zoneOf(name), day / DAY)).toISOString()).toBe(expected)
  })
})
