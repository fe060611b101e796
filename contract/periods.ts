import { z } from 'zod'

/**
 * Lengths of time as programs say them: one whole number and one unit of ISO 8601. Years, months, weeks and days are
 * counted on the program's local calendar (P1M after 31 January is the last of February; P1D keeps the time of day when the
 * clocks change); hours and minutes are exact. All are short enough that every instant stays exact (instants.ts).
 */
export const period = z
  .string()
  .regex(
    /^P(?:[1-9][0-9]?Y|[1-9][0-9]{0,2}[MW]|[1-9][0-9]{0,3}D|T[1-9][0-9]{0,3}[HM])$/,
    'expected one number and one unit, such as P30D, P6M, P1Y, P2W, PT12H or PT30M',
  )
  .meta({
    id: 'Period',
    description:
      'One number and one unit: P30D (days), P2W, P6M, P1Y, PT12H, PT30M. Up to 99 years, 999 months or weeks, 9999 days, hours or minutes',
    example: 'P12M',
  })
export type Period = z.infer<typeof period>

/** Up to the end of that, which is the start of the next, in the program's local time; {month}: the end of that month. */
export const roundUp = z
  .union([
    z.enum(['day', 'month', 'quarter', 'half_year', 'year']),
    z.strictObject({ month: z.int().min(1).max(12).meta({ description: '1 is January' }) }),
  ])
  .meta({
    id: 'RoundUp',
    description: 'Up to the end of the day, month, quarter, half-year or year, or of the named month, in local time',
  })
export type RoundUp = z.infer<typeof roundUp>

/** What limits are counted by: the program's local days, ISO weeks (from Monday), months and years, or all time. */
export const per = z.enum(['day', 'week', 'month', 'year', 'lifetime'])
export type Per = z.infer<typeof per>

/** A day of a local calendar. */
export const localDate = z
  .string()
  .regex(/^20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$/, 'expected a date such as 2027-01-31')
  .refine(isDate, 'expected a date that exists')
  .meta({ description: "A day of the program's local calendar", example: '2027-01-31' })

/** A day of every year; 02-29 is the last of February in every year. */
export const monthDay = z
  .string()
  .regex(
    /^(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|[12][0-9]))$/,
    'expected a month and a day such as 12-31',
  )
  .meta({ description: 'Month and day, in every year; 02-29 is the last of February', example: '12-31' })

function isDate(text: string): boolean {
  const [year, month, day] = text.split('-').map(Number) as [number, number, number]
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}
