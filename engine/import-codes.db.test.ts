import { describe, expect, test } from 'vitest'
import { decodeId } from '@laurel/contract/ids'
import { type Db, withRead, withTx } from './base/db.ts'
import { newId } from './base/ids.ts'
import { codeChecks } from './base/codes.ts'
import { announcePools } from './announce-pools.ts'
import { changePool, createPool } from './configure-pools.ts'
import { createVoucher } from './configure-vouchers.ts'
import { createReward } from './configure-rewards.ts'
import { loadPools } from './codes/pools.sql.ts'
import { getPool } from './codes/pools.ts'
import { loadConfiguration } from './earning/configuration.ts'
import { generateCodes, importCodes } from './import-codes.ts'
import { verify } from './verify.ts'
import { door, openShop } from '../tests/shop.ts'

const shop = await openShop()
const { pool, space } = shop
let made = 0

async function aPool(more: { lowAt?: number; reusable?: boolean } = {}, where = space): Promise<string> {
  const body = { program: 'coffee', slug: `pool-${(made += 1)}`, name: 'Codes', ...more }
  return (await withTx(pool, where, (tx) => createPool(tx, body, door()))).pool.id
}
const bring = (ref: string, codes: unknown[]) => withTx(pool, space, (tx) => importCodes(tx, ref, codes))
const pooled = async (ref: string) => (await withRead(pool, space, (db) => getPool(db, ref))).pool
const texts = (n: number, from = 0, prefix = 'GIFT') => Array.from({ length: n }, (_, i) => `${prefix}-${from + i + 1}`)
const stored = (ref: string) =>
  shop.sql(
    `select seq, code from pool_codes c join code_pools p using (pool_id)
      where p.space_id = $1 and p.slug = $2 order by seq`,
    [space, ref],
  )
const lows = async (slug: string) =>
  (
    await shop.sql(
      `select e as event from outbox, json_array_elements(events::json) e
        where space_id = $1 and e ->> 0 = 'code_pool.low' and e -> 3 ->> 'slug' = $2`,
      [space, slug],
    )
  ).length

