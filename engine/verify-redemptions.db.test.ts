import { beforeAll, describe, expect, it } from 'vitest'
import { decodeId } from '../contract/ids.ts'
import { openRewards, type RewardShop } from '../tests/rewards.ts'
import { withTx } from './base/db.ts'
import { createWallet } from './configure-wallets.ts'
import { door } from '../tests/shop.ts'
import { verify } from './verify.ts'

let shop: RewardShop
let one: any
let cancelled: any
let miles: any
const wrong = async () => (await verify(shop.pool, shop.space)).wrong?.what

beforeAll(async () => {
  shop = await openRewards()
  await withTx(shop.pool, shop.space, (tx) => createWallet(tx, 'coffee', { slug: 'miles' }, door()))
  await shop.codes('film', ['FILM-1', 'FILM-2', 'FILM-3'])
  await shop.reward({ slug: 'film', stock: { total: 5 }, code: { pool: 'film' }, valid: { uses: 2, for: 'P30D' } })
  await shop.reward({ slug: 'fly', kind: 'conversion', value: { kind: 'points', wallet: 'miles', points: 40 } })
  const ann = await shop.member('ann', 1000)
  one = (await shop.redeem(ann, 'film', { externalId: 'r-1' })).body
  cancelled = (await shop.redeem(ann, 'film')).body
  await shop.cancel(cancelled)
  miles = (await shop.redeem(ann, 'fly')).body
})

/** Changes a redemption behind Laurel's back, sees what verify says, and puts it back. */
async function tampered(ref: string, change: string): Promise<string | undefined> {
  const id = decodeId('rdm', ref)
  await shop.sql('create table kept as select * from redemptions where redemption_id = $1', [id])
  await shop.sql(`update redemptions set ${change} where redemption_id = $1`, [id])
  const said = await wrong()
  await shop.sql('delete from redemptions where redemption_id = $1', [id])
  await shop.sql('insert into redemptions select * from kept')
  await shop.sql('drop table kept')
  expect(await wrong()).toBeUndefined()
  return said
}

