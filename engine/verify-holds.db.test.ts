import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { decodeId } from '../contract/ids.ts'
import { openShop, type Shop } from '../tests/shop.ts'
import type { Ask } from './gate/asks.ts'
import { verify } from './verify.ts'

/** Held, refunded and changed points: verify passes on what the verbs made, and names what was tampered with. */
let shop: Shop
const DAY = 86_400_000
const look = async () => (await verify(shop.pool, shop.space)).wrong?.what
const member = 'external:ann'
async function send(ask: Ask) {
  const { status, body } = await shop.gate.submit(shop.space, ask)
  expect([status, body]).toEqual([expect.toSatisfy((code: number) => code < 300), body])
  return JSON.parse(body)
}

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  await settings({ expiry: { kind: 'rolling', period: 'P30D' }, pending: { kind: 'none' }, refundGrace: 'P7D' })
  const { id } = (await shop.buy('p-1', member, 10_000)).body
  const hold = { verb: 'hold', member, minutes: 60, reason: 'order' } as const
  const wallets = (points: number) => [{ wallet: 'points', points }]
  const held = await send({ ...hold, wallets: wallets(20), externalId: 'h-1' })
  const of = { member: held.member, hold: decodeId('hld', held.id) as string }
  const taken = await send({ verb: 'capture', ...of, points: 15 })
  const free = await send({ ...hold, wallets: wallets(5) })
  await send({ verb: 'release', member: free.member, hold: decodeId('hld', free.id) as string })
  await send({ verb: 'refund', member, spend: taken.parts[0].entry, points: 5, reason: 'a cup', externalId: 'f-1' })
  vi.setSystemTime(Date.now() + 31 * DAY)
  await send({ verb: 'refund', member, spend: taken.parts[0].entry, points: 3, reason: 'late' })
  await send({ verb: 'changeLot', member: held.member, of: { lot: 1 }, change: 'reinstate', reason: 'goodwill' })
  await settings({ pending: { kind: 'until', date: '2090-01-01' } })
  await shop.buy('p-2', member, 1000)
  await shop.buy('p-3', member, 500)
  const lots = await shop.sql('select seq from entries where kind = 1 and seq > 1 order by seq')
  const [second, third] = lots.map((row) => ({ lot: Number(row.seq) }))
  if (!second || !third) throw new Error('two purchases made no lots')
  await send({ verb: 'changeLot', member: held.member, of: second, change: 'activate', reason: 'sent' })
  await send({ verb: 'changeLot', member: held.member, of: third, change: 'cancel', reason: 'lost' })
  await send({ ...hold, wallets: wallets(2), externalId: 'h-2' })
  expect(id).toMatch(/^pur_/)
})
afterAll(() => vi.useRealTimers())

async function settings(patch: object): Promise<void> {
  await shop.sql('update wallets set settings = settings || $1::jsonb', [JSON.stringify(patch)])
  await shop.sql('update spaces set config_version = config_version + 1')
}

