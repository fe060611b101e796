import { beforeAll, describe, expect, it } from 'vitest'
import { DAY, type Instant, MINUTE, parseInstant } from '@laurel/contract/instants'
import { door, openShop, type Shop } from '../../tests/shop.ts'
import { announceBudgets } from '../announce-budgets.ts'
import { newId } from '../base/ids.ts'
import { withTx } from '../base/db.ts'
import { changeProgram, createProgram } from '../configure-programs.ts'
import { createRule, publishRuleVersion, type RuleAsk } from '../configure-rules.ts'
import { changeWallet, createWallet } from '../configure-wallets.ts'
import type { PurchaseAsk, ReturnAsk } from '../gate/asks.ts'
import { verify } from '../verify.ts'

let shop: Shop
let programs = 0
beforeAll(async () => {
  shop = await openShop()
})

const at = (text: string): Instant => parseInstant(text) as Instant
const wrong = async () => (await verify(shop.pool, shop.space)).wrong?.what
const setUp = <T>(work: (tx: Parameters<Parameters<typeof withTx<T>>[2]>[0]) => Promise<T>) =>
  withTx(shop.pool, shop.space, work)

/** A program of a test's own, in London, and what is bought there: each test has members and rules to itself. */
async function open() {
  const slug = `shop-${++programs}`
  let bought = 0
  await setUp((tx) =>
    createProgram(
      tx,
      { slug, name: slug, timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'on_first_purchase' },
      door(),
    ),
  )
  const rule = (ask: Partial<RuleAsk>) =>
    setUp((tx) =>
      createRule(tx, { program: slug, name: 'rule', kind: 'fixed', args: { points: 10 }, ...ask } as RuleAsk, door()),
    )
  const buy = async (member: string, occurredAt: Instant, more: Partial<PurchaseAsk> = {}) => {
    const externalId = `${slug}-${++bought}`
    const about = { program: slug, occurredAt, ...more }
    const told = await shop.buy(externalId, `external:${slug}-${member}`, 1000, about)
    expect(told.status, JSON.stringify(told.body)).toBe(201)
    return { points: told.body.points as number, why: told.body.awards[0]?.why as string, externalId }
  }
  const giveBack = (member: string, more: Partial<ReturnAsk>) =>
    shop.giveBack(`${slug}-r${++bought}`, `external:${slug}-${member}`, { program: slug, ...more })
  const points = async (member: string, times: Instant[]) => {
    const all: number[] = []
    for (const time of times) all.push((await buy(member, time)).points)
    return all
  }
  return { slug, rule, buy, giveBack, points }
}

const NOON = at('2026-06-10T11:00:00Z')

