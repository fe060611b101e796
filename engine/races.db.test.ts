import { beforeAll, describe, expect, it } from 'vitest'
import { inTurn, twoGates } from '../tests/pair.ts'
import { door, NOW, openShop, type Shop } from '../tests/shop.ts'
import { withTx } from './base/db.ts'
import { keyOf } from './base/keys.ts'
import { changeMember } from './change-member.ts'
import type { Ask } from './gate/asks.ts'
import type { Gate } from './gate/gate.ts'
import { verify } from './verify.ts'

/** Two processes to the database: what one has read the other may change. */
let shop: Shop
let gates: [Gate, Gate]
let careless: [Gate, Gate]

beforeAll(async () => {
  shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  gates = twoGates(shop)
  careless = twoGates(shop, { unguarded: true })
})

const send = async (gate: Gate, ask: Ask, idempotency?: { key: string; request: string }) => {
  const { status, body, replayed } = await gate.submit(shop.space, ask, idempotency ? { idempotency } : {})
  return { status, body: JSON.parse(body), text: body, replayed }
}
const buying = (externalId: string, member: string, amount: number, occurredAt = NOW()): Ask => ({
  verb: 'purchase',
  program: 'coffee',
  externalId,
  member,
  occurredAt,
  currency: 'GBP',
  items: [{ sku: 'beans', quantity: 10, amount }],
})
const spending = (member: string, points: number): Ask => ({
  verb: 'spend',
  member,
  wallet: 'points',
  points,
  reason: 'mug',
})
const both = <T>(n: number, work: (gate: Gate, i: number) => Promise<T>) => inTurn(gates, n, work)
const wrong = async () => (await verify(shop.pool, shop.space)).wrong

describe('two processes', () => {
  it('100 identical purchases at once are one', async () => {
    const occurredAt = NOW()
    const answers = await both(100, (gate) => send(gate, buying('same', 'external:ann', 500, occurredAt)))
    expect(answers.map((a) => a.status).filter((s) => s === 201)).toHaveLength(1)
    expect(answers.every((a) => a.status === 201 || a.status === 200)).toBe(true)
    expect(new Set(answers.map((a) => a.body.id)).size).toBe(1)
  })

  it('50 first purchases of an unknown member enrol one', async () => {
    const answers = await both(50, (gate, i) => send(gate, buying(`first-${i}`, 'external:new', 100)))
    expect(answers.map((a) => a.status)).toEqual(Array(50).fill(201))
    expect(new Set(answers.map((a) => a.body.member)).size).toBe(1)
    expect(Math.max(...answers.map((a) => a.body.wallets[0].available))).toBe(50)
  })

  it('one external id for two members at once: one is recorded, the other refused', async () => {
    for (let i = 0; i < 10; i++) {
      const answers = await Promise.all([
        send(gates[0], buying(`clash-${i}`, 'external:a', 100)),
        send(gates[1], buying(`clash-${i}`, 'external:b', 100)),
      ])
      expect(new Set(answers.map((a) => a.status))).toEqual(new Set([201, 409]))
    }
  })

  it('100 requests with one Idempotency-Key have one effect and one answer; another request with it is refused', async () => {
    const idempotency = { key: keyOf('spendPoints', 'k-1'), request: keyOf('request', 'a') }
    await send(gates[0], buying('rich', 'external:kim', 100_000))
    const answers = await both(100, (gate) => send(gate, spending('external:kim', 7), idempotency))
    expect(new Set(answers.map((a) => a.text)).size).toBe(1)
    expect(answers.filter((a) => !a.replayed)).toHaveLength(1)
    expect(answers[0]).toMatchObject({ status: 201, body: { wallets: [{ available: 993 }] } })
    expect(
      await send(gates[1], spending('external:kim', 8), { ...idempotency, request: keyOf('request', 'b') }),
    ).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } })
  })

  it('200 spends of a balance for one: one', async () => {
    await send(gates[0], buying('once', 'external:poor', 1000))
    const answers = await both(200, (gate) => send(gate, spending('external:poor', 10)))
    expect(answers.filter((a) => a.status === 201)).toHaveLength(1)
    expect(answers.filter((a) => a.body.code === 'insufficient_points')).toHaveLength(199)
  })

  it('200 mixed writes on one member: nothing lost, nothing doubled', async () => {
    await send(gates[0], buying('mixed', 'external:mix', 100_000))
    const answers = await both(200, (gate, i) =>
      send(
        gate,
        i % 4 === 0
          ? spending('external:mix', 1)
          : i % 4 === 1
            ? {
                verb: 'return',
                program: 'coffee',
                externalId: `mr-${i}`,
                member: 'external:mix',
                occurredAt: NOW(),
                items: [{ sku: 'beans', quantity: 1 }],
              }
            : buying(`mixed-${i}`, 'external:mix', 1000),
      ),
    )
    expect(answers.map((a) => a.status).every((s) => s === 201)).toBe(true)
    const [sums] = await shop.sql(
      `select sum(case when to_account = 1 then points else -points end) as balance, count(*) from entries e
      join lookups l on l.member_id = e.member_id where l.key = $1`,
      [keyOf('member.external', 'mix')],
    )
    const { body } = await send(gates[0], {
      verb: 'adjust',
      member: 'external:mix',
      wallet: 'points',
      points: 1,
      reason: 'look',
    })
    expect(Number(sums?.balance) + 1).toBe(body.wallets[0].available)
    expect(await wrong()).toBeUndefined()
  })

  it('hot members in lists of both: no deadlock or fault reaches a client', async () => {
    const answers = await both(1_000, (gate, i) =>
      send(
        gate,
        i % 5 === 0 ? spending(`external:hot${(i * 7) % 10}`, 1) : buying(`hot-${i}`, `external:hot${i % 10}`, 500),
      ),
    )
    expect(new Set(answers.map((a) => a.status).filter((s) => s !== 404 && s !== 409))).toEqual(new Set([201]))
    expect(await wrong()).toBeUndefined()
  })
})

