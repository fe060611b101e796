import { DEFAULT_SETTINGS } from './wallets.ts'

/** The stamp card of the coffee shop of the other examples. */
const at = '2026-11-22T09:30:00Z'
const body = {
  slug: 'stamps',
  unit: 'stamps',
  target: 10,
  names: { en: { one: 'stamp', other: 'stamps' }, de: { one: 'Stempel', other: 'Stempel' } },
  expiry: { kind: 'sliding', period: 'P6M', roundUp: 'month' },
  expiryNoticeDays: 14,
  caps: [{ per: 'day', times: 3 }],
}
const wallet = { program: 'coffee', ...DEFAULT_SETTINGS, ...body, createdAt: at, updatedAt: at }
const patch = { expiry: { kind: 'rolling', period: 'P12M', roundUp: 'month' }, names: { de: null } }

export const WALLET_EXAMPLES = {
  body,
  wallet,
  patch,
  patched: { ...wallet, expiry: patch.expiry, names: { en: body.names.en } },
}
