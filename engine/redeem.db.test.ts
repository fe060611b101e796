import { beforeAll, describe, expect, it } from 'vitest'
import { decodeId } from '../contract/ids.ts'
import { DAY } from '../contract/instants.ts'
import { STATUS } from '../tests/ladders.ts'
import { openRewards, type RewardShop } from '../tests/rewards.ts'
import { door, NOW } from '../tests/shop.ts'
import { codeChecks } from './base/codes.ts'
import { type Db, withRead, withTx } from './base/db.ts'
import { newId } from './base/ids.ts'
import { createLadder } from './configure-ladders.ts'
import { createWallet } from './configure-wallets.ts'
import { configurations } from './earning/configuration.ts'
import { loadRedemptionSlices, redemptionNeeds } from './gate/redemption-slices.ts'
import { getRedemption } from './views/redemptions.ts'
import { verify } from './verify.ts'

let shop: RewardShop
beforeAll(async () => {
  shop = await openRewards()
})
const wrong = async () => (await verify(shop.pool, shop.space)).wrong?.what
const codeOf = (told: { status: number; body: any }) => told.body.code ?? told.status
let n = 0
const rich = (points = 1000) => shop.member(`m${++n}`, points)

describe('redeeming', () => {
  it('takes the price, once for an external id, and tells it', async () => {
    await shop.reward({ slug: 'tasting', price: { points: 300 } })
    const ann = await rich()
    const told = await shop.redeem(ann, 'tasting', { externalId: 'r-1' })
    expect(told.status).toBe(201)
    expect(told.body).toMatchObject({
      slug: 'tasting',
      name: 'tasting',
      kind: 'experience',
      version: 1,
      status: 'issued',
      spent: { points: 300 },
      uses: { total: 1, used: 0 },
      validUntil: null,
      automatic: false,
      externalId: 'r-1',
      wallets: [{ available: 700, lifetimeSpent: 300 }],
    })
    expect(told.body.code).toBeUndefined()
    const again = await shop.redeem(ann, 'tasting', { externalId: 'r-1' })
    expect([again.status, again.body]).toEqual([200, told.body])
    expect(codeOf(await shop.redeem(ann, 'tasting', { externalId: 'r-1', store: 'soho' }))).toBe('external_id_conflict')
    expect(codeOf(await shop.redeem(await rich(), 'tasting', { externalId: 'r-1' }))).toBe('external_id_conflict')
    expect(await shop.available(ann)).toBe(700)
    const events = (await shop.told(ann)).slice(-2)
    expect(events.map(({ type }) => type)).toEqual(['points.spent', 'reward.redeemed'])
    expect(events[0].data.source).toEqual({ type: 'redemption', id: told.body.id })
    expect(events[1].data).toMatchObject({ redemption: told.body.id, slug: 'tasting', spent: { points: 300 } })
    expect(await wrong()).toBeUndefined()
  })

  it('is refused where there is no such thing or nobody, and takes nothing', async () => {
    const bob = await rich(50)
    expect(codeOf(await shop.redeem(bob, 'nothing'))).toBe('reward_unknown')
    expect(codeOf(await shop.redeem(bob, 'tasting', { program: 'tea' }))).toBe('program_unknown')
    expect(codeOf(await shop.redeem('external:nobody', 'tasting'))).toBe('member_unknown')
    expect(codeOf(await shop.redeem(bob, 'tasting'))).toBe('insufficient_points')
    await shop.reward({ slug: 'secret', status: 'draft' })
    expect(codeOf(await shop.redeem(bob, 'secret'))).toBe('reward_unknown')
    expect(await shop.available(bob)).toBe(50)
  })

  it('asks for a confirmation where the reward says so', async () => {
    await shop.reward({ slug: 'dear', stepUp: true })
    const cat = await rich()
    expect(codeOf(await shop.redeem(cat, 'dear'))).toBe('confirmation_required')
    expect((await shop.redeem(cat, 'dear', { confirmed: true })).status).toBe(201)
  })

  it('takes the first price that can be paid, or the one that is asked for', async () => {
    await shop.reward({ slug: 'either', price: [{ points: 500 }, { points: 200 }, {}] })
    const dan = await rich(600)
    expect((await shop.redeem(dan, 'either', { price: 1 })).body.spent).toEqual({ points: 200 })
    expect((await shop.redeem(dan, 'either')).body.spent).toEqual({ points: 200 })
    expect((await shop.redeem(dan, 'either')).body.spent).toEqual({ points: 200 })
    expect(codeOf(await shop.redeem(dan, 'either', { price: 0 }))).toBe('insufficient_points')
    const free = await shop.redeem(dan, 'either')
    expect([free.body.spent, free.body.entries]).toEqual([{}, []])
    expect(codeOf(await shop.redeem(dan, 'either', { price: 7 }))).toBe('invalid_request')
    expect((await shop.cancel(free.body)).body.status).toBe('cancelled')
    expect(await wrong()).toBeUndefined()
  })

  it('is asked whether it is for the member: condition, store, dates', async () => {
    await shop.reward({ slug: 'vip', visibility: { when: 'member.hasEmail', stores: ['soho'] } })
    const eve = await rich()
    expect(codeOf(await shop.redeem(eve, 'vip'))).toBe('not_eligible')
    expect(codeOf(await shop.redeem(eve, 'vip', { store: 'soho' }))).toBe('not_eligible')
    await shop.sql("update members set email = 'eve@example.com' where external_id = $1", [eve.slice(9)])
    expect((await shop.redeem(eve, 'vip', { store: 'soho' })).status).toBe(201)
    await shop.reward({ slug: 'past', visibility: { endsAt: '2020-01-01T00:00:00Z' } })
    expect(codeOf(await shop.redeem(eve, 'past'))).toBe('not_eligible')
    await shop.reward({ slug: 'ended', valid: { until: '2020-01-01' } })
    expect(codeOf(await shop.redeem(eve, 'ended'))).toBe('not_eligible')
  })

  it('counts what the member redeemed, cancelled ones not, and what is left of the stock', async () => {
    await shop.reward({ slug: 'twice', price: { points: 1 }, stock: { total: 3, perMember: 2 } })
    const [fay, gus] = [await rich(), await rich()]
    const first = (await shop.redeem(fay, 'twice')).body
    await shop.redeem(fay, 'twice')
    expect(codeOf(await shop.redeem(fay, 'twice'))).toBe('limit_reached')
    const [, third] = await Promise.all([shop.cancel(first), shop.redeem(first.member, 'twice')]) // in one list
    expect(third.status).toBe(201)
    expect((await shop.redeem(gus, 'twice')).status).toBe(201)
    expect(codeOf(await shop.redeem(gus, 'twice'))).toBe('out_of_stock')
    expect(await shop.sql('select taken from stock order by reward_id desc limit 1')).toEqual([{ taken: 3 }])
    await shop.reward({
      slug: 'daily',
      price: { points: 1 },
      stock: { perPeriod: { per: 'day', total: 1 }, perMember: { per: 'day', times: 1 } },
    })
    expect((await shop.redeem(gus, 'daily')).status).toBe(201)
    expect(codeOf(await shop.redeem(gus, 'daily'))).toBe('limit_reached')
    expect(codeOf(await shop.redeem(fay, 'daily'))).toBe('out_of_stock')
    expect(await wrong()).toBeUndefined()
  })

  it('of points into another wallet gives them at once, and is never undone', async () => {
    await withTx(shop.pool, shop.space, (tx) => createWallet(tx, 'coffee', { slug: 'miles' }, door()))
    await shop.reward({ slug: 'fly', kind: 'conversion', value: { kind: 'points', wallet: 'miles', points: 40 } })
    const hal = await rich(150)
    const told = await shop.redeem(hal, 'fly')
    expect(told.body).toMatchObject({
      status: 'used',
      spent: { points: 100 },
      received: { wallet: 'miles', points: 40 },
      uses: { total: 1, used: 1 },
    })
    expect([await shop.available(hal), await shop.available(hal, 'miles')]).toEqual([50, 40])
    expect(codeOf(await shop.cancel(told.body))).toBe('redemption_not_open')
    const events = (await shop.told(hal)).slice(-3)
    expect(events.map(({ type, data }) => [type, data.points ?? data.received])).toEqual([
      ['points.converted', -100],
      ['points.converted', 40],
      ['reward.redeemed', undefined],
    ])
    expect(await wrong()).toBeUndefined()
  })
})

