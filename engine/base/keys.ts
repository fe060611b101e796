import { hash } from 'node:crypto'
import type { Uuid } from '@laurel/contract/ids'
import { uuidText } from './ids.ts'

/**
 * A name that must be unique across members, as the 128 bits that its lookup row is keyed by: SHA-256 of its kind
 * and its text, cut. Slim in the index, equal for equal names, and tells nothing of the name.
 */
export function keyOf(kind: string, text: string): Uuid {
  return digestOf(`${kind}\0${text}`)
}

/** 128 bits of SHA-256, for telling two contents apart. */
export function digestOf(content: string | Uint8Array): Uuid {
  const bytes = hash('sha256', content, 'binary') // a character a byte
  return uuidText((i) => bytes.charCodeAt(i))
}
