import { DAY, type Instant } from '../../../contract/instants.ts'
import { feature } from '../feature.ts'
import type { Ladder } from '../tiers.ts'
import { noteTier, tierNow } from '../tiers.ts'
import { find, living } from '../world.ts'
import type { Random } from '../random.ts'

/** The one ladder of a history, or none. */
export function ladderOf(r: Random): Ladder | undefined {
  if (r.chance(0.3)) return undefined
  const metric = r.pick(['spend', 'spend', 'purchases', 'earned', 'activities'] as const)
  const per = r.pick(['month', 'month', 'year', 'lifetime'] as const)
  const waits = per !== 'lifetime' && r.chance(0.2) // a lifetime has no end to wait for
  return { metric, per, upgrade: waits ? 'period_end' : 'at_once', tiers: tiersOf(r, metric) }
}

const STEP = { spend: 12_000, purchases: 3, earned: 60, activities: 2 }
function tiersOf(r: Random, metric: Ladder['metric']): Ladder['tiers'] {
  const step = () => r.int(1, STEP[metric])
  const first = step()
  const tiers = [
    { slug: 'silver', threshold: first },
    { slug: 'gold', threshold: first + step() },
  ]
  return tiers.map((tier) => ({ ...tier, multiplier: r.pick(['1', '1.25', '1.5', '2', '1.3333']) }))
}

/** Thresholds change: everybody is held against them at once. */
export const thresholds = feature<{ tiers: Ladder['tiers'] }>({
  do: 'thresholds',
  weight: 0.5,
  generate: (r, w) => (w.ladder ? { tiers: tiersOf(r, w.ladder.metric) } : undefined),
  model(w, { tiers }) {
    if (!w.ladder) return { code: 'tier_ladder_unknown' }
    w.ladder = { ...w.ladder, tiers }
    for (const member of w.members.values()) noteTier(w, living(member))
    return { code: 'ok' }
  },
  act: (driver, { at, tiers }) => driver.changeLadder(at, tiers),
})

/** Somebody is given a tier, for a while or for good. */
export const assign = feature<{ member: string; tier: string; until?: Instant }>({
  do: 'assign',
  weight: 1.5,
  generate(r, w) {
    if (!w.ladder || w.members.size === 0) return undefined
    const until = { until: w.now + (r.chance(0.05) ? -DAY : r.int(1, 40) * DAY) }
    const tier = r.chance(0.03) ? 'tin' : r.pick(['silver', 'gold'])
    return { member: r.pick([...w.members.keys()]), tier, ...(r.chance(0.8) ? until : {}) }
  },
  model(w, { member: name, tier, until }) {
    const member = find(w, name)
    if (!w.ladder) return { code: 'tier_ladder_unknown' }
    if (!member) return { code: 'member_unknown' }
    if (member.status !== 'active') return { code: 'member_suspended' }
    if (!w.ladder.tiers.some(({ slug }) => slug === tier)) return { code: 'tier_unknown' }
    if (until !== undefined && until <= w.now) return { code: 'invalid_request' }
    member.assigned = { tier, until: until ?? null }
    return { code: 'repeat', told: { tier: tierNow(w, member) } } // a change of what is there already: 200
  },
  ask: ({ member, tier, until }) => ({
    verb: 'assignTier',
    member: `external:${member}`,
    ladder: 'status',
    tier,
    until,
    reason: 'a guest of honour',
  }),
})

/** What was given so is taken away again. */
export const unassign = feature<{ member: string }>({
  do: 'unassign',
  weight: 0.5,
  generate: (r, w) => (w.ladder && w.members.size > 0 ? { member: r.pick([...w.members.keys()]) } : undefined),
  model(w, { member: name }) {
    const member = find(w, name)
    if (!w.ladder) return { code: 'tier_ladder_unknown' }
    if (!member) return { code: 'member_unknown' }
    member.assigned = null
    return { code: 'repeat', told: { tier: tierNow(w, member) } }
  },
  ask: ({ member }) => ({ verb: 'releaseTier', member: `external:${member}`, ladder: 'status', reason: 'it is over' }),
})
