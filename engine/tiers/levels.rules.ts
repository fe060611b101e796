import type { LadderTerms } from '@laurel/contract/tiers'
import { type Bucket, type Counted, type Course, type Given, MEASURES, type TierState } from './tiers.ts'

/** Tiers as numbers, from 0 upwards; −1 is none, and what a ladder no longer has. */
export function levelOf({ tiers }: LadderTerms, slug: string | null | undefined): number {
  return slug == null ? -1 : tiers.findIndex((tier) => tier.slug === slug)
}

export function slugOf({ tiers }: LadderTerms, level: number): string | null {
  return tiers[level]?.slug ?? null
}

/** What everyone holds: 0 where the first tier asks for nothing. */
export function baseOf({ tiers }: LadderTerms): number {
  return tiers[0]?.threshold === 0 ? 0 : -1
}

/** A tier as it is kept: what everyone holds was reached by nobody, and is not. */
export function floorOf(terms: LadderTerms, level: number): string | null {
  return level > baseOf(terms) ? slugOf(terms, level) : null
}

/** The highest tier that so much reaches. */
export function reachedBy({ tiers }: LadderTerms, worth: number): number {
  return tiers.findLastIndex((tier) => tier.threshold <= worth)
}

/**
 * What is held next, of a tier that was kept and what was reached meanwhile: what was reached, where that is no less;
 * else as the ladder lets it fall.
 */
export function nextLevel(terms: LadderTerms, held: number, reached: number): number {
  if (reached >= held || terms.downgrade === 'none') return Math.max(held, reached)
  return terms.downgrade === 'one_level' ? Math.max(reached, held - 1) : reached
}

/** What counts from the day `from` to the day before `to`. */
export function worthOf(
  { worth }: Course,
  { progress, balance }: Pick<Given, 'progress' | 'balance'>,
  [from, to]: readonly [number, number],
  daysAsMember: number,
): number {
  const counted: Counted = { earned: 0, spend: 0, purchases: 0, activities: 0, balance, daysAsMember }
  for (const { measure, day, amount } of progress) {
    if (day < from || day >= to) continue
    if (measure === MEASURES.earned) counted.earned += amount
    else if (measure === MEASURES.spend) counted.spend += amount
    else if (measure === MEASURES.purchases) counted.purchases += amount
    else counted.activities += amount
  }
  return worth(counted)
}

/** Progress with changes of it. */
export function withChanges(progress: readonly Bucket[], changes: readonly Bucket[]): Bucket[] {
  const sums = new Map(progress.map((bucket) => [`${bucket.measure} ${bucket.day}`, bucket]))
  for (const change of changes) {
    const key = `${change.measure} ${change.day}`
    const before = sums.get(key)
    sums.set(key, before ? { ...before, amount: before.amount + change.amount } : change)
  }
  return [...sums.values()]
}

/** The level that was assigned, while it lasts; −1: none. */
export function manualLevel(terms: LadderTerms, { manual }: Pick<TierState, 'manual'>): number {
  return levelOf(terms, manual?.tier)
}
