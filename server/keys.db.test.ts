import { beforeAll, expect, test } from 'vitest'
import { openDatabase, type TestDatabase } from '../tests/database.ts'
import { acceptKey, createKey, firstKey, hashKey, listKeys, revokeKey } from './keys.ts'
import { withOwner } from './owner.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await openDatabase()
})

function spaceOf(key: string): Promise<Record<string, unknown>[]> {
  return database.pool.query('select * from space_of_key($1)', [hashKey(key)]).then(({ rows }) => rows)
}

test('the first key is made once, however many ask, and kept as its hash alone', async () => {
  const asked = Array.from({ length: 5 }, () => withOwner(database.url, 'test', firstKey))
  const made = (await Promise.all(asked)).filter((key) => key !== undefined)
  expect(made).toHaveLength(1)
  const key = made[0] as string
  expect(key).toMatch(/^lk_live_[0-9A-Za-z]{43}$/)
  expect(await spaceOf(key)).toMatchObject([{ space_id: database.space, mode: 'live', scopes: ['*'] }])
  const stored = JSON.stringify(await database.sql('select * from api_keys'))
  expect(stored).not.toContain(key.slice('lk_live_'.length, -4))
  expect(stored).toContain(`lk_live_…${key.slice(-4)}`)
})

test('a key that automation chose is taken as often as it is given, for live data unless it says test', async () => {
  await withOwner(database.url, 'test', async (owner) => {
    for (const key of ['chosen-by-automation', 'lk_test_chosen-by-automation', 'chosen-by-automation'])
      await acceptKey(owner, key)
  })
  expect(await spaceOf('chosen-by-automation')).toMatchObject([{ mode: 'live' }])
  expect(await spaceOf('lk_test_chosen-by-automation')).toMatchObject([{ mode: 'test', space_id: database.otherSpace }])
})

test('a revoked key stays revoked, also when automation still gives it', async () => {
  await withOwner(database.url, 'test', async (owner) => {
    const { key, id } = await createKey(owner, 'test', 'till', ['purchases:write'])
    expect(await spaceOf(key)).toMatchObject([{ scopes: ['purchases:write'] }])
    await revokeKey(owner, id)
    await acceptKey(owner, key)
    expect(await spaceOf(key)).toEqual([])
    expect((await listKeys(owner)).find((row) => row.id === id)).toMatchObject({
      name: 'till',
      revokedAt: expect.any(String) as string,
    })
    await expect(revokeKey(owner, 'key_nonsense')).rejects.toThrow('There is no key key_nonsense')
  })
})
