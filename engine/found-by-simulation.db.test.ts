import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { door, openShop, type Shop } from '../tests/shop.ts'
import { withRead, withTx } from './base/db.ts'
import { changeMember } from './change-member.ts'
import { createActivityType } from './configure-activities.ts'
import { createLadder } from './configure-ladders.ts'
import { createVoucher } from './configure-vouchers.ts'
import { changeWallet } from './configure-wallets.ts'
import { configurations, loadConfiguration } from './earning/configuration.ts'
import type { Ask } from './gate/asks.ts'
import { passDue } from './pass-time.ts'
import { verify } from './verify.ts'
import { listMemberTiers, listTierHistory } from './views/tiers.ts'
import { createWalletReader } from './views/wallets.ts'

/** What random commerce found (tests/simulate), as somebody would have noticed it. */
const DAY = 86_400_000
const START = Date.UTC(2027, 0, 10, 12)
let shop: Shop
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(START)
  shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  const schema = { type: 'object', properties: {}, additionalProperties: false }
  await withTx(shop.pool, shop.space, (tx) =>
    createActivityType(tx, { program: 'coffee', slug: 'visit', name: 'Visit', schema }, door()),
  )
})
afterEach(async () => {
  vi.setSystemTime(START)
  await settings({ expiry: { kind: 'never' }, pending: { kind: 'none' }, negative: { policy: 'forbid' }, caps: [] })
})
afterAll(() => vi.useRealTimers())

const settings = (patch: object) =>
  withTx(shop.pool, shop.space, (tx) =>
    changeWallet(tx, { program: 'coffee', wallet: 'points' }, patch, undefined, door()),
  )
const send = async (ask: Ask): Promise<{ status: number; body: any }> => {
  const { status, body } = await shop.gate.submit(shop.space, ask)
  return { status, body: JSON.parse(body) }
}
const balance = async (member: string) =>
  (await createWalletReader(shop.pool, configurations()).read(shop.space, member))?.[0]
const merge = (member: string, from: string) => send({ verb: 'merge', member, from, reason: 'one person' })
const unmerge = (member: string, from: string) => send({ verb: 'unmerge', member, from, reason: 'two after all' })
const spend = (member: string, points: number, externalId: string) =>
  send({ verb: 'spend', member, wallet: 'points', points, reason: 'mug', externalId })
const refund = (member: string, name: string) =>
  send({ verb: 'refund', member, spend: `external:${name}`, reason: 'brought back' })
const wrong = async () => (await verify(shop.pool, shop.space)).wrong
const later = (ms: number) => vi.setSystemTime(Date.now() + ms)

describe('a merge', () => {
  it('asked at once with a purchase of who is merged: the cap of the one that it becomes holds', async () => {
    await settings({ caps: [{ per: 'day', points: 25 }] })
    await shop.buy('a1', 'external:a', 1_000)
    await shop.buy('b1', 'external:b', 1_000)
    const [merged, bought] = await Promise.all([merge('external:b', 'external:a'), shop.buy('a2', 'external:a', 1_000)])
    expect([merged.status, bought.status]).toEqual([201, 201])
    expect(bought.body.points).toBe(5) // both were given 20 of 25 today
    expect((await shop.buy('a3', 'external:a', 1_000)).body.points).toBe(0)
    const [undone, alone] = await Promise.all([
      unmerge('external:b', 'external:a'),
      shop.buy('a4', 'external:a', 1_000),
    ])
    expect([undone.status, alone.body.points]).toEqual([200, 10]) // a was given 10
    expect(await wrong()).toBeUndefined()
  })

  it('saves nobody what a return wrote off: a refund of what was spent before makes it good', async () => {
    await shop.buy('c1', 'external:c', 10_000)
    await spend('external:c', 100, 'c-spend')
    await merge('external:d', 'external:c').then(({ status }) => expect(status).toBe(404)) // d is nobody yet
    await shop.buy('d1', 'external:d', 100)
    await merge('external:d', 'external:c')
    expect((await shop.giveBack('c-back', 'external:d', { purchase: 'external:c1' })).body.points).toBe(1)
    await refund('external:c', 'c-spend')
    expect(await balance('external:d')).toMatchObject({ available: 1 }) // its own: 99 had been written off
    expect(await wrong()).toBeUndefined()
  })

  it('pays what is owed from pending points at once, not only when somebody looks', async () => {
    await settings({ negative: { policy: 'allow' } })
    await shop.buy('e1', 'external:e', 10_000)
    await spend('external:e', 80, 'e-spend')
    await shop.giveBack('e-back', 'external:e', { purchase: 'external:e1' }) // owes 80
    await settings({ pending: { kind: 'period', period: 'P20D' } })
    await shop.buy('f1', 'external:f', 5_000)
    await settings({ pending: { kind: 'none' } })
    await merge('external:f', 'external:e')
    expect(await balance('external:f')).toMatchObject({ available: -30, pending: 0 })
    later(21 * DAY)
    await passDue(shop.pool, shop.gate, shop.space, 500)
    expect(await balance('external:f')).toMatchObject({ available: -30, pending: 0 })
    expect(await wrong()).toBeUndefined()
  })

  it('that was undone leaves nothing for verify to find when more comes back', async () => {
    const items = [{ line: '1', sku: 'beans', quantity: 4, amount: 4_000 }]
    await shop.buy('g1', 'external:g', 0, { items })
    for (const name of ['h1', 'h2', 'h3']) await shop.buy(name, 'external:h', 1_000) // so that lots of both have one number
    const back = (name: string) =>
      shop.giveBack(name, 'external:g', { purchase: 'external:g1', items: [{ line: '1', quantity: 1 }] })
    await back('g-one')
    await merge('external:h', 'external:g')
    await back('g-two')
    await unmerge('external:h', 'external:g')
    expect((await back('g-three')).body.points).toBe(10)
    expect(await balance('external:g')).toMatchObject({ available: 10 })
    expect(await wrong()).toBeUndefined()
  })

  it('undone long ago is no answer to a merge asked now', async () => {
    for (const who of ['i', 'j', 'k']) await shop.buy(`${who}1`, `external:${who}`, 1_000)
    await merge('external:j', 'external:i')
    await unmerge('external:j', 'external:i')
    await merge('external:k', 'external:i')
    await merge('external:j', 'external:k')
    expect((await merge('external:j', 'external:i')).body).toMatchObject({ code: 'member_merged' })
    expect(await wrong()).toBeUndefined()
  })
})