describe('tiers', () => {
  it('decide who may redeem a reward, and are read by its condition', async () => {
    const of = await openRewards()
    await withTx(of.pool, of.space, (tx) => createLadder(tx, STATUS, door()))
    await of.reward({ slug: 'lounge', price: { points: 1 }, visibility: { tiers: { status: ['gold'] } } })
    await of.reward({ slug: 'gala', price: { points: 1 }, visibility: { when: 'member.tiers.status == "gold"' } })
    const sue = await of.member('sue', 10)
    expect(codeOf(await of.redeem(sue, 'lounge'))).toBe('not_eligible')
    expect(codeOf(await of.redeem(sue, 'gala'))).toBe('not_eligible')
    await of.buy('big', sue, 60_000)
    expect((await of.redeem(sue, 'lounge')).status).toBe(201)
    expect((await of.redeem(sue, 'gala')).status).toBe(201)
  })
})

describe('codes', () => {
  it('of a pool are handed out in order, each once, and lead to their redemption', async () => {
    await shop.codes('cinema', ['CINE-1', 'CINE-2', 'CINE-3'])
    await shop.reward({ slug: 'film', price: { points: 1 }, code: { pool: 'cinema' } })
    const ivy = await rich()
    const [a, b] = [(await shop.redeem(ivy, 'film')).body, (await shop.redeem(ivy, 'film')).body]
    expect([a.code, b.code]).toEqual(['CINE-1', 'CINE-2'])
    const found = (code: string) =>
      withRead(shop.pool, shop.space, (db) => getRedemption(db, configurations(), `code:${code}`, NOW()))
    expect((await found('cine 2')).id).toBe(b.id)
    await expect(found('CINE-3')).rejects.toMatchObject({ refusal: { code: 'redemption_unknown' } })
    await shop.cancel(a)
    expect((await shop.redeem(ivy, 'film')).body.code).toBe('CINE-3')
    expect(codeOf(await shop.redeem(ivy, 'film'))).toBe('out_of_stock')
    expect(await wrong()).toBeUndefined()
  })

  it('lead to the very one that has it, and to one that looks alike only where nobody has it', async () => {
    await shop.codes('alike', ['AB-O1', 'AB-01', 'CD-O1'])
    await shop.reward({ slug: 'alike', price: { points: 1 }, code: { pool: 'alike' } })
    const ivy = await rich()
    const [o, zero] = [(await shop.redeem(ivy, 'alike')).body, (await shop.redeem(ivy, 'alike')).body]
    const found = async (code: string) =>
      (await withRead(shop.pool, shop.space, (db) => getRedemption(db, configurations(), `code:${code}`, NOW()))).id
    expect([await found('ab-o1'), await found('ab-01'), await found('ab-0i')]).toEqual([o.id, zero.id, zero.id])
  })

  it('of a reusable pool come back when they are cancelled', async () => {
    await shop.codes('museum', ['MUSE-1'], { reusable: true })
    await shop.reward({ slug: 'museum', price: { points: 1 }, code: { pool: 'museum' } })
    const jon = await rich()
    const first = (await shop.redeem(jon, 'museum')).body
    expect(codeOf(await shop.redeem(jon, 'museum'))).toBe('out_of_stock')
    await shop.cancel(first)
    await shop.cancel(first)
    const second = (await shop.redeem(jon, 'museum')).body
    expect([second.code, second.id === first.id]).toEqual(['MUSE-1', false])
    expect(codeOf(await shop.redeem(jon, 'museum'))).toBe('out_of_stock')
    const leads = await withRead(shop.pool, shop.space, (db) =>
      getRedemption(db, configurations(), 'code:muse1', NOW()),
    )
    expect(leads.id).toBe(second.id)
    expect(await wrong()).toBeUndefined()
  })

  it('are made where the reward says so: long, readable, checked', async () => {
    await shop.reward({ slug: 'ticket', price: { points: 1 }, code: { generate: { length: 12, prefix: 'TKT' } } })
    const kim = await rich()
    const codes = await Promise.all(
      Array.from({ length: 50 }, async () => (await shop.redeem(kim, 'ticket')).body.code),
    )
    expect(new Set(codes).size).toBe(50)
    await expect(shop.codes('again', [codes[0], 'FRESH-1'])).resolves.toMatchObject({
      added: 1,
      refused: [{ index: 0 }],
    })
    for (const code of codes) {
      expect(code).toMatch(/^TKT-/)
      expect(codeChecks(code)).toBe(true)
    }
    expect(await wrong()).toBeUndefined()
  })

  it('that are made are looked for among those of pools, which are not read through', async () => {
    await shop.codes('vast', ['VAST-1'])
    await shop.sql(
      `insert into pool_codes select space_id, pool_id, n + 1, 'V' || n, md5(n::text)::uuid, false
         from pool_codes, generate_series(1, 20000) n where code = 'VAST-1'`,
    )
    await shop.sql('analyze pool_codes')
    const plan = await withRead(shop.pool, shop.space, async (db) => {
      const seen: string[] = []
      const query = async (text: string, values?: readonly unknown[]) => {
        const rows = await db.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values)
        seen.push(...rows.map((row) => row['QUERY PLAN']))
        return []
      }
      const needs = redemptionNeeds({})
      needs.codes.set(newId(), newId)
      await loadRedemptionSlices({ ...db, space: shop.space, query } as unknown as Db, needs)
      return seen.join('\n')
    })
    expect(plan).toContain('pool_codes_by_key')
    expect(plan).not.toContain('Seq Scan on pool_codes')
    const rows = await shop.sql("select key from pool_codes where code in ('V1', 'V2')")
    const [one, two] = rows.map((row) => String(row.key)) as [string, string]
    const taken = (made: string, other: string) =>
      withRead(shop.pool, shop.space, async (db) => {
        const needs = redemptionNeeds({})
        needs.codes.set(made, () => other)
        return [...(await loadRedemptionSlices(db, needs)).taken]
      })
    expect(await taken(one, newId())).toEqual([one])
    expect(await taken(one, two)).toEqual([one, two])
    expect(await taken(newId(), two)).toEqual([]) // the other is looked for where the first is taken
    await shop.sql("delete from pool_codes where code like 'V%' and code <> 'VAST-1'")
    expect(await wrong()).toBeUndefined()
  })
})

