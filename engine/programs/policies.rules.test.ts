import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { FAR, formatInstant, parseInstant } from '@laurel/contract/instants'
import type { Expiry, Pending } from '@laurel/contract/wallets'
import { activationOf, cancelByOf, expiryOf, lotDatesOf, slideEnd } from './policies.rules.ts'

const at = (text: string) => parseInstant(text) as number
const text = (instant: number | null) => (instant === null ? null : formatInstant(instant))
const ends = (expiry: Expiry, occurredAt: string, zone = 'Etc/UTC', activatesAt = occurredAt) =>
  text(expiryOf(expiry, at(occurredAt), at(activatesAt), zone))

describe('points end', () => {
  test('as with Square: earned 6 July 2020, twelve months, the last day of the due month counts', () => {
    const square: Expiry = { kind: 'rolling', period: 'P12M', roundUp: 'month' }
    expect(ends(square, '2020-07-06T15:30:00Z')).toBe('2021-08-01T00:00:00.000Z')
    expect(ends(square, '2020-07-06T15:30:00Z', 'America/New_York')).toBe('2021-08-01T04:00:00.000Z')
    // the first and the last instant of July alike
    expect(ends(square, '2020-07-01T00:00:00Z')).toBe('2021-08-01T00:00:00.000Z')
    expect(ends(square, '2020-07-31T23:59:59.999999Z')).toBe('2021-08-01T00:00:00.000Z')
    expect(ends(square, '2020-08-01T00:00:00Z')).toBe('2021-09-01T00:00:00.000Z')
  })

  test.each([
    // Voucherify's roundings, of one day
    [undefined, '2022-05-14T09:30:00.000Z'],
    ['day', '2022-05-15T00:00:00.000Z'],
    ['month', '2022-06-01T00:00:00.000Z'],
    ['quarter', '2022-07-01T00:00:00.000Z'],
    ['half_year', '2022-07-01T00:00:00.000Z'],
    ['year', '2023-01-01T00:00:00.000Z'],
    [{ month: 3 }, '2023-04-01T00:00:00.000Z'],
    [{ month: 5 }, '2022-06-01T00:00:00.000Z'],
    [{ month: 12 }, '2023-01-01T00:00:00.000Z'],
  ] as const)('three months after 14 February 2022, rounded up to %j: %s', (roundUp, expected) => {
    const rolling: Expiry = { kind: 'rolling', period: 'P3M', ...(roundUp === undefined ? {} : { roundUp }) }
    expect(ends(rolling, '2022-02-14T09:30:00Z')).toBe(expected)
  })

  test.each([
    ['2027-01-31T10:00:00Z', 'P1M', 'Etc/UTC', '2027-02-28T10:00:00.000Z', '31 January and a month'],
    ['2028-02-29T10:00:00Z', 'P1Y', 'Etc/UTC', '2029-02-28T10:00:00.000Z', '29 February and a year'],
    ['2027-02-27T22:00:00Z', 'P1M', 'Asia/Beirut', '2027-03-27T22:00:00.000Z', 'midnight, which the clocks skip'],
    ['2018-10-04T03:00:00Z', 'P1M', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z', 'the same: 01:00'],
    ['2027-09-30T23:00:00Z', 'P31D', 'Europe/London', '2027-11-01T00:00:00.000Z', 'over a day of 25 hours'],
  ])('%s, %s in %s: %s (%s)', (occurredAt, period, zone, expected) => {
    expect(ends({ kind: 'rolling', period }, occurredAt, zone)).toBe(expected)
  })

  test('on dates: at the end of the next one, the day itself included', () => {
    const twice: Expiry = { kind: 'dates', dates: ['12-31', '06-30'] }
    expect(ends(twice, '2027-03-01T10:00:00Z', 'Europe/London')).toBe('2027-06-30T23:00:00.000Z')
    expect(ends(twice, '2027-06-30T22:59:59Z', 'Europe/London')).toBe('2027-06-30T23:00:00.000Z')
    expect(ends(twice, '2027-06-30T23:00:00Z', 'Europe/London')).toBe('2028-01-01T00:00:00.000Z')
    expect(ends({ kind: 'on', date: '2027-08-31' }, '2027-03-01T10:00:00Z', 'Europe/London')).toBe(
      '2027-08-31T23:00:00.000Z',
    )
  })

  test('on dates, not before they could be spent', () => {
    const yearEnd: Expiry = { kind: 'dates', dates: ['12-31'] }
    expect(ends(yearEnd, '2026-12-20T10:00:00Z', 'Etc/UTC', '2027-01-03T10:00:00Z')).toBe('2028-01-01T00:00:00.000Z')
    const dates = (now: string, pending: Pending = { kind: 'none' }) =>
      text(lotDatesOf({ pending, expiry: yearEnd }, at('2026-12-20T10:00:00Z'), at(now), 'Etc/UTC').expiresAt)
    expect(dates('2026-12-20T10:00:00Z', { kind: 'period', period: 'P14D' })).toBe('2028-01-01T00:00:00.000Z')
    // booked late, it has the dates that it would have had
    expect(dates('2027-01-05T10:00:00Z')).toBe('2027-01-01T00:00:00.000Z')
  })

  test('never, where nothing says so or no instant can', () => {
    expect(ends({ kind: 'never' }, '2027-03-01T10:00:00Z')).toBeNull()
    expect(ends({ kind: 'sliding', period: 'P1Y' }, '2027-03-01T10:00:00Z')).toBeNull()
    expect(ends({ kind: 'rolling', period: 'P99Y' }, '2170-03-01T10:00:00Z')).toBeNull()
  })

  test('sliding: all of a wallet, counted from the last activity', () => {
    const sliding: Expiry = { kind: 'sliding', period: 'P6M', roundUp: 'month' }
    expect(text(slideEnd(sliding, at('2026-08-31T12:00:00Z'), 'Europe/London'))).toBe('2027-03-01T00:00:00.000Z')
    expect(slideEnd({ kind: 'rolling', period: 'P6M' }, at('2026-08-31T12:00:00Z'), 'Europe/London')).toBeNull()
  })
})

describe('points begin', () => {
  const begins = (pending: Pending, occurredAt: string, now: string, zone = 'Europe/London') =>
    activationOf(pending, at(occurredAt), at(now), zone)

  test.each([
    [{ kind: 'none' }, '2027-03-01T10:00:00Z', '2027-03-01T10:00:05Z', '2027-03-01T10:00:05.000Z'],
    [{ kind: 'period', period: 'P14D' }, '2027-03-20T10:00:00Z', '2027-03-20T10:00:05Z', '2027-04-03T09:00:00.000Z'],
    [
      { kind: 'period', period: 'P14D', roundUp: 'day' },
      '2027-03-20T10:00:00Z',
      '2027-03-20T10:00:05Z',
      '2027-04-03T23:00:00.000Z',
    ],
    [{ kind: 'period', period: 'P14D' }, '2027-03-20T10:00:00Z', '2027-05-01T00:00:00Z', '2027-05-01T00:00:00.000Z'],
    [{ kind: 'until', date: '2027-04-01' }, '2027-03-20T10:00:00Z', '2027-03-20T10:00:05Z', '2027-03-31T23:00:00.000Z'],
    [{ kind: 'until', date: '2027-04-01' }, '2027-03-20T10:00:00Z', '2027-04-20T10:00:05Z', '2027-04-20T10:00:05.000Z'],
  ] as [Pending, string, string, string][])(
    '%j: bought %s, booked %s, begin %s',
    (pending, occurredAt, now, expected) => {
      expect(text(begins(pending, occurredAt, now))).toBe(expected)
    },
  )

  test.each<[string, string, string]>([
    ['pending as long as that', '2027-01-31T10:00:00Z', '2027-03-02T10:00:00.000Z'],
    ['pending for longer', '2027-02-15T10:00:00Z', '2027-03-17T10:00:00.000Z'],
    ['not so long', '2027-01-31T09:59:59Z', '2027-01-31T10:00:00.000Z'],
  ])(
    'before they end: a rolling end that would come first is counted from then (%s)',
    (_what, activatesAt, expected) => {
      expect(ends({ kind: 'rolling', period: 'P30D' }, '2027-01-01T10:00:00Z', 'Europe/London', activatesAt)).toBe(
        expected,
      )
    },
  )

  test('when an event comes, and are cancelled when it does not', () => {
    const pending: Pending = { kind: 'event', activity: 'delivered', cancelAfter: 'P60D' }
    expect(begins(pending, '2027-03-01T10:00:00Z', '2027-03-01T10:00:05Z')).toBe(FAR)
    expect(text(cancelByOf(pending, at('2027-03-01T10:00:00Z'), 'Europe/London'))).toBe('2027-04-30T09:00:00.000Z')
    expect(cancelByOf({ kind: 'none' }, at('2027-03-01T10:00:00Z'), 'Europe/London')).toBeNull()
    const expiry: Expiry = { kind: 'rolling', period: 'P1Y' }
    expect(
      lotDatesOf({ pending, expiry }, at('2027-03-01T10:00:00Z'), at('2027-03-01T10:00:05Z'), 'Europe/London'),
    ).toEqual({
      activatesAt: FAR,
      expiresAt: at('2027-04-30T09:00:00Z'),
    })
  })
})

const PENDING: Pending[] = [
  { kind: 'none' },
  { kind: 'period', period: 'P14D', roundUp: 'day' },
  { kind: 'period', period: 'PT30M' },
  { kind: 'until', date: '2027-04-01' },
]
const EXPIRY: Expiry[] = [
  { kind: 'never' },
  { kind: 'rolling', period: 'P12M', roundUp: 'month' },
  { kind: 'rolling', period: 'P30D' },
  { kind: 'dates', dates: ['12-31', '02-29'] },
]

test('what is booked late ends when it would have ended, and never begins in the past', () => {
  const year = 365 * 86_400_000_000
  fc.assert(
    fc.property(
      fc.constantFrom(...PENDING),
      fc.constantFrom(...EXPIRY),
      fc.constantFrom('Europe/London', 'Australia/Lord_Howe', 'America/Sao_Paulo'),
      fc.integer({ min: at('2020-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z') }),
      fc.integer({ min: 0, max: 3 * year }),
      (pending, expiry, zone, occurredAt, late) => {
        const [atOnce, later] = [occurredAt, occurredAt + late].map((now) =>
          lotDatesOf({ pending, expiry }, occurredAt, now, zone),
        ) as [ReturnType<typeof lotDatesOf>, ReturnType<typeof lotDatesOf>]
        expect(later.expiresAt).toBe(atOnce.expiresAt)
        expect(later.activatesAt).toBe(Math.max(occurredAt + late, atOnce.activatesAt))
        if (expiry.kind === 'dates' && atOnce.expiresAt !== null)
          expect(atOnce.expiresAt).toBeGreaterThan(atOnce.activatesAt)
      },
    ),
  )
})