describe('a transfer', () => {
  it('asked again is the same, though who received it has changed places with whom it was merged into', async () => {
    await settings({ transfers: { max: 1_000 } })
    for (const who of ['n', 'o', 'p']) await shop.buy(`${who}1`, `external:${who}`, 1_000)
    await merge('external:o', 'external:p')
    const sent = { verb: 'transfer', member: 'external:n', to: 'external:p', wallet: 'points', points: 4 } as const
    expect((await send({ ...sent, reason: 'gift', externalId: 'n-gift' })).status).toBe(201)
    await unmerge('external:o', 'external:p')
    expect((await send({ ...sent, reason: 'gift', externalId: 'n-gift' })).status).toBe(409) // it was o who got it
    await merge('external:p', 'external:o')
    expect((await send({ ...sent, reason: 'gift', externalId: 'n-gift' })).status).toBe(200)
    expect(await balance('external:n')).toMatchObject({ available: 6 })
    expect(await wrong()).toBeUndefined()
  })
})

describe('points that end by inactivity', () => {
  it('are counted from an activity before the first of them, too', async () => {
    await settings({ expiry: { kind: 'sliding', period: 'P30D', on: ['visit'] } })
    await shop.buy('l1', 'external:l', 10) // joins, and has no points yet
    const visit = { verb: 'activity', program: 'coffee', type: 'visit', externalId: 'l-visit', data: {} } as const
    await send({ ...visit, member: 'external:l', occurredAt: START * 1000 })
    later(20 * DAY)
    await shop.buy('l2', 'external:l', 1_000)
    expect(await balance('external:l')).toMatchObject({ available: 10 })
    later(11 * DAY) // 31 days after the visit
    expect(await balance('external:l')).toMatchObject({ available: 0, lifetimeExpired: 10 })
    await passDue(shop.pool, shop.gate, shop.space, 500)
    expect(await wrong()).toBeUndefined()
  })

  it.each(['never', 'once', 'twice'])(
    'live again by a refund though one was held past its end; the job came %s',
    async (job) => {
      const who = `external:m-${job}`
      await settings({ expiry: { kind: 'sliding', period: 'P30D' } })
      await shop.buy(`m-${job}`, who, 10_000)
      await spend(who, 99, `m-spend-${job}`)
      const parts = { wallets: [{ wallet: 'points', points: 1 }], minutes: 40 * 1440, reason: 'order' }
      await send({ verb: 'hold', member: who, ...parts })
      later(35 * DAY) // the point that is held has ended
      if (job !== 'never') await passDue(shop.pool, shop.gate, shop.space, 500)
      later(6 * DAY) // the hold has lapsed
      if (job === 'twice') await passDue(shop.pool, shop.gate, shop.space, 500)
      await refund(who, `m-spend-${job}`)
      expect(await balance(who)).toMatchObject({ available: 99 })
      expect(await wrong()).toBeUndefined()
    },
  )
})

