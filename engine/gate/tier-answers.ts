import { laddersOf } from '../earning/ladders.ts'
import type { Ask } from './asks.ts'
import type { Decision } from './decisions.ts'
import type { Slices } from './slices.ts'
import { tierKey } from './tier-keys.ts'

/**
 * The answer to a purchase that was just recorded says what the member holds after it, which a till prints; nothing of it in
 * programs that have no ladders.
 */
export function showTiers({ configuration, tiers }: Slices, { verb }: Ask, decision: Decision): Decision {
  const { changes } = decision
  if (verb !== 'purchase' || !changes?.purchase) return decision
  const ladders = laddersOf(configuration, changes.purchase.programId)
  if (ladders.length === 0) return decision
  const held: Record<string, string | null> = {}
  for (const { ladderId, slug } of ladders) {
    const state = changes.tiers?.states.find((one) => one.ladderId === ladderId)
    held[slug] = (state ?? tiers.states.get(tierKey(changes.member, ladderId)))?.tier ?? null
  }
  return { ...decision, body: `${decision.body.slice(0, -1)},"tiers":${JSON.stringify(held)}}` }
}
