import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop, door, type Shop } from '../tests/shop.ts'
import { withTx } from './base/db.ts'
import { createVoucher } from './configure-vouchers.ts'
import { configurations } from './earning/configuration.ts'
import { voucherRedemptionKey } from './gate/names.ts'
import { verify } from './verify.ts'
import { currentConfiguration } from './views/current.ts'

/** What was changed in the tables behind our back is named, and nothing else is. */
let shop: Shop

beforeAll(async () => {
  shop = await openShop()
  const known = configurations()
  await shop.buy('first', 'external:ada', 100)
  await withTx(shop.pool, shop.space, async (tx) => {
    const fixed = { ...door(), chance: 'ab'.repeat(16), configuration: await currentConfiguration(tx, known) }
    const ten = { program: 'coffee', code: 'TEN', value: { kind: 'percent', percent: 10 } as const, uses: {} }
    await createVoucher(tx, ten, {}, fixed)
    const card = { program: 'coffee', code: 'CARD', value: { kind: 'gift', balance: 900 } as const }
    await createVoucher(tx, card, {}, fixed)
  })
  for (const externalId of ['a', 'b'])
    await shop.gate.submit(shop.space, {
      verb: 'redeemVouchers',
      program: 'coffee',
      member: 'external:ada',
      codes: ['TEN', 'CARD'],
      order: { currency: 'GBP', items: [{ sku: 'beans', quantity: 1, amount: 400 }] },
      policy: 'all',
      sequence: 'asked',
      externalId,
    })
  const redemption = voucherRedemptionKey('a')
  const part = await shop.gate.submit(shop.space, { verb: 'rollBackVouchers', redemption, amount: 100 })
  expect(part.status).toBe(200)
})
afterAll(() => shop.gate.close())

const wrong = async () => (await verify(shop.pool, shop.space)).wrong?.what

test('as it was written, nothing is wrong', async () => expect(await wrong()).toBeUndefined())

test.each([
  ["vouchers set used = used - 1 where code = 'TEN'", 'it says 1 uses, and 2 were not rolled back'],
  ["vouchers set balance = balance + 1 where code = 'CARD'", 'are gone from its balance'],
  ["vouchers set code = 'OTHER' where code = 'TEN'", 'its code does not lead to it'],
  ["voucher_redemptions set total = total + 1 where external_id = 'a'", 'its lines do not add up to its totals'],
  ["voucher_redemptions set external_id = 'c' where external_id = 'a'", 'its external id does not lead to it'],
  ["voucher_redemptions set version = 1 where external_id = 'a'", 'changed more or less often than it was rolled back'],
  ["voucher_redemptions set rolled_back = null, version = 1 where external_id = 'a'", 'and its roll-backs say 0'],
  ['voucher_uses set member_id = null where amount = 40', 'its member or its program is not stored so'],
  ['voucher_uses set redemption_key = gen_random_uuid() where amount = 40', 'its redemption, its voucher'],
  ["voucher_redemptions set key = redemption_id where external_id = 'a'", 'its redemption, its voucher'],
  ["voucher_redemptions set program_id = 7 where external_id = 'a'", 'its program is not stored so'],
  ["vouchers set program_id = 7 where code = 'TEN'", 'its program is not stored so'],
  ["vouchers set terms = replace(terms, '900', '9000') where code = 'CARD'", 'is not what it began with'],
  ["vouchers set terms = terms || 'x' where code = 'TEN'", 'is not what it began with'],
  ['voucher_uses set amount = amount - 1 where amount = 40', 'does not add up to its totals'],
])('update %s', async (change, what) => {
  const table = change.split(' ')[0] ?? ''
  await shop.sql(`create table kept as select * from ${table}`)
  await shop.sql(`update ${change}`)
  expect(await wrong()).toContain(what)
  await shop.sql(`delete from ${table}`)
  const [row] = await shop.sql(
    "select string_agg(attname, ', ') as c from pg_attribute where attrelid = $1::regclass and attnum > 0 and attgenerated = ''",
    [table],
  )
  const columns = String(row?.c)
  await shop.sql(`insert into ${table} (${columns}) select ${columns} from kept`)
  await shop.sql('drop table kept')
  expect(await wrong()).toBeUndefined()
})