describe('the version check', () => {
  /** A purchase that earns nothing makes no entries: nothing but the version tells two returns of it apart. */
  async function returnsOfNothing(pair: [Gate, Gate], name: string) {
    await send(pair[0], buying(name, `external:${name}`, 10))
    await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        send(pair[i % 2] as Gate, {
          verb: 'return',
          program: 'coffee',
          externalId: `${name}-${i}`,
          member: `external:${name}`,
          occurredAt: NOW(),
          purchase: `external:${name}`,
          items: [{ sku: 'beans', quantity: 1 }],
        }),
      ),
    )
  }

  it('a member suspended between reading and writing does not earn', async () => {
    await send(gates[0], buying('s-0', 'external:sue', 100))
    const become = (status: 'active' | 'suspended') =>
      withTx(shop.pool, shop.space, (tx) => changeMember(tx, 'external:sue', { status }, undefined, door()))
    for (let i = 1; i <= 10; i++) {
      const [purchase] = await Promise.all([send(gates[0], buying(`s-${i}`, 'external:sue', 100)), become('suspended')])
      expect([201, 409]).toContain(purchase.status)
      expect((await send(gates[1], buying(`t-${i}`, 'external:sue', 100))).status).toBe(409)
      await become('active')
    }
    expect(await wrong()).toBeUndefined()
  })

  it('keeps concurrent returns of one purchase apart', async () => {
    for (let i = 0; i < 5; i++) await returnsOfNothing(gates, `kept${i}`)
    expect(await wrong()).toBeUndefined()
  })

  it('control: without it returns are lost, and verify says so', async () => {
    const lost = /purchase pur_.*returned units/
    for (let i = 0; i < 20 && !lost.test((await wrong())?.what ?? ''); i++) await returnsOfNothing(careless, `lost${i}`)
    expect((await wrong())?.what).toMatch(lost)
  })
})
