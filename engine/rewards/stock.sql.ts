import { int4s, texts } from '../base/arrays.ts'
import { type Db, type Statement, statement, type Tx } from '../base/db.ts'
import type { StockKey } from './rewards.rules.ts'

export type Stock = StockKey & { taken: number }
/** `times`: how often it is taken; negative: given back. `room`: how often it may have been taken before, at most. */
export type StockTake = StockKey & { times: number; room: number }

export function stockName({ rewardId, period }: StockKey): string {
  return `${rewardId} ${period}`
}

/** How often these were taken; none of those that nobody took yet. */
export async function loadStock(db: Db, keys: readonly StockKey[]): Promise<Stock[]> {
  return await db.query<Stock>(
    `select reward_id as "rewardId", period, taken
       from unnest($1::int[], $2::text[]) as k(reward_id, period) join stock using (reward_id, period) where space_id = $3`,
    [int4s(keys, (k) => k.rewardId), texts(keys, (k) => k.period), db.space],
    'stock-load',
  )
}

/** Held until the transaction ends, in ascending order, for an ask that lost its races; made first where there are none. */
export async function lockStock(tx: Tx, keys: readonly StockKey[]): Promise<void> {
  const ascending = keys.toSorted(byKey)
  await tx.query(
    `insert into stock (space_id, reward_id, period, taken)
     select $3, reward_id, period, 0 from unnest($1::int[], $2::text[]) as k(reward_id, period)
      order by reward_id, period on conflict do nothing`,
    [int4s(ascending, (k) => k.rewardId), texts(ascending, (k) => k.period), tx.space],
    'stock-make',
  )
  for (const { rewardId, period } of ascending) {
    await tx.query(
      'select from stock where space_id = $1 and reward_id = $2 and period = $3 for update',
      [tx.space, rewardId, period],
      'stock-lock',
    )
  }
}

/** The takes of one list, those of the same stock added up in their order; ascending. Each fits on top of those before it. */
export function addStock(takes: readonly StockTake[]): StockTake[] {
  const sums = new Map<string, StockTake>()
  for (const take of takes) {
    const sum = sums.get(stockName(take))
    if (sum) {
      sum.room = Math.min(sum.room, take.room - sum.times)
      sum.times += take.times
    } else {
      sums.set(stockName(take), { ...take })
    }
  }
  return [...sums.values()].sort(byKey)
}

/**
 * Takes from stocks, each only where there was room, in ascending order. Divides by zero (22012) when any has none, since others took
 * meanwhile: the whole list rolls back, and is loaded and decided again. `unguarded` is for the tests' control.
 */
export function takeStock(space: number, takes: readonly StockTake[], unguarded = false): Statement[] {
  if (takes.length === 0) return []
  return statement(
    `with wanted as materialized (
       select * from unnest($2::int[], $3::text[], $4::int[], $5::int[]) as w(reward_id, period, times, room)
     ), taken as (
       insert into stock as s (space_id, reward_id, period, taken)
       select $1, reward_id, period, greatest(times, 0) from wanted order by reward_id, period
       on conflict (space_id, reward_id, period) do update
         set taken = s.taken + (select w.times from wanted w where w.reward_id = s.reward_id and w.period = s.period)
       where $7 or s.taken <= (select w.room from wanted w where w.reward_id = s.reward_id and w.period = s.period)
       returning 1
     ) select 1 / (count(*) = $6::int)::int from taken`,
    [
      space,
      int4s(takes, (t) => t.rewardId),
      texts(takes, (t) => t.period),
      int4s(takes, (t) => t.times),
      int4s(takes, (t) => Math.min(t.room, ROOM_MAX)),
      takes.length,
      unguarded,
    ],
    'stock-take',
  )
}

const ROOM_MAX = 2_147_483_647

function byKey(a: StockKey, b: StockKey): number {
  return a.rewardId - b.rewardId || (a.period < b.period ? -1 : a.period > b.period ? 1 : 0)
}
