import { afterAll, beforeAll, beforeEach, vi } from 'vitest'
import type { LadderBody, LadderVersionBody } from '../contract/tiers.ts'
import { withTx } from '../engine/base/db.ts'
import { numberEvents } from '../engine/base/outbox.ts'
import { createLadder, publishLadderVersion } from '../engine/configure-ladders.ts'
import type { AssignTierAsk, ReleaseTierAsk } from '../engine/gate/asks.ts'
import { passDue } from '../engine/pass-time.ts'
import { verify } from '../engine/verify.ts'
import { door, openShop, type Shop } from './shop.ts'

export const START = Date.UTC(2026, 2, 2, 10)

/** A clock that is moved by hand, and stands at START when a test begins: registers the hooks for it. */
export function moveByHand(): void {
  beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'] }))
  beforeEach(() => void vi.setSystemTime(START))
  afterAll(() => void vi.useRealTimers())
}
export const until = (text: string) => vi.setSystemTime(Date.parse(text))
export const on = (text: string) => Date.parse(text) * 1000
export const pass = (shop: LadderShop) => passDue(shop.pool, shop.gate, shop.space, 100)
export const wrong = async (shop: LadderShop) => (await verify(shop.pool, shop.space)).wrong
export const points = (said: { body: any }) => said.body.points

/** Spend in a calendar year, in three tiers; silver earns half as much again, gold twice. */
export const STATUS: LadderBody = {
  program: 'coffee',
  slug: 'status',
  name: 'Status',
  metric: { kind: 'spend' },
  window: { kind: 'calendar', per: 'year' },
  tiers: [
    { slug: 'bronze', name: 'Bronze', threshold: 0 },
    { slug: 'silver', name: 'Silver', threshold: 10_000, benefits: { multiplier: '1.5' } },
    { slug: 'gold', name: 'Gold', threshold: 50_000, benefits: { multiplier: '2' } },
  ],
}

/** A shop that gives a point a pound, and has such a ladder. */
export type LadderShop = Shop & {
  publish(body: LadderVersionBody): Promise<void>
  /** tier and until (a date or an instant), as they were last written */
  holds(member: string): Promise<[tier: string | null, until: string | null]>
  history(member: string): Promise<{ from: string | null; to: string | null; at: string; why: string }[]>
  /** types of the events about tiers, in order */
  told(member: string): Promise<string[]>
  assign(ask: Partial<AssignTierAsk> | Partial<ReleaseTierAsk>): Promise<{ status: number; body: any }>
}

export async function openLadder(body: Partial<LadderBody> = {}): Promise<LadderShop> {
  const shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  await withTx(shop.pool, shop.space, (tx) => createLadder(tx, { ...STATUS, ...body }, door()))
  const of = 'member_id = (select member_id from members where external_id = $1)'
  return {
    ...shop,
    async publish(version) {
      await withTx(shop.pool, shop.space, (tx) => publishLadderVersion(tx, body.slug ?? 'status', version, door()))
    },
    async holds(member) {
      const [row] = await shop.sql(`select tier, until from tier_states where ${of}`, [member])
      return [
        row?.tier as string | null,
        row?.until ? (row.until as Date).toISOString().replace('T00:00:00.000Z', '') : null,
      ]
    },
    async history(member) {
      const rows = await shop.sql(
        `select from_tier as "from", to_tier as "to", at, why from tier_history where ${of} order by seq`,
        [member],
      )
      return rows.map((row) => ({ ...row, at: (row.at as Date).toISOString() })) as never
    },
    async told(member) {
      await numberEvents(shop.pool, shop.space)
      const [row] = await shop.sql('select member_id from members where external_id = $1', [member])
      const events = await shop.sql(
        `select e ->> 0 as type from outbox o, json_array_elements(o.events::json) with ordinality as x(e, n)
          where e ->> 1 = $1 and e ->> 0 like 'member.tier%' order by o.first_position, n`,
        [row?.member_id],
      )
      return events.map(({ type }) => (type as string).slice('member.tier_'.length))
    },
    async assign(ask) {
      const whole = {
        verb: 'assignTier',
        member: 'external:ann',
        ladder: 'status',
        tier: 'gold',
        reason: 'status match',
        ...ask,
      }
      const outcome = await shop.gate.submit(shop.space, whole as AssignTierAsk)
      return { status: outcome.status, body: JSON.parse(outcome.body) }
    },
  }
}
