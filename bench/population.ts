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
