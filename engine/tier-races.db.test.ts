import { beforeAll, describe, expect, test } from 'vitest'
import { type LadderShop, openLadder } from '../tests/ladders.ts'
import { dropEntryKeys, inTurn, type Pair, pairOf } from '../tests/pair.ts'
import { NOW } from '../tests/shop.ts'
import type { Ask } from './gate/asks.ts'
import { verify } from './verify.ts'

/** Fifty purchases cross a threshold at once, through two processes. */
let careful: Pair<LadderShop>
/** Versions are not compared, and nothing keeps a number from being used twice. */
let careless: Pair<LadderShop>

const open = async (unguarded: boolean) => await pairOf(await openLadder(), unguarded, { singlesMax: 5 })

beforeAll(async () => {
  careful = await open(false)
  careless = await open(true)
  await dropEntryKeys(careless)
  await careless.shop.sql('alter table tier_history drop constraint tier_history_pkey')
})

/** All at one instant: whoever is decided after the one that climbs earns by it. */
const AT = NOW()
const buying = (i: number): Ask => ({
  verb: 'purchase',
  program: 'coffee',
  externalId: `race-${i}`,
  member: 'external:ann',
  occurredAt: AT,
  currency: 'GBP',
  items: [{ sku: 'beans', quantity: 1, amount: 400 }],
})

async function race({ shop, gates }: Pair<LadderShop>) {
  await shop.buy('first', 'external:ann', 100, { occurredAt: AT })
  const outcomes = await inTurn(gates, 50, (gate, i) => gate.submit(shop.space, buying(i)))
  const bonuses = outcomes.filter(({ body }) => JSON.parse(body).points === 6).length
  const [sum] = await shop.sql('select sum(amount)::int as sum from tier_progress')
  return {
    statuses: [...new Set(outcomes.map(({ status }) => status))],
    told: await shop.told('ann'),
    bonuses,
    sum: sum?.sum as number,
    wrong: (await verify(shop.pool, shop.space)).wrong?.what,
  }
}

describe('fifty purchases that cross a threshold at once', () => {
  test('climb it once, count each once, and only those after it earn by it', async () => {
    const { statuses, told, bonuses, sum, wrong } = await race(careful)
    expect(statuses).toEqual([201])
    expect(told).toEqual(['joined', 'upgraded'])
    expect(sum).toBe(20_100)
    expect(bonuses).toBe(25) // the one that reached 100.00 was the twenty-fifth
    expect(wrong).toBeUndefined()
  })

  test('do not, where versions are not compared', async () => {
    const { told, wrong } = await race(careless)
    expect(told).not.toEqual(['joined', 'upgraded'])
    expect(wrong).toBeDefined()
  })
})
