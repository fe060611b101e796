import { hash } from 'node:crypto'

/** Names that were seen, numbered from 0 in the order in which they first came. */
export type Known = {
  /** The name's number; `fresh` when it had not been seen before. */
  add(name: string): { number: number; fresh: boolean }
  has(name: string): boolean
  readonly size: number
  /** What it holds in memory. */
  readonly bytes: number
}

/** Per slot: 96 bits of the name's SHA-1 and its number + 1 (0: an empty slot). */
const WORDS = 4
const FILLED_MAX = 0.7

/**
 * A set of names in 16 bytes a slot, 23 to 46 bytes a name, however long the names are. Two of ten million names share
 * 96 bits with a probability below 10⁻¹⁴.
 */
export function known(): Known {
  let slots = 1 << 10
  let table = new Uint32Array(slots * WORDS)
  let size = 0

  /** Where the three words are, or the empty slot where they belong. */
  function find(words: Uint32Array, among: Uint32Array, count: number): number {
    for (let slot = (words[0] as number) & (count - 1); ; slot = (slot + 1) & (count - 1)) {
      const at = slot * WORDS
      if (among[at + 3] === 0) return at
      if (among[at] === words[0] && among[at + 1] === words[1] && among[at + 2] === words[2]) return at
    }
  }

  function grow(): void {
    const wider = new Uint32Array(table.length * 2)
    for (let at = 0; at < table.length; at += WORDS) {
      if (table[at + 3] !== 0)
        wider.set(table.subarray(at, at + WORDS), find(table.subarray(at, at + 3), wider, slots * 2))
    }
    slots *= 2
    table = wider
  }

  return {
    add(name) {
      const words = wordsOf(name)
      const at = find(words, table, slots)
      const found = table[at + 3] as number
      if (found !== 0) return { number: found - 1, fresh: false }
      table.set(words, at)
      table[at + 3] = ++size
      if (size > slots * FILLED_MAX) grow()
      return { number: size - 1, fresh: true }
    },
    has: (name) => table[find(wordsOf(name), table, slots) + 3] !== 0,
    get size() {
      return size
    },
    get bytes() {
      return table.byteLength
    },
  }
}

function wordsOf(name: string): Uint32Array {
  const digest = hash('sha1', name, 'buffer')
  return new Uint32Array([digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8)])
}
