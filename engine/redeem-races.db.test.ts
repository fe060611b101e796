import { beforeAll, describe, expect, it } from 'vitest'
import { dropEntryKeys, inTurn, type Pair, pairOf } from '../tests/pair.ts'
import { openRewards, type RewardShop, type Told } from '../tests/rewards.ts'
import type { Gate } from './gate/gate.ts'
import { verify } from './verify.ts'

/** Two processes to the database. Small lists, so that there are many of them. */
type RewardPair = Pair<RewardShop>
let careful: RewardPair
/** Nothing is compared, and nothing keeps an entry's number or a name from being used twice. */
let careless: RewardPair

const open = async (unguarded: boolean) => await pairOf(await openRewards({ unguarded }), unguarded, { singlesMax: 20 })

beforeAll(async () => {
  careful = await open(false)
  careless = await open(true)
  await dropEntryKeys(careless)
})

const members = ({ shop }: RewardPair, name: string, n: number, points: number) =>
  Promise.all(Array.from({ length: n }, (_, i) => shop.member(`${name}-${i}`, points)))
/** Asked at once, of both processes in turn. */
const all = ({ gates }: RewardPair, n: number, ask: (i: number, gate: Gate) => Promise<Told>) =>
  inTurn(gates, n, (gate, i) => ask(i, gate))
const outcomes = (told: Told[]) => {
  const counts: Record<string, number> = {}
  for (const { status, body } of told) {
    const outcome = status >= 400 ? body.code : status
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
}
const wrong = async ({ shop }: RewardPair) => (await verify(shop.pool, shop.space)).wrong?.what

describe('500 members redeem the last one', () => {
  const race = async (pair: RewardPair, n: number, slug: string) => {
    await pair.shop.reward({ slug, price: { points: 1 }, stock: { total: 1 } })
    const who = await members(pair, slug, n, 1)
    return outcomes(await all(pair, n, (i, gate) => pair.shop.redeem(who[i] as string, slug, {}, gate)))
  }

  it('and exactly one has it', async () => {
    expect(await race(careful, 500, 'last')).toEqual({ 201: 1, out_of_stock: 499 })
    expect(await careful.shop.sql('select taken from stock')).toEqual([{ taken: 1 }])
    expect(await wrong(careful)).toBeUndefined()
  }, 60_000)

  it('control: where nothing guards the stock, more have it', async () => {
    expect((await race(careless, 60, 'last'))[201]).toBeGreaterThan(1)
  })
})

describe('1,500 asks claim 1,000 codes', () => {
  const race = async (pair: RewardPair, asks: number, codes: number, slug: string) => {
    await pair.shop.codes(
      slug,
      Array.from({ length: codes }, (_, i) => `${slug}-${i}`),
    )
    await pair.shop.reward({ slug, price: { points: 1 }, code: { pool: slug } })
    const who = await members(pair, slug, asks / 5, 5)
    const told = await all(pair, asks, (i, gate) => pair.shop.redeem(who[i % who.length] as string, slug, {}, gate))
    const handed = told.filter(({ status }) => status === 201).map(({ body }) => body.code)
    return { counts: outcomes(told), handed: handed.length, different: new Set(handed).size }
  }

  it('and 1,000 different ones are handed out', async () => {
    expect(await race(careful, 1_500, 1_000, 'film')).toEqual({
      counts: { 201: 1_000, out_of_stock: 500 },
      handed: 1_000,
      different: 1_000,
    })
    expect(await wrong(careful)).toBeUndefined()
  }, 120_000)

  it('control: where nothing guards the pool, one code goes to two', async () => {
    const { handed, different } = await race(careless, 60, 60, 'film')
    expect(different).toBeLessThan(handed)
  })
})

describe('200 redemptions of one member whose balance is enough for one', () => {
  const race = async (pair: RewardPair, n: number, slug: string) => {
    await pair.shop.reward({ slug, price: { points: 10 } })
    const [ann] = await members(pair, slug, 1, 10)
    const told = await all(pair, n, (_, gate) => pair.shop.redeem(ann as string, slug, {}, gate))
    return { counts: outcomes(told), left: await pair.shop.available(ann as string) }
  }

  it('give one', async () => {
    expect(await race(careful, 200, 'one')).toEqual({ counts: { 201: 1, insufficient_points: 199 }, left: 0 })
    expect(await wrong(careful)).toBeUndefined()
  }, 60_000)

  it('control: where nothing guards the member, they give more', async () => {
    const { counts } = await race(careless, 60, 'one')
    expect(counts[201]).toBeGreaterThan(1)
  })
})

describe('one redemption cancelled, used and redeemed again at once', () => {
  it('cancels once however often it is asked, and gives back once', async () => {
    const { shop } = careful
    await shop.codes('back', ['BACK-1'], { reusable: true })
    await shop.reward({ slug: 'back', price: { points: 10 }, stock: { total: 1 }, code: { pool: 'back' } })
    const [ann, bob] = await members(careful, 'back', 2, 10)
    const one = (await shop.redeem(ann as string, 'back')).body
    const told = await all(careful, 100, (i, gate) =>
      i % 10 === 9 ? shop.redeem(bob as string, 'back', {}, gate) : shop.cancel(one, gate),
    )
    const again = told.filter(({ status }) => status === 201)
    expect(again.length).toBeLessThanOrEqual(1)
    expect(await shop.available(ann as string)).toBe(10)
    expect(await shop.available(bob as string)).toBe(10 - 10 * again.length)
    expect(await shop.sql('select taken from stock order by reward_id desc limit 1')).toEqual([{ taken: again.length }])
    expect(await wrong(careful)).toBeUndefined()
  }, 60_000)

  it('is either cancelled or used', async () => {
    const { shop } = careful
    await shop.reward({ slug: 'either', price: { points: 10 } })
    for (let round = 0; round < 5; round++) {
      const [ann] = await members(careful, `either-${round}`, 1, 10)
      const one = (await shop.redeem(ann as string, 'either')).body
      const told = await all(careful, 20, (i, gate) =>
        i % 3 === 0 ? shop.step(one, 'use', {}, gate) : shop.cancel(one, gate),
      )
      const used = told.filter(({ body }) => body.status === 'used').length
      const cancelled = told.filter(({ body }) => body.status === 'cancelled').length
      expect([used, cancelled > 0]).toEqual(used === 1 ? [1, false] : [0, true])
      expect(await shop.available(ann as string)).toBe(used === 1 ? 0 : 10)
    }
    expect(await wrong(careful)).toBeUndefined()
  }, 60_000)
})
