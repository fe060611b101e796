import { beforeAll, describe, expect, it } from 'vitest'
import { decodeId } from '../contract/ids.ts'
import { openRewards, type RewardShop } from '../tests/rewards.ts'
import { door, NOW } from '../tests/shop.ts'
import type { Refused } from '../contract/refusals.ts'
import type { VoucherPatch } from '../contract/vouchers.ts'
import { withRead, withTx } from './base/db.ts'
import { changeVoucher } from './configure-vouchers.ts'
import { configurations } from './earning/configuration.ts'
import { expireDue } from './expire-redemptions.ts'
import { verify } from './verify.ts'
import { currentConfiguration } from './views/current.ts'
import { getRedemption, listRedemptions } from './views/redemptions.ts'

let shop: RewardShop
const known = configurations()
beforeAll(async () => {
  shop = await openRewards()
  await shop.reward({
    slug: 'five-off',
    kind: 'coupon',
    value: { kind: 'amount', amount: 500 },
    code: { generate: {} },
    valid: { for: 'P30D' },
  })
  await shop.reward({
    slug: 'card',
    kind: 'gift_card',
    value: { kind: 'amount', amount: 1000 },
    code: { generate: {} },
    valid: { uses: 3 }, // of a gift card its money says how often
  })
})
const wrong = async () => (await verify(shop.pool, shop.space)).wrong?.what
const codeOf = (told: { status: number; body: any }) => told.body.code ?? told.status
const order = (amount = 2000) => ({ currency: 'GBP', items: [{ sku: 'beans', quantity: 1, amount }] })
let n = 0
const till = (member: string, code: string, amount = 2000) =>
  shop.send({
    verb: 'redeemVouchers',
    program: 'coffee',
    member,
    codes: [code],
    order: order(amount),
    policy: 'all',
    sequence: 'asked',
    externalId: `t-${++n}`,
  })
const seen = (id: string) => withRead(shop.pool, shop.space, (db) => getRedemption(db, known, id, NOW()))
const listed = (member: string, status: 'used' | 'issued') =>
  withRead(shop.pool, shop.space, async (db) => {
    const page = await listRedemptions(db, known, member, { status }, { limit: 10 }, NOW())
    return page.data.map(({ id }) => id)
  })

