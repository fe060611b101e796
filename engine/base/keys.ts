import { hash } from 'node:crypto'
import type { Uuid } from '@laurel/contract/ids'

/**
 * A name that must be unique across members, as the 128 bits that its lookup row is keyed by: SHA-256 of its kind
 * and its text, cut. Slim in the index, equal for equal names, and tells nothing of the name.
 */
export function keyOf(kind: string, text: string): Uuid {
  return digestOf(`${kind}\0${text}`)
}

/** 128 bits of SHA-256, for telling two contents apart. */
export function digestOf(content: string | Uint8Array): Uuid {
  const hex = hash('sha256', content, 'hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}
