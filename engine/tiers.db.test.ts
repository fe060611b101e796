import { describe, expect, test, vi } from 'vitest'
import { decodeId } from '@laurel/contract/ids'
import {
  type LadderShop,
  moveByHand,
  on,
  openLadder,
  pass,
  points,
  START,
  STATUS,
  until,
  wrong,
} from '../tests/ladders.ts'
import { NOW } from '../tests/shop.ts'
import { withRead } from './base/db.ts'
import { configurations } from './earning/configuration.ts'
import { preview } from './preview.ts'
import { currentConfiguration } from './views/current.ts'

moveByHand()

describe('a purchase', () => {
  test('earns at the tier that was held, before itself, and climbs at once', async () => {
    const shop = await openLadder()
    expect(points(await shop.buy('p1', 'external:ann', 12_000))).toBe(120)
    const second = await shop.buy('p2', 'external:ann', 10_100)
    expect(second.body.awards.map((a: any) => [a.points, a.why])).toEqual([
      [101, '1 point per 1.00 GBP on 101.00 GBP'],
      [50, '1.5 times 101, as Silver'],
    ])
    expect(await shop.holds('ann')).toEqual(['silver', '2028-01-01'])
    expect(await shop.told('ann')).toEqual(['joined', 'upgraded'])
    expect(points(await shop.buy('p3', 'external:ann', 40_000))).toBe(600)
    expect(points(await shop.buy('p4', 'external:ann', 100))).toBe(2)
    expect(await wrong(shop)).toBeUndefined()
  })

  test('that comes late earns at the tier of when it occurred', async () => {
    const shop = await openLadder()
    await shop.buy('p1', 'external:ann', 1_000, { occurredAt: on('2026-01-05T10:00:00Z') })
    await shop.buy('p2', 'external:ann', 12_000, { occurredAt: on('2026-02-05T10:00:00Z') })
    await shop.buy('p3', 'external:ann', 40_000, { occurredAt: on('2026-02-20T10:00:00Z') })
    const at = async (name: string, when: string) =>
      points(await shop.buy(name, 'external:ann', 1_000, { occurredAt: on(when) }))
    expect(await at('l1', '2026-01-20T10:00:00Z')).toBe(10)
    expect(await at('l2', '2026-02-05T10:00:00Z')).toBe(15)
    expect(await at('l3', '2026-02-19T10:00:00Z')).toBe(15)
    expect(await at('l4', '2026-02-20T10:00:00Z')).toBe(20)
    expect(await wrong(shop)).toBeUndefined()
  })

  test('that was paid at a till before the tier that is held now earns at the one before', async () => {
    const shop = await openLadder()
    await shop.sql(`update wallets set settings = settings || '{"pays": {"points": 1, "amount": 100}}'`)
    await shop.sql('update spaces set config_version = config_version + 1')
    const { body } = await shop.buy('p1', 'external:ann', 12_000, { occurredAt: on('2026-02-05T10:00:00Z') })
    const order = { currency: 'GBP', items: [{ sku: 'beans', quantity: 1, amount: 1_100 }] }
    const asked = { codes: [], policy: 'all', sequence: 'asked', points: { points: 1 }, minutes: 15 } as const
    const of = { member: body.member as string, externalId: 'o1' }
    const reserve = { verb: 'reserve', program: 'coffee', ...of, order, ...asked } as const
    const checkout = decodeId('chk', JSON.parse((await shop.gate.submit(shop.space, reserve)).body).id) ?? ''
    until('2026-03-02T10:05:00Z')
    await shop.buy('p2', 'external:ann', 40_000)
    const commit = { verb: 'commitCheckout', ...of, checkout, programId: 1, codes: [] } as const
    const said = await shop.gate.submit(shop.space, { ...commit, paidAt: on('2026-03-02T10:02:00Z') })
    expect(JSON.parse(said.body)).toMatchObject({ earned: [{ points: 15 }] })
    expect(await wrong(shop)).toBeUndefined()
  })

  test('counts as far as numbers reach, however much was bought; and nothing after it is stopped', async () => {
    const shop = await openLadder({ window: { kind: 'lifetime' } })
    for (const name of ['p1', 'p2', 'p3'])
      expect((await shop.buy(name, 'external:ann', Number.MAX_SAFE_INTEGER)).status).toBe(201)
    expect(await wrong(shop)).toBeUndefined()
    for (const name of ['p1', 'p2', 'p3'])
      expect((await shop.giveBack(`r-${name}`, 'external:ann', { purchase: `external:${name}` })).status).toBe(201)
    expect(await shop.holds('ann')).toEqual(['bronze', null])
    expect(await wrong(shop)).toBeUndefined()
  })

  test('returned, is decided again at the tier that it was bought at; and its progress moves back', async () => {
    const shop = await openLadder()
    await shop.buy('p1', 'external:ann', 12_000)
    const bought = { items: [{ sku: 'beans', quantity: 3, amount: 3_000 }] }
    expect(points(await shop.buy('p2', 'external:ann', 0, bought))).toBe(45)
    await shop.giveBack('r1', 'external:ann', { purchase: 'external:p1' })
    expect(await shop.holds('ann')).toEqual(['bronze', null])
    expect(await shop.told('ann')).toEqual(['joined', 'upgraded', 'downgraded'])
    expect((await shop.history('ann')).at(-1)).toMatchObject({ from: 'silver', to: 'bronze', why: 'taken_back' })
    const one = { purchase: 'external:p2', items: [{ sku: 'beans', quantity: 1 }] }
    expect((await shop.giveBack('r2', 'external:ann', one)).body.points).toBe(15)
    expect(points(await shop.buy('p3', 'external:ann', 1_000))).toBe(10)
    expect(await wrong(shop)).toBeUndefined()
  })

  test('without a member climbs nothing until it is claimed, then on what was left of it', async () => {
    const shop = await openLadder()
    await shop.gate.submit(shop.space, {
      verb: 'keep',
      program: 'coffee',
      externalId: 'k1',
      occurredAt: NOW(),
      currency: 'GBP',
      items: [{ sku: 'beans', quantity: 2, amount: 24_000 }],
    })
    await shop.giveBack('kr', 'nobody', {
      member: undefined,
      purchase: 'external:k1',
      items: [{ sku: 'beans', quantity: 1 }],
    })
    await shop.buy('k1', 'external:ann', 0, { items: [{ sku: 'beans', quantity: 2, amount: 24_000 }] })
    expect(await shop.holds('ann')).toEqual(['silver', '2028-01-01'])
    expect(await shop.sql('select amount::int from tier_progress')).toEqual([{ amount: 12_000 }])
    expect(await wrong(shop)).toBeUndefined()
  })
})

