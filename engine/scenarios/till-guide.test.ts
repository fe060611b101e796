import { describe } from 'vitest'
import { api, made, openCoffee, POUND } from '../../tests/coffee.ts'
import { walkGuide } from '../../tests/guide.ts'

const prepare = async () => {
  await made('/v1/earning-rules', POUND)
  await made('/v1/members', { externalId: 'ada', name: 'Ada Lovelace', phone: '+44 1632 960961' })
  await made('/v1/members/external:ada/adjust', { wallet: 'points', points: 1000, reason: 'Welcome' })
  const value = { kind: 'percent', percent: 10 }
  await made('/v1/vouchers', { program: 'coffee', code: 'TEN', value, uses: { total: 100 } })
}
openCoffee('2026-11-22T09:30:00Z', prepare, { secret: 's'.repeat(32) })

describe('the guide to the till', () => {
  walkGuide('till', 15, () => api)
})
