import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { api, database, made, openCoffee } from '../../tests/coffee.ts'
import { walkGuide } from '../../tests/guide.ts'
import { announcePools } from '../announce-pools.ts'
import { codeChecks } from '../base/codes.ts'
import { newId } from '../base/ids.ts'

const NOW = '2026-11-22T09:30:00Z'

openCoffee(NOW, async () => {
  await made('/v1/programs/coffee/wallets', { slug: 'stamps', unit: 'stamps', target: 10 })
  await made('/v1/members', { externalId: 'ada', email: 'ada@example.com' })
  await made('/v1/members/external:ada/adjust', { wallet: 'points', points: 400, reason: 'From the paper card' })
})

const guide = (page: string) => readFileSync(new URL(`../../docs/guides/${page}.md`, import.meta.url), 'utf8')

describe('the guide to rewards', () => {
  walkGuide('rewards', 12, () => api)
})

describe('the guide to codes', () => {
  walkGuide('codes', 11, () => api)

  test('tells what it says when few are left', async () => {
    await made('/v1/code-pools', { program: 'coffee', slug: 'empty', name: 'Empty', lowAt: 0 })
    expect(await announcePools(database.pool, database.space, { now: Date.parse(NOW) * 1000, newId })).toBe(1)
    const { body } = await api.call('GET', '/v1/events?limit=100')
    const low = body.data.filter(({ type }: { type: string }) => type === 'code_pool.low')
    const [, said = ''] = /```json event\n([^`]*)```/.exec(guide('codes')) ?? []
    const { type, data } = JSON.parse(said)
    expect(low).toHaveLength(1)
    expect({ type: low[0].type, fields: Object.keys(low[0].data).sort() }).toEqual({
      type,
      fields: ['pool', ...Object.keys(data)].sort(),
    })
  })

  test('shows a code as codes are', () => {
    const [, shown = ''] = /reads `([^`]*)`/.exec(guide('codes')) ?? []
    expect(codeChecks(shown)).toBe(true)
  })
})
