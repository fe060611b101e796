import { randomFillSync } from 'node:crypto'
import type { Uuid } from '@laurel/contract/ids'

/** Hexadecimal of every byte, so that a UUID is a handful of look-ups. */
const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))
const pool = new Uint8Array(10 * 512)
let next = pool.length
let lastMs = 0
let counter = 0

/** A clock set back by less is waited for, so that ids keep their order; one set back by more was wrong before. */
const SET_BACK_MS = 60_000

/**
 * A UUID version 7 (RFC 9562 § 5.7): milliseconds, then a 12-bit counter that keeps ids of one process in the order
 * in which they were made, then 62 random bits. Made at doors, never inside a decision.
 */
export function newId(ms: number = Date.now()): Uuid {
  if (ms > lastMs || ms < lastMs - SET_BACK_MS) {
    lastMs = ms
    counter = 0
  } else if (++counter > 0xfff) {
    lastMs += 1
    counter = 0
  }
  if (next >= pool.length) {
    randomFillSync(pool)
    next = 0
  }
  const high = Math.floor(lastMs / 0x10000)
  const b = (i: number) => HEX[pool[next + i] as number] as string
  const text =
    `${hex(high >>> 24)}${hex(high >>> 16)}${hex(high >>> 8)}${hex(high)}-${hex(lastMs >>> 8)}${hex(lastMs)}-` +
    `${hex(0x70 | (counter >>> 8))}${hex(counter)}-${hex(0x80 | ((pool[next] as number) & 0x3f))}${b(1)}-${b(2)}${b(3)}${b(4)}${b(5)}${b(6)}${b(7)}`
  next += 8
  return text
}

function hex(n: number): string {
  return HEX[n & 255] as string
}
