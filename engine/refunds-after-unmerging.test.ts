import { expect, test } from 'vitest'
import { DAY } from '../contract/instants.ts'
import { openMemoryDriver } from '../tests/simulate/memory-driver.ts'
import { openSmallShop, START } from '../tests/small-shop.ts'
import type { Ask } from './gate/asks.ts'

test('what goes home after a merge was undone makes good what its own member wrote off, not the other', async () => {
  const { driver, send } = await openSmallShop(openMemoryDriver, [])
  const sale = (externalId: string, member: string): Ask => ({
    verb: 'purchase',
    program: 'coffee',
    externalId,
    member,
    occurredAt: START + DAY,
    currency: 'GBP',
    items: [{ sku: 'x', quantity: 5, amount: 100 }],
  })
  const back = (externalId: string, of: string, quantity: number): Ask => ({
    verb: 'return',
    program: 'coffee',
    externalId,
    member: 'external:ann',
    occurredAt: START + DAY,
    purchase: `external:${of}`,
    items: [{ sku: 'x', quantity }],
  })
  const both = { member: 'external:ann', from: 'external:bob', reason: 'one' }
  const asks: Ask[] = [
    sale('of-bob', 'external:bob'),
    sale('of-ann', 'external:ann'),
    { verb: 'merge', ...both },
    { verb: 'spend', member: 'external:ann', wallet: 'points', points: 13, reason: 'mug', externalId: 's' }, // 3 of his
    back('r-1', 'of-bob', 4), // 8 of his: 7 were there
    back('r-2', 'of-ann', 2), // 4 of hers: none was there
    { verb: 'unmerge', ...both },
    { verb: 'refund', member: 'external:ann', spend: 'external:s', reason: 'back', externalId: 'f' },
  ]
  for (const ask of asks) expect((await send(ask)).code).toMatch(/^(ok|repeat)$/) // 'repeat': 200
  const wallets = await driver.wallets(START + 2 * DAY, ['ann', 'bob'])
  expect(wallets.map((one) => one?.points?.available)).toEqual([6, 2])
  expect(await driver.audit(START + 2 * DAY)).toBeUndefined()
})
