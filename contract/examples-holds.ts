/** Points of the coffee shop's member that are set aside, given back, or get other dates. */
const at = '2026-11-22T09:30:00Z'
const member = 'mem_01kamq8w2sfnzt0v6y4xk3h9pd'
const entry = (n: number) => `ent_01kamq8w2sfnzt0v6y4xk3h9pd_${n}`
const wallet = {
  program: 'coffee',
  wallet: 'points',
  available: 2,
  pending: 0,
  held: 10,
  lifetimeEarned: 12,
  lifetimeSpent: 0,
  lifetimeReversed: 0,
  lifetimeExpired: 0,
  lifetimeAdjusted: 0,
  lifetimeMoved: 0,
}
const part = { wallet: 'points', points: 10, captured: 0, entry: null, lots: [{ entry: entry(1), points: 10 }] }
const hold = {
  id: 'hld_01kamqc3v9e4x8y2n7m5t1w6sz',
  member,
  program: 'coffee',
  status: 'open',
  reason: 'Order 1017',
  externalId: 'order-1017',
  placedAt: at,
  deadline: '2026-11-22T09:45:00Z',
  settledAt: null,
  parts: [part],
}
const spent = { ...wallet, held: 0, available: 4, lifetimeSpent: 8 }
const lot = {
  id: entry(1),
  program: 'coffee',
  wallet: 'points',
  status: 'pending',
  points: 12,
  remaining: 12,
  held: 0,
  activatesAt: '2026-12-06T09:30:00Z',
  expiresAt: '2028-01-01T00:00:00Z',
  slides: false,
  occurredAt: at,
  bookedAt: at,
  source: { type: 'purchase', id: 'pur_01kamq9c4vfttbr8p6q3zs1n7e' },
  rule: { id: 'rul_01kamq83ghe8rvc7k1h2z0m5ta', version: 1 },
}
const changed = (change: string, points: number, dates: { activatesAt: string | null; expiresAt: string | null }) => ({
  change,
  member,
  reason: 'The goods have arrived',
  at,
  points,
  changed: [{ lot: entry(1), entry: entry(2), wallet: 'points', points, ...dates }],
  wallets: [{ ...wallet, held: 0, available: change === 'cancel' ? 0 : 12 }],
})

export const HOLDS = {
  body: { wallet: 'points', points: 10, minutes: 15, reason: 'Order 1017', externalId: 'order-1017' },
  placed: { ...hold, wallets: [wallet] },
  view: hold,
  captureBody: { points: 8 },
  captured: {
    ...hold,
    status: 'captured',
    settledAt: '2026-11-22T09:40:00Z',
    parts: [{ ...part, captured: 8, entry: entry(2) }],
    wallets: [spent],
  },
  released: {
    ...hold,
    status: 'released',
    settledAt: '2026-11-22T09:40:00Z',
    wallets: [{ ...wallet, held: 0, available: 12 }],
  },
  refundBody: { spend: entry(2), points: 3, reason: 'One cup came back', externalId: 'refund-1017' },
  refund: {
    id: 'rfd_01kamqd5x2h7c4r9k3f8p6v0aj',
    member,
    program: 'coffee',
    wallet: 'points',
    spend: entry(2),
    points: 3,
    left: 5,
    reason: 'One cup came back',
    externalId: 'refund-1017',
    at,
    entries: [entry(3)],
    wallets: [{ ...spent, available: 7, lifetimeSpent: 5 }],
  },
}

export const LOTS = {
  lot,
  reasonBody: { reason: 'The goods have arrived' },
  activated: changed('activate', 12, { activatesAt: at, expiresAt: lot.expiresAt }),
  cancelled: changed('cancel', 12, { activatesAt: null, expiresAt: null }),
  extendBody: { expiresAt: '2028-07-01T00:00:00+01:00', reason: 'The goods have arrived' },
  extended: changed('extend', 12, { activatesAt: lot.activatesAt, expiresAt: '2028-06-30T23:00:00Z' }),
  reinstateBody: { reason: 'The goods have arrived' },
  reinstated: changed('reinstate', 12, { activatesAt: at, expiresAt: '2029-01-01T00:00:00Z' }),
}
