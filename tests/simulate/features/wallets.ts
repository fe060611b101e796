import { DEFAULT_SETTINGS, type Expiry, type Pending, type WalletSettings } from '../../../contract/wallets.ts'
import type { Setup } from '../driver.ts'
import { feature } from '../feature.ts'
import { aWallet, settingsOf } from '../model.ts'
import type { Random } from '../random.ts'

type Said = { wallet: string; patch: Partial<WalletSettings> }

const ZONES = ['Europe/London', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC']

/** A program somewhere, two wallets, each with ideas of its own about time and debts. */
export function setupOf(r: Random): Setup {
  return {
    joinPolicy: r.chance(0.8) ? 'on_first_purchase' : 'explicit',
    timezone: r.pick(ZONES),
    wallets: ['points', 'stamps'].map((slug) => ({ slug, settings: settingsFrom(r) })),
  }
}

function settingsFrom(r: Random): WalletSettings {
  return { ...DEFAULT_SETTINGS, expiry: expiryOf(r), pending: pendingOf(r), negative: negativeOf(r) }
}

/**
 * Settings change for what is given from then on. Whether points expire by inactivity never changes here, and what is over is
 * booked before a period changes: what a longer one makes of points that nobody has looked at since is not said anywhere.
 */
export const settings = feature<Said>({
  do: 'settings',
  weight: 0.7,
  generate(r, w) {
    const wallet = aWallet(r, w)
    const { expiry } = settingsOf(w, wallet)
    let to = expiryOf(r)
    while ((to.kind === 'sliding') !== (expiry.kind === 'sliding')) to = expiryOf(r)
    return { wallet, patch: { expiry: to, pending: pendingOf(r), negative: negativeOf(r) } }
  },
  model(w, { wallet, patch }) {
    w.wallets.set(wallet, { ...settingsOf(w, wallet), ...patch })
    return { code: 'ok' }
  },
  async act(driver, { at, wallet, patch }) {
    await driver.passTime(at)
    return await driver.changeWallet(at, wallet, patch)
  },
})

/** The worker looks at who is due. The model knows no worker: it must make no difference to anybody. */
export const jobs = feature<object>({
  do: 'jobs',
  weight: 3,
  generate: () => ({}),
  model: () => ({ code: 'ok' }),
  act: (driver, { at }) => driver.passTime(at),
})

function pendingOf(r: Random): Pending {
  if (r.chance(0.6)) return { kind: 'none' }
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
  const on = r.pick([undefined, ['earn'], ['spend'], ['earn', 'spend']])
  const roundUp = r.chance(0.3) ? { roundUp: 'month' as const } : {}
  return { kind: 'sliding', period: r.pick(['P20D', 'P1M', 'P3M', 'PT400H']), ...roundUp, ...(on ? { on } : {}) }
}

function negativeOf(r: Random): WalletSettings['negative'] {
  if (r.chance(0.5)) return { policy: 'forbid' }
  return r.chance(0.5) ? { policy: 'allow' } : { policy: 'floor', floor: r.int(1, 100) }
}
