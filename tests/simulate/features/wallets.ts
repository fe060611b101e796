import {
  type Cap,
  DEFAULT_SETTINGS,
  type Expiry,
  type Pending,
  type WalletSettings,
} from '../../../contract/wallets.ts'
import type { Setup } from '../driver.ts'
import { feature } from '../feature.ts'
import { TYPES } from './activities.ts'
import { laddersOf } from './tiers.ts'
import { POOLS } from './rewards.ts'
import { aWallet, settingsOf } from '../world.ts'
import type { Random } from '../random.ts'

type Said = { wallet: string; patch: Partial<WalletSettings> }

const ZONES = ['Europe/London', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC']

/** A program somewhere, two wallets, each with ideas of its own about time and debts. */
export function setupOf(r: Random): Setup {
  return {
    joinPolicy: r.chance(0.8) ? 'on_first_purchase' : 'explicit',
    timezone: r.pick(ZONES),
    wallets: ['points', 'stamps'].map((slug) => ({ slug, settings: settingsFrom(r, slug) })),
    pools: POOLS,
    ladders: laddersOf(r),
  }
}

function settingsFrom(r: Random, slug: string): WalletSettings {
  const transfers = r.chance(0.2) ? null : transfersOf(r)
  const expiry = expiryOf(r)
  return { ...DEFAULT_SETTINGS, expiry, transfers, negative: negativeOf(r), ...restOf(r, slug, expiry) }
}

function restOf(r: Random, slug: string, expiry: Expiry): Said['patch'] {
  const to = slug === 'points' ? 'stamps' : 'points'
  const pending = pendingOf(r)
  return {
    pending: pending.kind === 'until' && expiry.kind === 'rolling' ? { kind: 'none' } : pending, // or it is refused
    pays: r.chance(0.4) ? null : paysOf(r),
    refundGrace: r.chance(0.5) ? null : r.pick(['P10D', 'P1M', 'PT6H']),
    caps: r.chance(0.6) ? [] : capsOf(r),
    adjustmentLimit: r.chance(0.5) ? null : r.int(10, r.pick([60, 1_000])),
    conversions: r.chance(0.3) ? [] : [{ to, give: r.int(1, 10), get: r.int(1, 5) }],
  }
}

/** What points are worth at a till. */
function paysOf(r: Random): NonNullable<WalletSettings['pays']> {
  return {
    points: r.int(1, 10),
    amount: r.int(1, 200),
    ...(r.chance(0.3) ? { maxPercent: r.int(1, 100) } : {}),
    ...(r.chance(0.3) ? { maxAmount: r.int(1, 2_000) } : {}),
    ...(r.chance(0.3) ? { minPoints: r.int(1, 40) } : {}),
  }
}

function transfersOf(r: Random): NonNullable<WalletSettings['transfers']> {
  return {
    ...(r.chance(0.3) ? { min: r.int(1, 10) } : {}),
    ...(r.chance(0.3) ? { max: r.int(20, 100) } : {}),
    ...(r.chance(0.3) ? { perDay: r.int(20, 150) } : {}),
    ...(r.chance(0.3) ? { feePercent: r.int(0, 50) } : {}),
    ...(r.chance(0.3) ? { feePoints: r.int(1, 3) } : {}),
  }
}

/**
 * Settings change for what is given from then on. Where points expire by inactivity they go on to, after the same time: what a
 * longer period makes of points that were over by a shorter one, and that nobody looked at meanwhile, is not said anywhere.
 */
export const settings = feature<Said>({
  do: 'settings',
  weight: 1,
  generate(r, w) {
    const waiting = [...w.wallets.keys()].filter((one) => settingsOf(w, one).pending.kind === 'event')
    const wallet = waiting.length > 0 && r.chance(0.5) ? r.pick(waiting) : aWallet(r, w)
    const before = settingsOf(w, wallet).expiry
    const expiry = before.kind === 'sliding' ? before : lotExpiryOf(r)
    return { wallet, patch: { expiry, ...restOf(r, wallet, expiry) } }
  },
  model(w, { wallet, patch }) {
    w.wallets.set(wallet, { ...settingsOf(w, wallet), ...patch })
    return { code: 'ok' }
  },
  act: (driver, { at, wallet, patch }) => driver.changeWallet(at, wallet, patch),
})

/** The worker looks at who is due. The model knows no worker: it must make no difference to anybody. */
export const jobs = feature<object>({
  do: 'jobs',
  weight: 3,
  generate: () => ({}),
  model: () => ({ code: 'ok' }),
  act: (driver, { at }) => driver.passTime(at),
})

export const PERS = ['day', 'week', 'month', 'year', 'lifetime'] as const

/** What one member may have: so many points, or so many times, a period. */
export function capsOf(r: Random): Cap[] {
  return Array.from({ length: r.chance(0.7) ? 1 : 2 }, () => {
    const over = r.chance(0.5) ? {} : { over: r.pick(['clip', 'refuse'] as const) }
    const times = r.chance(0.4) ? { times: r.int(1, 4) } : {}
    const points = times.times === undefined || r.chance(0.2) ? { points: r.int(1, r.pick([20, 200])) } : {}
    return { per: r.pick(PERS), ...times, ...points, ...over }
  })
}

export function pendingOf(r: Random): Pending {
  if (r.chance(0.5)) return { kind: 'none' }
  if (r.chance(0.4)) {
    const cancelAfter = r.pick(['PT36H', 'P14D', 'P90D', 'P4M', 'P1Y'])
    return { kind: 'event', activity: r.pick(TYPES), cancelAfter }
  }
  const roundUp = r.chance(0.4) ? { roundUp: r.pick(['day', 'month'] as const) } : {}
  return r.chance(0.85)
    ? { kind: 'period', period: r.pick(['P3D', 'P14D', 'P1M', 'PT36H']), ...roundUp }
    : { kind: 'until', date: r.pick(['2026-02-01', '2026-03-29', '2026-10-25']) }
}

/** Long enough that nothing given ends before it begins. */
export function lotExpiryOf(r: Random): Exclude<Expiry, { kind: 'sliding' }> {
  switch (r.int(0, 4)) {
    case 0:
      return { kind: 'dates', dates: r.pick([['12-31'], ['02-29', '06-30', '10-24'], ['03-29', '11-01']]) }
    case 1:
    case 2: {
      const roundUps = ['day', 'month', 'quarter', 'half_year', 'year', { month: 4 }] as const
      const roundUp = r.chance(0.5) ? { roundUp: r.pick(roundUps) } : {}
      return { kind: 'rolling', period: r.pick(['P60D', 'P2M', 'P3M', 'P10W', 'PT1500H', 'P1Y']), ...roundUp }
    }
    default:
      return { kind: 'never' }
  }
}

function expiryOf(r: Random): Expiry {
  if (r.chance(0.75)) return lotExpiryOf(r)
  const on = r.pick([undefined, ['earn'], ['spend'], ['earn', 'spend'], ['review'], ['earn', 'visit']])
  const roundUp = r.chance(0.3) ? { roundUp: 'month' as const } : {}
  return { kind: 'sliding', period: r.pick(['P20D', 'P1M', 'P3M', 'PT400H']), ...roundUp, ...(on ? { on } : {}) }
}

function negativeOf(r: Random): WalletSettings['negative'] {
  if (r.chance(0.5)) return { policy: 'forbid' }
  return r.chance(0.5) ? { policy: 'allow' } : { policy: 'floor', floor: r.int(1, 100) }
}
