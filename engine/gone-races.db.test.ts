import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { dropEntryKeys, openPair, type Pair } from '../tests/pair.ts'
import { door, NOW, type Shop } from '../tests/shop.ts'
import { withTx } from './base/db.ts'
import { changeWallet } from './configure-wallets.ts'
import type { Gate } from './gate/gate.ts'
import { passDue } from './pass-time.ts'
import { verify } from './verify.ts'

/** Goods come back, one by one and in two processes at once, in the very seconds in which their points end. */
const HOUR = 3_600_000_000
const UNITS = 24
const MEMBERS = ['ann', 'bob', 'cleo']
let careful: Pair
/** Versions are not compared, and nothing keeps an entry's number from being used twice. */
let careless: Pair

const ending = (shop: Shop, expiry: object) =>
  withTx(shop.pool, shop.space, (tx) =>
    changeWallet(tx, { program: 'coffee', wallet: 'points' }, { expiry } as never, undefined, door()),
  )

beforeAll(async () => {
  careful = await openPair(false)
  careless = await openPair(true)
  await dropEntryKeys(careless)
})

/** Each has 500 points that stay, and as many of a purchase as it has units times ten, which end in some seconds. */
async function race({ shop, gates }: Pair): Promise<void> {
  for (const who of MEMBERS) await shop.buy(`stays-${who}`, `external:${who}`, 50_000)
  await ending(shop, { kind: 'rolling', period: 'PT1H' })
  const [items, ends] = [[{ sku: 'cup', quantity: UNITS, amount: UNITS * 1_000 }], NOW() + 2_500_000]
  for (const who of MEMBERS) await shop.buy(`ends-${who}`, `external:${who}`, 0, { items, occurredAt: ends - HOUR })
  const back = async (who: string, i: number) => {
    if (i > 0) await sleep(Math.max(0, (ends - NOW()) / 1000 + (i - UNITS / 2) * 20)) // the first at once
    return await (gates[i % 2] as Gate).submit(shop.space, {
      verb: 'return',
      program: 'coffee',
      externalId: `back-${who}-${i}`,
      member: `external:${who}`,
      occurredAt: NOW(),
      purchase: `external:ends-${who}`,
      items: [{ sku: 'cup', quantity: 1 }],
    })
  }
  const worker = async (gate: Gate) => {
    for (let i = 0; i < 30; i++) {
      await passDue(shop.pool, gate, shop.space, 10)
      await sleep(20)
    }
  }
  const all = MEMBERS.flatMap((who) => Array.from({ length: UNITS }, (_, i) => back(who, i)))
  const statuses = (await Promise.all([...all, sleep(2_100).then(() => Promise.all(gates.map(worker)))])).slice(0, -1)
  expect(new Set(statuses.map((one) => (one as { status: number }).status))).toEqual(new Set([201]))
}

/** What stays with each, and what returns say that they took and that had ended. */
async function left({ shop }: Pair): Promise<{ points: number[]; taken: number; gone: number }> {
  const points = await shop.sql(`select (wallets::json -> 0 ->> 'b')::int as b from member_states order by member_id`)
  const [sum] = await shop.sql(`select sum((t ->> 'points')::int)::int as taken, sum((t ->> 'gone')::int)::int as gone
    from returns, json_array_elements(taken::json) as t`)
  return { points: points.map(({ b }) => Number(b)), taken: Number(sum?.taken), gone: Number(sum?.gone) }
}

describe('returns against the end of the points that come back', () => {
  it('what ends between two of them is taken from nobody, and counted once', { timeout: 30_000 }, async () => {
    await race(careful)
    const { points, taken, gone } = await left(careful)
    expect(points).toEqual([500, 500, 500])
    expect(taken + gone).toBe(3 * UNITS * 10)
    expect(Math.min(taken, gone)).toBeGreaterThan(0)
    expect((await verify(careful.shop.pool, careful.shop.space)).wrong).toBeUndefined()
  })

  it('control: where versions are not compared, it does not add up', { timeout: 30_000 }, async () => {
    await race(careless)
    expect((await verify(careless.shop.pool, careless.shop.space)).wrong?.what).toBeDefined()
  })
})