describe('codes that are brought along', () => {
  test('are numbered in their order, and the same again adds nothing', async () => {
    const ref = await aPool()
    expect(await bring(ref, texts(3))).toEqual({ added: 3, known: 0, refused: [], left: 3 })
    expect(await bring(ref, [...texts(3), 'gift 2', ...texts(2, 3)])).toEqual({
      added: 2,
      known: 4,
      refused: [],
      left: 5,
    })
    const { slug } = await pooled(ref)
    expect(await stored(slug)).toEqual(texts(5).map((code, i) => ({ seq: i + 1, code })))
  })

  test('are refused one by one: what is no code, and what another pool has', async () => {
    const ref = await aPool()
    await bring(await aPool(), ['TAKEN'])
    const told = await bring(ref, ['', 7, ' ok ', 'x'.repeat(101), '--', 'ta-ken', 'a\tb', 'ok'])
    expect(told).toEqual({
      added: 1,
      known: 1,
      left: 1,
      refused: [
        { index: 0, reason: 'is empty' },
        { index: 1, reason: 'is not a text' },
        { index: 3, reason: 'is longer than 100 characters' },
        { index: 4, reason: 'has dashes and spaces only' },
        { index: 5, reason: 'another pool has this code' },
        { index: 6, reason: 'has characters that cannot be printed' },
      ],
    })
    await expect(bring('cpl_01kamqe4c8f2h6k0m4p8r2t6v0', ['A'])).rejects.toMatchObject({
      refusal: { code: 'pool_unknown' },
    })
  })

  test('are refused where a voucher has the code; what the pool itself handed out is known', async () => {
    const ref = await aPool()
    const said = { program: 'coffee', code: 'TEN-OFF', value: { kind: 'percent' as const, percent: 10 } }
    await withTx(pool, space, async (tx) => {
      const configuration = await loadConfiguration(tx)
      await createVoucher(tx, said, {}, { ...door(), chance: '0'.repeat(32), configuration })
    })
    const told = await bring(ref, ['tenoff', 'FREE-ONE', 'TEN-OFF'])
    const reason = 'a voucher has this code'
    const refused = [0, 2].map((index) => ({ index, reason })) // it is not known: the pool does not have it
    expect(told).toEqual({ added: 1, known: 0, refused, left: 1 })
    const { slug } = await pooled(ref)
    const coupon = { program: 'coffee', slug: 'free', name: 'Free', kind: 'coupon', price: {}, code: { pool: slug } }
    const value = { kind: 'amount', amount: 5 }
    await withTx(pool, space, (tx) => createReward(tx, { ...coupon, value } as never, door()))
    await shop.buy('free', 'external:free', 100)
    await shop.gate.submit(space, { verb: 'redeem', member: 'external:free', reward: 'free' })
    expect(await bring(ref, ['FREE-ONE'])).toEqual({ added: 0, known: 1, refused: [], left: 0 })
  })

  test('at the same time as vouchers with these codes are the one or the other', async () => {
    const ref = await aPool()
    const codes = texts(12, 0, 'EITHER')
    const voucher = (code: string) =>
      withTx(pool, space, async (tx) => {
        const configuration = await loadConfiguration(tx)
        const said = { program: 'coffee', code, value: { kind: 'percent' as const, percent: 10 } }
        return await createVoucher(tx, said, {}, { ...door(), chance: '0'.repeat(32), configuration })
      })
    const made = await Promise.allSettled(
      codes.flatMap((code, i) => (i % 2 ? [voucher(code), bring(ref, [code])] : [bring(ref, [code]), voucher(code)])),
    )
    const refused = made.filter((one) => one.status === 'rejected')
    expect(new Set(refused.map(({ reason }) => reason.refusal?.code ?? reason))).toEqual(new Set(['already_exists']))
    expect(refused.length).toBe((await pooled(ref)).total)
    const both = await shop.sql(
      'select from pool_codes c join vouchers v on v.code_key = c.key and v.source_id is null',
    )
    expect(both).toEqual([])
  })

  test('by ten at the same time, lists that overlap, are there once each and without a gap', async () => {
    const ref = await aPool()
    const told = await Promise.all(Array.from({ length: 10 }, (_, i) => bring(ref, texts(200, i * 100, 'RACE'))))
    expect(told.reduce((sum, { added }) => sum + added, 0)).toBe(1100)
    const rows = await stored((await pooled(ref)).slug)
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 1100 }, (_, i) => i + 1))
    expect(new Set(rows.map(({ code }) => code)).size).toBe(1100)
  })

  test('into two pools at the same time are in one of them', async () => {
    const [one, two] = [await aPool(), await aPool()]
    const told = await Promise.all(Array.from({ length: 8 }, (_, i) => bring(i % 2 ? one : two, texts(300, 0, 'BOTH'))))
    expect(told.reduce((sum, { added }) => sum + added, 0)).toBe(300)
    expect((await pooled(one)).total + (await pooled(two)).total).toBe(300)
    for (const { added, known, refused } of told) expect(added + known + refused.length).toBe(300)
    for (const ref of [one, two]) {
      const { slug, total } = await pooled(ref)
      expect((await stored(slug)).map(({ seq }) => seq)).toEqual(Array.from({ length: total }, (_, i) => i + 1))
    }
  })
})

