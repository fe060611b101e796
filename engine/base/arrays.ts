import { Buffer } from 'node:buffer'
import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'

/**
 * One column of many rows as one binary array parameter (PostgreSQL's array_send format: dimensions, null flag,
 * element type, length, lower bound, then each element behind its length). Sending columns so costs the server a copy
 * where text arrays cost it a parse. `undefined` and `null` become SQL null.
 */
// A list makes some seventy columns: cut from one slab, they cost the collector one object instead of seventy.
Buffer.poolSize = 1 << 20

const POSTGRES_EPOCH = 946_684_800_000_000 // 2000-01-01 in microseconds
const OID = { uuid: 2950, int2: 21, int4: 23, int8: 20, text: 25, bytea: 17, timestamptz: 1184, date: 1082 } as const
const HEADER = 20

/**
 * A select list that makes rows out of columns: array parameters of these types from $2 on ($1 is the space). There they come in
 * step, one row after the other; `from unnest(…)` first writes every column to a store of its own, a tenth to a fifth of the whole statement.
 */
export function unnested(types: string): string {
  return types
    .split(' ')
    .map((type, i) => `unnest($${i + 2}::${type}[])`)
    .join(', ')
}

export function uuids<R>(rows: readonly R[], of: (row: R) => Uuid | null | undefined): Buffer {
  return fixed(OID.uuid, 16, rows, of, (buffer, at, value) => writeHex(buffer, at, value))
}

export function int2s<R>(rows: readonly R[], of: (row: R) => number | null | undefined): Buffer {
  return fixed(OID.int2, 2, rows, of, (buffer, at, value) => buffer.writeInt16BE(value, at))
}

export function int4s<R>(rows: readonly R[], of: (row: R) => number | null | undefined): Buffer {
  return fixed(OID.int4, 4, rows, of, (buffer, at, value) => buffer.writeInt32BE(value, at))
}

export function int8s<R>(rows: readonly R[], of: (row: R) => number | null | undefined): Buffer {
  return fixed(OID.int8, 8, rows, of, writeInt64)
}

export function instants<R>(rows: readonly R[], of: (row: R) => Instant | null | undefined): Buffer {
  return fixed(OID.timestamptz, 8, rows, of, (buffer, at, value) => writeInt64(buffer, at, value - POSTGRES_EPOCH))
}

/** Bytes given as hexadecimal text. */
export function byteas<R>(rows: readonly R[], of: (row: R) => string): Buffer {
  const width = rows.length === 0 ? 0 : of(rows[0] as R).length / 2
  return fixed(OID.bytea, width, rows, of, (buffer, at, value) => writeHex(buffer, at, value))
}

export function texts<R>(rows: readonly R[], of: (row: R) => string | null | undefined): Buffer {
  const values = rows.map(of)
  // Laid out as if all were ASCII: what is too large costs the collector, which counts whole slabs.
  // Four bytes to spare, a character at most: so a text that does not fit never ends where it would if it were ASCII.
  let size = HEADER + 4 * values.length + 4
  for (const value of values) if (value != null) size += value.length
  let buffer: Buffer = Buffer.allocUnsafe(size)
  let at = HEADER
  let nulls = false
  for (const [i, value] of values.entries()) {
    if (value == null) {
      nulls = true
      at = buffer.writeInt32BE(-1, at)
      continue
    }
    let length = buffer.write(value, at + 4, 'utf8')
    if (length !== value.length) {
      buffer = withRoom(buffer, at, values.slice(i))
      length = buffer.write(value, at + 4, 'utf8')
    }
    buffer.writeInt32BE(length, at)
    at += 4 + length
  }
  return finish(buffer, at, OID.text, values.length, nulls)
}

/** With room for these texts in UTF-8 from `at` on. */
function withRoom(buffer: Buffer, at: number, values: readonly (string | null | undefined)[]): Buffer {
  let size = at
  for (const value of values) size += 4 + (value == null ? 0 : Buffer.byteLength(value))
  if (size <= buffer.length) return buffer
  const larger = Buffer.allocUnsafe(size)
  buffer.copy(larger, 0, 0, at)
  return larger
}

function fixed<R, V>(
  oid: number,
  width: number,
  rows: readonly R[],
  of: (row: R) => V | null | undefined,
  write: (buffer: Buffer, at: number, value: V) => void,
): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER + (4 + width) * rows.length)
  let at = HEADER
  let nulls = false
  for (const row of rows) {
    const value = of(row)
    if (value == null) {
      nulls = true
      at = buffer.writeInt32BE(-1, at)
    } else {
      buffer.writeInt32BE(width, at)
      write(buffer, at + 4, value)
      at += 4 + width
    }
  }
  return finish(buffer, at, oid, rows.length, nulls)
}

function finish(buffer: Buffer, end: number, oid: number, count: number, nulls: boolean): Buffer {
  buffer.writeInt32BE(1, 0)
  buffer.writeInt32BE(nulls ? 1 : 0, 4)
  buffer.writeInt32BE(oid, 8)
  buffer.writeInt32BE(count, 12)
  buffer.writeInt32BE(1, 16)
  return buffer.subarray(0, end)
}

/** A safe integer as two 32-bit halves: several times as fast as going through BigInt. */
function writeInt64(buffer: Buffer, at: number, value: number): void {
  buffer.writeInt32BE(Math.floor(value / 0x1_0000_0000), at)
  buffer.writeUInt32BE(value >>> 0, at + 4)
}

/** Value of each hexadecimal digit's character. */
const NIBBLE = new Uint8Array(128)
for (let i = 0; i < 16; i++) NIBBLE[i.toString(16).charCodeAt(0)] = i

function writeHex(buffer: Buffer, at: number, text: string): void {
  const length = text.length
  for (let i = 0; i < length; i += 2) {
    let c = text.charCodeAt(i)
    if (c === 45) c = text.charCodeAt(++i)
    buffer[at++] = ((NIBBLE[c] as number) << 4) | (NIBBLE[text.charCodeAt(i + 1)] as number)
  }
}
