import { madeCodeKey } from './names.ts'
import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { GeneratedCode } from '@laurel/contract/rewards'
import { periodBounds } from '../base/calendar.ts'
import { codeKey, codeOf, normalCode } from '../base/codes.ts'
import { digestOf } from '../base/keys.ts'
import type { Pool } from '../codes/pools.rules.ts'
import type { Configuration } from '../earning/configuration.ts'
import type { ConfiguredPool } from '../earning/configured.ts'
import { memberLimit, stockOf } from '../rewards/rewards.rules.ts'
import { stockName } from '../rewards/stock.sql.ts'
import type { Facts } from './asks.ts'
import { MovedError } from './faults.ts'
import type { Found } from './redemptions.ts'
import { countName, type RedemptionChanges, redemptionNeeds } from './redemption-slices.ts'
import { readsMember } from './rewards.ts'
import type { FurtherNeeds, Slices } from './slices.ts'

/** What is to be known of the reward, and of what members share. */
export function needReward(c: Configuration, found: Found, member: Uuid, facts: Facts, needs: FurtherNeeds): void {
  const { program, reward } = found
  const own = redemptionNeeds(needs)
  for (const key of stockOf(reward, facts.now, program.timezone)) own.stock.set(stockName(key), key)
  const pool = poolOf(c, found)
  if (pool) own.pools.set(pool.poolId, (own.pools.get(pool.poolId) ?? 0) + 1)
  const made = makeCode(found, facts)
  if (made) own.codes.set(made.key, () => makeCode(found, facts, true)?.key)
  for (const count of [countOf(found, member, facts.now), everOf(found, member)])
    if (count) own.counts.set(countName(count), count)
  if (!readsMember(reward)) return
  needs.limits ??= { counters: new Map(), budgets: new Map(), members: new Set() }
  needs.limits.members.add(member)
}

/** A reward that takes nothing from the wallet whose threshold redeems it is redeemed so once: the balance stays where it is. */
function everOf({ reward }: Found, member: Uuid) {
  const { auto, price } = reward.terms
  if (!auto || price.every((cost) => Object.hasOwn(cost, auto.wallet))) return undefined
  return { member, rewardId: reward.rewardId, since: 0 }
}

/** Whether a threshold redeems it for the member still. */
export function isReached(slices: Slices, found: Found, member: Uuid, points: number): boolean {
  const { auto } = found.reward.terms
  if (!auto || points < auto.threshold) return false
  const ever = everOf(found, member)
  return !ever || (slices.redemptions.redeemed.get(countName(ever))?.times ?? 0) === 0
}

/** What the member's limit counts; undefined where there is none. */
function countOf({ program, reward }: Found, member: Uuid, at: Instant) {
  const limit = memberLimit(reward.terms)
  if (!limit) return undefined
  const since = limit.per === 'lifetime' ? 0 : periodBounds(limit.per, at, program.timezone).from
  return { member, rewardId: reward.rewardId, since }
}

function poolOf(c: Configuration, { program, reward }: Found): ConfiguredPool | undefined {
  const { code } = reward.terms
  if (!code || !('pool' in code)) return undefined
  const pool = c.pools.find(({ programId, slug }) => programId === program.programId && slug === code.pool)
  if (!pool) throw new Error(`the pool "${code.pool}" of a reward is not in the configuration`)
  return pool
}

type Code = { code: string; key: Uuid }

/** The code that is made of the ask's chance; undefined where the reward makes none. `again`: another, where that should be somebody's already. */
function makeCode({ reward }: Found, { chance }: Facts, again = false): Code | undefined {
  const { code } = reward.terms
  if (!code || !('generate' in code)) return undefined
  if (chance === undefined) throw new Error('a code is to be made without chance')
  const said: GeneratedCode = code.generate
  const made = codeOf(said, again ? digestOf(chance).replaceAll('-', '') : chance)
  return { code: made, key: codeKey(normalCode(made, said.alphabet)) }
}

/** What was taken up to now of what is limited. */
export function takenOf(slices: Slices, found: Found, member: Uuid, at: Instant) {
  const { stock, redeemed, pools } = slices.redemptions
  const left: { total?: number; period?: number } = {}
  for (const key of stockOf(found.reward, at, found.program.timezone))
    left[key.period === 'all' ? 'total' : 'period'] = key.limit - (stock.get(stockName(key)) ?? 0)
  const count = countOf(found, member, at)
  const times = count && redeemed.get(countName(count))
  if (count && !times) throw new MovedError('how often a member redeemed a reward was not read')
  const pool = poolOf(slices.configuration, found)
  const known = pool && pools.get(pool.poolId)
  if (pool && !known) throw new MovedError(`pool ${pool.poolId} was not read`)
  return { left, redeemed: times?.times ?? 0, pool: known?.pool }
}

/** A code: by which name one that was made leads to its redemption, the pool that it is of, and its key where it goes back there when that is cancelled. */
export type Taken = {
  code: string
  key: Uuid
  name?: Uuid
  taken?: RedemptionChanges['codes'][number]
  poolId?: number
  back?: Uuid | undefined
}

/** The next code of the pool, or a new one; undefined where the reward has none. There is one: it was asked before. */
export function takeCode(slices: Slices, found: Found, facts: Facts): Taken | undefined {
  const pool = poolOf(slices.configuration, found)
  if (pool) {
    const known = slices.redemptions.pools.get(pool.poolId)
    const read: Pool | undefined = known?.pool
    const seq = (read?.next ?? 0) + 1
    const next = known?.codes.get(seq)
    if (!read || !next) throw new MovedError(`code ${seq} of pool ${pool.poolId} was not read`)
    const taken = { read, next: seq, last: read.last, returned: [] }
    const back = pool.reusable ? next.key : undefined
    return { code: next.code, key: next.key, taken, poolId: pool.poolId, back }
  }
  const { taken } = slices.redemptions
  const made = makeCode(found, facts)
  if (!made) return undefined
  const free = taken.has(made.key) ? makeCode(found, facts, true) : made
  if (!free || taken.has(free.key)) throw new Error('two codes that were made are taken: is chance broken?')
  return { ...free, name: madeCodeKey(free.key) }
}
