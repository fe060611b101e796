/** Dice that fall the same for the same seed: a small counter-based generator (32 bits are plenty for test data). */
export type Random = {
  /** Whole number in [least, most]. */
  int(least: number, most: number): number
  chance(probability: number): boolean
  pick<T>(from: readonly T[]): T
  /** One of them, more often what weighs more. */
  weighted<T extends { weight: number }>(from: readonly T[]): T
  /** Dice of their own, which do not depend on how often these were thrown before. */
  split(name: number): Random
}

export function randomOf(seed: number): Random {
  let state = mix(seed ^ 0x9e3779b9)
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    return mix(state) / 2 ** 32
  }
  const random: Random = {
    int: (least, most) => least + Math.floor(next() * (most - least + 1)),
    chance: (probability) => next() < probability,
    pick: (from) => from[Math.floor(next() * from.length)] as (typeof from)[number],
    weighted(from) {
      let left = next() * from.reduce((sum, one) => sum + one.weight, 0)
      return from.find((one) => (left -= one.weight) < 0) ?? (from.at(-1) as (typeof from)[number])
    },
    split: (name) => randomOf(mix(seed * 31 + name + 1)),
  }
  return random
}

function mix(n: number): number {
  let x = Math.imul(n ^ (n >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return (x ^ (x >>> 15)) >>> 0
}