describe('what a till takes for a reward is a voucher with the redemption’s code', () => {
  it('is used by its member at a till, and is used then', async () => {
    const ann = await shop.member('ann', 1000)
    const one = (await shop.redeem(ann, 'five-off')).body
    expect(one.value).toEqual({ kind: 'amount', amount: 500 })
    expect(codeOf(await till(await shop.member('thief', 0), one.code))).toBe('voucher_not_applicable')
    expect(await listed(ann, 'issued')).toEqual([one.id])
    expect((await till(ann, one.code.toLowerCase())).body.totals).toMatchObject({ discount: 500, toPay: 1500 })
    expect(await seen(one.id)).toMatchObject({ status: 'used', uses: { total: 1, used: 1 } })
    expect([await listed(ann, 'issued'), await listed(ann, 'used')]).toEqual([[], [one.id]])
    expect(codeOf(await shop.cancel(one))).toBe('redemption_not_open')
    expect(codeOf(await shop.step(one, 'use'))).toBe('redemption_not_open')
    expect(await shop.available(ann)).toBe(900)
    // Its end comes: what was used is not told to have expired.
    const id = decodeId('rdm', one.id)
    await shop.sql("update redemptions set valid_until = now() - interval '1 day' where redemption_id = $1", [id])
    expect(await expireDue(shop.pool, shop.gate, shop.space, 10)).toBe(1)
    expect((await seen(one.id)).status).toBe('used')
    expect((await shop.told(ann)).map(({ type }) => type)).not.toContain('redemption.expired')
    await shop.sql('update redemptions set valid_until = $2 where redemption_id = $1', [id, one.validUntil])
    expect(await wrong()).toBeUndefined()
  })

  it('is worth nothing any more once it is cancelled, or was used by hand', async () => {
    const bob = await shop.member('bob', 1000)
    const [a, b] = [(await shop.redeem(bob, 'five-off')).body, (await shop.redeem(bob, 'five-off')).body]
    await shop.send({
      verb: 'lockVouchers',
      program: 'coffee',
      member: bob,
      codes: [a.code],
      order: order(),
      policy: 'all',
      sequence: 'asked',
      session: 's',
      minutes: 5,
    })
    expect(codeOf(await shop.cancel(a))).toBe('redemption_not_open')
    await shop.send({ verb: 'unlockVouchers', program: 'coffee', session: 's' })
    expect((await shop.cancel(a)).body.status).toBe('cancelled')
    expect(codeOf(await till(bob, a.code))).toBe('voucher_not_applicable')
    expect((await shop.step(b, 'use')).body).toMatchObject({ status: 'used', uses: { used: 1 } })
    expect((await till(bob, b.code)).status).toBe(409)
    expect(await shop.available(bob)).toBe(900)
    expect(await wrong()).toBeUndefined()
  })

  it('that is sent on paper can be used as often as it says, and is not sent once it is used up', async () => {
    const terms = {
      kind: 'coupon',
      value: { kind: 'amount', amount: 500 },
      valid: { uses: 2 },
      fulfilment: true,
    } as const
    await shop.reward({ slug: 'on-paper', code: { generate: {} }, ...terms })
    const eli = await shop.member('eli', 1000)
    const [sent, used] = [(await shop.redeem(eli, 'on-paper')).body, (await shop.redeem(eli, 'on-paper')).body]
    expect((await shop.step(sent, 'order')).body.status).toBe('ordered')
    for (const one of [sent, used, used]) expect((await till(eli, one.code)).status).toBe(201)
    expect(await seen(sent.id)).toMatchObject({ status: 'ordered', uses: { total: 2, used: 1 } })
    expect(await seen(used.id)).toMatchObject({ status: 'used', uses: { total: 2, used: 2 } })
    expect(codeOf(await shop.step(used, 'order'))).toBe('redemption_not_open')
    expect((await seen(used.id)).status).toBe('used')
    expect(await wrong()).toBeUndefined()
  })

  it('begins and ends when the redemption does', async () => {
    const valid = { activatesAfter: 'P1D', for: 'P10D' }
    await shop.reward({ slug: 'later', kind: 'coupon', value: { kind: 'percent', percent: 10 }, valid })
    const eve = await shop.member('eve', 100)
    const one = (await shop.redeem(eve, 'later')).body
    const rows = await shop.sql('select starts_at, ends_at from vouchers where source_id = $1', [
      decodeId('rdm', one.id),
    ])
    expect(rows).toEqual([{ starts_at: new Date(one.validFrom), ends_at: new Date(one.validUntil) }])
    expect(codeOf(await till(eve, one.code))).toBe('voucher_not_applicable')
    expect(codeOf(await shop.step(one, 'use'))).toBe('redemption_not_open')
  })

  it('of a gift card holds money, some at a time', async () => {
    const cat = await shop.member('cat', 1000)
    const one = (await shop.redeem(cat, 'card')).body
    expect((await till(cat, one.code, 300)).body.totals).toMatchObject({ gift: 300, toPay: 0 })
    expect((await seen(one.id)).status).toBe('issued')
    expect([await listed(cat, 'issued'), await listed(cat, 'used')]).toEqual([[one.id], []])
    expect(codeOf(await shop.cancel(one))).toBe('redemption_not_open')
    expect(codeOf(await shop.step(one, 'use'))).toBe('redemption_not_open') // what a till gives back would be on no card
    expect((await till(cat, one.code, 900)).body.totals).toMatchObject({ gift: 700, toPay: 200 })
    expect((await seen(one.id)).status).toBe('used')
    expect(codeOf(await shop.step(one, 'use'))).toBe('redemption_not_open')
    const whole = (await shop.redeem(cat, 'card')).body
    expect((await shop.step(whole, 'use')).body.status).toBe('used')
    expect(codeOf(await till(cat, whole.code, 300))).toBe('voucher_not_applicable')
    expect(await wrong()).toBeUndefined()
  })

  it('of a pool whose codes come back is the next one’s when it was cancelled, and not the former’s any more', async () => {
    await shop.codes('comes-back', ['BACK-AGAIN-7'], { reusable: true })
    const value = { kind: 'amount', amount: 300 } as const
    await shop.reward({ slug: 'pooled', kind: 'coupon', value, code: { pool: 'comes-back' } })
    const [eve, fay] = [await shop.member('eve', 1000), await shop.member('fay', 1000)]
    const first = (await shop.redeem(eve, 'pooled')).body
    expect((await shop.cancel(first)).body.status).toBe('cancelled')
    const next = await shop.redeem(fay, 'pooled')
    expect([next.status, next.body.code]).toEqual([201, 'BACK-AGAIN-7'])
    expect(codeOf(await till(eve, 'BACK-AGAIN-7'))).toBe('voucher_not_applicable')
    expect((await till(fay, 'BACK-AGAIN-7')).body.totals.discount).toBe(300)
    expect([(await seen(first.id)).status, (await seen(next.body.id)).status]).toEqual(['cancelled', 'used'])
    expect(await wrong()).toBeUndefined()
  })

  it('can be used as often and as long as its redemption says, whatever an operator asks', async () => {
    await shop.reward({ slug: 'thrice', kind: 'coupon', value: { kind: 'percent', percent: 5 }, valid: { uses: 3 } })
    const gil = await shop.member('gil', 100)
    const one = (await shop.redeem(gil, 'thrice')).body
    const patch = (said: VoucherPatch, dates = {}) =>
      withTx(shop.pool, shop.space, async (tx) => {
        const fixed = { ...door(), chance: 'ab'.repeat(16), configuration: await currentConfiguration(tx, known) }
        return await changeVoucher(tx, `code:${one.code}`, said, dates, fixed)
      }).catch(({ refusal: { code, errors } }: Refused) => [code, ...(errors ?? []).map(({ pointer }) => pointer)])
    expect(await patch({ uses: { total: 9 } })).toEqual(['invalid_request', '/uses'])
    expect(await patch({ uses: { total: 2 } })).toEqual(['invalid_request', '/uses']) // it was paid for
    expect(await patch({ uses: { perMember: 1 } })).toEqual(['invalid_request', '/uses'])
    const later = { startsAt: NOW(), endsAt: NOW() + 1_000_000 }
    expect(await patch({}, later)).toEqual(['invalid_request', '/startsAt', '/endsAt'])
    expect(await patch({ uses: { total: 3 }, priority: 5 })).toMatchObject({ usesTotal: 3, terms: { priority: 5 } })
    expect((await seen(one.id)).uses).toEqual({ total: 3, used: 0 })
    await shop.step(one, 'use')
    expect(await wrong()).toBeUndefined()
    await shop.sql('update vouchers set uses_total = 3 where code = $1', [one.code])
    expect(await wrong()).toBe(`redemption ${one.id}: its voucher can be used more or less often than it`)
    await shop.sql('update vouchers set uses_total = 2 where code = $1', [one.code])
    expect(await wrong()).toBeUndefined()
  })

  it('is either cancelled or used, when both are asked at once', async () => {
    for (let round = 0; round < 5; round++) {
      const dan = await shop.member(`dan-${round}`, 100)
      const one = (await shop.redeem(dan, 'five-off')).body
      const told = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? shop.cancel(one) : till(dan, one.code))),
      )
      const cancelled = told.some(({ body }) => body.status === 'cancelled')
      const used = told.filter(({ status }) => status === 201).length
      expect(used).toBe(cancelled ? 0 : 1)
      expect(await shop.available(dan)).toBe(cancelled ? 100 : 0)
    }
    expect(await wrong()).toBeUndefined()
  })
})
