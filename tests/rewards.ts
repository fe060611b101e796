import { decodeId } from '../contract/ids.ts'
import type { CodesImported } from '../contract/code-pools.ts'
import type { RewardBody } from '../contract/rewards.ts'
import { withTx } from '../engine/base/db.ts'
import { createPool } from '../engine/configure-pools.ts'
import { createReward } from '../engine/configure-rewards.ts'
import { configurations } from '../engine/earning/configuration.ts'
import type { Ask } from '../engine/gate/asks.ts'
import type { FulfilAsk, RedeemAsk } from '../engine/gate/redemption-asks.ts'
import type { Gate, GateOptions } from '../engine/gate/gate.ts'
import { importCodes } from '../engine/import-codes.ts'
import { listEvents } from '../engine/views/events.ts'
import { createWalletReader } from '../engine/views/wallets.ts'
import { door, openShop, type Shop } from './shop.ts'

export type Told = { status: number; body: any }

/** The coffee shop with rewards, whose members are given what they spend. */
export type RewardShop = Shop & {
  send(ask: Ask, gate?: Gate): Promise<Told>
  reward(body: Partial<RewardBody> & { slug: string }): Promise<string>
  codes(slug: string, codes: readonly string[], more?: { reusable?: boolean; lowAt?: number }): Promise<CodesImported>
  /** A member (external:…) with so many points. */
  member(name: string, points: number): Promise<string>
  redeem(member: string, reward: string, more?: Partial<RedeemAsk>, gate?: Gate): Promise<Told>
  cancel(redemption: { id: string; member: string }, gate?: Gate): Promise<Told>
  step(
    redemption: { id: string; member: string },
    way: FulfilAsk['way'],
    more?: Partial<FulfilAsk>,
    gate?: Gate,
  ): Promise<Told>
  available(member: string, wallet?: string): Promise<number>
  /** Types of events of a member, in order; or the events themselves. */
  told(member?: string): Promise<any[]>
}

export async function openRewards(options: Partial<GateOptions> = {}): Promise<RewardShop> {
  const shop = await openShop(options)
  const { pool, space } = shop
  const known = configurations()
  const send = async (ask: Ask, gate: Gate = shop.gate): Promise<Told> => {
    const { status, body } = await gate.submit(space, ask)
    return { status, body: JSON.parse(body) }
  }
  const members = new Map<string, string>()
  const reader = createWalletReader(pool, known)
  return {
    ...shop,
    send,
    async reward(body) {
      const said = { program: 'coffee', name: body.slug, kind: 'experience', price: { points: 100 }, ...body }
      return (await withTx(pool, space, (tx) => createReward(tx, said as RewardBody, door()))).reward.id
    },
    codes: (slug, codes, more = {}) =>
      withTx(pool, space, async (tx) => {
        const made = await createPool(tx, { program: 'coffee', slug, name: slug, ...more }, door())
        return await importCodes(tx, made.pool.id, codes)
      }),
    async member(name, points) {
      const member = `external:${name}`
      const { body } = await shop.buy(`joins-${name}`, member, 1)
      members.set(member, body.member)
      if (points > 0) await send({ verb: 'adjust', member, wallet: 'points', points, reason: 'welcome' })
      return member
    },
    redeem: (member, reward, more = {}, gate = shop.gate) =>
      send({ verb: 'redeem', member, program: 'coffee', reward, ...more }, gate),
    cancel: (one, gate = shop.gate) =>
      send({ verb: 'cancelRedemption', member: one.member, redemption: decodeId('rdm', one.id) ?? '' }, gate),
    step: (one, way, more = {}, gate = shop.gate) =>
      send({ verb: 'fulfil', member: one.member, redemption: decodeId('rdm', one.id) ?? '', way, ...more }, gate),
    async available(member, wallet = 'points') {
      const answers = await reader.read(space, member)
      return answers?.find((one) => one.wallet === wallet)?.available ?? 0
    },
    async told(member) {
      const { data } = await listEvents(pool, known, space, { after: 0, limit: 10_000 })
      const id = member === undefined ? undefined : (members.get(member) ?? member)
      return data.filter((event) => id === undefined || event.member === id)
    },
  }
}
