import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { formatInstant, parseInstant } from '@laurel/contract/instants'
import type { Per, Period, RoundUp } from '@laurel/contract/periods'
import {
  addPeriod,
  due,
  endOfDay,
  localTime,
  nextMonthDay,
  periodBounds,
  periodKey,
  roundUp,
  startOfDay,
} from './calendar.ts'

const ZONES = [
  'Europe/London',
  'America/New_York',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/Sao_Paulo',
  'Asia/Beirut',
  'America/Nuuk',
  'Asia/Kathmandu',
  'Pacific/Kiritimati',
  'Etc/UTC',
]
const zone = fc.constantFrom(...ZONES)
const at = fc.integer({ min: Date.UTC(2000, 0, 1) * 1000, max: Date.UTC(2040, 0, 1) * 1000 })
const calendarPeriod = fc
  .oneof(
    fc.integer({ min: 1, max: 50 }).map((n) => `P${n}Y`),
    fc.integer({ min: 1, max: 60 }).map((n) => `P${n}M`),
    fc.integer({ min: 1, max: 60 }).map((n) => `P${n}W`),
    fc.integer({ min: 1, max: 900 }).map((n) => `P${n}D`),
  )
  .map((period) => period as Period)
const HOW: RoundUp[] = ['day', 'month', 'quarter', 'half_year', 'year', { month: 2 }, { month: 12 }]
const how = fc.constantFrom(...HOW)
const per = fc.constantFrom<Per>('day', 'week', 'month', 'year')

const read = (text: string) => parseInstant(text) as number
const written = (instant: number) => formatInstant(instant)

/** The date and time that Intl shows: YYYY-MM-DD HH:MM:SS. */
const formats = new Map<string, Intl.DateTimeFormat>()
function shown(instant: number, name: string): string {
  let format = formats.get(name)
  if (!format) {
    format = new Intl.DateTimeFormat('sv-SE', { timeZone: name, dateStyle: 'short', timeStyle: 'medium' })
    formats.set(name, format)
  }
  return format.format(Math.floor(instant / 1000))
}
const dateShown = (instant: number, name: string) => shown(instant, name).slice(0, 10)

describe('local time', () => {
  test('is what Intl shows, weekday and day of the year too', () => {
    fc.assert(
      fc.property(at, zone, (instant, name) => {
        const t = localTime(instant, name)
        const two = (n: number) => String(n).padStart(2, '0')
        const date = `${t.year}-${two(t.month)}-${two(t.day)}`
        expect(`${date} ${two(t.hour)}:${two(t.minute)}`).toBe(shown(instant, name).slice(0, 16))
        const midnight = new Date(`${date}T00:00:00Z`)
        expect(t.weekday % 7).toBe(midnight.getUTCDay())
        expect(t.dayOfYear).toBe((midnight.getTime() - Date.UTC(t.year, 0, 0)) / 86_400_000)
      }),
      { numRuns: 3000 },
    )
  })

  test('of every day of five centuries is the day after the one before', () => {
    let before = localTime(Date.UTC(1699, 11, 31, 12) * 1000, 'Etc/UTC')
    for (let ms = Date.UTC(1700, 0, 1, 12); ms < Date.UTC(2200, 0, 1); ms += 86_400_000) {
      const t = localTime(ms * 1000, 'Etc/UTC')
      const date = new Date(ms)
      if (t.year !== date.getUTCFullYear() || t.month !== date.getUTCMonth() + 1 || t.day !== date.getUTCDate()) {
        expect([t, date]).toEqual('the same date')
      }
      if (t.weekday !== (before.weekday % 7) + 1) expect([t, before]).toEqual('consecutive weekdays')
      before = t
    }
  })
})

