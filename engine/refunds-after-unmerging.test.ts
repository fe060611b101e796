import { expect, test } from 'vitest'
import { DAY } from '../contract/instants.ts'
import { DEFAULT_SETTINGS } from '../contract/wallets.ts'
import { openMemoryDriver } from '../tests/simulate/memory-driver.ts'
import type { Ask } from './gate/asks.ts'

const START = Date.UTC(2026, 2, 1) * 1000

test('what goes home after a merge was undone makes good what its own member wrote off, not the other', async () => {
  const driver = await openMemoryDriver(
    {
      joinPolicy: 'on_first_purchase',
      timezone: 'UTC',
      pools: [],
      ladders: [],
      wallets: [{ slug: 'points', settings: DEFAULT_SETTINGS }],
    },
    START,
  )
  const rule = {
    program: 'coffee',
    wallet: 'points',
    name: 'ten a pound',
    kind: 'per_amount',
    args: { points: 10, per: 100 },
  }
  await driver.createRule(START, 'rule', rule as never)
  let at = START + DAY
  const send = async (ask: Ask) => (await driver.ask((at += 60_000_000), [{ ask, crash: undefined }]))[0]
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
  for (const ask of asks) expect((await send(ask))?.code).toMatch(/^(ok|repeat)$/) // 'repeat': 200
  const wallets = await driver.wallets(at, ['ann', 'bob'])
  expect(wallets.map((one) => one?.points?.available)).toEqual([6, 2])
  expect(await driver.audit(at)).toBeUndefined()
})
