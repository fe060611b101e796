import type { Uuid } from '@laurel/contract/ids'
import { uuids } from '../base/arrays.ts'
import type { Db, Tx } from '../base/db.ts'
import type { Pool, PoolChange } from '../codes/pools.rules.ts'
import { loadPools, lockPools } from '../codes/pools.sql.ts'
import { type Redemption, STATUS } from '../redemptions/redemptions.rules.ts'
import { type CountKey, countRedeemed, loadRedeeming, loadRedemptions } from '../redemptions/redemptions.sql.ts'
import type { StockKey } from '../rewards/rewards.rules.ts'
import { loadStock, lockStock, stockName, type StockTake } from '../rewards/stock.sql.ts'
import { madeCodeKey } from './names.ts'
import { type FurtherNeeds, type Slices, survivorOf } from './slices.ts'
import { voucherNeeds } from './voucher-slices.ts'

/** What asks about rewards need to know. */
export type NeedsRedemptions = {
  byId: { member: Uuid; id: Uuid }[]
  /** these are to be cancelled: what their points came from, and the pools of their codes */
  undone: Set<Uuid>
  /** whether redemptions made these entries */
  entries: { member: Uuid; seq: number }[]
  counts: Map<string, CountKey>
  stock: Map<string, StockKey>
  /** how many codes of each pool may be taken */
  pools: Map<number, number>
  /** codes that may be made, by what they are told apart by; and each one's other, which is looked for where the first is taken */
  codes: Map<Uuid, () => Uuid | undefined>
}

/** A code of a pool by its number there, or as it came back in this list. */
type Code = { code: string; key: Uuid }
/** Part of the slices. */
export type RedemptionSlices = {
  byId: Map<Uuid, Redemption>
  /** how often rewards were redeemed, by countName */
  redeemed: Map<string, CountKey & { times: number }>
  /** how much of stocks was taken; absent: nothing yet */
  stock: Map<string, number>
  pools: Map<number, { pool: Pool; codes: Map<number, Code> }>
  /** codes that are somebody's already */
  taken: Set<Uuid>
  /** entries that redemptions made, by `member seq` */
  made: Set<string>
  /** what the list may take from */
  shared: { stock: StockKey[]; pools: number[] }
}

/** What a decision changes of redemptions, and takes of what members share; `times`: redeemed once more, or once less. */
export type RedemptionChanges = {
  one: Redemption
  times: -1 | 0 | 1
  stock: StockTake[]
  codes: (PoolChange & { last: number })[]
}

export function noRedemptions(): RedemptionSlices {
  return {
    byId: new Map(),
    redeemed: new Map(),
    stock: new Map(),
    pools: new Map(),
    taken: new Set(),
    made: new Set(),
    shared: { stock: [], pools: [] },
  }
}

/** What is to be said in `needs`, made when the first ask wants it. */
export function redemptionNeeds(needs: { redemptions?: NeedsRedemptions }): NeedsRedemptions {
  return (needs.redemptions ??= {
    byId: [],
    undone: new Set(),
    entries: [],
    counts: new Map(),
    stock: new Map(),
    pools: new Map(),
    codes: new Map(),
  })
}

export function countName({ member, rewardId, since }: CountKey): string {
  return `${member} ${rewardId} ${since}`
}

/** Reads what was said to be needed, a statement a table, none where nothing was. */
export async function loadRedemptionSlices(db: Db, needs: NeedsRedemptions): Promise<RedemptionSlices> {
  const slices = noRedemptions()
  const counts = [...needs.counts.values()]
  slices.shared = { stock: [...needs.stock.values()], pools: [...needs.pools.keys()] }
  const [byId, times, stock, taken, made] = await Promise.all([
    loadRedemptions(db, needs.byId),
    countRedeemed(db, counts),
    slices.shared.stock.length === 0 ? [] : loadStock(db, slices.shared.stock),
    loadTaken(db, needs.codes),
    loadRedeeming(db, needs.entries),
    readPools(db, slices, needs.pools),
  ])
  for (const one of byId) slices.byId.set(one.id, one)
  for (const [i, key] of counts.entries()) slices.redeemed.set(countName(key), { ...key, times: times[i] ?? 0 })
  for (const row of stock) slices.stock.set(stockName(row), row.taken)
  for (const key of taken) slices.taken.add(key)
  for (const { member, seq } of made) slices.made.add(`${member} ${seq}`)
  return slices
}

