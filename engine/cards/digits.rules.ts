import { createHmac } from 'node:crypto'
import type { Instant } from '@laurel/contract/instants'
import type { Digits } from './cards.rules.ts'

/** How long a rotating card's digits are shown. */
export const STEP = 30_000_000
const LENGTH = 6
/** Clocks differ and people are slow: the digits before and after are taken too. */
const STEPS_AROUND = 1

/** What a card's digits are made with: derived, so that nothing of it is stored. */
export function cardSecret(secret: string, space: number, code: string): Buffer {
  return createHmac('sha256', secret).update(`laurel card\0${space}\0${code}`).digest()
}

/** RFC 6238 with SHA-256. `length`: 6 but for its test vectors. */
export function digitsAt(key: Buffer, at: Instant, length = LENGTH): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / STEP)))
  const mac = createHmac('sha256', key).update(counter).digest()
  const start = (mac.at(-1) ?? 0) & 15
  return String((mac.readUInt32BE(start) & 0x7fff_ffff) % 10 ** length).padStart(length, '0')
}

/** When the digits of an instant are no longer shown. */
export function shownUntil(at: Instant): Instant {
  return (Math.floor(at / STEP) + 1) * STEP
}

/** Whether digits were shown at an instant, or just before or after it. */
export function judgeDigits(key: Buffer | undefined, digits: string | null, at: Instant): Digits {
  if (digits === null) return 'none'
  if (!key) return 'stale'
  for (let step = -STEPS_AROUND; step <= STEPS_AROUND; step++) {
    if (digitsAt(key, at + step * STEP) === digits) return 'current'
  }
  return 'stale'
}
