import { beforeAll, describe, expect, it } from 'vitest'
import { NOW, openShop, type Shop } from '../../tests/shop.ts'
import { verify } from '../verify.ts'
import { createGate } from './gate.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
})

describe('a purchase', () => {
  it('gives points, opens a lot, enrols the member, and a repeat answers the stored purchase', async () => {
    const occurredAt = NOW()
    const first = await shop.buy('p-1', 'external:ann', 1234, { occurredAt })
    expect(first).toMatchObject({
      status: 201,
      body: {
        points: 12,
        total: 1234,
        externalId: 'p-1',
        program: 'coffee',
        awards: [{ version: 1, wallet: 'points', points: 12 }],
        wallets: [{ wallet: 'points', available: 12, lifetimeEarned: 12 }],
      },
    })
    const again = await shop.buy('p-1', 'external:ann', 1234, { occurredAt })
    expect(again).toMatchObject({ status: 200, body: { id: first.body.id, points: 12, wallets: [{ available: 12 }] } })
    const other = await shop.buy('p-1', 'external:ann', 1235, { occurredAt })
    expect(other).toMatchObject({ status: 409, body: { code: 'external_id_conflict' } })
  })

  it('100 identical ones at once are one', async () => {
    const occurredAt = NOW()
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => shop.buy('p-2', 'external:bob', 500, { occurredAt })),
    )
    expect(answers.filter((a) => a.status === 201)).toHaveLength(1)
    expect(answers.filter((a) => a.status === 200)).toHaveLength(99)
    expect(new Set(answers.map((a) => a.body.id)).size).toBe(1)
    const [row] = await shop.sql(
      'select count(*) from entries e join lookups l on l.member_id = e.member_id where l.object_id is null and e.points = 5',
    )
    expect(row).toEqual({ count: '1' })
  })

  it('comes back, in part and in whole, also without naming the purchase', async () => {
    const bought = await shop.buy('p-3', 'external:cid', 0, {
      items: [
        { sku: 'a', quantity: 3, amount: 1000 },
        { sku: 'b', quantity: 1, amount: 250 },
      ],
    })
    expect(bought.body.points).toBe(12)
    const part = await shop.giveBack('r-1', 'external:cid', {
      purchase: 'external:p-3',
      items: [{ sku: 'a', quantity: 1 }],
    })
    expect(part).toMatchObject({
      status: 201,
      body: {
        points: 3,
        lines: [{ sku: 'a', quantity: 1, amount: 333 }],
        wallets: [{ available: 9, lifetimeReversed: 3 }],
      },
    })
    const rest = await shop.giveBack('r-2', 'external:cid', { items: [{ sku: 'a', quantity: 5 }] })
    expect(rest).toMatchObject({
      status: 201,
      body: { points: 7, unmatched: [{ sku: 'a', quantity: 3 }], wallets: [{ available: 2 }] },
    })
    const over = await shop.giveBack('r-3', 'external:cid', {
      purchase: bought.body.id,
      items: [{ sku: 'a', quantity: 1 }],
    })
    expect(over).toMatchObject({ status: 409, body: { code: 'return_exceeds_purchase' } })
  })
})

describe('500 asks that go together', () => {
  it('are not spoiled by those that are refused, nor by one that the database will not take', async () => {
    const bad: Record<number, Partial<Parameters<Shop['buy']>[3]>> = {
      17: { occurredAt: NOW() + 3_600_000_000 },
      42: { occurredAt: 0 },
      99: { currency: 'USD' },
      123: { program: 'tea' },
      200: {
        items: [
          { sku: 'a', quantity: 1, amount: Number.MAX_SAFE_INTEGER },
          { sku: 'b', quantity: 1, amount: 1 },
        ],
      },
      300: {
        items: [
          { line: 'x', sku: 'a', quantity: 1, amount: 1 },
          { line: 'x', sku: 'b', quantity: 1, amount: 1 },
        ],
      },
      // what the door would not let through: a fault of ours, and only this one's
      444: { store: 'a\0b' },
    }
    const answers = await Promise.allSettled(
      Array.from({ length: 500 }, (_, i) => shop.buy(`g-${i}`, `external:g${i % 50}`, 100, bad[i] ?? {})),
    )
    const codes = answers.map((a) =>
      a.status === 'rejected' ? 'fault' : a.value.status === 201 ? 'ok' : a.value.body.code,
    )
    expect(Object.fromEntries(codes.flatMap((code, i) => (code === 'ok' ? [] : [[i, code]])))).toEqual({
      17: 'invalid_request',
      42: 'invalid_request',
      99: 'currency_mismatch',
      123: 'program_unknown',
      200: 'amount_out_of_range',
      300: 'invalid_request',
      444: 'fault',
    })
    const [row] = await shop.sql("select count(*) from purchases where external_id like 'g-%'")
    expect(row).toEqual({ count: '493' })
    expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
  })
})