describe('time', () => {
  test('ends a tier, and tells it ahead: once each, however often and late it is asked', async () => {
    const shop = await openLadder({ noticeDays: 30, grace: { period: 'P1M' } })
    await shop.buy('p1', 'external:ann', 60_000)
    expect(await shop.holds('ann')).toEqual(['gold', '2028-02-01'])
    until('2028-01-01T23:59:59Z')
    expect(await pass(shop)).toBe(0)
    until('2028-01-02T00:00:00Z')
    expect(await pass(shop)).toBe(1)
    expect(await pass(shop)).toBe(0)
    expect(await shop.told('ann')).toEqual(['joined', 'upgraded', 'will_downgrade'])
    until('2028-03-01T00:00:00Z')
    expect(await pass(shop)).toBe(1)
    expect(await pass(shop)).toBe(0)
    expect(await shop.holds('ann')).toEqual(['bronze', null])
    expect((await shop.history('ann')).at(-1)).toEqual({
      from: 'gold',
      to: 'bronze',
      at: '2028-02-01T00:00:00.000Z',
      why: 'period_ended',
    })
    expect(await wrong(shop)).toBeUndefined()
  })

  test('needs no job: a purchase after the end earns as it should, and one before it too', async () => {
    const shop = await openLadder()
    await shop.buy('p1', 'external:ann', 60_000)
    until('2028-01-01T09:00:00Z')
    expect(points(await shop.buy('p2', 'external:ann', 1_000))).toBe(10)
    expect(points(await shop.buy('p3', 'external:ann', 1_000, { occurredAt: on('2027-12-31T23:59:59Z') }))).toBe(20)
    expect(await shop.told('ann')).toEqual(['joined', 'upgraded', 'downgraded'])
    expect(await wrong(shop)).toBeUndefined()
  })

  test('that nobody booked is known to the preview of a purchase as to the purchase, changes between too', async () => {
    const shop = await openLadder({ window: { kind: 'calendar', per: 'month' }, downgrade: 'one_level' })
    const { body } = await shop.buy('p1', 'external:ann', 50_000)
    until('2026-06-10T10:00:00Z') // gold to the end of April, silver to the end of May
    const configuration = await configurationAt(shop)
    for (const [day, given] of [
      ['04-30', 20],
      ['05-15', 15],
      ['06-01', 10],
    ] as const) {
      const occurredAt = on(`2026-${day}T10:00:00Z`)
      const bought = { currency: 'GBP', items: [{ sku: 'beans', quantity: 1, amount: 1_000 }] }
      const member = { member: decodeId('mem', body.member) ?? '', isNew: false, externalId: 'ann' }
      const said = await withRead(shop.pool, shop.space, (db) =>
        preview(db, configuration, { program: 'coffee', occurredAt, ...bought, member }, NOW()),
      )
      expect([day, said]).toEqual([day, expect.objectContaining({ points: given })])
    }
    const late = await shop.buy('p2', 'external:ann', 1_000, { occurredAt: on('2026-05-15T10:00:00Z') })
    expect(points(late)).toBe(15)
    expect(await wrong(shop)).toBeUndefined()
  })

  test('that takes points takes a tier that goes by their balance', async () => {
    const shop = await openLadder({
      metric: { kind: 'balance', wallet: 'points' },
      window: { kind: 'lifetime' },
      tiers: STATUS.tiers.map((tier) => ({ ...tier, threshold: tier.threshold / 100 })),
    })
    await shop.sql(`update wallets set settings = '{"expiry": {"kind": "rolling", "period": "P30D"}}'`)
    await shop.sql('update spaces set config_version = config_version + 1')
    await shop.buy('p1', 'external:ann', 20_000)
    expect(await shop.holds('ann')).toEqual(['silver', null])
    until('2026-04-01T10:00:00Z')
    expect(await pass(shop)).toBe(1)
    expect(await shop.holds('ann')).toEqual(['bronze', null])
    await shop.gate.submit(shop.space, {
      verb: 'adjust',
      member: 'external:ann',
      wallet: 'points',
      points: 150,
      reason: 'x',
    })
    expect(await shop.holds('ann')).toEqual(['silver', null])
    await shop.gate.submit(shop.space, {
      verb: 'spend',
      member: 'external:ann',
      wallet: 'points',
      points: 51,
      reason: 'x',
    })
    expect(await shop.holds('ann')).toEqual(['bronze', null])
    expect(await shop.told('ann')).toEqual(['joined', 'upgraded', 'downgraded', 'upgraded', 'downgraded'])
    expect(await wrong(shop)).toBeUndefined()
  })
})

