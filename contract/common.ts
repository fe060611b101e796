import { z } from 'zod'

/**
 * Shapes that many operations share. Wire shapes have no transforms and no defaults: what is said is what is read.
 * Bodies are strict (an unknown field is refused), answers may grow.
 * No text holds NUL or a lone surrogate: the door refuses both before any shape is looked at.
 */

/** The largest whole number that every JSON reader sees exactly: 2^53 − 1. */
export const UNITS_MAX = Number.MAX_SAFE_INTEGER

export const text = (max: number) => z.string().min(1).max(max)

/** RFC 3339 with an offset, at most six decimals of a second. The door reads it with instants.ts. */
const rfc3339 = 'expected an instant such as 2026-11-22T09:30:00+01:00'
export const instant = z.string().min(20, rfc3339).max(35, rfc3339).meta({
  format: 'date-time',
  description: 'RFC 3339 with an offset, such as 2026-11-22T09:30:00+01:00; at most six decimals of a second',
})

export const slug = z
  .string()
  .regex(
    /^(?!prg_)[a-z0-9][a-z0-9_-]{0,62}$/,
    'expected lower-case letters, digits, hyphens and underscores, at most 63, not starting with prg_',
  )
  .meta({
    description: 'Lower-case letters, digits, hyphens and underscores; 1 to 63 characters; not starting with prg_',
  })

export const EXTERNAL_ID_MAX = 200
export const externalId = text(EXTERNAL_ID_MAX).meta({ description: 'The id in your own system, 1 to 200 characters' })

/** A program as the caller names it: its slug or its id. */
export const programRef = text(64).meta({ description: 'Slug or id (prg_…) of the program' })

/** A member as the caller names it. */
export const memberRef = z
  .string()
  .max(260)
  .regex(
    /^(mem_|external:|card:|email:|phone:)/,
    'expected mem_…, external:<the id in your own system>, card:…, email:… or phone:…',
  )
  .meta({
    description:
      'Id (mem_…) of the member, external:<the id in your own system>, card:<the code of its card, with the digits of a rotating card behind a dot>, email:… or phone:…',
  })

/** A purchase as the caller names it. */
export const purchaseRef = z
  .string()
  .max(220)
  .regex(/^(pur_|external:)/, 'expected pur_… or external:<the external id it was recorded with>')
  .meta({ description: 'Id (pur_…) of the purchase, or external:<the external id it was recorded with>' })

/** An amount of money in the currency's minor unit (pence, cents, yen), never negative. */
export const minor = z.int().min(0).max(UNITS_MAX)

/** Points: whole, and at least one. */
export const points = z.int().min(1).max(UNITS_MAX)
/** Points as they come out: whole, zero too. */
export const pointsOut = z.int().min(-UNITS_MAX).max(UNITS_MAX)

/** Free fields of the caller: any JSON values, at most 50 keys, 16,384 characters of JSON in all. */
export const FREE_KEYS_MAX = 50
export const FREE_CHARACTERS_MAX = 16_384
export const free = z
  .record(z.string().min(1).max(64), z.unknown())
  .meta({ description: 'Your own fields: any JSON values under at most 50 keys, 16,384 characters of JSON in all' })

export function freeFault(value: Record<string, unknown>): string | undefined {
  if (Object.hasOwn(value, '__proto__')) return 'expected no key named __proto__'
  if (Object.keys(value).length > FREE_KEYS_MAX) return `expected at most ${FREE_KEYS_MAX} keys`
  if (JSON.stringify(value).length > FREE_CHARACTERS_MAX)
    return `expected at most ${FREE_CHARACTERS_MAX} characters of JSON`
  return undefined
}

export const freeChecked = free.refine((value) => freeFault(value) === undefined, {
  error: (issue) => freeFault(issue.input as Record<string, unknown>) ?? 'expected smaller fields',
})

export const LIMIT_MAX = 100
export const LIMIT_DEFAULT = 25
/** Query parameters arrive as texts; `limit` is a whole number from 1 to 100 written in decimal. */
export const page = {
  limit: z
    .string()
    .regex(/^([1-9][0-9]?|100)$/, `expected a whole number from 1 to ${LIMIT_MAX}`)
    .optional()
    .meta({ description: 'How many at most: 1 to 100, 25 unless told', example: '25' }),
  after: text(500).optional().meta({ description: 'The `next` of the answer before; leave it out to begin' }),
}

/** A page of things; `next` continues it, null at its end. */
export function list<T extends z.ZodType>(item: T) {
  return z.object({ data: z.array(item), next: z.string().nullable() })
}

/** RFC 9457 problem details; `code` is the stable part. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
    requestId: z.string().optional(),
  })
  .meta({
    id: 'Problem',
    description: 'RFC 9457 problem details. `code` is stable; `errors` lists every field at fault.',
  })

/** ISO 4217's active codes for money (funds, metals and testing codes left out). */
export const CURRENCIES = (
  'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP ' +
  'BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF ' +
  'GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD ' +
  'LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR ' +
  'PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY ' +
  'TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG'
).split(' ')

/** Any code of three capitals on the wire; whether it is the program's is the verb's business. */
export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'expected an ISO 4217 code: three capitals')
  .meta({ description: 'ISO 4217 code', example: 'GBP' })
const known = new Set(CURRENCIES)
export const currencyKnown = currency.refine((code) => known.has(code), 'expected an ISO 4217 currency code')
