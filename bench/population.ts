import { hash } from 'node:crypto'
import { encodeId, type Uuid } from '@laurel/contract/ids'

/**
 * The members that the benchmarks find enrolled, numbered from 1: who is who follows from the number alone, so that the
 * generator names members that SQL has seeded (seed.sql.ts computes the same).
 */
export const MEMBERS = 1_200_000
export const PROGRAM = 'bench'
export const CURRENCY = 'GBP'

/** Enrolled one after another since 2024-11-01, half a minute apart: all before 2026. */
export const ENROLLED_FROM_MS = Date.UTC(2024, 10, 1)
export const ENROLLED_EVERY_MS = 30_000

export const EXTERNAL_DIGITS = 7

/** Members whom the seed gives a purchase when there are so many (seed.sql.ts spreads them by the same numbers): they have points. */
export const BUYERS = 100_000
const STRIDE = 7919
const BACK = inverseOf(STRIDE, MEMBERS)

/** The number of a member who has points, of a whole number below BUYERS. */
export function buyerOf(nth: number): number {
  return Number((BigInt(nth) * BACK) % BigInt(MEMBERS)) || MEMBERS
}

/** What undoes multiplying by `n` modulo `m`. */
function inverseOf(n: number, m: number): bigint {
  let [a, b, x, y] = [BigInt(m), BigInt(n), 0n, 1n]
  while (b > 1n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y]
  return ((y % BigInt(m)) + BigInt(m)) % BigInt(m)
}

export function externalIdOf(n: number): string {
  return `m${String(n).padStart(EXTERNAL_DIGITS, '0')}`
}

/** A UUID version 7 of the instant of enrolment, its random part from the number. */
export function memberOf(n: number): Uuid {
  const time = (ENROLLED_FROM_MS + n * ENROLLED_EVERY_MS).toString(16).padStart(12, '0')
  const rest = hash('md5', String(n), 'hex')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8${rest.slice(0, 3)}-${rest.slice(3, 15)}`
}

export function memberIdOf(n: number): string {
  return encodeId('mem', memberOf(n))
}
