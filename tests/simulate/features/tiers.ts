import { DAY, type Instant } from '../../../contract/instants.ts'
import type { TierWindow } from '../../../contract/tiers.ts'
import { feature } from '../feature.ts'
import { type Ladder, MEASURES, type Metric } from '../ladders.ts'
import { climbOf, noteTiers, tierNow } from '../tiers.ts'
import { find, type World } from '../world.ts'
import type { Random } from '../random.ts'
import { TYPES } from './activities.ts'

/** The ladders of a history; at times none. */
export function laddersOf(r: Random): Ladder[] {
  const many = r.weighted([
    { weight: 3, n: 0 },
    { weight: 4, n: 1 },
    { weight: 2, n: 2 },
    { weight: 1, n: 3 },
  ]).n
  return ['status', 'club', 'circle'].slice(0, many).map((slug) => ladderOf(r, slug))
}

function ladderOf(r: Random, slug: string): Ladder {
  const metric = metricOf(r)
  const window = metric.of.balance === undefined ? windowOf(r) : { kind: 'lifetime' as const }
  const waits = (window.kind === 'calendar' || window.kind === 'join_anniversary') && r.chance(0.2)
  return {
    slug,
    metric,
    window,
    upgrade: waits ? 'period_end' : 'at_once',
    ...termsOf(r, window, metric, r.chance(0.3)),
  }
}

/** One thing that counts, or two of them together. What can be spent now may sink by itself: it stands for itself only. */
function metricOf(r: Random): Metric {
  const [measure, other] = [r.pick(['spend', ...MEASURES] as const), r.pick(MEASURES)]
  const both = r.chance(0.15) && measure !== 'balance' && other !== 'balance' && other !== measure
  const of = both ? { [measure]: r.int(1, 3), [other]: r.int(1, 50) } : { [measure]: 1 }
  return { of, wallet: r.pick(['points', 'points', 'stamps']), activity: r.pick(TYPES) }
}

function windowOf(r: Random): TierWindow {
  switch (r.int(0, 9)) {
    case 0:
    case 1:
      return { kind: 'lifetime' }
    case 2:
      return { kind: 'join_anniversary' }
    case 3:
    case 4:
    case 5:
      return { kind: 'rolling', period: r.pick(['P5D', 'P2W', 'P1M', 'P45D']) }
    default:
      return { kind: 'calendar', per: r.pick(['month', 'month', 'month', 'quarter', 'half_year', 'year']) }
  }
}

type Terms = Pick<Ladder, 'downgrade' | 'grace' | 'tiers'>
/** open: everyone holds the first tier. What begins or ceases to be everyone's is nobody's to keep: it stays so. */
function termsOf(r: Random, { kind }: TierWindow, metric: Metric, open: boolean): Terms {
  const roundUp = r.chance(0.3) ? { roundUp: r.pick(['day', 'month'] as const) } : {}
  const period = r.pick(['P3D', 'P2W', 'P1M', 'P40D', 'PT36H'])
  return {
    downgrade: metric.of.balance === undefined ? r.pick(['reassess', 'reassess', 'one_level', 'none']) : 'reassess',
    grace: kind === 'lifetime' || r.chance(0.5) ? null : { period, ...roundUp },
    tiers: tiersOf(r, metric, open),
  }
}

const STEP = { spend: 12_000, purchases: 3, earned: 60, activities: 2, balance: 60 }
function tiersOf(r: Random, { of }: Metric, open: boolean): Ladder['tiers'] {
  const most = Object.entries(of).map(([measure, n]) => n * STEP[measure as keyof typeof STEP])
  const step = () => r.int(1, Math.max(...most))
  const slugs = ['silver', 'gold', 'platinum']
  let threshold = open ? -1 : 0
  return slugs.map((slug) => {
    threshold = threshold < 0 ? 0 : threshold + step()
    const multiplier = of.balance === undefined ? r.pick(['1', '1.25', '1.5', '2', '1.3333']) : '1'
    return { slug, threshold, multiplier }
  })
}

/** Thresholds change, and what becomes of tiers that end: everybody is held against it at once. */
export const thresholds = feature<{ ladder: string } & Terms>({
  do: 'thresholds',
  weight: 0.5,
  generate(r, w) {
    const ladder = aLadder(r, w)
    return (
      ladder && { ladder: ladder.slug, ...termsOf(r, ladder.window, ladder.metric, ladder.tiers[0]?.threshold === 0) }
    )
  },
  model(w, { ladder: slug, downgrade, grace, tiers }) {
    const ladder = w.ladders.get(slug)
    if (!ladder) return { code: 'tier_ladder_unknown' }
    const { past = [], ...before } = ladder
    w.ladders.set(slug, { ...before, downgrade, grace, tiers, since: w.now, past: [...past, before] })
    for (const member of w.members.values()) noteTiers(w, member)
    return { code: 'ok' }
  },
  act: (driver, { at, ladder: slug, downgrade, grace, tiers }) =>
    driver.changeLadder(at, slug, { downgrade, grace, tiers }),
})

const aLadder = (r: Random, w: World): Ladder | undefined =>
  w.ladders.size === 0 ? undefined : r.pick([...w.ladders.values()])

/** Somebody is given a tier, for a while or for good. */
export const assign = feature<{ member: string; ladder: string; tier: string; until?: Instant }>({
  do: 'assign',
  weight: 1.5,
  generate(r, w) {
    const ladder = aLadder(r, w)
    if (!ladder || w.members.size === 0) return undefined
    const until = { until: w.now + (r.chance(0.05) ? -DAY : r.int(1, 40) * DAY) }
    const tier = r.chance(0.03) ? 'tin' : r.pick(ladder.tiers).slug
    return { member: r.pick([...w.members.keys()]), ladder: ladder.slug, tier, ...(r.chance(0.8) ? until : {}) }
  },
  model(w, { member: name, ladder: slug, tier, until }) {
    const member = find(w, name)
    const ladder = w.ladders.get(slug)
    if (!ladder) return { code: 'tier_ladder_unknown' }
    if (!member) return { code: 'member_unknown' }
    if (member.status !== 'active') return { code: 'member_suspended' }
    if (!ladder.tiers.some(({ slug }) => slug === tier)) return { code: 'tier_unknown' }
    if (until !== undefined && until <= w.now) return { code: 'invalid_request' }
    climbOf(w, member, ladder).assigned = { tier, until: until ?? null }
    return { code: 'repeat', told: { tier: tierNow(w, member, ladder) } } // a change of what is there already: 200
  },
  ask: ({ member, ladder, tier, until }) => ({
    verb: 'assignTier',
    member: `external:${member}`,
    ladder,
    tier,
    until,
    reason: 'a guest of honour',
  }),
})

/** What was given so is taken away again. */
export const unassign = feature<{ member: string; ladder: string }>({
  do: 'unassign',
  weight: 0.5,
  generate(r, w) {
    const ladder = aLadder(r, w)
    return ladder && w.members.size > 0 ? { member: r.pick([...w.members.keys()]), ladder: ladder.slug } : undefined
  },
  model(w, { member: name, ladder: slug }) {
    const member = find(w, name)
    const ladder = w.ladders.get(slug)
    if (!ladder) return { code: 'tier_ladder_unknown' }
    if (!member) return { code: 'member_unknown' }
    climbOf(w, member, ladder).assigned = null
    return { code: 'repeat', told: { tier: tierNow(w, member, ladder) } }
  },
  ask: ({ member, ladder }) => ({ verb: 'releaseTier', member: `external:${member}`, ladder, reason: 'it is over' }),
})