describe('verify', () => {
  it('passes on what the verbs made: every kind of it', async () => {
    const kinds = await shop.sql('select distinct kind from entries order by kind')
    expect(kinds.map(({ kind }) => kind)).toEqual([1, 2, 6, 7, 8, 9, 15])
    const [sums] = [...(await verify(shop.pool, shop.space)).wallets.values()]
    expect(sums).toMatchObject({ issued: 115, redeemed: 7, reversed: 5, adjusted: 0, moved: 0 })
    expect(sums && sums.issued - sums.redeemed - sums.reversed - sums.expired).toBe(sums?.balances)
  })

  /** Done past the application's rights; undone, all is well. */
  const damage: [string, string, string, RegExp][] = [
    [
      "a hold's reason",
      "update holds set reason = 'other' where external_id = 'h-2'",
      "update holds set reason = 'order' where external_id = 'h-2'",
      /hold hld_.*content/,
    ],
    [
      "a hold's deadline",
      "update holds set deadline = deadline + interval '1 minute' where external_id = 'h-2'",
      "update holds set deadline = deadline - interval '1 minute' where external_id = 'h-2'",
      /hold hld_.*content/,
    ],
    [
      'points that are held',
      `update holds set parts = replace(parts, '"p":2,', '"p":3,') where external_id = 'h-2'`,
      `update holds set parts = replace(parts, '"p":3,', '"p":2,') where external_id = 'h-2'`,
      /hold hld_.*add up/,
    ],
    [
      'a hold that is open again',
      'update holds set status = 1, settled_at = null where status = 3',
      'update holds set status = 3, settled_at = placed_at where status = 1 and external_id is null',
      /lot ent_|balance of wallet/,
    ],
    [
      'a hold that was never captured',
      "update holds set status = 3, captured = null where external_id = 'h-1'",
      "update holds set status = 2, captured = '[[15,2]]' where external_id = 'h-1'",
      /entry ent_.*hold/,
    ],
    [
      'how much was captured',
      `update holds set captured = '[[14,2]]' where external_id = 'h-1'`,
      `update holds set captured = '[[15,2]]' where external_id = 'h-1'`,
      /hold hld_.*captured/,
    ],
    [
      'a hold that was settled too late',
      "update holds set settled_at = deadline + interval '1 minute' where external_id = 'h-1'",
      "update holds set settled_at = placed_at where external_id = 'h-1'",
      /hold hld_.*deadline/,
    ],
    [
      "what leads to a hold's id",
      'update lookups set object_id = gen_random_uuid() where object_id = (select hold_id from holds where status = 3)',
      `update lookups set object_id = (select hold_id from holds where status = 3) where object_id is not null and seq is null
         and object_id not in (select hold_id from holds) and object_id not in (select purchase_id from purchases)`,
      /hold hld_.*does not lead/,
    ],
    [
      'a reason of a refund',
      "update entries set reason = 'other' where external_id = 'f-1'",
      "update entries set reason = 'a cup' where external_id = 'f-1'",
      /entry ent_.*reason/,
    ],
    [
      'an external id of a refund',
      "update entries set external_id = 'f-9' where external_id = 'f-1'",
      "update entries set external_id = 'f-1' where external_id = 'f-9'",
      /entry ent_.*external id/,
    ],
    [
      "a refund's name",
      'update lookups set seq = seq + 100 where seq is not null',
      'update lookups set seq = seq - 100 where seq is not null',
      /entry ent_.*does not lead/,
    ],
    [
      'why a lot began',
      "update entries set reason = 'other' where reason = 'sent'",
      "update entries set reason = 'sent' where reason = 'other'",
      /entry ent_.*reason/,
    ],
    [
      'why a lot was given up',
      "update entries set reason = 'other' where reason = 'lost'",
      "update entries set reason = 'lost' where reason = 'other'",
      /entry ent_.*reason/,
    ],
    [
      'why points came again',
      "update entries set reason = 'other' where reason = 'goodwill'",
      "update entries set reason = 'goodwill' where reason = 'other'",
      /entry ent_.*reason/,
    ],
    [
      'a reason of what time did',
      "update entries set reason = 'other' where kind = 6 and seq = (select min(seq) from entries where kind = 6)",
      'update entries set reason = null where kind = 6',
      /entry ent_.*reason/,
    ],
    [
      'when the books are looked at next',
      "update member_states set due_at = due_at + interval '1 day'",
      "update member_states set due_at = due_at - interval '1 day'",
      /state: time/,
    ],
    [
      'what is held in all',
      `update member_states set wallets = replace(wallets, '"h":2', '"h":1')`,
      `update member_states set wallets = replace(wallets, '"h":1', '"h":2')`,
      /balance of wallet .*held/,
    ],
  ]
  beforeEach(async () => expect(await look()).toBeUndefined())

  it.each(damage)('names %s', async (_what, harm, undo, named) => {
    await shop.sql(harm)
    expect(await look()).toMatch(named)
    await shop.sql(undo)
    expect(await look()).toBeUndefined()
  })
})