describe('periods of a calendar', () => {
  test.each([
    ['day', '2027-03-28T00:30:00Z', 'Europe/London', '2027-03-28'],
    ['day', '2027-03-28T23:30:00Z', 'Europe/London', '2027-03-29'],
    ['week', '2027-01-03T12:00:00Z', 'Etc/UTC', '2026-W53'],
    ['week', '2027-01-04T12:00:00Z', 'Etc/UTC', '2027-W01'],
    ['week', '2024-12-30T12:00:00Z', 'Etc/UTC', '2025-W01'],
    ['week', '2020-12-31T12:00:00Z', 'Etc/UTC', '2020-W53'],
    ['month', '2027-01-31T23:59:59.999999Z', 'Etc/UTC', '2027-01'],
    ['month', '2027-01-31T23:59:59.999999Z', 'Europe/Berlin', '2027-02'],
    ['year', '2026-12-31T10:30:00Z', 'Pacific/Kiritimati', '2027'],
    ['lifetime', '2026-12-31T10:30:00Z', 'Pacific/Kiritimati', 'all'],
  ] as const)('the %s of %s in %s is %s', (of, instant, name, key) => {
    expect(periodKey(of, read(instant), name)).toBe(key)
  })

  test('hold the instant, and have one key from the first microsecond to the last, and another outside', () => {
    fc.assert(
      fc.property(per, at, zone, (of, instant, name) => {
        const { from, until } = periodBounds(of, instant, name)
        const key = periodKey(of, instant, name)
        expect(from <= instant && instant < until).toBe(true)
        expect([from, until - 1].map((t) => periodKey(of, t, name))).toEqual([key, key])
        expect([from - 1, until].map((t) => periodKey(of, t, name) === key)).toEqual([false, false])
      }),
      { numRuns: 3000 },
    )
  })

  test('follow one another without a gap, also over the day that Apia skipped', () => {
    let instant = read('2011-12-25T12:00:00Z')
    const days: string[] = []
    for (let i = 0; i < 7; i++) {
      days.push(periodKey('day', instant, 'Pacific/Apia'))
      instant = periodBounds('day', instant, 'Pacific/Apia').until
    }
    expect(days).toEqual([25, 26, 27, 28, 29, 31].map((d) => `2011-12-${d}`).concat('2012-01-01'))
  })

  test('a day is as long as the clocks make it', () => {
    const hours = (date: string, name: string) => {
      const { from, until } = periodBounds('day', startOfDay(date, name), name)
      return (until - from) / 3_600_000_000
    }
    expect([
      hours('2027-03-28', 'Europe/London'),
      hours('2027-10-31', 'Europe/London'),
      hours('2026-10-04', 'Australia/Lord_Howe'),
      hours('2027-04-04', 'Australia/Lord_Howe'),
      hours('2018-11-04', 'America/Sao_Paulo'),
    ]).toEqual([23, 25, 23.5, 24.5, 23])
  })

  test('a lifetime is all that an instant can be', () => {
    const { from, until } = periodBounds('lifetime', read('2027-01-01T00:00:00Z'), 'Etc/UTC')
    expect([written(from).slice(0, 4), written(until).slice(0, 4)]).toEqual(['1684', '2255'])
  })
})

