/** Vouchers of the coffee shop, and a checkout that uses two of them. */
const at = '2026-11-22T09:30:00Z'
const spring = {
  id: 'vch_01kamqe2c4f8v6z1m3x9k7t5ra',
  program: 'coffee',
  code: 'SPRING10',
  status: 'active',
  value: { kind: 'percent', percent: 10 },
  category: 'common',
  priority: 100,
  uses: { total: null, perMember: 1, used: 41, locked: 0, left: null },
  minAmount: 1000,
  appliesTo: null,
  startsAt: null,
  endsAt: '2027-06-01T00:00:00Z',
  member: null,
  source: null,
  createdAt: at,
}
const card = 'G7Q2-M4XK-9T3W'
const order = {
  currency: 'GBP',
  items: [
    { sku: 'BEANS', category: 'coffee', quantity: 2, amount: 1800 },
    { sku: 'MUG', quantity: 1, amount: 700 },
  ],
}
const asked = { program: 'coffee', member: 'external:ada', codes: ['spring10', 'g7q2 m4xk 9t3w'], order }
const member = 'mem_01kamq8w2sfnzt0v6y4xk3h9pd'
const first = {
  code: 'SPRING10',
  voucher: spring.id,
  applicable: true,
  kind: 'percent',
  discount: 250,
  lines: [
    { line: '1', discount: 180 },
    { line: '2', discount: 70 },
  ],
}
const second = {
  code: card,
  voucher: 'vch_01kamqe8n6y3w5r9q1h7d4s2cb',
  applicable: true,
  kind: 'gift',
  discount: 500,
  lines: [
    { line: '1', discount: 360 },
    { line: '2', discount: 140 },
  ],
}
const lines = [
  { line: '1', sku: 'BEANS', amount: 1800, discount: 180, gift: 360, toPay: 1260 },
  { line: '2', sku: 'MUG', amount: 700, discount: 70, gift: 140, toPay: 490 },
]
const totals = { amount: 2500, discount: 250, gift: 500, toPay: 1750 }
const quote = {
  program: 'coffee',
  member,
  currency: 'GBP',
  policy: 'all',
  sequence: 'asked',
  vouchers: [first, second],
  lines,
  totals,
}
const redeemed = ({ voucher, code, kind, discount, lines: of }: typeof first) => ({
  voucher,
  code,
  kind,
  discount,
  lines: of,
  rolledBack: 0,
  undone: false,
})
const redemption = {
  id: 'vrd_01kamqf5t8k2z4c7v9x1m3n6ye',
  program: 'coffee',
  member,
  externalId: 'T-1017',
  session: 'till-3-1017',
  status: 'redeemed',
  redeemedAt: at,
  currency: 'GBP',
  vouchers: [redeemed(first), redeemed(second)],
  skipped: [],
  lines,
  totals,
  rollBacks: [],
}

export const VOUCHERS = {
  body: {
    program: 'coffee',
    code: 'SPRING10',
    value: { kind: 'percent', percent: 10 },
    uses: { perMember: 1 },
    minAmount: 1000,
    endsAt: '2027-06-01T00:00:00Z',
  },
  voucher: spring,
  patch: { endsAt: '2027-07-01T00:00:00Z' },
  patched: { ...spring, endsAt: '2027-07-01T00:00:00Z' },
  reasonBody: { reason: 'Shared on a coupon site' },
  blocked: { ...spring, status: 'blocked', reason: 'Shared on a coupon site' },
  validateBody: asked,
  validated: { valid: true, ...quote },
  lockBody: { ...asked, session: 'till-3-1017', minutes: 10 },
  locked: { session: 'till-3-1017', until: '2026-11-22T09:40:00Z', ...quote },
  unlockBody: { program: 'coffee', session: 'till-3-1017' },
  unlocked: { session: 'till-3-1017', unlocked: [card, 'SPRING10'] },
  redeemBody: { ...asked, session: 'till-3-1017', externalId: 'T-1017' },
  redemption,
  rollBackBody: { codes: [card], amount: 140, reason: 'The mug came back', externalId: 'R-88' },
  rolledBack: {
    ...redemption,
    status: 'partly_rolled_back',
    vouchers: [redeemed(first), { ...redeemed(second), rolledBack: 140 }],
    rollBacks: [
      {
        at,
        amount: 140,
        vouchers: [{ code: card, amount: 140 }],
        externalId: 'R-88',
        reason: 'The mug came back',
      },
    ],
  },
}
