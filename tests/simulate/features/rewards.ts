import { formatInstant, DAY } from '../../../contract/instants.ts'
import { feature } from '../feature.ts'
import { aWallet, type World } from '../world.ts'
import type { Reward, Terms } from '../rewards.ts'
import type { Random } from '../random.ts'

/** The pools of codes that there are; what comes back to the second is handed out again. */
export const POOLS = [
  { slug: 'once', reusable: false },
  { slug: 'again', reusable: true },
]
const LIVE_MAX = 5

/** A reward is made, at times as a draft. */
export type Made = Pick<Reward, 'kind' | 'terms'> & { reward: string; status: 'draft' | 'active' }
export const reward = feature<Made>({
  do: 'reward',
  weight: 2,

  generate(r, w, n) {
    const live = [...w.rewards.values()].filter((one) => one.status === 'active')
    if (live.length >= LIVE_MAX) return undefined
    const kind = r.pick([
      'experience',
      'experience',
      'coupon',
      'coupon',
      'product',
      'gift_card',
      'gift_card',
      'physical',
      'donation',
      'conversion',
    ] as const)
    return { reward: `rwd-${n}`, kind, status: r.chance(0.9) ? 'active' : 'draft', terms: termsOf(r, w, kind) }
  },

  model(w, { reward: slug, kind, status, terms }) {
    w.rewards.set(slug, { slug, kind, status, terms })
    return { code: 'ok' }
  },

  act: (driver, { at, ...made }) => driver.createReward(at, made),
})

/** Its price and stock change for who redeems it from then on; it is published, archived, and published again. */
export type Change = Pick<Terms, 'price' | 'stock'> | 'publish' | 'archive'
type Changed = { reward: string; change: Change }
export const changeReward = feature<Changed>({
  do: 'changeReward',
  weight: 1.2,

  generate(r, w) {
    const some = [...w.rewards.values()].slice(-LIVE_MAX * 2)
    if (some.length === 0) return undefined
    const one = r.pick(some)
    const { stock, ...terms } = termsOf(r, w, one.kind)
    const isBound = one.kind === 'conversion' || one.terms.auto !== undefined // to the wallet that it is of
    const price = isBound ? one.terms.price.toReversed() : terms.price
    if (r.chance(0.7) && one.status === 'active')
      return { reward: one.slug, change: { price, ...(stock ? { stock } : {}) } }
    return { reward: one.slug, change: one.status === 'active' ? 'archive' : 'publish' }
  },

  model(w, { reward: slug, change }) {
    const one = w.rewards.get(slug)
    if (!one) return { code: 'reward_unknown' }
    if (change === 'publish') one.status = 'active'
    else if (change === 'archive') one.status = 'archived'
    else {
      const { stock: _, ...kept } = one.terms
      one.terms = { ...kept, ...change }
    }
    return { code: 'ok' }
  },

  act: (driver, { at, reward: slug, change }) => driver.changeReward(at, slug, change),
})

/** Codes come into a pool; some of them were there. */
export const codes = feature<{ pool: string; codes: string[] }>({
  do: 'codes',
  weight: 1.2,
  generate(r, w, n) {
    const pool = r.pick(POOLS).slug
    const had = [...(w.pools.get(pool)?.ever ?? [])]
    const fresh = Array.from({ length: r.int(1, 4) }, (_, i) => `K${n}X${i}`)
    return { pool, codes: r.chance(0.2) && had.length > 0 ? [...fresh, r.pick(had), ...fresh.slice(0, 1)] : fresh }
  },
  model(w, { pool: slug, codes: said }) {
    const pool = w.pools.get(slug)
    if (!pool) return { code: 'pool_unknown' }
    for (const code of said) {
      if (pool.ever.has(code)) continue
      pool.ever.add(code)
      pool.left.push(code)
    }
    return { code: 'ok' }
  },
  act: (driver, { at, pool, codes: said }) => driver.importCodes(at, pool, said),
})

