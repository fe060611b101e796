import type { FieldError } from '@laurel/contract/refusals'
import type { z } from 'zod'
import type { Cap } from '@laurel/contract/wallets'
import type { Sort } from '../expressions.ts'
import type { Decide, Line, Reads, Verdict } from '../question.ts'

/** One argument, as a form asks for it. */
export type FieldText = { label: string; help: string }

/**
 * A kind of earning rule is one file: its code, the schema of its arguments, the texts of its form, and a pure award.
 * `decide` prepares one version's arguments once; what it returns runs for every purchase and knows nothing else.
 */
export type Kind = {
  code: string
  title: string
  description: string
  fields: Record<string, FieldText>
  /** Decided after the others, on what they gave. */
  multiplies: boolean
  /** What rules of this kind may answer to. */
  answers: readonly Sort[]
  /** Limits that the kind itself means, beside those of a rule's terms. */
  caps: readonly Cap[]
  args: z.ZodType
  /** What is wrong with arguments of the right shape: pointers into them. */
  faults(args: unknown, sort: Sort): FieldError[]
  reads(args: unknown, sort: Sort): Reads
  /** Throws when stored arguments are not this kind's: a fault. */
  decide(args: unknown, currency: string, sort?: Sort): Decide
}

type Definition<Args extends z.ZodType> = {
  code: string
  title: string
  description: string
  fields: { [Field in keyof z.output<Args>]-?: FieldText }
  multiplies?: boolean
  /** Purchases unless told. */
  answers?: readonly Sort[]
  caps?: readonly Cap[]
  args: Args
  faults?(args: z.output<Args>, sort: Sort): FieldError[]
  reads?(args: z.output<Args>, sort: Sort): Reads
  award(args: z.output<Args>, currency: string, sort: Sort): Decide
}

const READS_NOTHING: Reads = { member: false, number: false, local: false }

export function defineKind<Args extends z.ZodType>(definition: Definition<Args>): Kind {
  const { award, faults, reads, ...kind } = definition
  return {
    multiplies: false,
    answers: ['purchase'],
    caps: [],
    ...kind,
    faults: (args, sort) => faults?.(kind.args.parse(args), sort) ?? [],
    reads: (args, sort) => reads?.(kind.args.parse(args), sort) ?? READS_NOTHING,
    decide: (args, currency, sort = 'purchase') => award(kind.args.parse(args), currency, sort),
  }
}

type Filter = {
  skus?: string[] | undefined
  categories?: string[] | undefined
  brands?: string[] | undefined
  excludeSkus?: string[] | undefined
  excludeCategories?: string[] | undefined
}

/**
 * Which lines count: those in any of the lists, every line where no list is given; never those in an exclude list.
 * Texts are compared letter by letter. undefined: every line, so that the commonest rule costs nothing a line.
 */
export function filterOf(filter: Filter): ((line: Line) => boolean) | undefined {
  const { skus, categories, brands, excludeSkus, excludeCategories } = filter
  const restricts = skus !== undefined || categories !== undefined || brands !== undefined
  if (!restricts && !excludeSkus && !excludeCategories) return undefined
  const inSkus = new Set(skus)
  const inCategories = new Set<string | undefined>(categories)
  const inBrands = new Set<string | undefined>(brands)
  const outSkus = new Set(excludeSkus)
  const outCategories = new Set<string | undefined>(excludeCategories)
  return (line) =>
    !outSkus.has(line.sku) &&
    !outCategories.has(line.category) &&
    (!restricts || inSkus.has(line.sku) || inCategories.has(line.category) || inBrands.has(line.brand))
}

export type Rounding = 'floor' | 'half_up' | 'ceil'

/**
 * amount × times ÷ per, rounded once; exact for all whole numbers ≥ 0 (`per` > 0). Above 2^53 − 1 it only says that it
 * is above (Infinity). `half_up` rounds halves away from zero, which is up: nothing here is negative.
 */
export function scale(amount: number, times: number, per: number, rounding: Rounding): number {
  const product = amount * times
  // A product beyond 2^53 − 1 is still beyond it as the nearest double, so this comparison cannot be fooled.
  if (!(product <= Number.MAX_SAFE_INTEGER)) return scaleBig(amount, times, per, rounding)
  const rest = product % per
  const whole = (product - rest) / per
  if (rest === 0 || rounding === 'floor') return whole
  return rounding === 'ceil' || rest >= per - rest ? whole + 1 : whole
}

function scaleBig(amount: number, times: number, per: number, rounding: Rounding): number {
  const product = BigInt(amount) * BigInt(times)
  const rest = product % BigInt(per)
  const up = rest > 0n && (rounding === 'ceil' || (rounding === 'half_up' && rest * 2n >= BigInt(per)))
  const points = product / BigInt(per) + (up ? 1n : 0n)
  return points > BigInt(Number.MAX_SAFE_INTEGER) ? Number.POSITIVE_INFINITY : Number(points)
}

/** A verdict of this many points ≥ 0. */
export function gives(points: number, why: string): Verdict {
  if (points === 0) return 'rounds_to_zero'
  return points > Number.MAX_SAFE_INTEGER ? 'amount_out_of_range' : { points, why }
}

/** `1 point`, `2 points`. */
export function count(n: number, noun: string): string {
  return n === 1 ? `1 ${noun}` : `${n} ${noun}s`
}