describe('codes that are made', () => {
  test('are as many as were asked for, check, and are like no other', async () => {
    const ref = await aPool()
    const make = (count: number) =>
      withTx(pool, space, (tx) => generateCodes(tx, ref, { count, prefix: 'CAFE' }, () => newId().replaceAll('-', '')))
    expect(await make(500)).toEqual({ added: 500, left: 500 })
    expect(await make(500)).toEqual({ added: 500, left: 1000 })
    const codes = (await stored((await pooled(ref)).slug)).map(({ code }) => code as string)
    expect(codes.every((code) => /^CAFE(-[0-9A-Z]{4}){3}$/.test(code) && codeChecks(code))).toBe(true)
    expect(new Set(codes).size).toBe(1000)
  })

  test('are drawn again where chance gives one that is there', async () => {
    const ref = await aPool()
    let turn = 0
    const chance = () =>
      Math.floor((turn += 1) / 2)
        .toString(16)
        .padStart(32, '0') // every value twice
    const told = await withTx(pool, space, (tx) => generateCodes(tx, ref, { count: 20 }, chance))
    expect(told).toEqual({ added: 20, left: 20 })
    turn = 0
    const again = await withTx(pool, space, (tx) => generateCodes(tx, ref, { count: 20 }, chance))
    expect(again).toEqual({ added: 20, left: 40 })
  })

  test('with a prefix that the alphabet does not have are refused', async () => {
    const ask = { count: 1, prefix: 'AB', alphabet: 'digits' } as const
    const ref = await aPool()
    const made = withTx(pool, space, (tx) => generateCodes(tx, ref, ask, () => '0'.repeat(32)))
    await expect(made).rejects.toMatchObject({ refusal: { code: 'invalid_request', errors: [{ pointer: '/prefix' }] } })
  })
})

describe('a pool that runs low', () => {
  const announce = () => announcePools(pool, space, door())
  const redeem = async (reward: string) => {
    const outcome = await shop.gate.submit(space, { verb: 'redeem', member: 'external:ada', reward })
    expect(outcome.status, outcome.body).toBe(201)
    return JSON.parse(outcome.body)
  }

  test('is told once each time that it comes about, however many look', async () => {
    const ref = await aPool({ lowAt: 1 })
    const { slug, low } = await pooled(ref)
    expect(low).toBe(true)
    await Promise.all([announce(), announce(), announce()])
    expect(await lows(slug)).toBe(1) // empty from the beginning
    await bring(ref, texts(3, 0, 'LOW'))
    expect([await announce(), await lows(slug)]).toEqual([0, 1])

    await shop.buy('first', 'external:ada', 100)
    const body = { program: 'coffee', slug: 'film', name: 'Film', kind: 'experience', price: {}, code: { pool: slug } }
    await withTx(pool, space, (tx) => createReward(tx, body as never, door()))
    expect((await redeem('film')).code).toBe('LOW-1')
    expect(await announce()).toBe(0)
    expect((await redeem('film')).code).toBe('LOW-2')
    expect((await Promise.all([announce(), announce(), announce()])).reduce((sum, n) => sum + n, 0)).toBe(1)
    await redeem('film')
    expect(await announce()).toBe(0)
    expect(await pooled(ref)).toMatchObject({ total: 3, handedOut: 3, left: 0, low: true })

    await bring(ref, texts(3, 3, 'LOW'))
    await redeem('film')
    await redeem('film')
    expect([await announce(), await lows(slug)]).toEqual([1, 3])
    await withTx(pool, space, (tx) => changePool(tx, ref, { lowAt: 2 }, undefined, door()))
    expect([await announce(), await lows(slug)]).toEqual([1, 4])
    await bring(ref, texts(2, 6, 'LOW'))
    await redeem('film') // from one above the mark to the mark
    expect([await announce(), await lows(slug)]).toEqual([1, 5])
  })

  test('gets codes while others are handed out: none twice, none lost', async () => {
    const ref = await aPool({ reusable: true })
    const { slug } = await pooled(ref)
    await bring(ref, texts(20, 0, 'BUSY'))
    const body = { program: 'coffee', slug: 'busy', name: 'Busy', kind: 'experience', price: {}, code: { pool: slug } }
    await withTx(pool, space, (tx) => createReward(tx, body as never, door()))
    const codes: string[] = []
    await Promise.all([
      ...Array.from({ length: 60 }, async (_, i) => {
        await shop.buy(`busy-${i}`, `external:busy-${i}`, 100)
        const member = `external:busy-${i}`
        const outcome = await shop.gate.submit(space, { verb: 'redeem', member, reward: 'busy' })
        const { id, code } = JSON.parse(outcome.body)
        if (outcome.status !== 201) return
        const whose = JSON.parse(outcome.body).member
        if (i % 4) codes.push(code)
        else
          await shop.gate.submit(space, {
            verb: 'cancelRedemption',
            member: whose,
            redemption: decodeId('rdm', id) as string,
          })
      }),
      ...Array.from({ length: 6 }, (_, i) => bring(ref, texts(20, i * 10, 'BUSY'))),
    ])
    expect(new Set(codes).size).toBe(codes.length)
    const now = await pooled(ref)
    expect(now.total).toBe(70)
    expect(now.handedOut).toBe(codes.length)
    const rows = await shop.sql(
      'select count(*)::int as n, count(distinct c.key)::int as codes, max(seq)::int as last from pool_codes c join code_pools p using (pool_id) where p.slug = $1',
      [slug],
    )
    expect(rows[0]).toMatchObject({ codes: 70, n: rows[0]?.last })
  })
})

