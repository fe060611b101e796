import { describe } from 'vitest'
import { api, made, openCoffee } from '../../tests/coffee.ts'
import { walkGuide } from '../../tests/guide.ts'

openCoffee('2026-11-22T09:30:00Z', async () => {
  await made('/v1/programs/coffee/wallets', { slug: 'miles' })
  await made('/v1/members', { externalId: 'ada' })
  await made('/v1/members/external:ada/adjust', { wallet: 'points', points: 1000, reason: 'From the paper card' })
  await reward('tasting', 'experience', 200, { valid: { for: 'P30D' } })
  await reward('mug', 'physical', 300, { stock: { total: 2 } })
  await reward('five-off', 'coupon', 100, { value: { kind: 'amount', amount: 500 } })
  await reward('miles', 'conversion', 100, { value: { kind: 'points', wallet: 'miles', points: 40 } })
})

const reward = (slug: string, kind: string, points: number, more: object) =>
  made('/v1/rewards', { program: 'coffee', slug, name: slug, kind, price: { points }, ...more })

describe('the guide to redemptions', () => {
  walkGuide('redemptions', 13, () => api)
})
