import { beforeAll, describe, expect, it } from 'vitest'
import { encodeId } from '@laurel/contract/ids'
import { DAY, parseInstant } from '@laurel/contract/instants'
import { twoGates } from '../tests/pair.ts'
import { door, openShop, type Shop } from '../tests/shop.ts'
import { type Tx, withTx } from './base/db.ts'
import { createProgram } from './configure-programs.ts'
import { createRule, publishRuleVersion, type RuleAsk } from './configure-rules.ts'
import { changeWallet } from './configure-wallets.ts'
import type { Gate, GateOptions } from './gate/gate.ts'
import { verify } from './verify.ts'

/** Two processes to the database. Small lists, so that there are many of them. */
let shop: Shop
let gates: Gate[]
let programs = 0
let sold = 0

const openGates = (of: Shop, options: Partial<GateOptions> = {}) => twoGates(of, { singlesMax: 5, ...options })

beforeAll(async () => {
  shop = await openShop()
  gates = openGates(shop)
})

const MIDNIGHT = parseInstant('2026-06-01T00:00:00+02:00') as number

/** A program of its own in Berlin with one rule; `buy` buys `n` times at once, through both gates in turn. */
async function open(of: Shop, rule: Partial<RuleAsk>) {
  const program = `race-${++programs}`
  await withTx(of.pool, of.space, async (tx) => {
    const said = { slug: program, name: program, timezone: 'Europe/Berlin', currency: 'EUR' }
    await createProgram(tx, { ...said, joinPolicy: 'on_first_purchase' }, door())
    await createRule(tx, { program, name: 'rule', kind: 'fixed', args: { points: 30 }, ...rule } as RuleAsk, door())
  })
  return async (n: number, by: Gate[], member: (i: number) => string, at: (i: number) => number) => {
    const told = await Promise.all(
      Array.from({ length: n }, async (_, i) => {
        const outcome = await (by[i % 2] as Gate).submit(of.space, {
          verb: 'purchase',
          program,
          externalId: `${program}-${i}-${++sold}`,
          member: `external:${program}-${member(i)}`,
          occurredAt: at(i),
          currency: 'EUR',
          items: [{ sku: 'beans', quantity: 1, amount: 1000 }],
        })
        return { status: outcome.status, points: JSON.parse(outcome.body).points as number, at: at(i) }
      }),
    )
    expect(told.every(({ status }) => status === 201)).toBe(true)
    return told
  }
}
const sum = (told: { points: number }[]) => told.reduce((all, { points }) => all + points, 0)
const wrong = async (of: Shop) => (await verify(of.pool, of.space)).wrong?.what

describe('50 purchases of one member at local midnight, through two processes, against one a day', () => {
  const around = (i: number) => MIDNIGHT - 25_000_000 + i * 1_000_000 // half of them in the second before it and earlier

  it('give once for each local day', async () => {
    const buy = await open(shop, { caps: [{ per: 'day', times: 1 }] })
    await buy(
      1,
      gates,
      () => 'ann',
      () => MIDNIGHT - 40 * DAY,
    )
    const told = await buy(50, gates, () => 'ann', around)
    expect(sum(told.filter(({ at }) => at < MIDNIGHT))).toBe(30)
    expect(sum(told.filter(({ at }) => at >= MIDNIGHT))).toBe(30)
    expect(await wrong(shop)).toBeUndefined()
  })

  it('control: without the member’s version, and the key of entries that catches it too, they give more', async () => {
    const careless = await openShop()
    await careless.sql('alter table entries drop constraint entries_pkey')
    const unguarded = openGates(careless, { unguarded: true })
    const buy = await open(careless, { caps: [{ per: 'day', times: 1 }] })
    await buy(
      1,
      unguarded,
      () => 'ann',
      () => MIDNIGHT - 40 * DAY,
    )
    let given = 0
    for (let day = 1; day < 20 && given < 2; day++) {
      given =
        sum(
          await buy(
            50,
            unguarded,
            () => 'ann',
            (i) => MIDNIGHT + day * DAY + i,
          ),
        ) / 30
    }
    expect(given).toBeGreaterThan(1)
  })
})

