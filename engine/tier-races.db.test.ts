import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LadderShop, openLadder } from '../tests/ladders.ts'
import { NOW } from '../tests/shop.ts'
import { openPool } from './base/db.ts'
import type { Ask } from './gate/asks.ts'
import { createGate, type Gate } from './gate/gate.ts'
import { verify } from './verify.ts'

/** Fifty purchases cross a threshold at once, through two processes. */
type Pair = { shop: LadderShop; gates: [Gate, Gate] }
const pools: ReturnType<typeof openPool>[] = []
let careful: Pair
/** Versions are not compared. */
let careless: Pair

async function open(unguarded: boolean): Promise<Pair> {
  const shop = await openLadder()
  const process = () => {
    const pool = openPool(shop.url, { max: 4 })
    pools.push(pool)
    return createGate({ pool, unguarded, singlesMax: 5 })
  }
  return { shop, gates: [process(), process()] }
}

beforeAll(async () => {
  careful = await open(false)
  careless = await open(true)
  // Nor does anything keep a number from being used twice; and what one writes the other sees late.
  for (const key of ['entries_pkey', 'lot_uses_pkey', 'tier_history_pkey'])
    await careless.shop.sql(`alter table ${key.slice(0, -5)} drop constraint ${key}`)
  await careless.shop.sql(`create function linger() returns trigger language plpgsql as
    $$ begin perform pg_sleep(0.02); return new; end $$`)
  await careless.shop.sql('create trigger linger before insert on outbox for each row execute function linger()')
})
afterAll(async () => {
  for (const pool of pools) await pool.end()
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

async function race({ shop, gates }: Pair) {
  await shop.buy('first', 'external:ann', 100, { occurredAt: AT })
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, i) => (gates[i % 2] as Gate).submit(shop.space, buying(i))),
  )
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