function termsOf(r: Random, w: World, kind: Reward['kind']): Terms {
  const [from, to] = r.chance(0.5) ? ['points', 'stamps'] : ['stamps', 'points']
  const cost = (): Terms['price'][number] => {
    if (kind === 'conversion') return { [from as string]: r.int(1, 60) }
    if (r.chance(0.05)) return {}
    const wallet = aWallet(r, w)
    return { [wallet]: r.int(1, 80), ...(r.chance(0.3) ? { [aWallet(r, w)]: r.int(1, 40) } : {}) }
  }
  const startsAt = w.now + r.int(-3, 3) * DAY
  return {
    price: r.chance(0.3) ? [cost(), cost()] : [cost()],
    ...(r.chance(0.6) ? { stock: stockOf(r) } : {}),
    ...(['experience', 'coupon', 'gift_card'].includes(kind) && r.chance(0.4)
      ? { code: { pool: r.pick(POOLS).slug } }
      : {}),
    ...(kind !== 'donation' && kind !== 'conversion' && r.chance(0.4) ? { valid: validOf(r) } : {}),
    ...worthOf(r, kind, to as string),
    ...(kind !== 'conversion' && r.chance(0.25) ? autoOf(r, w) : r.chance(0.15) ? { stepUp: true } : {}),
    ...(r.chance(0.25) && w.ladders.size > 0
      ? {
          visibility: {
            tiers: { [r.pick([...w.ladders.keys()])]: r.pick([['silver', 'gold'], ['gold'], ['platinum']]) },
          },
        }
      : r.chance(0.2)
        ? { visibility: { startsAt: formatInstant(startsAt), endsAt: formatInstant(startsAt + r.int(1, 40) * DAY) } }
        : {}),
  }
}

function worthOf(r: Random, kind: Reward['kind'], to: string): Pick<Terms, 'value'> {
  if (kind === 'conversion') return { value: { kind: 'points', wallet: to, points: r.int(1, 50) } }
  if (kind === 'product') return { value: { kind: 'product', sku: r.pick(['beans', 'cake']), quantity: r.int(1, 2) } }
  if (kind === 'gift_card') return { value: { kind: 'amount', amount: r.int(1, 6_000) } }
  if (kind !== 'coupon') return {}
  const most = r.chance(0.3) ? { maxAmount: r.int(1, 1000) } : {}
  return {
    value: r.chance(0.5)
      ? { kind: 'amount', amount: r.int(1, 3_000) }
      : { kind: 'percent', percent: r.pick([5, 10, 33, 100]), ...most },
  }
}

/** Redeemed when a wallet has so much: for some of that, or for nothing. */
function autoOf(r: Random, w: World): Pick<Terms, 'auto' | 'price'> {
  const [wallet, threshold] = [aWallet(r, w), r.int(20, 200)]
  return { auto: { wallet, threshold }, price: [r.chance(0.2) ? {} : { [wallet]: r.int(1, threshold) }] }
}

const PERS = ['day', 'week', 'month', 'year'] as const
function stockOf(r: Random): NonNullable<Terms['stock']> {
  const times = r.int(1, 3)
  return {
    ...(r.chance(0.5) ? { total: r.int(0, 8) } : {}),
    ...(r.chance(0.4) ? { perMember: r.chance(0.5) ? times : { per: r.pick(PERS), times } } : {}),
    ...(r.chance(0.4) ? { perPeriod: { per: r.pick(PERS), total: r.int(1, 4) } } : {}),
  }
}

/** What is over before it begins is refused. */
function validOf(r: Random): NonNullable<Terms['valid']> {
  const begins = r.chance(0.3) ? { activatesAfter: r.pick(['PT36H', 'P1D', 'P1W']) } : undefined
  const spans = begins?.activatesAfter === 'P1W' ? ['P8D', 'P1M', 'PT200H', 'P2W'] : ['P3D', 'P1M', 'PT40H', 'P2W']
  return {
    ...begins,
    ...(r.chance(0.7) ? { for: r.pick(spans) } : {}),
    ...(r.chance(0.4) ? { uses: r.int(2, 3) } : {}),
  }
}
