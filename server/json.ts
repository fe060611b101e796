import { isUtf8 } from 'node:buffer'
import { type FieldError, Refused } from '@laurel/contract/refusals'

/**
 * Bodies are read strictly, since two readers of one text must never see two things:
 *
 *   not UTF-8, a byte order mark, not JSON, deeper than 64       the body is refused (invalid_json)
 *   a key twice in one object, a key named __proto__,            the field is at fault, by its pointer: a single
 *   NUL or a lone surrogate in a text, a number that a           request is refused (invalid_json), one item of a
 *   double does not hold exactly or a whole one beyond 2^53 − 1  batch by itself
 *
 * An ordinary body costs one pass over its bytes beside JSON.parse; only a suspicious one is looked at closely.
 */
export const DEPTH_MAX = 64
const FAULTS_MAX = 100

export type Read = { value: unknown; faults: FieldError[] }

/** Refuses with invalid_json. */
export function readJson(body: Buffer): Read {
  const seen = glance(body)
  if (!isUtf8(body)) throw new Refused('invalid_json', 'the body is not UTF-8')
  const text = body.toString('utf8')
  const value = parse(text)
  return seen.suspicious || seen.colons !== countKeys(value)
    ? { value, faults: findFaults(text) }
    : { value, faults: [] }
}

/** Refuses with invalid_json, for faults of single fields too. */
export function readJsonStrictly(body: Buffer): unknown {
  const { value, faults } = readJson(body)
  const [first] = faults
  if (first)
    throw new Refused('invalid_json', `${first.pointer === '' ? 'the body' : first.pointer}: ${first.detail}`, faults)
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (text.trim() === '') throw new Refused('invalid_json', 'the body is empty')
    if (text.startsWith('\uFEFF')) throw new Refused('invalid_json', 'the body begins with a byte order mark')
    const at = /at position (\d+)/.exec(String(error))
    throw new Refused(
      'invalid_json',
      at
        ? `the body is not JSON: something unexpected at character ${at[1]}`
        : `the body is not JSON: ${/end of JSON/.test(String(error)) ? 'it ends too early' : 'something unexpected in it'}`,
    )
  }
}

/** Structure is ASCII, and no byte of a longer UTF-8 sequence is: so bytes will do. */
function glance(body: Buffer): { colons: number; suspicious: boolean } {
  let colons = 0
  let depth = 0
  let suspicious = false
  for (let i = 0; i < body.length; i++) {
    const c = body[i] as number
    if (c === 0x22) {
      for (i++; i < body.length && body[i] !== 0x22; i++) {
        if (body[i] === 0x5c && body[++i] === 0x75) suspicious = true
      }
    } else if (c === 0x3a) colons++
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > DEPTH_MAX) throw new Refused('invalid_json', `the body is nested deeper than ${DEPTH_MAX}`)
    } else if (c === 0x7d || c === 0x5d) depth--
    else if (c >= 0x30 && c <= 0x39) {
      const start = i
      for (let d = body[i + 1] as number; isNumberByte(d); d = body[i + 1] as number) {
        if (d > 0x39) suspicious = true // an exponent
        i++
      }
      if (i - start >= 15) suspicious = true // any 15 digits are exact
    }
  }
  return { colons, suspicious }
}

function isNumberByte(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || c === 0x2e || c === 0x65 || c === 0x45 || c === 0x2b || c === 0x2d
}

/** Keys that survived parsing; a key named __proto__ makes the count wrong on purpose. */
function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countKeys(item)
    return count
  }
  for (const key in value) {
    if (key === '__proto__') return -1_000_000_000
    count++
    const child = (value as Record<string, unknown>)[key]
    if (typeof child === 'object') count += countKeys(child)
  }
  return count
}

type Cursor = { text: string; at: number; faults: FieldError[] }

/** Walks a text that JSON.parse took, and points at every field at fault. */
function findFaults(text: string): FieldError[] {
  const cursor: Cursor = { text, at: 0, faults: [] }
  walkValue(cursor, '')
  return cursor.faults
}

function fault(cursor: Cursor, pointer: string, detail: string): void {
  if (cursor.faults.length < FAULTS_MAX) cursor.faults.push({ pointer: printable(pointer), detail })
}

/** A pointer goes out again in an answer: without what made it a fault. */
function printable(pointer: string): string {
  return pointer.toWellFormed().replaceAll('\0', '\u2400')
}

/** The next character that is not white space. */
function peek(cursor: Cursor): string {
  while (' \n\r\t'.includes(cursor.text.charAt(cursor.at)) && cursor.at < cursor.text.length) cursor.at++
  return cursor.text.charAt(cursor.at)
}

function walkValue(cursor: Cursor, pointer: string): void {
  const c = peek(cursor)
  if (c === '{') walkObject(cursor, pointer)
  else if (c === '[') {
    cursor.at++
    for (let i = 0; peek(cursor) !== ']'; i++) {
      walkValue(cursor, `${pointer}/${i}`)
      if (peek(cursor) === ',') cursor.at++
    }
    cursor.at++
  } else if (c === '"') checkText(cursor, pointer, walkString(cursor))
  else {
    const literal = /[-+.\w]+/y
    literal.lastIndex = cursor.at
    const token = (literal.exec(cursor.text) as RegExpExecArray)[0]
    cursor.at += token.length
    if (/^[-\d]/.test(token)) checkNumber(cursor, pointer, token)
  }
}

function walkObject(cursor: Cursor, pointer: string): void {
  const keys = new Set<string>()
  cursor.at++
  while (peek(cursor) !== '}') {
    const key = walkString(cursor)
    const here = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (keys.has(key)) fault(cursor, here, 'expected each key once in an object')
    if (key === '__proto__') fault(cursor, here, 'expected no key named __proto__')
    keys.add(key)
    checkText(cursor, here, key)
    peek(cursor)
    cursor.at++ // the colon
    walkValue(cursor, here)
    if (peek(cursor) === ',') cursor.at++
  }
  cursor.at++
}

function walkString(cursor: Cursor): string {
  const start = cursor.at++
  while (cursor.text.charCodeAt(cursor.at) !== 0x22) cursor.at += cursor.text.charCodeAt(cursor.at) === 0x5c ? 2 : 1
  return JSON.parse(cursor.text.slice(start, ++cursor.at)) as string
}

function checkText(cursor: Cursor, pointer: string, text: string): void {
  if (text.includes('\0')) fault(cursor, pointer, 'expected text without the character NUL')
  if (!text.isWellFormed()) fault(cursor, pointer, 'expected text without lone surrogates')
}

function checkNumber(cursor: Cursor, pointer: string, token: string): void {
  const n = Number(token)
  if (!Number.isFinite(n) || (Number.isInteger(n) && !Number.isSafeInteger(n))) {
    fault(cursor, pointer, 'expected a number within ±9007199254740991')
  } else if (plain(token) !== plain(String(n))) {
    fault(cursor, pointer, 'expected a number of at most 15 significant digits')
  }
}

/** A decimal number as its significant digits and the power of ten behind them. */
function plain(token: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(token) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
}
