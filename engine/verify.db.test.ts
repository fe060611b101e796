import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { NOW, openShop, type Shop } from '../tests/shop.ts'
import { numberEvents } from './base/outbox.ts'
import { verify } from './verify.ts'

let shop: Shop
const look = async () => (await verify(shop.pool, shop.space)).wrong?.what

beforeAll(async () => {
  shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  await shop.rule('fixed', { points: 5 })
  await shop.buy('p-1', 'external:ann', 3000, { items: [{ sku: 'a', quantity: 3, amount: 3000 }] })
  await shop.buy('p-2', 'external:ann', 1000)
  await shop.gate.submit(shop.space, {
    verb: 'spend',
    member: 'external:ann',
    wallet: 'points',
    points: 37,
    reason: 'mug',
    externalId: 'mug-1',
  })
  await shop.giveBack('r-1', 'external:ann', { purchase: 'external:p-1', items: [{ sku: 'a', quantity: 2 }] })
  await shop.gate.submit(shop.space, {
    verb: 'adjust',
    member: 'external:ann',
    wallet: 'points',
    points: 9,
    reason: 'sorry',
  })
  await shop.buy('p-3', 'external:bob', 700)
  await numberEvents(shop.pool, shop.space)
})

describe('verify', () => {
  it('passes on what the verbs made, and counts it', async () => {
    const report = await verify(shop.pool, shop.space)
    expect(report).toMatchObject({ members: 2, purchases: 3, returns: 1 })
    expect(report.wrong).toBeUndefined()
    const [sums] = [...report.wallets.values()]
    expect(sums).toMatchObject({ issued: 62, redeemed: 37, adjusted: 9 })
    expect(sums && sums.issued - sums.reversed - sums.redeemed + sums.adjusted).toBe(sums?.balances)
  })

  /** Every kind of damage, done as superuser past the application's rights, is named; undone, all is well. */
  const damage: [string, string, string, RegExp][] = [
    [
      'an entry one point richer',
      'update entries set points = points + 1 where seq = 1',
      'update entries set points = points - 1 where seq = 1',
      /entry ent_/,
    ],
    [
      'an entry with another reason of a rule',
      'update entries set rule_version_id = 99 where seq = 1',
      'update entries set rule_version_id = 1 where seq = 1',
      /entry ent_.*hash/,
    ],
    [
      'one bit of a hash',
      'update entries set hash = set_byte(hash, 3, get_byte(hash, 3) # 1) where seq = 2',
      'update entries set hash = set_byte(hash, 3, get_byte(hash, 3) # 1) where seq = 2',
      /entry ent_.*hash/,
    ],
    [
      'a missing last entry',
      'update member_states set entry_seq = entry_seq - 1 where entry_seq > 2',
      'update member_states set entry_seq = entry_seq + 1 where entry_seq > 2',
      /state: says/,
    ],
    [
      'another chain',
      'update member_states set chain = set_byte(chain, 0, get_byte(chain, 0) # 1)',
      'update member_states set chain = set_byte(chain, 0, get_byte(chain, 0) # 1)',
      /state: its chain/,
    ],
    [
      'a balance',
      `update member_states set wallets = replace(wallets, '"s":37', '"s":36')`,
      `update member_states set wallets = replace(wallets, '"s":36', '"s":37')`,
      /balance of wallet/,
    ],
    [
      'a lot with more left',
      'update lots set remaining = remaining + 1',
      'update lots set remaining = remaining - 1',
      /lot ent_/,
    ],
    ['a lot use', 'update lot_uses set points = points + 1', 'update lot_uses set points = points - 1', /ent_/],
    [
      'an item of a purchase',
      `update purchases set items = replace(items, '"amount":3000', '"amount":3001')`,
      `update purchases set items = replace(items, '"amount":3001', '"amount":3000')`,
      /purchase pur_.*content/,
    ],
    [
      'an award',
      `update purchases set awards = replace(awards, '5', '6') where external_id = 'p-3'`,
      `update purchases set awards = replace(awards, '6', '5') where external_id = 'p-3'`,
      /purchase pur_/,
    ],
    [
      'returned units',
      `update purchases set returned = replace(returned, '[2]', '[1]')`,
      `update purchases set returned = replace(returned, '[1]', '[2]')`,
      /purchase pur_.*returned units/,
    ],
    [
      'a lookup',
      `update lookups set object_id = gen_random_uuid() where object_id = (select purchase_id from purchases where external_id = 'p-3')`,
      `update lookups l set object_id = (select purchase_id from purchases where external_id = 'p-3') where object_id is not null and not exists (select from purchases p where p.purchase_id = l.object_id) and not exists (select from returns r where r.return_id = l.object_id)`,
      /external id does not lead/,
    ],
    [
      'a purchase whose entries are gone',
      "update entries set source_id = 'aaaaaaaa-0000-7000-8000-000000000000' where seq = 1 and source_id = (select purchase_id from purchases where external_id = 'p-3')",
      "update entries set source_id = (select purchase_id from purchases where external_id = 'p-3') where source_id = 'aaaaaaaa-0000-7000-8000-000000000000'",
      /entry ent_/,
    ],
    [
      'a reason',
      "update entries set reason = 'other' where reason = 'mug'",
      "update entries set reason = 'mug' where reason = 'other'",
      /entry ent_.*reason/,
    ],
    ['a status', 'update member_states set status = 2', 'update member_states set status = 1', /status/],
    [
      'what a return asked',
      `update returns set asked = replace(asked, '"quantity":2', '"quantity":3')`,
      `update returns set asked = replace(asked, '"quantity":3', '"quantity":2')`,
      /return ret_.*content/,
    ],
    [
      'what was written off',
      `update purchases set returned = replace(returned, '"writtenOff":', '"writtenOff":1') where returned is not null`,
      `update purchases set returned = replace(returned, '"writtenOff":1', '"writtenOff":') where returned is not null`,
      /wrote off/,
    ],
    [
      "a spend's lookup",
      'update lookups set seq = seq + 100 where seq is not null',
      'update lookups set seq = seq - 100 where seq is not null',
      /entry ent_.*does not lead/,
    ],
    [
      "a member's lookup",
      "update lookups set key = gen_random_uuid() where object_id is null and seq is null and member_id = (select member_id from members where external_id = 'bob')",
      "update lookups l set key = k.key from (select encode(substring(sha256(convert_to('member.external', 'UTF8') || '\\x00'::bytea || convert_to('bob', 'UTF8')) from 1 for 16), 'hex')::uuid as key) k where l.object_id is null and l.seq is null and l.member_id = (select member_id from members where external_id = 'bob')",
      /external id does not lead/,
    ],
    [
      'how many events a member has',
      'update member_states set event_seq = event_seq + 1',
      'update member_states set event_seq = event_seq - 1',
      /events of member mem_/,
    ],
    [
      'a gap in the outbox',
      'update outbox set first_position = first_position + 1 where first_position = (select max(first_position) from outbox)',
      'update outbox set first_position = first_position - 1 where first_position = (select max(first_position) from outbox)',
      /outbox/,
    ],
  ]
  beforeEach(async () => expect(await look()).toBeUndefined())

  it.each(damage)('names %s', async (_what, harm, undo, named) => {
    await shop.sql(harm)
    expect(await look()).toMatch(named)
    await shop.sql(undo)
    expect(await look()).toBeUndefined()
  })

  it('names the reason of any entry of a transfer that is another: of who sent, of who got it, of the fee', async () => {
    await shop.sql(`update wallets set settings = settings || '{"transfers": {"feePoints": 1}}'`)
    await shop.sql('update spaces set config_version = config_version + 1')
    const gift = { verb: 'transfer', member: 'external:bob', to: 'external:ann', wallet: 'points' } as const
    expect((await shop.gate.submit(shop.space, { ...gift, points: 3, reason: 'a gift' })).status).toBe(201)
    const entries = await shop.sql("select member_id, seq from entries where reason = 'a gift'")
    expect(entries).toHaveLength(3)
    for (const { member_id, seq } of entries) {
      const say = (reason: string) =>
        shop.sql('update entries set reason = $3 where member_id = $1 and seq = $2', [member_id, seq, reason])
      await say('a bribe')
      expect(await look()).toMatch(/reason/)
      await say('a gift')
      expect(await look()).toBeUndefined()
    }
  })

  it('goes on working while purchases come in', async () => {
    const buying = Promise.all(
      Array.from({ length: 300 }, (_, i) => shop.buy(`live-${i}`, `external:m${i % 7}`, i * 10, { occurredAt: NOW() })),
    )
    for (let i = 0; i < 5; i++) expect(await look()).toBeUndefined()
    await buying
    expect(await look()).toBeUndefined()
  })
})
