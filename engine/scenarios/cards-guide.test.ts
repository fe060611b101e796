import { describe } from 'vitest'
import { api, made, openCoffee, POUND } from '../../tests/coffee.ts'
import { walkGuide } from '../../tests/guide.ts'

const prepare = async () => {
  await made('/v1/earning-rules', POUND)
  for (const externalId of ['ada', 'bob', 'eve']) await made('/v1/members', { externalId })
}
openCoffee('2026-11-22T09:30:00Z', prepare, { secret: 's'.repeat(32) })

describe('the guide to cards', () => {
  walkGuide('cards', 11, () => api)
})