describe('caps of a rule', () => {
  it('go by local days of occurredAt, whenever a purchase comes', async () => {
    const { rule, points } = await open()
    await rule({ caps: [{ per: 'day', times: 1 }] })
    const times = [
      '2026-06-01T22:59:59.999999Z',
      '2026-06-01T23:00:00Z',
      '2026-06-02T22:59:59Z',
      '2026-06-01T09:00:00Z',
    ]
    expect(await points('dee', times.map(at))).toEqual([10, 10, 0, 0])
    expect(await points('eve', times.map(at))).toEqual([10, 10, 0, 0])
  })

  it('clip to what is left and say so, or refuse what is more', async () => {
    const { rule, buy, points } = await open()
    await rule({ args: { points: 40 }, caps: [{ per: 'month', points: 100 }] })
    expect(await points('ann', [NOON, NOON + 1, NOON + 2])).toEqual([40, 40, 20])
    expect((await buy('ann', NOON + 3)).points).toBe(0)
    expect((await buy('ann', NOON + 31 * DAY)).points).toBe(40)
    const other = await open()
    await other.rule({ args: { points: 40 }, caps: [{ per: 'month', points: 100, over: 'refuse' }] })
    expect(await other.points('ann', [NOON, NOON + 1, NOON + 2])).toEqual([40, 40, 0])
    const clipped = await open()
    await clipped.rule({ args: { points: 40 }, caps: [{ per: 'lifetime', points: 25 }] })
    expect((await clipped.buy('ann', NOON)).why).toBe(
      "40 points for the purchase, but the rule's cap leaves this member 25",
    )
  })

  it('are not freed by returns, and a return takes what the rooms of its time leave no more', async () => {
    const { rule, buy, giveBack } = await open()
    await rule({ kind: 'per_amount', args: { points: 1, per: 10 }, caps: [{ per: 'month', points: 150 }] })
    const items = [{ sku: 'beans', quantity: 4, amount: 2000 }]
    const first = await buy('kim', NOON, { items })
    expect(first.points).toBe(150)
    const back = (quantity: number) =>
      giveBack('kim', { purchase: `external:${first.externalId}`, items: [{ sku: 'beans', quantity }] })
    expect((await back(1)).body.points).toBe(0) // 150 of 150 are still due for three
    expect((await back(1)).body.points).toBe(50)
    expect((await buy('kim', NOON + 1)).points).toBe(0)
    expect((await back(2)).body.points).toBe(100)
    expect(await wrong()).toBeUndefined()
  })

  it('that come later count what was given before them', async () => {
    const { rule, points, buy } = await open()
    const { id } = await rule({})
    expect(await points('old', [NOON, NOON + DAY, NOON + 40 * DAY])).toEqual([10, 10, 10])
    const before = at('2026-01-01T00:00:00Z')
    await setUp((tx) =>
      publishRuleVersion(tx, id, { caps: [{ per: 'month', points: 25 }], effectiveFrom: before }, door()),
    )
    expect(await points('old', [NOON + 2, NOON + 3, NOON + 40 * DAY + 1])).toEqual([5, 0, 10])
    await setUp((tx) => publishRuleVersion(tx, id, { caps: null, effectiveFrom: before }, door()))
    expect((await buy('old', NOON + 4)).points).toBe(10)
    await setUp((tx) =>
      publishRuleVersion(tx, id, { caps: [{ per: 'month', points: 40 }], effectiveFrom: before }, door()),
    )
    expect(await points('old', [NOON + 5, NOON + 6])).toEqual([5, 0])
    expect(await wrong()).toBeUndefined()
  })

  it('first_time gives once, whatever else it says', async () => {
    const { rule, points, giveBack } = await open()
    await rule({ kind: 'first_time', args: { points: 100 } })
    expect(await points('new', [NOON, NOON + DAY])).toEqual([100, 0])
    await giveBack('new', { items: [{ sku: 'beans', quantity: 2 }] })
    expect(await points('new', [NOON + 2 * DAY])).toEqual([0])
  })
})

describe('caps of a wallet', () => {
  it('hold for all rules together, in the order of the rules, from when they are set', async () => {
    const { slug, rule, points, buy } = await open()
    await rule({ args: { points: 30 }, priority: 2 })
    await rule({ args: { points: 50 }, priority: 1 })
    expect(await points('ida', [NOON])).toEqual([80])
    const set = (caps: [{ per: 'day'; points: number }] | null) =>
      setUp((tx) => changeWallet(tx, { program: slug, wallet: 'points' }, { caps }, undefined, door()))
    await set([{ per: 'day', points: 140 }])
    expect(await points('ida', [NOON + 1, NOON + 2, NOON + DAY])).toEqual([60, 0, 80])
    await set(null)
    expect((await buy('ida', NOON + DAY + 1)).points).toBe(80)
    await set([{ per: 'day', points: 170 }])
    expect(await points('ida', [NOON + DAY + 2, NOON + DAY + 3])).toEqual([10, 0])
    expect(await wrong()).toBeUndefined()
  })
})

describe('a cooldown', () => {
  it('looks both ways', async () => {
    const { rule, points } = await open()
    await rule({ cooldown: 'PT30M' })
    const minutes = [0, 29, 30, 100, 75, 65, 71, 129, 130]
    expect(
      await points(
        'coo',
        minutes.map((m) => NOON + m * MINUTE),
      ),
    ).toEqual([10, 0, 10, 10, 0, 10, 0, 0, 10])
    expect(await wrong()).toBeUndefined()
  })

  it('that comes later looks at what was given before it', async () => {
    const { rule, points } = await open()
    const { id } = await rule({})
    await points('coo', [NOON, NOON + 10 * DAY])
    await setUp((tx) =>
      publishRuleVersion(tx, id, { cooldown: 'P3D', effectiveFrom: at('2026-01-01T00:00:00Z') }, door()),
    )
    const days = [2, 3, 13, 12, 8, 5]
    expect(
      await points(
        'coo',
        days.map((d) => NOON + d * DAY),
      ),
    ).toEqual([0, 10, 10, 0, 0, 0])
    expect(await wrong()).toBeUndefined()
  })
})