describe('verify', () => {
  const tampered: [string, RegExp][] = [
    ["update tier_states set tier = 'gold'", /gold is held, silver by the changes/],
    ["update tier_states set tier = 'bronze', since = since", /bronze is held/],
    ['update tier_progress set amount = amount + 1', /progress of 2026-03-02 lacks -1 \(spend\)/],
    ['delete from tier_progress', /progress of 2026-03-02 lacks 12000/],
    ["update tier_history set to_tier = 'gold' where seq = 1", /change 2 does not follow/],
    ["update tier_states set until = until + interval '1 year'", /ends at another time/],
    ['update tier_states set due_at = null', /due at another time/],
    ['update tier_states set version = 7', /version 7/],
    ['update tier_states set keeping = 3', /lacks 12000/],
    ['delete from tier_history where seq = 2', /2 changes are noted, 1 are there/],
    ['delete from tier_states', /who holds nothing there/],
    ["update tier_states set due_at = due_at - interval '1 year'", /not be looked at/],
    [`update tier_states set standing = replace(standing, '"floor":null', '"floor":"gold"')`, /gold by what counts/],
    ['update tier_states set standing = \'{"joined":\'', /"status": its standing cannot be read/],
    [`update tier_states set standing = '{"joined":20000,"from":20000,"to":null}'`, /its standing cannot be read/],
    [
      `update tier_states set standing = replace(standing, '"floor":', '"graces":[{"tier":1}],"floor":')`,
      /its standing cannot be read/,
    ],
    ["update tier_history set until = at - interval '1 day' where seq = 2", /change 2 ended before it took effect/],
    ["update tier_history set why = 'taken_back' where seq = 2", /change 2 is no fall, and taken_back/],
    ["update tier_history set reason = 'x' where seq = 2", /change 2 was done by somebody, and reached/],
    [
      "update tier_history set booked_at = booked_at + interval '1 day' where seq = 1",
      /change 2 was written before the one before it/,
    ],
    ["update tier_history set why = 'assigned' where seq = 2", /change 2 was done by somebody who gave no reason/],
    [
      "update tier_states set manual_tier = 'silver', manual_reason = 'x'",
      /silver is held by hand, and nobody assigned it/,
    ],
  ]
  const byHand: [string, RegExp][] = [
    ["update tier_states set manual_reason = 'bribe'", /it was assigned for another reason/],
    ['update tier_states set manual_by = gen_random_uuid()', /it was assigned by somebody else/],
    ["update tier_history set reason = 'bribe' where seq = 4", /it was assigned for another reason/],
    ['update tier_history set actor = gen_random_uuid() where seq = 4', /it was assigned by somebody else/],
    ["update tier_history set why = 'ladder_changed', reason = null where seq = 4", /changes nothing/],
    [
      "update tier_history set why = 'ladder_changed' where seq = 2",
      /change 2 took effect when no version was published/,
    ],
    ["update tier_history set why = 'assignment_ended' where seq = 4", /nobody assigned it/],
  ]

  test('names what was tampered with', async () => {
    const shop = await openLadder()
    await shop.buy('p1', 'external:ann', 12_000)
    expect(await wrong(shop)).toBeUndefined()
    for (const [sql, what] of tampered) {
      const said = await tamper(shop, sql)
      expect([sql, said?.what]).toEqual([sql, expect.stringMatching(what)])
      expect(said?.member).toMatch(/^mem_/)
    }
    expect(await wrong(shop)).toBeUndefined()
  })

  test('names what was tampered with of what was done by hand, also where the same tier is held', async () => {
    const shop = await openLadder()
    await shop.buy('p0', 'external:ann', 1) // joins
    vi.setSystemTime(START + 86_400_000)
    await shop.buy('p1', 'external:ann', 12_000)
    await shop.assign({ tier: 'gold', reason: 'status match' })
    await shop.assign({ tier: 'gold', reason: 'and once more' })
    await shop.assign({ tier: 'gold', reason: 'and once more' })
    expect((await shop.history('ann')).map(({ from, to, why }) => [from, to, why])).toEqual([
      [null, 'bronze', 'reached'],
      ['bronze', 'silver', 'reached'],
      ['silver', 'gold', 'assigned'],
      ['gold', 'gold', 'assigned'],
    ])
    expect(await shop.told('ann')).toEqual(['joined', 'upgraded', 'upgraded'])
    expect(await wrong(shop)).toBeUndefined()
    for (const [sql, what] of byHand) {
      const said = await tamper(shop, sql)
      expect([sql, said?.what]).toEqual([sql, expect.stringMatching(what)])
    }
    await shop.assign({ verb: 'releaseTier', reason: 'over' })
    expect((await shop.history('ann')).at(-1)).toMatchObject({ from: 'gold', to: 'silver', why: 'assignment_ended' })
    expect(await wrong(shop)).toBeUndefined()
  })
})

function configurationAt(shop: LadderShop) {
  return withRead(shop.pool, shop.space, (db) => currentConfiguration(db, configurations()))
}

/** What verify says while this was done, which is undone after. */
async function tamper(shop: LadderShop, sql: string) {
  const tables = ['tier_states', 'tier_progress', 'tier_history']
  for (const table of tables) await shop.sql(`create table kept_${table} as select * from ${table}`)
  await shop.sql(sql)
  const said = await wrong(shop)
  for (const table of tables) {
    await shop.sql(`delete from ${table}`)
    await shop.sql(`insert into ${table} select * from kept_${table}`)
    await shop.sql(`drop table kept_${table}`)
  }
  return said
}
