import { randomFillSync } from 'node:crypto'
import type { Uuid } from '@laurel/contract/ids'

/** The two hexadecimal digits of every byte, as character codes. */
const DIGITS = new Uint16Array(256)
for (let i = 0; i < 256; i++) {
  const hex = i.toString(16).padStart(2, '0')
  DIGITS[i] = (hex.charCodeAt(0) << 8) | hex.charCodeAt(1)
}
/** Where the digits of each of the 16 bytes stand among the dashes. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const
const text = Buffer.alloc(36, '-')

/** Of 16 bytes. Its digits are written between dashes that stand already: one flat string, where put together it would be dozens. */
export function uuidText(byte: (i: number) => number): Uuid {
  for (let i = 0; i < 16; i++) {
    const digits = DIGITS[byte(i)] as number
    const at = PLACES[i] as number
    text[at] = digits >> 8
    text[at + 1] = digits & 255
  }
  return text.toString('latin1')
}

const made = new Uint8Array(16)
const pool = new Uint8Array(8 * 512)
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
  made[0] = high >>> 24
  made[1] = high >>> 16
  made[2] = high >>> 8
  made[3] = high
  made[4] = lastMs >>> 8
  made[5] = lastMs
  made[6] = 0x70 | (counter >>> 8)
  made[7] = counter
  made[8] = 0x80 | ((pool[next] as number) & 0x3f)
  for (let i = 1; i < 8; i++) made[8 + i] = pool[next + i] as number
  next += 8
  return uuidText((i) => made[i] as number)
}
