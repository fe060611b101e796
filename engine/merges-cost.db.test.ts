import { expect, type MockInstance, test, vi } from 'vitest'
import { openShop, type Shop } from '../tests/shop.ts'

/** What each of the shop's connections is asked from now on. */
function watched({ pool }: Shop): ReadonlySet<MockInstance> {
  const queries = new Set<MockInstance>()
  pool.on('acquire', (client) => {
    if (!vi.isMockFunction(client.query)) queries.add(vi.spyOn(client, 'query'))
  })
  return queries
}

test('who was never merged pays nothing for those who were: a purchase under caps asks no statement more', async () => {
  const shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 }, { caps: [{ per: 'day', points: 50 }] })
  for (const name of ['ann', 'bob', 'eve']) await shop.buy(`first-${name}`, `external:${name}`, 1_000)

  const queries = watched(shop)
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

test('a refund reads nothing of what came along by a merge that stands', async () => {
  const shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  for (const name of ['ann', 'bob']) await shop.buy(`first-${name}`, `external:${name}`, 1_000)
  const both = { member: 'external:ann', from: 'external:bob', reason: 'one' }
  const spend = { verb: 'spend', member: 'external:ann', wallet: 'points', reason: 'mug' } as const
  await shop.gate.submit(shop.space, { verb: 'merge', ...both })
  await shop.gate.submit(shop.space, { ...spend, points: 15, externalId: 's' })
  const queries = watched(shop)
  const refund = async (points: number) => {
    for (const query of queries) query.mockClear()
    const ask = { verb: 'refund', member: 'external:ann', spend: 'external:s', reason: 'back', points } as const
    expect((await shop.gate.submit(shop.space, ask)).status).toBe(201)
    const calls = [...queries].flatMap(({ mock }) => mock.calls.map(([one], i) => [one?.name, mock.results[i]?.value]))
    const merges = calls
      .filter(([name]) => name?.startsWith('merges-'))
      .map(async ([, told]) => (await told).rows.length)
    return await Promise.all(merges)
  }
  expect(await refund(1)).toEqual([0])
  await shop.gate.submit(shop.space, { verb: 'unmerge', ...both })
  expect(await refund(1)).toEqual([1, 0]) // and of bob, whose it may be
})
