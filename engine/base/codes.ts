import type { Uuid } from '@laurel/contract/ids'
import type { CodeAlphabet, GeneratedCode } from '@laurel/contract/rewards'
import { keyOf } from './keys.ts'

/**
 * Codes that people read, type and scan. One that we make is a prefix if there is one, random characters and one check
 * character, so that a slip is seen before anything is looked up. What is told apart is the code without spaces and
 * dashes, in capitals.
 */

/** readable: Crockford's base32. letters: those that make no words. Each of an even size, as the check needs it. */
export const ALPHABETS: Readonly<Record<CodeAlphabet, string>> = {
  readable: '0123456789ABCDEFGHJKMNPQRSTVWXYZ',
  digits: '0123456789',
  letters: 'BCDFGHJKLMNPQRSTVWXZ',
}
export const RANDOM_CHARACTERS = 11
const GROUP = 4

/** Capitals, without spaces and dashes: codes that are equal so are one code. */
export function plainCode(text: string): string {
  return text.replace(/[\s\p{Pd}]/gu, '').toUpperCase()
}

/** As plainCode, and what is easily misread taken for what we make: O is 0, I and L are 1, U is V. */
export function readableCode(text: string): string {
  return plainCode(text).replace(/[OILU]/g, (c) => (c === 'O' ? '0' : c === 'U' ? 'V' : '1'))
}

/** What a code is looked up and told apart by in a space. A code that was brought along is its plainCode, one that we made its readableCode. */
export function codeKey(normalised: string): Uuid {
  return keyOf('code', normalised)
}

/** The keys that a code may have that somebody typed. */
export function codeKeys(text: string): Uuid[] {
  return [...new Set([plainCode(text), readableCode(text)])].map(codeKey)
}

/** What a prefix may hold, so that the check character covers it too. */
export function prefixFits(prefix: string, alphabet: CodeAlphabet = 'readable'): boolean {
  return Array.from(normalCode(prefix, alphabet)).every((c) => ALPHABETS[alphabet].includes(c))
}

/**
 * A code out of `chance` (at least 32 hexadecimal digits): its prefix, random characters and the check character, in groups of
 * four behind the prefix. The same chance is the same code.
 */
export function codeOf(said: GeneratedCode, chance: string): string {
  const { length = RANDOM_CHARACTERS, prefix = '', alphabet = 'readable' } = said
  const letters = ALPHABETS[alphabet]
  let rest = BigInt(`0x${chance}`)
  let body = ''
  for (let i = 0; i < length; i++) {
    body += letters[Number(rest % BigInt(letters.length))]
    rest /= BigInt(letters.length)
  }
  body += checkCharacter(normalCode(prefix, alphabet) + body, alphabet)
  const groups = body.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? []
  return (prefix === '' ? groups : [prefix, ...groups]).join('-')
}

/** What a code of this alphabet is told apart by. */
export function normalCode(text: string, alphabet: CodeAlphabet = 'readable'): string {
  return alphabet === 'readable' ? readableCode(text) : plainCode(text)
}

/** Whether its last character is the check character of all others. */
export function codeChecks(text: string, alphabet: CodeAlphabet = 'readable'): boolean {
  const code = normalCode(text, alphabet)
  if (code.length < 2 || Array.from(code).some((c) => !ALPHABETS[alphabet].includes(c))) return false
  return checkCharacter(code.slice(0, -1), alphabet) === code.at(-1)
}

/** Finds every single wrong character. */
function checkCharacter(text: string, alphabet: CodeAlphabet): string {
  const letters = ALPHABETS[alphabet]
  const values = Array.from(text, (c) => letters.indexOf(c))
  return letters[alphabet === 'readable' ? checkIn32(values) : checkBy(letters.length, values)] as string
}

/**
 * Weighted by powers of two in the field of 32 elements (x⁵ + x² + 1), all characters add up to zero with this one: so any two that
 * changed places are found too, up to 31 characters.
 */
function checkIn32(values: readonly number[]): number {
  const twice = (value: number) => ((value << 1) & 31) ^ (value & 16 ? 0b00101 : 0)
  return twice(values.reduce((sum, value) => twice(sum) ^ value, 0))
}

/**
 * The hybrid system of ISO 7064 (MOD 11,10 for digits) over n characters, n even: so that doubling modulo n + 1 maps no two characters
 * to one. Finds nearly all neighbours that changed places, and needs no character beside the alphabet.
 */
function checkBy(n: number, values: readonly number[]): number {
  const product = values.reduce((before, value) => (2 * ((before + value) % n || n)) % (n + 1), n)
  return (n + 1 - product) % n
}
