/** A till of the coffee shop: who is it, and what happened while the line was down. */
const wallet = {
  program: 'coffee',
  wallet: 'points',
  available: 500,
  pending: 0,
  held: 0,
  lifetimeEarned: 500,
  lifetimeSpent: 0,
  lifetimeReversed: 0,
  lifetimeExpired: 0,
  lifetimeAdjusted: 0,
  lifetimeMoved: 0,
}
const at = '2026-11-22T09:30:00Z'

export const TILL = {
  identifyBody: { card: 'C4K97M2QX8TB3' },
  identified: {
    member: 'mem_01kamq8w2sfnzt0v6y4xk3h9pd',
    externalId: 'C-1001',
    initials: 'A. L.',
    status: 'active',
    wallets: [wallet],
    tiers: [{ program: 'coffee', ladder: 'status', tier: 'silver' }],
    offers: 2,
  },
  queueBody: {
    items: [
      { type: 'checkout_void', checkout: 'external:till-1019' },
      {
        type: 'return',
        program: 'coffee',
        member: 'external:C-1001',
        externalId: 'till-1020',
        purchase: 'external:till-1021',
        occurredAt: at,
        items: 'all',
      },
    ],
  },
  queueAnswer: {
    results: [
      {
        type: 'checkout_void',
        status: 200,
        result: { id: 'chk_01kamqg8m1e5x9s4b7n2t6w0zd', status: 'voided' },
      },
      {
        type: 'return',
        status: 404,
        error: {
          type: 'https://laurel.dev/problems/purchase_unknown',
          title: 'This member has no such purchase',
          status: 404,
          code: 'purchase_unknown',
          detail: 'this member has no purchase "external:till-1021"',
        },
        again: true,
      },
    ],
  },
}