async function readPools(db: Db, slices: RedemptionSlices, wanted: ReadonlyMap<number, number>): Promise<void> {
  if (wanted.size === 0) return
  const { pools, codes } = await loadPools(
    db,
    [...wanted].map(([poolId, count]) => ({ poolId, count })),
  )
  for (const pool of pools) slices.pools.set(pool.poolId, { pool, codes: new Map() })
  for (const { poolId, seq, code, key } of codes) slices.pools.get(poolId)?.codes.set(seq, { code, key })
}

/** Of codes that may be made, those that are somebody's. Another is needed once in a great many. */
async function loadTaken(db: Db, codes: NeedsRedemptions['codes']): Promise<Uuid[]> {
  const taken = await takenOf(db, [...codes.keys()])
  const others = taken.flatMap((key) => codes.get(key)?.() ?? [])
  return [...taken, ...(await takenOf(db, others))]
}

/**
 * In a pool (as its index has them: once each), or made before. Each table is asked for keys: of `exists … or exists …` PostgreSQL
 * makes hashes of whole tables where it thinks them small.
 */
async function takenOf(db: Db, keys: readonly Uuid[]): Promise<Uuid[]> {
  if (keys.length === 0) return []
  const rows = await db.query<{ key: Uuid }>(
    `select n.key from lookups n where n.space_id = $3 and n.key = any ($2::uuid[])
     union all select c.key from pool_codes c where c.space_id = $3 and c.key = any ($1::uuid[]) and not c.again
     union all select v.code_key from vouchers v where v.space_id = $3 and v.code_key = any ($1::uuid[])`,
    [uuids(keys, (key) => key), uuids(keys, madeCodeKey), db.space],
    'redemptions-codes-taken',
  )
  const found = new Set(rows.map((row) => row.key))
  return keys.filter((key) => found.has(key) || found.has(madeCodeKey(key)))
}

/** What redemptions need beside: their vouchers; and to be cancelled, what their entries took from lots, and the pools to which codes go back. */
export async function needUndone(db: Db, needs: FurtherNeeds, slices: RedemptionSlices): Promise<void> {
  const pools = new Map<number, number>()
  for (const { said } of slices.byId.values()) if (said.voucher) voucherNeeds(needs).keys.add(said.voucher)
  for (const id of needs.redemptions?.undone ?? []) {
    const one = slices.byId.get(id)
    if (!one || one.status === STATUS.cancelled) continue
    for (const [, , seq] of one.spent) needs.uses.push({ member: one.member, seq })
    if (one.poolId !== null && one.said.key !== undefined && !slices.pools.has(one.poolId)) pools.set(one.poolId, 0)
  }
  slices.shared.pools.push(...pools.keys())
  await readPools(db, slices, pools)
}

/** Held until the transaction ends, in the order in which lists take from them, for asks that lost their races. */
export async function lockShared(tx: Tx, { shared }: RedemptionSlices): Promise<void> {
  if (shared.stock.length > 0) await lockStock(tx, shared.stock)
  if (shared.pools.length > 0) await lockPools(tx, shared.pools)
}

/** As the asks after this one see it. */
export function applyRedemptions(slices: Slices, { one, times, stock, codes }: RedemptionChanges): void {
  const own = slices.redemptions
  own.byId.set(one.id, one)
  const whose = survivorOf(slices, one.member)
  for (const count of own.redeemed.values()) {
    if (count.rewardId === one.rewardId && count.member === whose && one.issuedAt >= count.since) count.times += times
  }
  for (const take of stock) own.stock.set(stockName(take), (own.stock.get(stockName(take)) ?? 0) + take.times)
  for (const { read, next, last, returned } of codes) {
    const known = own.pools.get(read.poolId)
    if (!known) continue
    known.pool = { poolId: read.poolId, next, last }
    for (const [i, code] of returned.entries()) known.codes.set(read.last + 1 + i, code)
  }
  for (const [, , seq] of one.spent) own.made.add(`${one.member} ${seq}`)
}

/** The changes of one list, a pool each: from what was read to what it is then. */
export function addPools(changes: readonly PoolChange[]): PoolChange[] {
  const sums = new Map<number, PoolChange>()
  for (const { read, next, returned } of changes) {
    const sum = sums.get(read.poolId)
    if (!sum) sums.set(read.poolId, { read, next, returned: [...returned] })
    else {
      sum.next = next
      sum.returned.push(...returned)
    }
  }
  return [...sums.values()]
}