describe('what rules know of a member', () => {
  it('is known of one who joins with the first of several purchases in a list', async () => {
    const { rule, buy } = await open()
    await rule({ when: 'member.externalId.endsWith("new") && !member.hasEmail && member.joinedAt > occurredAt' })
    await rule({ kind: 'nth_purchase', args: { points: 3, n: 2 } })
    const told = await Promise.all([1, 2, 3].map((n) => buy('new', NOON + n)))
    expect(told.map(({ points }) => points)).toEqual([10, 13, 10])
    expect((await buy('new', NOON)).points).toBe(10)
    expect((await buy('old', NOON)).points).toBe(0)
    expect(await wrong()).toBeUndefined()
  })
})

describe("a member's purchases", () => {
  it('are counted, those without points too, also from before any rule asked', async () => {
    const { rule, points } = await open()
    expect(await points('nth', [NOON, NOON + 1])).toEqual([0, 0])
    await rule({ kind: 'nth_purchase', args: { points: 25, n: 4, every: true } })
    expect(await points('nth', [NOON + 2, NOON + 3, NOON + 4])).toEqual([0, 25, 0])
    expect(await points('one', [NOON, NOON + 1, NOON + 2, NOON + 3])).toEqual([0, 0, 0, 25])
    expect(await wrong()).toBeUndefined()
  })
})

describe('a budget', () => {
  it('is shared by all members, clips at what is left, and begins again with its period', async () => {
    const { rule, buy } = await open()
    await rule({ budget: { points: 25, per: 'week' } })
    const given: number[] = []
    for (const who of ['a', 'b', 'c', 'd']) given.push((await buy(who, NOON)).points)
    expect(given).toEqual([10, 10, 5, 0])
    expect((await buy('d', NOON + 7 * DAY)).points).toBe(10)
    expect(await wrong()).toBeUndefined()
  })

  it('is told of once when it is used up, by whoever looks, and again when it was raised', async () => {
    const { rule, buy } = await open()
    const { id } = await rule({ budget: { money: 90, pointCost: { points: 10, money: 30 } } })
    const announce = () => announceBudgets(shop.pool, shop.space, { ...door(), newId })
    const told = async () =>
      (await shop.sql("select events from outbox where events like '%budget.spent%'"))
        .flatMap((row) => JSON.parse(String(row.events)) as [string, unknown, unknown, { points: number }][])
        .filter(([type]) => type === 'budget.spent')
        .map(([, , , data]) => data.points)
    await announce()
    const before = (await told()).length
    await buy('a', NOON)
    await buy('b', NOON)
    expect(await announce()).toBe(0)
    await buy('c', NOON)
    const all = await Promise.all([announce(), announce(), announce()])
    expect(all.toSorted((a, b) => a - b)).toEqual([0, 0, 1])
    expect((await told()).slice(before)).toEqual([30])
    await buy('d', NOON)
    expect(await announce()).toBe(0)
    await setUp((tx) => publishRuleVersion(tx, id, { budget: { points: 35 }, effectiveFrom: NOON - DAY }, door()))
    expect((await buy('e', NOON)).points).toBe(5)
    expect(await announce()).toBe(1)
    expect((await told()).slice(before)).toEqual([30, 35])
    expect(await wrong()).toBeUndefined()
  })
})

describe('a program that moves to another time zone', () => {
  it('counts by the days of its time, and verify by those of each purchase', async () => {
    const { slug, rule, points, giveBack } = await open()
    await rule({ budget: { points: 25, per: 'day' }, caps: [{ per: 'day', times: 2 }] })
    const late = at('2026-06-10T22:30:00Z') // the 10th in London, the 11th in Berlin
    expect(await points('ann', [NOON, late])).toEqual([10, 10])
    await setUp((tx) => changeProgram(tx, slug, { timezone: 'Europe/Berlin' }, undefined, door()))
    expect(await points('ann', [late + 1, late + 2, late + 3])).toEqual([10, 10, 0])
    expect(await points('bob', [late + 4, NOON])).toEqual([5, 5])
    expect((await giveBack('ann', { items: [{ sku: 'beans', quantity: 1 }] })).status).toBe(201)
    expect(await wrong()).toBeUndefined()
  })
})