describe('so much later', () => {
  test.each([
    ['2027-01-31T10:00:00Z', 'P1M', 'Etc/UTC', '2027-02-28T10:00:00.000Z', 'the month has no 31st'],
    ['2028-01-31T10:00:00Z', 'P1M', 'Etc/UTC', '2028-02-29T10:00:00.000Z', 'of a leap year'],
    ['2028-02-29T10:00:00Z', 'P1Y', 'Etc/UTC', '2029-02-28T10:00:00.000Z', '29 February'],
    ['2028-02-29T10:00:00Z', 'P4Y', 'Etc/UTC', '2032-02-29T10:00:00.000Z', 'of the next leap year'],
    ['2028-02-29T10:00:00Z', 'P12M', 'Etc/UTC', '2029-02-28T10:00:00.000Z', 'twelve months are a year'],
    ['2026-11-30T10:00:00Z', 'P3M', 'Etc/UTC', '2027-02-28T10:00:00.000Z', 'over the year'],
    ['2027-03-27T12:00:00Z', 'P1D', 'Europe/London', '2027-03-28T11:00:00.000Z', 'a day of 23 hours'],
    ['2027-10-30T11:00:00Z', 'P1D', 'Europe/London', '2027-10-31T12:00:00.000Z', 'a day of 25 hours'],
    ['2027-03-27T12:00:00Z', 'PT24H', 'Europe/London', '2027-03-28T12:00:00.000Z', 'hours are exact'],
    ['2027-03-27T01:30:00Z', 'P1D', 'Europe/London', '2027-03-28T01:30:00.000Z', '01:30 is skipped: 02:30'],
    ['2027-10-30T00:30:00Z', 'P1D', 'Europe/London', '2027-10-31T00:30:00.000Z', '01:30 comes twice: the earlier'],
    ['2026-10-02T15:45:00Z', 'P1D', 'Australia/Lord_Howe', '2026-10-03T15:45:00.000Z', '02:15 is skipped: 02:45'],
    ['2011-12-29T22:00:00Z', 'P1D', 'Pacific/Apia', '2011-12-30T22:00:00.000Z', 'the 30th was skipped: the 31st'],
    ['2027-01-01T00:00:00.000001Z', 'P2W', 'Etc/UTC', '2027-01-15T00:00:00.000001Z', 'to the microsecond'],
    ['2027-01-01T00:00:00Z', 'PT90M', 'Asia/Kathmandu', '2027-01-01T01:30:00.000Z', 'minutes'],
  ])('%s and %s in %s is %s: %s', (instant, period, name, expected) => {
    expect(written(addPeriod(read(instant), period, name))).toBe(expected)
  })

  test('keeps the time of day, unless the clocks skip it; days and weeks are as many dates', () => {
    fc.assert(
      fc.property(at, calendarPeriod, zone, (instant, period, name) => {
        const later = addPeriod(instant, period, name)
        const [before, after] = [shown(instant, name), shown(later, name)]
        expect(later).toBeGreaterThan(instant)
        expect((((later - instant) % 1000) + 1000) % 1000).toBe(0)
        const n = Number(period.slice(1, -1)) * (period.endsWith('W') ? 7 : 1)
        if (!/[WD]$/.test(period)) return
        const date = new Date(`${before.slice(0, 10)}T00:00:00Z`)
        date.setUTCDate(date.getUTCDate() + n)
        const wanted = `${date.toISOString().slice(0, 10)} ${before.slice(11)}`
        if (after !== wanted) expect(showsNever(wanted, later, name)).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  test('years and months lead to the month that is so many further, and its last day at most', () => {
    fc.assert(
      fc.property(at, fc.integer({ min: 1, max: 400 }), (instant, n) => {
        const [before, after] = [
          localTime(instant, 'Etc/UTC'),
          localTime(addPeriod(instant, `P${n}M`, 'Etc/UTC'), 'Etc/UTC'),
        ]
        expect(after.year * 12 + after.month).toBe(before.year * 12 + before.month + n)
        const last = new Date(Date.UTC(after.year, after.month, 0)).getUTCDate()
        expect(after.day).toBe(Math.min(before.day, last))
        expect([after.hour, after.minute]).toEqual([before.hour, before.minute])
      }),
    )
  })

  test('is nothing for what is no period', () => {
    for (const wrong of ['P0D', 'P1', '1D', 'PT1D', 'P1H', 'P1Y2M', '']) {
      expect(() => addPeriod(0, wrong, 'Etc/UTC')).toThrow('not a period')
    }
  })
})

/** Whether the clocks of the zone skip that local time: no instant within a day and a half shows it. */
function showsNever(local: string, near: number, name: string): boolean {
  for (let t = near - 129_600_000_000; t <= near + 129_600_000_000; t += 900_000_000) {
    // in steps of a quarter of an hour, at the asked second of it
    const here = shown(t, name)
    if (
      here.slice(0, 13) === local.slice(0, 13) &&
      Math.floor(+here.slice(14, 16) / 15) === Math.floor(+local.slice(14, 16) / 15)
    )
      return false
  }
  return true
}

describe('up to the end', () => {
  test.each([
    ['2021-07-06T12:00:00Z', 'day', 'Etc/UTC', '2021-07-07T00:00:00.000Z'],
    ['2021-07-06T12:00:00Z', 'month', 'Etc/UTC', '2021-08-01T00:00:00.000Z'],
    ['2021-08-06T12:00:00Z', 'quarter', 'Etc/UTC', '2021-10-01T00:00:00.000Z'],
    ['2021-06-30T12:00:00Z', 'half_year', 'Etc/UTC', '2021-07-01T00:00:00.000Z'],
    ['2021-07-06T12:00:00Z', 'half_year', 'Etc/UTC', '2022-01-01T00:00:00.000Z'],
    ['2021-07-06T12:00:00Z', 'year', 'Etc/UTC', '2022-01-01T00:00:00.000Z'],
    ['2021-07-06T12:00:00Z', { month: 7 }, 'Etc/UTC', '2021-08-01T00:00:00.000Z'],
    ['2021-07-06T12:00:00Z', { month: 6 }, 'Etc/UTC', '2022-07-01T00:00:00.000Z'],
    ['2021-07-06T12:00:00Z', { month: 12 }, 'Etc/UTC', '2022-01-01T00:00:00.000Z'],
    ['2028-02-06T12:00:00Z', { month: 2 }, 'Etc/UTC', '2028-03-01T00:00:00.000Z'],
    ['2021-07-06T12:00:00Z', 'month', 'Europe/London', '2021-07-31T23:00:00.000Z'],
    ['2018-11-03T12:00:00Z', 'day', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
    ['2021-07-01T00:00:00Z', 'month', 'Etc/UTC', '2021-08-01T00:00:00.000Z'],
    ['2021-06-30T23:59:59.999999Z', 'month', 'Etc/UTC', '2021-07-01T00:00:00.000Z'],
  ] as const)('%s to the end of its %j in %s is %s', (instant, to, name, expected) => {
    expect(written(roundUp(read(instant), to, name))).toBe(expected)
  })

  test('is later, begins a local day, and is the same for all that lies between', () => {
    fc.assert(
      fc.property(at, how, zone, (instant, to, name) => {
        const end = roundUp(instant, to, name)
        expect(end).toBeGreaterThan(instant)
        expect(end).toBe(periodBounds('day', end, name).from)
        expect(roundUp(end - 1, to, name)).toBe(end)
        expect(roundUp(Math.floor((instant + end) / 2), to, name)).toBe(end)
        expect(roundUp(end, to, name)).toBeGreaterThan(end)
        if (to !== 'day') expect(localTime(end, name).day).toBe(1)
        if (typeof to === 'object') expect(localTime(end, name).month).toBe((to.month % 12) + 1)
      }),
      { numRuns: 3000 },
    )
  })

  test('with a length is the same for every instant of a local day, and not before the length is over', () => {
    fc.assert(
      fc.property(at, calendarPeriod, how, zone, (instant, period, to, name) => {
        const { from, until } = periodBounds('day', instant, name)
        const end = due(instant, period, to, name)
        expect([due(from, period, to, name), due(until - 1, period, to, name)]).toEqual([end, end])
        expect(due(instant, period, undefined, name)).toBe(addPeriod(instant, period, name))
        if (dateShown(addPeriod(instant, period, name), name) === dateShown(addPeriod(from, period, name), name)) {
          expect(end).toBeGreaterThan(addPeriod(instant, period, name))
        }
      }),
      { numRuns: 3000 },
    )
  })

  test('with a length of hours counts the hours first', () => {
    expect(written(due(read('2027-03-27T23:30:00Z'), 'PT1H', 'day', 'Etc/UTC'))).toBe('2027-03-29T00:00:00.000Z')
  })
})

describe('days by name', () => {
  test('begin and end where the zone says', () => {
    fc.assert(
      fc.property(at, zone, (instant, name) => {
        const date = dateShown(instant, name)
        const { from, until } = periodBounds('day', instant, name)
        expect([startOfDay(date, name), endOfDay(date, name)]).toEqual([from, until])
      }),
    )
  })

  test.each([
    ['2026-07-01T00:00:00Z', '12-31', '2027-01-01T00:00:00.000Z'],
    ['2026-12-31T23:59:59.999999Z', '12-31', '2027-01-01T00:00:00.000Z'],
    ['2027-01-01T00:00:00Z', '12-31', '2028-01-01T00:00:00.000Z'],
    ['2026-07-01T00:00:00Z', '02-29', '2027-03-01T00:00:00.000Z'],
    ['2027-07-01T00:00:00Z', '02-29', '2028-03-01T00:00:00.000Z'],
    ['2027-02-28T12:00:00Z', '02-29', '2027-03-01T00:00:00.000Z'],
  ])('after %s the next %s ends at %s', (after, monthDay, expected) => {
    expect(written(nextMonthDay(read(after), monthDay, 'Etc/UTC'))).toBe(expected)
  })

  test('the next of a month and day ends within a year and a day, after that day', () => {
    fc.assert(
      fc.property(at, zone, fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }), (instant, name, m, d) => {
        const monthDay = `${String(m).padStart(2, '0')}-${String(d).padStart(2, '0')}`
        const end = nextMonthDay(instant, monthDay, name)
        expect(end).toBeGreaterThan(instant)
        expect(end - instant).toBeLessThanOrEqual(367 * 86_400_000_000)
        expect(dateShown(end - 1, name).slice(5)).toBe(monthDay)
      }),
      { numRuns: 3000 },
    )
  })
})
