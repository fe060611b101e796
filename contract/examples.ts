/** One small coffee shop, told the same way in every example of the reference. */
const at = '2026-11-22T09:30:00Z'
const member = 'mem_01kamq8w2sfnzt0v6y4xk3h9pd'
const program = { id: 'prg_01kamq7r5xebmtwwk2a9yd0s3c', slug: 'coffee', name: 'Coffee Club', timezone: 'Europe/London',
  currency: 'GBP', joinPolicy: 'on_first_purchase', status: 'active', wallets: [{ slug: 'points' }], createdAt: at, updatedAt: at }
const rule = { id: 'rul_01kamq83ghe8rvc7k1h2z0m5ta', program: 'coffee', wallet: 'points', kind: 'per_amount', status: 'active',
  version: 1, name: 'A point per pound', args: { points: 1, per: 100 }, priority: 0, startsAt: null, endsAt: null,
  effectiveFrom: null, createdAt: at }
const wallet = { program: 'coffee', wallet: 'points', available: 12, pending: 0, held: 0, lifetimeEarned: 12, lifetimeSpent: 0,
  lifetimeReversed: 0, lifetimeExpired: 0, lifetimeAdjusted: 0 }
const profile = { externalId: 'C-1001', email: 'ada@example.com', name: 'Ada Lovelace', birthDate: '1985-12-10', locale: 'en-GB',
  attributes: { favourite: 'flat white' } }
const items = [{ line: '1', sku: 'BEANS-1KG', name: 'House blend', category: 'beans', quantity: 1, amount: 1250 }]
const said = { program: 'coffee', externalId: 'T1-000017', member: 'external:C-1001', occurredAt: at, currency: 'GBP', items,
  channel: 'till', store: 'Soho' }
const award = { rule: rule.id, version: 1, wallet: 'points', points: 12, why: '1 point for every 1.00 of 12.50' }
const purchase = { ...said, id: 'pur_01kamq9c4vfttbr8p6q3zs1n7e', member, recordedAt: at, total: 1250, points: 12,
  awards: [award], wallets: [wallet] }
const lot = 'ent_01kamq8w2sfnzt0v6y4xk3h9pd_1'
const after = (available: number, change: object) => [{ ...wallet, available, ...change }]
const entry = { id: lot, member, program: 'coffee', wallet: 'points', kind: 'earn', points: 12, balance: 12, from: 'issued',
  to: 'member', occurredAt: at, bookedAt: at, reason: null, source: { type: 'purchase', id: purchase.id },
  rule: { id: rule.id, version: 1 }, reverses: null, lot: { activatesAt: at, expiresAt: null, remaining: 12 } }

export const EXAMPLES = {
  program, rule, purchase, entry,
  programBody: { slug: 'coffee', name: 'Coffee Club', timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'on_first_purchase' },
  ruleBody: { program: 'coffee', name: 'A point per pound', kind: 'per_amount', args: { points: 1, per: 100 } },
  memberBody: profile,
  member: { id: member, phone: null, ...profile, status: 'active', createdAt: at, updatedAt: at },
  wallets: { data: [wallet] },
  purchaseBody: said,
  purchaseView: { ...purchase, wallets: undefined },
  batchBody: { purchases: [said, { ...said, externalId: 'T1-000018', currency: 'EUR' }] },
  batch: { results: [{ status: 201, purchase }, { status: 422, error: { type: 'https://laurel.dev/problems/currency_mismatch',
    title: "The currency is not the program's", status: 422, code: 'currency_mismatch', detail: 'the program coffee is in GBP, not EUR' } }] },
  previewBody: { program: 'coffee', currency: 'GBP', items },
  preview: { points: 12, awards: [award], rules: [{ rule: rule.id, name: rule.name, version: 1, fired: true, points: 12,
    reason: award.why }] },
  returnBody: { program: 'coffee', member: 'external:C-1001', externalId: 'R1-000002', occurredAt: at,
    purchase: 'external:T1-000017', items: [{ sku: 'BEANS-1KG', quantity: 1 }] },
  returned: { id: 'ret_01kamqa1m2e0ys3n5d7c8b9f4k', program: 'coffee', externalId: 'R1-000002', member, purchase: purchase.id,
    occurredAt: at, recordedAt: at, lines: [{ purchase: purchase.id, line: '1', sku: 'BEANS-1KG', quantity: 1, amount: 1250 }],
    unmatched: [], points: 12, reversed: [{ purchase: purchase.id, wallet: 'points', points: 12, writtenOff: 0,
      lots: [{ entry: lot, points: 12 }] }], wallets: after(0, { lifetimeReversed: 12 }) },
  spendBody: { wallet: 'points', points: 10, reason: 'Free espresso', externalId: 'T1-000019' },
  spend: { id: 'spd_01kamqb6n8f2at9r1w5e3x7c0m', member, program: 'coffee', wallet: 'points', points: 10, reason: 'Free espresso',
    externalId: 'T1-000019', at, entries: ['ent_01kamq8w2sfnzt0v6y4xk3h9pd_2'], wallets: after(2, { lifetimeSpent: 10 }) },
  adjustBody: { wallet: 'points', points: 5, reason: 'Sorry about the wait' },
  adjustment: { id: 'adj_01kamqbz0kf4k8m2s6t9v3y1pq', member, program: 'coffee', wallet: 'points', points: 5,
    reason: 'Sorry about the wait', at, entries: ['ent_01kamq8w2sfnzt0v6y4xk3h9pd_3'],
    wallets: after(17, { lifetimeAdjusted: 5 }) },
  story: { ...entry, source: { ...entry.source, externalId: 'T1-000017', occurredAt: at },
    rule: { id: rule.id, version: 1, name: rule.name, kind: rule.kind, args: rule.args }, took: [], takenBy: [], reversedBy: [],
    hash: '9f2c' + '0'.repeat(60) },
  events: { data: [{ id: 'evt_01kamq9c4vfttbr8p6q3zs1n7e', type: 'purchase.recorded', position: 3, sequence: 2, member, at,
    data: { purchase: purchase.id, program: 'coffee', externalId: 'T1-000017', occurredAt: at, currency: 'GBP', total: 1250,
      points: 12 } }], next: '3', hasMore: false },
}