describe('cancelling', () => {
  it('gives points back to the lots that they came from, with the ends that those had', async () => {
    const lea = await shop.member('lea', 0)
    const opens = (points: number, expiresAt: number, externalId: string) =>
      shop.send({
        verb: 'open',
        member: lea,
        program: 'coffee',
        wallet: 'points',
        points,
        earnedAt: NOW() - DAY,
        expiresAt,
        externalId,
      })
    await opens(60, NOW() + 10 * DAY, 'soon')
    await opens(100, NOW() + 20 * DAY, 'late')
    const lots = () =>
      shop.sql(`select e.seq, coalesce(l.remaining, e.points)::int as left, e.expires_at from entries e left join lots l using (member_id, seq)
        where e.kind = 14 and e.member_id = (select member_id from members where external_id = 'lea') order by e.seq`)
    const before = await lots()
    const told = (await shop.redeem(lea, 'tasting-100')).body
    expect(told.code).toBe('reward_unknown')
    await shop.reward({ slug: 'tasting-100' })
    const one = (await shop.redeem(lea, 'tasting-100')).body
    expect((await lots()).map(({ left }) => left)).toEqual([0, 60])
    const cancelled = await shop.cancel(one)
    expect(cancelled.body).toMatchObject({ status: 'cancelled' })
    expect(cancelled.body.wallets[0]).toMatchObject({ available: 160, lifetimeSpent: 0 })
    expect(cancelled.body.history.map(({ status }: any) => status)).toEqual(['issued', 'cancelled'])
    expect(await lots()).toEqual(before)
    expect((await shop.cancel(one)).body).toEqual(cancelled.body)
    const events = (await shop.told(lea)).slice(-2)
    expect(events.map(({ type }) => type)).toEqual(['points.refunded', 'redemption.cancelled'])
    expect(events[0].data.source).toEqual({ type: 'redemption', id: one.id })
    expect(await wrong()).toBeUndefined()
  })

  it('does not undo what was used, and its points are not refunded by another way', async () => {
    await shop.reward({ slug: 'spa', price: { points: 10 }, valid: { uses: 2 } })
    const mia = await rich()
    const one = (await shop.redeem(mia, 'spa')).body
    const refund = await shop.send({ verb: 'refund', member: mia, spend: one.entries[0], reason: 'please' })
    expect(codeOf(refund)).toBe('entry_unknown')
    expect((await shop.step(one, 'use')).body).toMatchObject({ status: 'issued', uses: { used: 1 } })
    expect(codeOf(await shop.cancel(one))).toBe('redemption_not_open')
    expect((await shop.step(one, 'use')).body).toMatchObject({ status: 'used', uses: { used: 2 } })
    expect(codeOf(await shop.step(one, 'use'))).toBe('redemption_not_open')
    expect(codeOf(await shop.cancel(one))).toBe('redemption_not_open')
    expect(await wrong()).toBeUndefined()
  })

  it('of one who was merged since gives the points to the other, and their limits are one', async () => {
    await shop.reward({ slug: 'once', price: { points: 50 }, stock: { perMember: 1 } })
    const [ned, ora] = [await rich(100), await rich(100)]
    const one = (await shop.redeem(ned, 'once', { externalId: 'ned-1' })).body
    await shop.send({ verb: 'merge', member: ora, from: ned, reason: 'one person' })
    expect(codeOf(await shop.redeem(ora, 'once'))).toBe('limit_reached')
    expect((await shop.redeem(ned, 'once', { externalId: 'ned-1' })).body.id).toBe(one.id)
    expect(await shop.available(ora)).toBe(150)
    const [told, again] = await Promise.all([shop.cancel(one), shop.redeem(ora, 'once')]) // in one list
    expect(told.body).toMatchObject({ status: 'cancelled', member: one.member })
    expect(told.body.wallets[0].available).toBe(200)
    expect([again.status, await shop.available(ora)]).toEqual([201, 150])
    expect(codeOf(await shop.redeem(ora, 'once'))).toBe('limit_reached')
    expect(await wrong()).toBeUndefined()
  })
})

