import { describe } from 'vitest'
import { api, made, openCoffee } from '../../tests/coffee.ts'
import { walkGuide } from '../../tests/guide.ts'

openCoffee('2026-11-22T09:30:00Z', () => made('/v1/members', { externalId: 'ada' }))

describe('the guide to vouchers', () => {
  walkGuide('vouchers', 10, () => api)
})
