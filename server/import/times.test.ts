import { describe, expect, test } from 'vitest'
import { formatInstant } from '@laurel/contract/instants'
import { clock, compileFormat, timeZoneKnown } from './times.ts'

const SECONDS = 'yyyy-MM-dd HH:mm:ss'
const read = (text: string, zone = 'Europe/London', format = SECONDS) => {
  const instant = clock(format, zone)(text)
  return instant === undefined ? undefined : formatInstant(instant)
}

describe('local times', () => {
  test.each([
    ['2011-01-15 12:00:00', 'Europe/London', '2011-01-15T12:00:00.000Z'],
    ['2011-07-15 12:00:00', 'Europe/London', '2011-07-15T11:00:00.000Z'],
    // the gap: 01:00 to 02:00 does not exist; what lies in it moves forward by the hour that is skipped
    ['2011-03-27 00:59:59', 'Europe/London', '2011-03-27T00:59:59.000Z'],
    ['2011-03-27 01:00:00', 'Europe/London', '2011-03-27T01:00:00.000Z'],
    ['2011-03-27 01:30:00', 'Europe/London', '2011-03-27T01:30:00.000Z'],
    ['2011-03-27 02:00:00', 'Europe/London', '2011-03-27T01:00:00.000Z'],
    ['2011-03-27 02:30:00', 'Europe/London', '2011-03-27T01:30:00.000Z'],
    // the overlap: 01:00 to 02:00 comes twice; the earlier is meant
    ['2010-10-31 00:59:59', 'Europe/London', '2010-10-30T23:59:59.000Z'],
    ['2010-10-31 01:00:00', 'Europe/London', '2010-10-31T00:00:00.000Z'],
    ['2010-10-31 01:59:59', 'Europe/London', '2010-10-31T00:59:59.000Z'],
    ['2010-10-31 02:00:00', 'Europe/London', '2010-10-31T02:00:00.000Z'],
    ['2024-03-10 02:30:00', 'America/New_York', '2024-03-10T07:30:00.000Z'],
    ['2024-11-03 01:30:00', 'America/New_York', '2024-11-03T05:30:00.000Z'],
    // half an hour, at two in the morning
    ['2024-10-06 02:15:00', 'Australia/Lord_Howe', '2024-10-05T15:45:00.000Z'],
    ['2024-04-07 01:45:00', 'Australia/Lord_Howe', '2024-04-06T14:45:00.000Z'],
    // a whole day that was skipped
    ['2011-12-30 12:00:00', 'Pacific/Apia', '2011-12-30T22:00:00.000Z'],
    ['2024-06-01 12:00:00', 'Asia/Kathmandu', '2024-06-01T06:15:00.000Z'],
    ['2024-02-29 23:00:00', 'Etc/UTC', '2024-02-29T23:00:00.000Z'],
  ])('%s in %s is %s', (text, zone, expected) => expect(read(text, zone)).toBe(expected))

  test('agree with every hour of two years, there and back', () => {
    for (const zone of ['Europe/Berlin', 'America/Sao_Paulo', 'Africa/Casablanca']) {
      const at = clock(SECONDS, zone)
      const shown = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
      for (let ms = Date.UTC(2017, 0, 1); ms < Date.UTC(2019, 0, 1); ms += 3_600_000) {
        const text = shown.format(ms)
        const earlier = [ms - 7_200_000, ms - 3_600_000].find((other) => shown.format(other) === text)
        expect(at(text)).toBe((earlier ?? ms) * 1000)
      }
    }
  })

  test.each([
    ['01/02/2011 8:05', 'dd/MM/yyyy H:mm', '2011-02-01T08:05:00.000Z'],
    ['1/2/2011 8:05', 'M/d/yyyy H:mm', '2011-01-02T08:05:00.000Z'],
    ['12/1/2010 12:05 AM', 'M/d/yyyy h:mm a', '2010-12-01T00:05:00.000Z'],
    ['12/1/2010 12:05 pm', 'M/d/yyyy h:mm a', '2010-12-01T12:05:00.000Z'],
    ['2011-02-01', 'yyyy-MM-dd', '2011-02-01T00:00:00.000Z'],
    ['20110201T080501', "yyyyMMdd'T'HHmmss", '2011-02-01T08:05:01.000Z'],
    ['2011-02-01 08:05:01.123', 'yyyy-MM-dd HH:mm:ss.SSS', '2011-02-01T08:05:01.123Z'],
    ['2011-02-01 08:05:01 +0530', 'yyyy-MM-dd HH:mm:ss XXX', '2011-02-01T02:35:01.000Z'],
    ['2011-02-01T08:05:01Z', 'iso8601', '2011-02-01T08:05:01.000Z'],
    ['2011-07-01T08:05:01', 'iso8601', '2011-07-01T07:05:01.000Z'],
    ['2011-07-01 08:05:01.25+02:00', 'iso8601', '2011-07-01T06:05:01.250Z'],
    ['1296547501', 'epoch-seconds', '2011-02-01T08:05:01.000Z'],
    ['1296547501123', 'epoch-milliseconds', '2011-02-01T08:05:01.123Z'],
  ])('%s as %s', (text, format, expected) => expect(read(text, 'Europe/London', format)).toBe(expected))

  test.each([
    '2011-02-30 10:00:00',
    '2011-13-01 10:00:00',
    '2011-00-10 10:00:00',
    '2011-01-00 10:00:00',
    '2011-01-01 24:00:00',
    '2011-01-01 10:60:00',
    '2011-01-01 10:00:60',
    '2011-1-01 10:00:00',
    '2011-01-01',
    '2011-01-01 10:00:00 ',
    '',
    'yesterday',
    '2023-02-29 10:00:00',
  ])('%j is no time', (text) => expect(read(text)).toBeUndefined())

  test.each([
    ['HH:mm', 'does not say the year'],
    ['yyyy-MM-dd yyyy', 'says the year twice'],
    ['yy-MM-dd', '"yy" means nothing'],
    ['yyyy-MM-dd h:mm', 'needs AM or PM'],
    ['DD.MM.YYYY', '"DD" means nothing'],
  ])('the format %s is refused: %s', (format, why) => expect(compileFormat(format)).toContain(why))

  test('zones are known by their names', () => {
    expect(timeZoneKnown('Europe/London')).toBe(true)
    expect(timeZoneKnown('Europe/Londn')).toBe(false)
    expect(timeZoneKnown('')).toBe(false)
  })
})