describe('a budget in money', () => {
  it('needs a price, unless the wallet holds money', async () => {
    const { slug, rule } = await open()
    await expect(rule({ budget: { money: 90 } })).rejects.toThrow(/shape/)
    await setUp((tx) => createWallet(tx, slug, { slug: 'cash', unit: 'money' }, door()))
    const { id } = await rule({ wallet: 'cash', budget: { money: 90 } })
    const raise = (wallet: string) => setUp((tx) => publishRuleVersion(tx, wallet, { budget: { money: 100 } }, door()))
    expect((await raise(id)).budget).toEqual({ money: 100 })
    await expect(raise((await rule({})).id)).rejects.toThrow(/shape/)
  })
})

describe('a save that breaks at its last statement', () => {
  it('changes neither counters nor budgets: the same purchase then gets all of it', async () => {
    const { slug, rule, buy } = await open()
    await rule({ caps: [{ per: 'day', times: 1 }], budget: { points: 10 } })
    await shop.sql('alter table outbox add constraint broken check (false) not valid')
    const ask = { program: slug, occurredAt: NOON }
    await expect(shop.buy(`${slug}-x`, `external:${slug}-cut`, 1000, ask)).rejects.toThrow()
    await shop.sql('alter table outbox drop constraint broken')
    expect((await buy('cut', NOON)).points).toBe(10)
    expect((await buy('cut', NOON)).points).toBe(0)
  })
})

describe('a program without limits', () => {
  it('reads and writes nothing of them', async () => {
    const { slug, rule, buy } = await open()
    await rule({})
    const seen: string[] = []
    const { query } = (await import('pg')).default.Client.prototype
    const { Client } = (await import('pg')).default
    Client.prototype.query = function (this: unknown, ...args: unknown[]) {
      seen.push(JSON.stringify(args[0]))
      return (query as (...a: unknown[]) => unknown).apply(this, args)
    } as never
    try {
      await buy('free', NOON)
      await buy('free', NOON)
    } finally {
      Client.prototype.query = query
    }
    expect(seen.length).toBeGreaterThan(5)
    expect(seen.filter((text) => /counters|budgets|members-facts/.test(text))).toEqual([])
    const [row] = await shop.sql(
      'select count(*)::int as n from purchases where external_id like $1 and frozen is not null',
      [`${slug}-%`],
    )
    expect(row).toEqual({ n: 0 })
  })
})

describe('verify', () => {
  it.each([
    [
      'a counter',
      "update counters set points = points + 1 where scope = 1 and period = '2026-06'",
      /^counter of rule rul_.* for 2026-06: says/,
    ],
    [
      'a counter that is gone',
      "delete from counters where scope = 1 and period = '2026-06-10'",
      /^counter of rule rul_.*: is gone/,
    ],
    ['a count of purchases', 'update counters set times = times - 1 where scope = 3', /^counter of program "shop-/],
    ['a budget', 'update budgets set points_spent = points_spent - 1', /^budget of rule rul_.*: says/],
    [
      'what a purchase was decided on',
      `update purchases set frozen = replace(frozen, '"clip":100', '"clip":101') where frozen like '%"clip":100%'`,
      /^purchase pur_/,
    ],
    ['that anything was', 'update purchases set frozen = null where frozen is not null', /^purchase pur_/],
  ])('names %s', async (_, tamper, what) => {
    const { rule, buy } = await open()
    await rule({
      args: { points: 40 },
      caps: [
        { per: 'month', points: 100 },
        { per: 'day', times: 2 },
      ],
    })
    await rule({ budget: { points: 15, per: 'month' } })
    await rule({ kind: 'nth_purchase', args: { points: 25, n: 4, every: true } })
    for (let i = 0; i < 3; i++) await buy('eve', NOON + i)
    expect(await wrong()).toBeUndefined()
    const tables = ['counters', 'budgets', 'purchases']
    for (const t of tables) await shop.sql(`create table kept_${t} as table ${t}`)
    await shop.sql(tamper)
    expect(await wrong()).toMatch(what)
    for (const t of tables) {
      await shop.sql(`truncate ${t}`)
      const [row] = await shop.sql(
        `select string_agg(column_name, ', ') as columns from information_schema.columns
          where table_name = $1 and is_generated = 'NEVER'`,
        [t],
      )
      const columns = String(row?.columns)
      await shop.sql(`insert into ${t} (${columns}) select ${columns} from kept_${t}`)
      await shop.sql(`drop table kept_${t}`)
    }
    expect(await wrong()).toBeUndefined()
  })
})
