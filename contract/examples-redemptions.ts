/** Ada's free coffee, and a mug that is sent to her. */
const at = '2026-11-22T09:30:00Z'
const member = 'mem_01kamq8w2sfnzt0v6y4xk3h9pd'
const entry = (n: number) => `ent_01kamq8w2sfnzt0v6y4xk3h9pd_${n}`
const wallet = {
  program: 'coffee',
  wallet: 'points',
  available: 20,
  pending: 0,
  held: 0,
  lifetimeEarned: 120,
  lifetimeSpent: 100,
  lifetimeReversed: 0,
  lifetimeExpired: 0,
  lifetimeAdjusted: 0,
  lifetimeMoved: 0,
}
const coffee = {
  id: 'rdm_01kamqe7t4h9x2c5v8n1k3m6wz',
  member,
  program: 'coffee',
  reward: 'rwd_01kamq8f3gq7s5d2k9v4n6x1cz',
  slug: 'free-coffee',
  name: 'A coffee on us',
  kind: 'product',
  version: 1,
  status: 'issued',
  spent: { points: 100 },
  value: { kind: 'product', sku: 'COFFEE' },
  code: 'KQ7M-2XW9-D4HT',
  uses: { total: 1, used: 0 },
  validFrom: at,
  validUntil: '2026-12-23T00:00:00Z',
  automatic: false,
  externalId: 'redeem-17',
  issuedAt: at,
  history: [{ status: 'issued', at }],
  entries: [entry(2)],
}
const { code: _, value: __, externalId: ___, ...plain } = coffee
const mug = {
  ...plain,
  id: 'rdm_01kamqe9b6j2x4c7v0n3k5m8wz',
  reward: 'rwd_01kamq8g5hq9s7d4k1v6n8x3cz',
  slug: 'mug',
  name: 'The mug',
  kind: 'physical',
  validUntil: null,
  delivery: { name: 'Ada', street: '1 Analytical Row', city: 'London' },
}
const later = '2026-11-23T10:00:00Z'
const walked = (status: string, more: object = {}) => ({
  ...mug,
  status,
  history: [...mug.history, { status, at: later, ...more }],
  wallets: [wallet],
})

export const REDEMPTIONS = {
  body: { program: 'coffee', reward: 'free-coffee', externalId: 'redeem-17' },
  redeemed: { ...coffee, wallets: [wallet] },
  view: coffee,
  cancelBody: { reason: 'The machine is broken' },
  cancelled: {
    ...coffee,
    status: 'cancelled',
    history: [...coffee.history, { status: 'cancelled', at: later, reason: 'The machine is broken' }],
    wallets: [{ ...wallet, available: 120, lifetimeSpent: 0 }],
  },
  ordered: walked('ordered'),
  shipBody: { tracking: 'https://parcels.example/42' },
  shipped: walked('shipped', { tracking: 'https://parcels.example/42' }),
  delivered: walked('delivered'),
  useBody: { externalId: 'till-7-20261123-1', store: 'soho' },
  used: {
    ...coffee,
    status: 'used',
    uses: { total: 1, used: 1 },
    history: [...coffee.history, { status: 'used', at: later, store: 'soho' }],
    wallets: [wallet],
  },
}