describe('a budget of 1,000 under 100 parallel purchases through two processes', () => {
  const spent = async (of: Shop) =>
    (await of.sql('select points_spent::int as n from budgets order by rule_id desc limit 1'))[0]?.n

  it('is used up exactly, and never gone over', async () => {
    for (let round = 0; round < 3; round++) {
      const buy = await open(shop, { budget: { points: 1_000 } })
      const told = await buy(
        100,
        gates,
        (i) => `m${i}`,
        (i) => MIDNIGHT + i,
      )
      expect(sum(told)).toBe(1_000)
      expect(told.filter(({ points }) => points > 0 && points < 30).map(({ points }) => points)).toEqual([10])
      expect(await spent(shop)).toBe(1_000)
    }
    expect(await wrong(shop)).toBeUndefined()
  })

  it('of each day, with members who come again: each is used up exactly', async () => {
    const buy = await open(shop, { budget: { points: 200, per: 'day' }, caps: [{ per: 'lifetime', points: 95 }] })
    const told = await buy(
      100,
      gates,
      (i) => `m${i % 7}`,
      (i) => MIDNIGHT + (i % 3) * DAY,
    )
    for (let day = 0; day < 3; day++) {
      expect(sum(told.filter(({ at }) => at === MIDNIGHT + day * DAY))).toBeLessThanOrEqual(200)
    }
    expect(sum(told)).toBe(Math.min(600, 7 * 95))
    expect(await wrong(shop)).toBeUndefined()
  })

  it('control: without its guard it is gone over, and verify is not what finds out', async () => {
    const careless = await openShop()
    const unguarded = openGates(careless, { unguarded: true, singlesMax: 100 })
    let most = 0
    for (let round = 0; round < 20 && most <= 1_000; round++) {
      const buy = await open(careless, { budget: { points: 1_000 } })
      await buy(
        100,
        unguarded,
        (i) => `m${i}`,
        (i) => MIDNIGHT + i,
      )
      most = Number(await spent(careless))
    }
    expect(most).toBeGreaterThan(1_000)
  })
})

describe('limits that are set while two processes sell', () => {
  const change = <T>(work: (tx: Tx) => Promise<T>) => withTx(shop.pool, shop.space, work)

  it('of a rule count all that was given before, and nothing twice', async () => {
    const buy = await open(shop, { args: { points: 10 } })
    const [{ id } = {}] = await shop.sql('select id from earning_rules order by rule_id desc limit 1')
    const rule = encodeId('rul', String(id))
    const caps = [{ per: 'month' as const, points: 300 }]
    const [before] = await Promise.all([
      buy(
        20,
        gates,
        () => 'sue',
        (i) => MIDNIGHT + i,
      ),
      change((tx) => publishRuleVersion(tx, rule, { caps, effectiveFrom: MIDNIGHT - DAY }, door())),
    ])
    const after = await buy(
      60,
      gates,
      () => 'sue',
      (i) => MIDNIGHT + 100 + i,
    )
    expect(sum(before) + sum(after)).toBe(300)
    expect(await wrong(shop)).toBeUndefined()
  })

  it('of a wallet, again and again, count all that was given before', async () => {
    const buy = await open(shop, { args: { points: 10 } })
    const at = { program: `race-${programs}`, wallet: 'points' }
    const set = (points: number | null) =>
      change((tx) =>
        changeWallet(tx, at, { caps: points === null ? null : [{ per: 'day', points }] }, undefined, door()),
      )
    let given = 0
    for (const points of [2_000, null, 3_000, null, 1_200]) {
      const [told] = await Promise.all([
        buy(
          20,
          gates,
          () => 'sue',
          (i) => MIDNIGHT + i,
        ),
        set(points),
      ])
      given += sum(told)
    }
    given += sum(
      await buy(
        60,
        gates,
        () => 'sue',
        (i) => MIDNIGHT + i,
      ),
    )
    expect(given).toBe(1_200)
    expect(await wrong(shop)).toBeUndefined()
  })
})

describe('capped purchases of one member through two processes', () => {
  it('give exactly the cap', async () => {
    const buy = await open(shop, { caps: [{ per: 'month', points: 500 }] })
    const told = await buy(
      100,
      gates,
      () => 'kim',
      (i) => MIDNIGHT + i,
    )
    expect(sum(told)).toBe(500)
    expect(await wrong(shop)).toBeUndefined()
  })

  it('are numbered one by one', async () => {
    const buy = await open(shop, { kind: 'nth_purchase', args: { n: 10, points: 30, every: true } })
    expect(
      sum(
        await buy(
          100,
          gates,
          () => 'nth',
          (i) => MIDNIGHT + i,
        ),
      ),
    ).toBe(300)
    expect(await wrong(shop)).toBeUndefined()
  })

  it('control: without the member’s version two have the same number, and verify says so', async () => {
    const careless = await openShop()
    const unguarded = openGates(careless, { unguarded: true })
    const buy = await open(careless, { kind: 'nth_purchase', args: { n: 1_000_000, points: 30 } })
    await buy(
      1,
      unguarded,
      () => 'nth',
      () => MIDNIGHT,
    )
    const doubled = /^(counter|purchases) of program/
    for (let round = 0; round < 20 && !doubled.test((await wrong(careless)) ?? ''); round++) {
      await buy(
        50,
        unguarded,
        () => 'nth',
        (i) => MIDNIGHT + i,
      )
    }
    expect(await wrong(careless)).toMatch(doubled)
  })
})