describe('what once went wrong', () => {
  it("another member's mistaken return of a purchase in the same list does not spoil its owner's", async () => {
    for (let i = 0; i < 5; i++) {
      await shop.buy(`own-${i}`, 'external:owner', 1000)
      await shop.buy(`oth-${i}`, 'external:other', 1000)
      const [mine, theirs] = await Promise.all([
        shop.giveBack(`own-r-${i}`, 'external:owner', { purchase: `external:own-${i}` }),
        shop.giveBack(`oth-r-${i}`, 'external:other', { purchase: `external:own-${i}` }),
      ])
      expect(mine.status).toBe(201)
      expect(theirs.body.code).toBe('purchase_unknown')
    }
  })

  it('a repeat is the same whatever the order of its keys, and however it names the purchase', async () => {
    const occurredAt = NOW()
    const said = { occurredAt, metadata: { a: 1, b: { c: 2, d: 3 } } }
    const bought = await shop.buy('keys', 'external:keys', 1000, said)
    expect(
      (await shop.buy('keys', 'external:keys', 1000, { occurredAt, metadata: { b: { d: 3, c: 2 }, a: 1 } })).status,
    ).toBe(200)
    const back = { occurredAt, purchase: 'external:keys', items: [{ sku: 'beans', quantity: 1 }] }
    expect((await shop.giveBack('keys-r', 'external:keys', back)).status).toBe(201)
    const again = { occurredAt, purchase: bought.body.id, items: [{ quantity: 1, sku: 'beans' }] }
    expect((await shop.giveBack('keys-r', 'external:keys', again)).status).toBe(200)
  })

  it('a list that cannot be written whole is not written in part: it is halved', async () => {
    const rules = Array.from({ length: 140 }, (_, i) => shop.rule('fixed', { points: 1 }, { name: `rule ${i}` }))
    await Promise.all(rules)
    const asks = Array.from({ length: 500 }, (_, i) =>
      shop.gate.submit(
        shop.space,
        {
          verb: 'purchase',
          program: 'coffee',
          externalId: `many-${i}`,
          member: `external:many${i}`,
          occurredAt: NOW(),
          currency: 'GBP',
          items: [{ sku: 'a', quantity: 1, amount: 1 }],
        },
        {},
        'bulk',
      ),
    )
    const outcomes = await Promise.all(asks)
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set([201]))
    expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
  })

  it('a member whose books contradict themselves gets an answer, and holds up nobody', async () => {
    await shop.buy('sick', 'external:sick', 1000)
    const [{ member_id: member } = {}] = await shop.sql("select member_id from purchases where external_id = 'sick'")
    await shop.sql('update member_states set entry_seq = entry_seq - 1 where member_id = $1', [member])
    await expect(shop.buy('sick-2', 'external:sick', 1000)).rejects.toThrow()
    expect((await shop.buy('well', 'external:well', 1000)).status).toBe(201)
    expect((await verify(shop.pool, shop.space)).wrong?.what).toMatch(/state: says/)
  })
})

describe('the two queues', () => {
  it('bulk does not shut the door on singles, and each is bounded', async () => {
    const small = createGate({ pool: shop.pool, waitingMax: 20, bulkWaitingMax: 200 })
    const adjust = (priority: 'single' | 'bulk') =>
      small.submit(
        shop.space,
        { verb: 'adjust', member: 'external:ann', wallet: 'points', points: 1, reason: 'x' },
        {},
        priority,
      )
    const bulk = Array.from({ length: 250 }, () => adjust('bulk'))
    const singles = Array.from({ length: 20 }, () => adjust('single'))
    const over = adjust('single')
    expect((await Promise.all(singles)).map(({ status }) => status)).toEqual(Array(20).fill(201))
    expect((await over).status).toBe(503)
    const statuses = (await Promise.all(bulk)).map(({ status }) => status)
    expect([statuses.filter((s) => s === 201).length, statuses.filter((s) => s === 503).length]).toEqual([200, 50])
    await small.close()
  })
})