describe('verify', () => {
  it('finds nothing where nothing is wrong', async () => expect(await wrong()).toBeUndefined())

  it.each([
    ['an end', "valid_until = valid_until + interval '1 day'", 'its content is not what was recorded'],
    ['the number of uses', 'uses = 3', 'its content is not what was recorded'],
    ['a code', "code = 'FILM-9'", 'its content is not what was recorded'],
    ['the price', `said = replace(said, '"price":0', '"price":1')`, 'its content is not what was recorded'],
    ['an external id', "external_id = 'other'", 'its content is not what was recorded'],
    ['what was spent', "spent = replace(spent, '100', '1')", 'its content is not what was recorded'],
    ['the entry that spent', `spent = '[[1,100,1]]'`, 'no entries move the points that it says'],
    ['a use', 'used = 2', 'its status and how often it was used disagree'],
    ['a status', 'status = 5', 'its status is not what its history says'],
  ])('names the redemption of which %s was changed', async (_, change, what) => {
    expect(await tampered(one.id, change)).toBe(`redemption ${one.id}: ${what}`)
  })

  it('names one that is cancelled though its points did not come back, and one that is open though they did', async () => {
    const at = `'[{"s":1,"at":' || (extract(epoch from issued_at) * 1000000)::bigint || '}'`
    expect(await tampered(one.id, `status = 7, history = ${at} || ',{"s":7,"at":1}]'`)).toBe(
      `redemption ${one.id}: it was cancelled, and its points were not given back`,
    )
    expect(await tampered(cancelled.id, `status = 1, history = ${at} || ']'`)).toBe(
      `redemption ${cancelled.id}: its points were given back`,
    )
  })

  it('names one that goes elsewhere; and nothing where the address was erased', async () => {
    await shop.reward({ slug: 'mug', kind: 'physical' })
    const delivery = { name: 'Pat', street: '1 Analytical Row' }
    const mug = (await shop.redeem(await shop.member('pat', 100), 'mug', { delivery })).body
    expect(await tampered(mug.id, `delivery = replace(delivery, 'Pat', 'Eve')`)).toBe(
      `redemption ${mug.id}: where it goes is not what was recorded`,
    )
    expect(await tampered(mug.id, 'delivery = null')).toBeUndefined()
    expect(mug.delivery).toEqual(delivery)
  })

  it('names a conversion that says that more came of it', async () => {
    expect(await tampered(miles.id, "received = replace(received, ',40,', ',90,')")).toContain(miles.id)
  })

  it('names stock and pools of which more or less was taken than redeemed', async () => {
    await shop.sql('update stock set taken = taken + 1')
    expect(await wrong()).toBe('stock of reward "film" (all): 2 were taken, 1 redeemed')
    await shop.sql('update stock set taken = taken - 1')
    await shop.sql('update code_pools set next = 1')
    expect(await wrong()).toBe('pool "film": 1 codes were handed out, 2 redemptions have one')
    await shop.sql('update code_pools set next = 2')
    expect(await wrong()).toBeUndefined()
  })

  it('names a voucher that is not what was redeemed', async () => {
    await shop.reward({ slug: 'five-off', kind: 'coupon', value: { kind: 'amount', amount: 500 } })
    await shop.reward({ slug: 'card', kind: 'gift_card', value: { kind: 'amount', amount: 900 } })
    const bob = await shop.member('bob', 1000)
    const [coupon, card, gone] = [
      (await shop.redeem(bob, 'five-off')).body,
      (await shop.redeem(bob, 'card')).body,
      (await shop.redeem(bob, 'five-off')).body,
    ]
    await shop.cancel(gone)
    const changed = async (of: { code: string }, change: string) => {
      await shop.sql('create table kept as select * from vouchers where code = $1', [of.code])
      await shop.sql(
        change === '' ? 'delete from vouchers where code = $1' : `update vouchers set ${change} where code = $1`,
        [of.code],
      )
      const said = await wrong()
      await shop.sql('delete from vouchers where code = $1', [of.code])
      await shop.sql('insert into vouchers select * from kept')
      await shop.sql('drop table kept')
      return said
    }
    const not = 'its voucher is not what was recorded'
    for (const [of, change, what] of [
      [coupon, 'bound_to = null', not],
      [coupon, "terms = replace(terms, '500', '900')", not],
      [coupon, 'voucher_id = gen_random_uuid()', not],
      [coupon, "created_at = created_at - interval '1 day'", not],
      [card, 'initial_balance = initial_balance + 100, balance = balance + 100', not],
      [coupon, 'status = 3', 'its voucher is withdrawn, though it was not cancelled'],
      [coupon, 'source_id = gen_random_uuid()', 'its voucher is not its own'],
      [gone, 'status = 1', 'it was cancelled, and its voucher was not'],
      [coupon, '', 'the voucher that it was issued with is not there'],
    ] as const)
      expect(await changed(of, change), change).toBe(`redemption ${of.id}: ${what}`)
    expect(await wrong()).toBeUndefined()
  })

  it('names a voucher without the redemption that it was issued with, and a redemption of nobody', async () => {
    await shop.reward({ slug: 'gift', kind: 'coupon', price: {}, value: { kind: 'percent', percent: 5 } })
    const given = (await shop.redeem(await shop.member('cat', 0), 'gift')).body
    const id = decodeId('rdm', given.id)
    await shop.sql('create table kept as select * from redemptions where redemption_id = $1', [id])
    await shop.sql('update redemptions set member_id = gen_random_uuid() where redemption_id = $1', [id])
    await shop.sql(
      'update vouchers v set bound_to = r.member_id from redemptions r where redemption_id = source_id and source_id = $1',
      [id],
    )
    expect(await wrong()).toBe(`redemption ${given.id}: its member is not there`)
    await shop.sql('delete from redemptions where redemption_id = $1', [id])
    expect(await wrong()).toMatch(/^voucher vch_\w+: the redemption that it was issued with is not there$/)
    await shop.sql('insert into redemptions select * from kept')
    await shop.sql('update vouchers v set bound_to = k.member_id from kept k where source_id = $1', [id])
    await shop.sql('drop table kept')
    expect(await wrong()).toBeUndefined()
  })

  it('names a redemption whose external id does not lead to it, and entries whose redemption is gone', async () => {
    const id = decodeId('rdm', one.id)
    await shop.sql('create table kept as select * from lookups where object_id = $1', [id])
    await shop.sql('delete from lookups where object_id = $1', [id])
    expect(await wrong()).toBe(`redemption ${one.id}: its external id does not lead to it`)
    await shop.sql('insert into lookups select * from kept')
    expect(await wrong()).toBeUndefined()
    await shop.sql('delete from redemptions where redemption_id = $1', [id])
    expect(await wrong()).toBe(`entry ${one.entries[0]}: its reason or external id is not what was booked`)
  })
})
