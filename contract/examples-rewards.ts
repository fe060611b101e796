import { EXAMPLES } from './examples.ts'

/** What the coffee shop of the other examples gives for points. */
const at = '2026-11-22T09:30:00Z'
const poolId = 'cpl_01kamqe4c8f2h6k0m4p8r2t6v0'
const rewardId = 'rwd_01kamqe5d9g3j7m1n5q9s3v7x1'
const poolBody = { program: 'coffee', slug: 'cinema', name: 'Cinema tickets', lowAt: 100 }
const pool = {
  id: poolId,
  ...poolBody,
  reusable: false,
  total: 0,
  handedOut: 0,
  left: 0,
  low: true,
  createdAt: at,
  updatedAt: at,
}
const texts = {
  en: { name: '£5 off', description: '£5 off your next order.', terms: 'Once an order.' },
  de: { name: '5 £ Rabatt', description: '5 £ Rabatt auf die nächste Bestellung.' },
}
const body = {
  program: 'coffee',
  slug: 'five-off',
  name: '£5 off',
  kind: 'coupon',
  price: { points: 500 },
  value: { kind: 'amount', amount: 500 },
  stock: { total: 1000, perMember: 1 },
  code: { generate: { prefix: 'CAFE' } },
  valid: { for: 'P30D', roundUp: 'day' },
  category: 'discounts',
  images: ['https://example.com/five-off.png'],
  texts,
} as const
const said = {
  version: 1,
  name: body.name,
  price: [body.price],
  money: null,
  visibility: null,
  stock: body.stock,
  code: body.code,
  valid: body.valid,
  value: body.value,
  fulfilment: false,
  auto: null,
  stepUp: false,
  category: body.category,
  images: body.images,
  texts,
}
const reward = {
  id: rewardId,
  program: 'coffee',
  slug: body.slug,
  kind: body.kind,
  status: 'active',
  ...said,
  createdAt: at,
  updatedAt: at,
}
const versions = { ...reward, versions: [{ ...said, createdAt: at }] }
const dearer = { ...said, version: 2, price: [{ points: 600 }] }
const categoryBody = {
  program: 'coffee',
  slug: 'discounts',
  texts: { en: { name: 'Money off' }, de: { name: 'Rabatte' } },
  position: 1,
}
const discounts = { id: 'rct_01kamqe6e0h4k8n2p6r0t4w8y2', ...categoryBody, rewards: 3, createdAt: at, updatedAt: at }
const left = { total: { taken: 81, left: 919 }, period: null, codes: null }
const { id, program, slug, kind, version, name, price, money, value, stepUp, category, images } = reward

export const REWARD_EXAMPLES = {
  body,
  reward,
  versions,
  read: { ...versions, left },
  patch: { price: { points: 600 } },
  changed: { ...versions, ...dearer, versions: [{ ...dearer, createdAt: at }, ...versions.versions] },
  archived: { ...versions, status: 'archived' },
  offer: {
    reward: { id, program, slug, kind, version, name, price, money, value, stepUp, category, images, texts },
    can: false,
    why: {
      code: 'insufficient_points',
      detail: 'for "five-off" these points are missing: 120 in "points"',
    },
    price: null,
    missing: { points: 120 },
    worth: 500,
    left,
    mine: { redeemed: 0, limit: 1, per: 'lifetime' },
  },
  member: EXAMPLES.purchase.member,
  categoryBody,
  category: discounts,
  poolBody,
  pool,
  poolPatch: { lowAt: 200 },
  poolChanged: { ...pool, lowAt: 200 },
  filled: { ...pool, total: 1000, handedOut: 12, left: 988, low: false },
  codesBody: { codes: ['K7QM-22XA-8800', 'K7QM-22XB-8801'] },
  imported: { added: 2, known: 0, refused: [], left: 2 },
  generateBody: { count: 1000, length: 12, prefix: 'CAFE' },
  generated: { added: 1000, left: 1002 },
} as const