test('the next codes are read by index, whatever plan is made for any pool', async () => {
  const ref = await aPool()
  const { slug } = await pooled(ref)
  await shop.sql(
    `insert into pool_codes select space_id, pool_id, n, 'MANY-' || n, gen_random_uuid(), false
       from code_pools, generate_series(1, 100000) n where slug = $1`,
    [slug],
  )
  await shop.sql('update code_pools set last = 100000 where slug = $1', [slug])
  await shop.sql('analyze pool_codes, code_pools')
  const [row] = await shop.sql('select pool_id as id from code_pools where slug = $1', [slug])
  const blocks: number[] = []
  await withRead(pool, space, async (db) => {
    const query: Db['query'] = async (text, values, name) => {
      const [told] = await db.query<{ 'QUERY PLAN': any }>(`explain (analyze, buffers, format json) ${text}`, values)
      const plan = told?.['QUERY PLAN'][0].Plan
      blocks.push(plan['Shared Hit Blocks'] + plan['Shared Read Blocks'])
      return await db.query(text, values, name)
    }
    const { codes } = await loadPools({ ...db, query } as Db, [{ poolId: Number(row?.id), count: 5 }])
    expect(codes.map(({ code }) => code)).toEqual(texts(5, 0, 'MANY'))
  })
  expect(blocks).toHaveLength(1)
  expect(blocks[0]).toBeLessThan(50)
  await shop.sql('delete from pool_codes where pool_id = $1', [row?.id])
  await shop.sql('update code_pools set last = 0 where slug = $1', [slug])
})

describe('verify names a pool', () => {
  const wrong = async () => (await verify(pool, space)).wrong?.what
  const tampered = async (statement: string, undo: string) => {
    await shop.sql(statement)
    const what = await wrong()
    await shop.sql(undo)
    return what
  }

  test('of which a code was changed, taken away or counted otherwise', async () => {
    const ref = await aPool()
    await bring(ref, ['FIRST', 'SECOND', 'THIRD'])
    const { slug } = await pooled(ref)
    expect(await wrong()).toBeUndefined()
    const of = `pool_id = (select pool_id from code_pools where slug = '${slug}')`
    const set = (what: string, seq: number) => `update pool_codes set ${what} where ${of} and seq = ${seq}`
    expect(await tampered(set("code = 'ANOTHER'", 2), set("code = 'SECOND'", 2))).toBe(
      `pool "${slug}": code 2 is not kept under the key of its text`,
    )
    const uneven = `pool "${slug}": its codes are not those that it counts`
    expect(await tampered(set('seq = 9', 3), set('seq = 3', 9))).toBe(uneven)
    expect(await tampered(set('again = true', 1), set('again = false', 1))).toBe(uneven)
    const last = (n: number) => `update code_pools set last = ${n} where slug = '${slug}'`
    expect(await tampered(last(4), last(3))).toBe(uneven)
    expect(await wrong()).toBeUndefined()
  })
})
