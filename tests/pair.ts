import type { Ask } from '../engine/gate/asks.ts'
import { createGate, type Gate, type GateOptions } from '../engine/gate/gate.ts'
import { openPoolBeside } from './database.ts'
import { openShop, type Shop } from './shop.ts'

/** Another process to a database: a gate with connections of its own. */
export function gateBeside({ url }: { url: string }, options: Partial<GateOptions> = {}): Gate {
  const pool = openPoolBeside(url)
  pool.query('select').catch(() => {}) // connected by the time it is asked, so that neither of two begins late
  return createGate({ pool, ...options })
}

/** Two processes to one database: what one has read the other may change. */
export function twoGates(shop: { url: string }, options: Partial<GateOptions> = {}): [Gate, Gate] {
  return [gateBeside(shop, options), gateBeside(shop, options)]
}

/** A shop and two processes to it. */
export type Pair<S extends Shop = Shop> = { shop: S; gates: [Gate, Gate] }

/** In a shop that gives a point a pound. */
export async function openPair(unguarded: boolean): Promise<Pair> {
  const shop = await openShop({ unguarded })
  await shop.rule('per_amount', { points: 1, per: 100 })
  return await pairOf(shop, unguarded)
}

/**
 * `unguarded`: the control of a race, where versions are not compared; what one writes the other cannot see yet when it
 * reads, since writing lingers: so the race is run every time.
 */
export async function pairOf<S extends Shop>(
  shop: S,
  unguarded: boolean,
  options: Partial<GateOptions> = {},
): Promise<Pair<S>> {
  if (unguarded) {
    await shop.sql(LINGER)
    await shop.sql('create trigger linger before insert on outbox for each row execute function linger()')
  }
  return { shop, gates: twoGates(shop, { unguarded, ...options }) }
}

/** Until another writes too, which has then read as well: at least 0.1 s, at most 0.4 s, where there may be no other. */
const LINGER = `create function linger() returns trigger language plpgsql as $$
  begin
    perform pg_advisory_xact_lock_shared(1, 1);
    perform pg_sleep(0.1);
    for i in 1 .. 15 loop
      exit when (select count(*) > 1 from pg_locks where locktype = 'advisory' and (classid, objid) = (1, 1)
                    and database = (select oid from pg_database where datname = current_database()));
      perform pg_sleep(0.02);
    end loop;
    return new;
  end $$`

/** Nothing keeps an entry's number from being used twice: for controls that book. */
export async function dropEntryKeys({ shop }: Pair): Promise<void> {
  await shop.sql('alter table entries drop constraint entries_pkey')
  await shop.sql('alter table lot_uses drop constraint lot_uses_pkey')
}

type Answer = { status: number; body: any }
export async function send(gate: Gate, shop: Shop, ask: Ask): Promise<Answer> {
  const { status, body } = await gate.submit(shop.space, ask)
  return { status, body: JSON.parse(body) }
}

/** By both in turn, all at once. */
export function inTurn<T>(gates: [Gate, Gate], n: number, work: (gate: Gate, i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: n }, (_, i) => work(gates[i % 2] as Gate, i)))
}

export function atOnce({ shop, gates }: Pair, n: number, ask: (i: number) => Ask): Promise<Answer[]> {
  return inTurn(gates, n, (gate, i) => send(gate, shop, ask(i)))
}
