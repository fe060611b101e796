import { openPool } from '../engine/base/db.ts'
import type { Ask } from '../engine/gate/asks.ts'
import { createGate, type Gate } from '../engine/gate/gate.ts'
import { openShop, type Shop } from './shop.ts'

/** A shop and two gates, each with its connections: two processes to the database. */
export type Pair = { shop: Shop; gates: [Gate, Gate]; close(): Promise<void> }

/**
 * A point a pound. `unguarded`: the control of a race, where versions are not compared; what one writes the other cannot
 * see yet when it reads, since writing lingers: so the race is run every time.
 */
export async function openPair(unguarded: boolean): Promise<Pair> {
  const shop = await openShop({ unguarded })
  await shop.rule('per_amount', { points: 1, per: 100 })
  if (unguarded) {
    await shop.sql(`create function linger() returns trigger language plpgsql as
      $$ begin perform pg_sleep(0.1); return new; end $$`)
    await shop.sql('create trigger linger before insert on outbox for each row execute function linger()')
  }
  const pools = [openPool(shop.url, { max: 4 }), openPool(shop.url, { max: 4 })]
  const gates = pools.map((pool) => createGate({ pool, unguarded })) as [Gate, Gate]
  const close = async () => {
    for (const pool of pools) await pool.end()
  }
  return { shop, gates, close }
}

/** Nothing keeps an entry's number from being used twice: for controls that book. */
export async function dropEntryKeys({ shop }: Pair): Promise<void> {
  await shop.sql('alter table entries drop constraint entries_pkey')
  await shop.sql('alter table lot_uses drop constraint lot_uses_pkey')
}

export async function send(gate: Gate, shop: Shop, ask: Ask): Promise<{ status: number; body: any }> {
  const { status, body } = await gate.submit(shop.space, ask)
  return { status, body: JSON.parse(body) }
}

/** By both in turn, all at once. */
export function atOnce(pair: Pair, n: number, ask: (i: number) => Ask): Promise<{ status: number; body: any }[]> {
  return Promise.all(Array.from({ length: n }, (_, i) => send(pair.gates[i % 2] as Gate, pair.shop, ask(i))))
}