describe('what is sent, and what is used', () => {
  it('goes one step at a time, each once', async () => {
    await shop.reward({ slug: 'mug', kind: 'physical' })
    const pat = await rich()
    const delivery = { street: '1 Analytical Row', city: 'London' }
    const one = (await shop.redeem(pat, 'mug', { delivery, externalId: 'mug-1' })).body
    const again = { city: 'London', street: '1 Analytical Row' }
    expect((await shop.redeem(pat, 'mug', { delivery: again, externalId: 'mug-1' })).status).toBe(200)
    expect(one.delivery).toEqual(delivery)
    expect(codeOf(await shop.step(one, 'ship'))).toBe('redemption_not_open')
    expect(codeOf(await shop.step(one, 'use'))).toBe('redemption_not_open')
    for (const [way, status] of [
      ['order', 'ordered'],
      ['ship', 'shipped'],
      ['deliver', 'delivered'],
    ] as const) {
      const told = await shop.step(one, way, way === 'ship' ? { tracking: 'P-42' } : {})
      expect(told.body.status).toBe(status)
      expect((await shop.step(one, way)).body).toEqual(told.body)
    }
    expect(codeOf(await shop.step(one, 'order'))).toBe('redemption_not_open')
    const events = (await shop.told(pat)).slice(-3)
    expect(events.map(({ type, data }) => [type, data.tracking])).toEqual([
      ['redemption.ordered', undefined],
      ['redemption.shipped', 'P-42'],
      ['redemption.delivered', undefined],
    ])
    expect((await shop.cancel(one)).body.status).toBe('cancelled')
    expect(await shop.available(pat)).toBe(1000)
    expect(await wrong()).toBeUndefined()
  })

  it('counts a use once for its external id', async () => {
    const quin = await rich()
    const one = (await shop.redeem(quin, 'spa')).body
    const use = () => shop.step(one, 'use', { externalId: 'till-1' })
    expect((await use()).body.uses.used).toBe(1)
    expect((await use()).body.uses.used).toBe(1)
    expect((await shop.step(one, 'use', { externalId: 'till-2' })).body.status).toBe('used')
    expect((await use()).body.status).toBe('used')
  })

  it('cannot be used before it begins, nor after its end, whatever is booked', async () => {
    await shop.reward({ slug: 'soon', price: { points: 1 }, valid: { activatesAfter: 'P1D' } })
    await shop.reward({ slug: 'brief', price: { points: 1 }, valid: { for: 'PT1H' } })
    const ray = await rich()
    expect(codeOf(await shop.step((await shop.redeem(ray, 'soon')).body, 'use'))).toBe('redemption_not_open')
    const one = (await shop.redeem(ray, 'brief')).body
    await shop.sql("update redemptions set valid_until = now() - interval '1 minute' where redemption_id = $1", [
      decodeId('rdm', one.id),
    ])
    expect(codeOf(await shop.step(one, 'use'))).toBe('redemption_not_open')
    expect(codeOf(await shop.cancel(one))).toBe('redemption_not_open')
    const seen = await withRead(shop.pool, shop.space, (db) => getRedemption(db, configurations(), one.id, NOW()))
    expect(seen.status).toBe('expired')
  })
})
