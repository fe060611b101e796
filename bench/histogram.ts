/**
 * Latencies in whole microseconds, counted in buckets no wider than 1.6 % of their value (64 to a power of two), up to
 * 35 minutes. Recording costs a handful of instructions; percentiles are read from counts and never averaged.
 */
export type Histogram = { counts: Float64Array; total: number; max: number }

const SUB_BITS = 6
const BUCKETS = (31 - SUB_BITS + 1) << SUB_BITS

export function newHistogram(): Histogram {
  return { counts: new Float64Array(BUCKETS), total: 0, max: 0 }
}

export function record(h: Histogram, micros: number): void {
  const value = Math.min(Math.max(micros | 0, 0), 0x7fffffff)
  const index = bucketOf(value)
  h.counts[index] = (h.counts[index] as number) + 1
  h.total += 1
  if (value > h.max) h.max = value
}

/** The highest value of the bucket that holds the given share (0 to 1) of what was recorded; 0 when nothing was. */
export function percentile(h: Histogram, share: number): number {
  const wanted = Math.ceil(h.total * share)
  let seen = 0
  for (let i = 0; i < BUCKETS; i++) {
    seen += h.counts[i] as number
    if (seen >= wanted && seen > 0) return Math.min(highestOf(i), h.max)
  }
  return h.max
}

function bucketOf(value: number): number {
  if (value < 1 << (SUB_BITS + 1)) return value
  const shift = 31 - Math.clz32(value) - SUB_BITS
  return (shift << SUB_BITS) + (value >> shift)
}

function highestOf(index: number): number {
  if (index < 1 << (SUB_BITS + 1)) return index
  const shift = (index >> SUB_BITS) - 1
  return (index - (shift << SUB_BITS) + 1) * 2 ** shift - 1
}