describe('vouchers', () => {
  it('redeemed under a name of before, by who is suspended by now: what was said differs, so it is another', async () => {
    await shop.buy('v1', 'external:v', 1_000)
    await withTx(shop.pool, shop.space, async (tx) => {
      const value = { kind: 'amount' as const, amount: 500 }
      const configuration = await loadConfiguration(tx)
      const said = { program: 'coffee', code: 'FIVER', value, uses: { total: 9 } }
      await createVoucher(tx, said, {}, { ...door(), chance: '0'.repeat(32), configuration })
    })
    const redeem = (amount: number) =>
      send({
        verb: 'redeemVouchers',
        program: 'coffee',
        member: 'external:v',
        codes: ['FIVER'],
        order: { currency: 'GBP', items: [{ sku: 'beans', quantity: 1, amount }] },
        policy: 'all',
        sequence: 'asked',
        externalId: 'order-1',
      })
    expect((await redeem(2_000)).status).toBe(201)
    await withTx(shop.pool, shop.space, (tx) =>
      changeMember(tx, 'external:v', { status: 'suspended' }, undefined, door()),
    )
    expect((await redeem(2_000)).status).toBe(200)
    expect((await redeem(3_000)).body.code).toBe('external_id_conflict')
  })
})

describe('the number of a purchase', () => {
  it('that no rule asks for any more is not missed: of what was counted just as it was asked for first', async () => {
    await shop.rule('nth_purchase', { n: 1, points: 8 }, { endsAt: (Date.now() + DAY) * 1_000 })
    await shop.buy('n1', 'external:na', 1_000)
    later(2 * DAY)
    await shop.buy('n2', 'external:na', 1_000)
    expect(await wrong()).toBeUndefined()
  })
})

describe('tiers', () => {
  it('of who is merged, kept by what the month before came to, go on though nobody looked since; both months count together', async () => {
    await withTx(shop.pool, shop.space, (tx) =>
      createLadder(
        tx,
        {
          program: 'coffee',
          slug: 'monthly',
          name: 'Monthly',
          metric: { kind: 'spend' },
          window: { kind: 'calendar', per: 'month' },
          tiers: [
            { slug: 'silver', name: 'Silver', threshold: 10_000 },
            { slug: 'gold', name: 'Gold', threshold: 16_000 },
          ],
        },
        door(),
      ),
    )
    const tierOf = async (member: string) =>
      (await withRead(shop.pool, shop.space, (db) => listMemberTiers(db, configurations(), member, {}, door().now)))
        .data[0]?.tier
    await shop.buy('t1', 'external:ta', 12_000)
    await shop.buy('t2', 'external:tb', 5_000)
    later(30 * DAY)
    await shop.buy('t3', 'external:tb', 100)
    expect([await tierOf('external:ta'), await tierOf('external:tb')]).toEqual(['silver', null])
    expect((await merge('external:tb', 'external:ta')).status).toBe(201)
    expect(await tierOf('external:tb')).toBe('gold') // 170 pounds in January, by two who are one
    expect((await unmerge('external:tb', 'external:ta')).status).toBe(200)
    expect([await tierOf('external:ta'), await tierOf('external:tb')]).toEqual(['silver', null])
    expect(await wrong()).toBeUndefined()
  })

  it('that somebody gives is held from then on, not from when a month ended since anybody looked', async () => {
    await shop.buy('t5', 'external:td', 100)
    later(70 * DAY)
    const given = await send({
      verb: 'assignTier',
      member: 'external:td',
      ladder: 'monthly',
      tier: 'gold',
      reason: 'guest',
    })
    expect(given.body).toMatchObject({ tier: 'gold', since: new Date().toISOString() })
    const { data } = await withRead(shop.pool, shop.space, (db) =>
      listTierHistory(db, { member: 'external:td', ladder: 'monthly' }, { limit: 9 }),
    )
    expect(data).toMatchObject([{ from: null, to: 'gold', why: 'assigned', reason: 'guest' }])
    expect(await wrong()).toBeUndefined()
  })

  it('is told as of now where nothing is to be taken away, though nobody looked since it ended', async () => {
    await shop.buy('t4', 'external:tc', 12_000)
    later(70 * DAY)
    const released = await send({ verb: 'releaseTier', member: 'external:tc', ladder: 'monthly', reason: 'tidying up' })
    expect([released.status, released.body.tier]).toEqual([200, null])
    expect(await wrong()).toBeUndefined()
  })
})
