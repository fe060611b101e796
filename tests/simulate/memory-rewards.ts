import type { Uuid } from '../../contract/ids.ts'
import { codeKey, plainCode } from '../../engine/base/codes.ts'
import type { ConfiguredPool } from '../../engine/earning/configured.ts'
import {
  countName,
  type NeedsRedemptions,
  noRedemptions,
  type RedemptionChanges,
  type RedemptionSlices,
} from '../../engine/gate/redemption-slices.ts'
import type { FurtherNeeds } from '../../engine/gate/slices.ts'
import { voucherNeeds } from '../../engine/gate/voucher-slices.ts'
import { type Redemption, STATUS } from '../../engine/redemptions/redemptions.rules.ts'
import { stockName } from '../../engine/rewards/stock.sql.ts'

type Code = { code: string; key: Uuid }
/** What redemption-slices.ts reads and writes, as maps; a pool's codes in their order. */
export type RewardTables = {
  redemptions: Map<Uuid, Redemption>
  stock: Map<string, number>
  pools: Map<number, { next: number; codes: Code[] }>
}

export function rewardTablesOf(): RewardTables {
  return { redemptions: new Map(), stock: new Map(), pools: new Map() }
}

/** `living`: whom a member lives on as. */
export function loadRedemptions(
  t: RewardTables,
  needs: NeedsRedemptions,
  living: (member: Uuid) => Uuid | undefined,
): RedemptionSlices {
  const slices = noRedemptions()
  for (const { member, id } of needs.byId) {
    const one = t.redemptions.get(id)
    if (one?.member === member) slices.byId.set(id, one)
  }
  for (const [name, key] of needs.counts) {
    const times = [...t.redemptions.values()].filter(
      (one) =>
        one.rewardId === key.rewardId &&
        one.status !== STATUS.cancelled &&
        one.issuedAt >= key.since &&
        living(one.member) === key.member,
    ).length
    if (name !== countName(key)) throw new Error('a count has another name')
    slices.redeemed.set(name, { ...key, times })
  }
  for (const [name] of needs.stock) slices.stock.set(name, t.stock.get(name) ?? 0)
  for (const [poolId, wanted] of needs.pools) readPool(t, slices, poolId, wanted)
  for (const { member, seq } of needs.entries) if (madeBy(t, member, seq)) slices.made.add(`${member} ${seq}`)
  slices.shared = { stock: [...needs.stock.values()], pools: [...needs.pools.keys()] }
  return slices
}

function madeBy(t: RewardTables, member: Uuid, seq: number): boolean {
  return [...t.redemptions.values()].some((one) => one.member === member && one.spent.some((part) => part[2] === seq))
}

function readPool(t: RewardTables, slices: RedemptionSlices, poolId: number, wanted: number): void {
  const { next, codes } = poolIn(t, poolId)
  const some = codes.slice(next, next + wanted).map((code, i): [number, Code] => [next + 1 + i, code])
  slices.pools.set(poolId, { pool: { poolId, next, last: codes.length }, codes: new Map(some) })
}

/** What redemptions that were read need beside. */
export function needUndone(t: RewardTables, needs: FurtherNeeds, slices: RedemptionSlices): void {
  for (const { said } of slices.byId.values()) if (said.voucher) voucherNeeds(needs).keys.add(said.voucher)
  for (const id of needs.redemptions?.undone ?? []) {
    const one = slices.byId.get(id)
    if (!one || one.status === STATUS.cancelled) continue
    for (const [, , seq] of one.spent) needs.uses.push({ member: one.member, seq })
    if (one.poolId !== null && one.said.key !== undefined && !slices.pools.has(one.poolId))
      readPool(t, slices, one.poolId, 0)
  }
}

export function saveRedemption(t: RewardTables, { one, stock, codes }: RedemptionChanges): void {
  t.redemptions.set(one.id, one)
  for (const take of stock) {
    const name = stockName(take)
    const taken = t.stock.get(name) ?? 0
    if (take.times > 0 && taken > take.room) throw new Error(`of ${name}, ${taken} were taken, and no more can be`)
    t.stock.set(name, taken + take.times)
  }
  for (const { read, next, returned } of codes) {
    const pool = poolIn(t, read.poolId)
    if (pool.next !== read.next || pool.codes.length !== read.last) throw new Error('a pool is not what was read')
    pool.next = next
    pool.codes.push(...returned)
  }
}

function poolIn(t: RewardTables, poolId: number) {
  let pool = t.pools.get(poolId)
  if (!pool) t.pools.set(poolId, (pool = { next: 0, codes: [] }))
  return pool
}

/** As import-codes.ts: what was there is not there twice. */
export function importCodes(t: RewardTables, one: ConfiguredPool | undefined, codes: readonly string[]): string {
  if (!one) return 'pool_unknown'
  const pool = poolIn(t, one.poolId)
  for (const code of codes) {
    const key = codeKey(plainCode(code))
    if (!pool.codes.some((had) => had.key === key)) pool.codes.push({ code, key })
  }
  return 'ok'
}
