/**
 * Codes that people read aloud and type: Crockford's base32 in capitals, without I, L, O and U, and a check character at the
 * end. It finds every wrong character and every two that changed places, in codes of up to 31 characters: the characters are
 * weighted by powers of two in the field of 32 elements (x⁵ + x² + 1), and with the check character they add up to zero.
 */
export const READABLE = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
export const READABLE_MAX = 31

/** As such a code is stored and compared: capitals, no spaces and dashes, O read as 0, I and L as 1. */
export function readRaw(text: string): string {
  return text.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1')
}

/** The character that makes `text` check; undefined where a character of it is not one of ours. */
export function checkCharacter(text: string): string | undefined {
  const sum = weigh(text)
  return sum === undefined ? undefined : READABLE[twice(sum)]
}

/** Whether a code (as readRaw gives it) has the check character that belongs to it. */
export function isChecked(code: string): boolean {
  return code.length > 1 && code.length <= READABLE_MAX && weigh(code) === 0
}

/** `length` characters of five random bits each, from `chance` (hexadecimal, two digits a character). */
export function readableOf(chance: string, length: number): string {
  if (chance.length < 2 * length) throw new Error(`${length} characters need ${2 * length} digits of chance`)
  let text = ''
  for (let i = 0; i < length; i++) text += READABLE[Number.parseInt(chance.slice(2 * i, 2 * i + 2), 16) & 31]
  return text
}

/** In groups of four, as people see it. */
export function grouped(code: string): string {
  return code.match(/.{1,4}/g)?.join('-') ?? ''
}

function weigh(text: string): number | undefined {
  let sum = 0
  for (const character of text) {
    const value = READABLE.indexOf(character)
    if (value < 0) return undefined
    sum = twice(sum) ^ value
  }
  return sum
}

function twice(value: number): number {
  return ((value << 1) & 31) ^ (value & 16 ? 0b00101 : 0)
}
