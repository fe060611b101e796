import { expect, type MockInstance, test, vi } from 'vitest'
import { openShop } from '../tests/shop.ts'

test('who was never merged pays nothing for those who were: a purchase under caps asks no statement more', async () => {
  const shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 }, { caps: [{ per: 'day', points: 50 }] })
  for (const name of ['ann', 'bob', 'eve']) await shop.buy(`first-${name}`, `external:${name}`, 1_000)

  const queries = new Set<MockInstance>()
  shop.pool.on('acquire', (client) => {
    if (!vi.isMockFunction(client.query)) queries.add(vi.spyOn(client, 'query'))
  })
  const asked = async (n: string, member: string) => {
    for (const query of queries) query.mockClear()
    const { body } = await shop.buy(n, member, 3_000)
    const names = [...queries]
      .flatMap(({ mock }) => mock.calls)
      .map(([one]) => (one as { name?: string } | undefined)?.name)
    return {
      points: body.points,
      names: names.filter((name) => name?.startsWith('counters-') || name?.includes('elders')),
    }
  }
  const alone = ['counters-load', 'counters-save']
  expect(await asked('second', 'external:ann')).toEqual({ points: 30, names: alone })
  const both = { member: 'external:ann', from: 'external:bob' }
  await shop.gate.submit(shop.space, { verb: 'merge', ...both, reason: 'one' })
  const together = ['counters-load', 'members-elders', 'counters-load']
  expect(await asked('third', 'external:bob')).toEqual({ points: 0, names: together }) // 10 and 30 of hers, 10 of his
  expect(await asked('of-eve', 'external:eve')).toEqual({ points: 30, names: alone })
})
