/** The coffee shop's member pays a bag of beans, partly with points. */
const at = '2026-11-22T09:30:00Z'
const member = 'mem_01kamq8w2sfnzt0v6y4xk3h9pd'
const items = [{ sku: 'BEANS-1KG', category: 'beans', quantity: 1, amount: 2500 }]
const asked = {
  program: 'coffee',
  member: 'card:C4K97M2QX8TB3',
  order: { currency: 'GBP', items },
  vouchers: ['WELCOME'],
  points: { points: 'max' },
}
const voucher = {
  code: 'WELCOME',
  voucher: 'vch_01kamqf2h4c8s1w6b9n3t5x7zd',
  applicable: true,
  kind: 'percent',
  discount: 250,
  lines: [{ line: '1', discount: 250 }],
}
const totals = { amount: 2500, discount: 250, gift: 0, points: 500, toPay: 1750 }
const quote = {
  program: 'coffee',
  currency: 'GBP',
  vouchers: [voucher],
  points: [{ wallet: 'points', points: 500, amount: 500 }],
  lines: [{ line: '1', sku: 'BEANS-1KG', ...totals }],
  totals,
}
const view = {
  id: 'chk_01kamqg8m1e5x9s4b7n2t6w0zd',
  member,
  externalId: 'till-1018',
  status: 'reserved',
  reservedAt: at,
  deadline: '2026-11-22T09:45:00Z',
  settledAt: null,
  ...quote,
  hold: 'hld_01kamqg8m1e5x9s4b7n2t6w0zd',
  purchase: null,
}
const wallet = {
  program: 'coffee',
  wallet: 'points',
  available: 0,
  pending: 0,
  held: 500,
  lifetimeEarned: 500,
  lifetimeSpent: 0,
  lifetimeReversed: 0,
  lifetimeExpired: 0,
  lifetimeAdjusted: 0,
  lifetimeMoved: 0,
}
const settledAt = '2026-11-22T09:32:00Z'

export const CHECKOUTS = {
  previewBody: asked,
  preview: { valid: true, member, ...quote, earns: [{ wallet: 'points', points: 17 }] },
  body: { ...asked, minutes: 15, externalId: 'till-1018' },
  view,
  reserved: { ...view, wallets: [wallet] },
  committed: {
    ...view,
    status: 'committed',
    settledAt,
    purchase: 'pur_01kamqhd3r7y2s5b9n4t8w1x6z',
    earned: [{ wallet: 'points', points: 17 }],
    wallets: [{ ...wallet, available: 17, held: 0, lifetimeEarned: 517, lifetimeSpent: 500 }],
  },
  voided: { ...view, status: 'voided', settledAt, wallets: [{ ...wallet, available: 500, held: 0 }] },
}
