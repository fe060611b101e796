import { afterAll, beforeAll, describe } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { walkGuide } from '../../tests/guide.ts'

const database = await openDatabase()
let api: TestApi

beforeAll(async () => {
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  const coffee = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'explicit' }
  await api.call('POST', '/v1/programs', coffee)
  await api.call('POST', '/v1/members', { externalId: 'ada' })
})
afterAll(() => api.close())

describe('the guide to vouchers', () => {
  walkGuide('vouchers', 10, () => api)
})
