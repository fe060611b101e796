import { isDeepStrictEqual } from 'node:util'
import type { Instant } from '@laurel/contract/instants'
import type { FieldError } from '@laurel/contract/refusals'
import {
  DEFAULT_SETTINGS,
  settingsOf,
  type WalletBody,
  type WalletPatch,
  type WalletSettings,
} from '@laurel/contract/wallets'
import { activationOf, expiryOf, saidEnd } from './policies.rules.ts'

/** What a new wallet's body says, the rest as DEFAULT_SETTINGS. */
export function newSettings(body: WalletBody): WalletSettings {
  const said: Partial<WalletBody> = { ...body }
  delete said.slug
  return settingsOf(said)
}

/**
 * RFC 7396: what is null is as in DEFAULT_SETTINGS again. Whatever has a kind or a policy, and lists, are replaced whole (a
 * period left over from another kind would mean nothing); transfers and names are merged.
 */
export function changedSettings(before: WalletSettings, patch: WalletPatch): WalletSettings {
  const { names, transfers, ...rest } = patch
  const asked: Record<string, unknown> = { ...before }
  for (const [name, value] of Object.entries(rest)) {
    asked[name] = value ?? DEFAULT_SETTINGS[name as keyof WalletSettings]
  }
  if (names !== undefined) asked.names = names === null ? {} : merged(before.names, names)
  if (transfers !== undefined) asked.transfers = transfers === null ? null : merged(before.transfers ?? {}, transfers)
  return asked as WalletSettings
}

function merged(before: object, patch: object): object {
  return Object.fromEntries(Object.entries({ ...before, ...patch }).filter(([, value]) => value !== null))
}

/** The settings that differ, by name. */
export function changedFields(before: WalletSettings, after: WalletSettings): (keyof WalletSettings)[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)] as (keyof WalletSettings)[])
  return [...names].filter((name) => !isDeepStrictEqual(before[name], after[name]))
}

/** What settings are held against: the program's wallets and activities, its zone, and when it is. */
export type Surroundings = {
  slug: string
  wallets: readonly string[]
  /** Slugs of the types of activity that the program has, as far as the settings name them. */
  activities: readonly string[]
  timezone: string
  now: Instant
}

/** What is wrong with settings that have the right shape; pointers into the body. Of a change, only of what it changes. */
export function settingsFaults(
  settings: WalletSettings,
  changed: readonly (keyof WalletSettings)[],
  around: Surroundings,
): FieldError[] {
  const checks: Partial<Record<keyof WalletSettings, () => FieldError[]>> = {
    unit: () => targetFaults(settings),
    target: () => targetFaults(settings),
    pending: () => activityFaults(settings, around),
    expiry: () => expiryFaults(settings, around),
    transfers: () => transferFaults(settings),
    conversions: () => conversionFaults(settings, around),
  }
  const faults = changed.flatMap((name) => checks[name]?.() ?? [])
  if (faults.length === 0) faults.push(...neverThereFaults(settings, changed, around))
  return faults.filter((fault, i) => faults.findIndex(({ pointer }) => pointer === fault.pointer) === i)
}

function targetFaults({ unit, target }: WalletSettings): FieldError[] {
  if ((unit === 'stamps') === (target !== undefined)) return []
  return [{ pointer: '/target', detail: unit === 'stamps' ? 'stamps need a target' : 'only stamps have a target' }]
}

/** The types of activity that settings name. */
export function activitiesNamed({ pending, expiry }: WalletSettings): string[] {
  const slid = expiry.kind === 'sliding' ? (expiry.on ?? []) : []
  const waited = pending.kind === 'event' ? [pending.activity] : []
  return [...new Set([...slid.filter((on) => !isLedgerWord(on)), ...waited])]
}

/** What slides a wallet without any activity of the caller's. */
function isLedgerWord(on: string): boolean {
  return on === 'earn' || on === 'spend'
}

const unknownActivity = (slug: string) => `the program has no type of activity "${slug}"`

function activityFaults({ pending }: WalletSettings, { activities }: Surroundings): FieldError[] {
  if (pending.kind !== 'event' || activities.includes(pending.activity)) return []
  return [{ pointer: '/pending/activity', detail: unknownActivity(pending.activity) }]
}

function expiryFaults({ expiry }: WalletSettings, { activities, timezone, now }: Surroundings): FieldError[] {
  switch (expiry.kind) {
    case 'on': {
      const end = expiryOf(expiry, now, now, timezone)
      return end !== null && end <= now ? [{ pointer: '/expiry/date', detail: 'is over already' }] : []
    }
    case 'dates':
      return twiceFaults('/expiry/dates', expiry.dates)
    case 'sliding':
      return [
        ...twiceFaults('/expiry/on', expiry.on ?? []),
        ...(expiry.on ?? []).flatMap((on, i) =>
          isLedgerWord(on) || activities.includes(on)
            ? []
            : [{ pointer: `/expiry/on/${i}`, detail: `expected earn, spend or an activity: ${unknownActivity(on)}` }],
        ),
      ]
    default:
      return []
  }
}

/** Points given now that would end before they begin: nobody means that. */
function neverThereFaults(
  settings: WalletSettings,
  changed: readonly (keyof WalletSettings)[],
  { timezone, now }: Surroundings,
): FieldError[] {
  const said = (['expiry', 'pending'] as const).find((name) => changed.includes(name))
  if (said === undefined || settings.pending.kind === 'event') return []
  const activatesAt = activationOf(settings.pending, now, now, timezone)
  const expiresAt = saidEnd(settings.expiry, now, activatesAt, timezone)
  if (expiresAt === null || expiresAt > activatesAt) return []
  return [{ pointer: `/${said}`, detail: 'points given now would end before they begin' }]
}

function transferFaults({ transfers }: WalletSettings): FieldError[] {
  const { min = 1, max = Number.POSITIVE_INFINITY, perDay = Number.POSITIVE_INFINITY } = transfers ?? {}
  return [
    ...(max < min ? [{ pointer: '/transfers/max', detail: 'must not be less than min' }] : []),
    ...(perDay < min ? [{ pointer: '/transfers/perDay', detail: 'must not be less than min' }] : []),
  ]
}

function conversionFaults({ conversions }: WalletSettings, { slug, wallets }: Surroundings): FieldError[] {
  return [
    ...twiceFaults(
      '/conversions',
      conversions.map(({ to }) => to),
      '/to',
    ),
    ...conversions.flatMap(({ to }, i) => {
      const pointer = `/conversions/${i}/to`
      if (to === slug) return [{ pointer, detail: 'is this wallet itself' }]
      return wallets.includes(to) ? [] : [{ pointer, detail: `the program has no wallet "${to}"` }]
    }),
  ]
}

function twiceFaults(pointer: string, texts: readonly string[], below = ''): FieldError[] {
  return texts.flatMap((text, i) =>
    texts.indexOf(text) < i ? [{ pointer: `${pointer}/${i}${below}`, detail: `"${text}" is there already` }] : [],
  )
}
