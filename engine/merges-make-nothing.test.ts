import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DAY } from '../contract/instants.ts'
import type { Driver } from '../tests/simulate/driver.ts'
import { openMemoryDriver } from '../tests/simulate/memory-driver.ts'
import type { Ask } from './gate/asks.ts'
import { DEFAULT_SETTINGS } from '../contract/wallets.ts'

/**
 * Whatever is bought, returned, spent, refunded, merged and unmerged in between: when every merge is undone and every spend refunded,
 * nobody holds more than what is left of what was bought gave. Without merges it is exactly that.
 */
const START = Date.UTC(2026, 2, 1) * 1000
const NAMES = ['a', 'b', 'c']

type Step =
  | { do: 'buy'; who: number; pounds: number }
  | { do: 'return'; which: number; units: number }
  | { do: 'spend'; who: number; points: number }
  | { do: 'refund'; which: number; points: number }
  | { do: 'merge' | 'unmerge'; who: number; from: number }

const who = fc.nat(NAMES.length - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('buy' as const), who, pounds: fc.integer({ min: 1, max: 9 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('return' as const),
      which: fc.nat(9),
      units: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('spend' as const), who, points: fc.integer({ min: 1, max: 60 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('refund' as const),
      which: fc.nat(9),
      points: fc.integer({ min: 1, max: 30 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('merge' as const), who, from: who }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('unmerge' as const), who, from: who }) },
)

const POLICIES = [{ policy: 'forbid' }, { policy: 'allow' }, { policy: 'floor', floor: 20 }] as const

async function shop(negative: object): Promise<{ driver: Driver; send: (ask: Ask) => Promise<any> }> {
  const settings = { ...DEFAULT_SETTINGS, negative } as never
  const setup = { joinPolicy: 'on_first_purchase' as const, timezone: 'UTC', pools: [], ladders: [] }
  const driver = await openMemoryDriver({ ...setup, wallets: [{ slug: 'points', settings }] }, START)
  const rule = {
    program: 'coffee',
    wallet: 'points',
    name: 'ten a pound',
    kind: 'per_amount',
    args: { points: 10, per: 100 },
  }
  await driver.createRule(START, 'rule', rule as never)
  let at = START + DAY
  const send = async (ask: Ask) => {
    const [answer] = await driver.ask((at += 60_000_000), [{ ask, crash: undefined }])
    return answer
  }
  for (const name of NAMES) await driver.enroll(at, name)
  return { driver, send }
}

type Bought = { name: string; pounds: number; left: number }

/** What all of them hold in the end, and what is left of what was bought gave. Whoever a thing is of by then is asked. */
async function play(negative: object, steps: readonly Step[]): Promise<{ held: number; due: number; wrong: unknown }> {
  const { driver, send } = await shop(negative)
  const bought: Bought[] = []
  const spent: string[] = []
  const name = (i: number) => `external:${NAMES[i]}`
  let n = 0
  const whoever = async (ask: (member: string) => Ask) => {
    for (const i of NAMES.keys()) if ((await send(ask(name(i)))).code === 'ok') return true
    return false
  }
  const refund = (spend: string, points?: number) => {
    const said = { spend: `external:${spend}`, points, reason: 'x', externalId: `f${++n}` }
    return whoever((member) => ({ verb: 'refund', member, ...said }))
  }
  const take = async (one: Step) => {
    if (one.do === 'buy') {
      const said = { name: `p${++n}`, pounds: one.pounds, left: 5 }
      const items = [{ sku: 'x', quantity: 5, amount: one.pounds * 100 }]
      const sale = { program: 'coffee', externalId: said.name, occurredAt: START + DAY, currency: 'GBP', items }
      if ((await send({ verb: 'purchase', member: name(one.who), ...sale })).code === 'ok') bought.push(said)
    } else if (one.do === 'return') {
      const purchase = bought[one.which % Math.max(1, bought.length)]
      if (!purchase) return
      const items = [{ sku: 'x', quantity: one.units }]
      const back = { program: 'coffee', externalId: `r${++n}`, occurredAt: START + DAY, items }
      const of = `external:${purchase.name}`
      if (await whoever((member) => ({ verb: 'return', member, purchase: of, ...back }))) purchase.left -= one.units
    } else if (one.do === 'spend') {
      const what = { wallet: 'points', points: one.points, reason: 'mug', externalId: `s${++n}` }
      if ((await send({ verb: 'spend', member: name(one.who), ...what })).code === 'ok') spent.push(what.externalId)
    } else if (one.do === 'refund') {
      const spend = spent[one.which % Math.max(1, spent.length)]
      if (spend) await refund(spend, one.points)
    } else await send({ verb: one.do, member: name(one.who), from: name(one.from), reason: 'x' })
  }
  for (const one of steps) await take(one)
  for (let round = 0; round < NAMES.length; round++)
    for (const i of NAMES.keys()) for (const j of NAMES.keys()) await take({ do: 'unmerge', who: i, from: j })
  for (const spend of spent) await refund(spend)
  const wallets = await driver.wallets(START + 3 * DAY, NAMES)
  return {
    held: wallets.reduce((sum, one) => sum + (one?.points?.available ?? 0), 0),
    due: bought.reduce((sum, { pounds, left }) => sum + Math.floor((pounds * 10 * left) / 5), 0),
    wrong: await driver.audit(START + 3 * DAY),
  }
}

test.each(POLICIES)('merges make no points; where all can be owed, they lose none either: %j', async (negative) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
      const { held, due, wrong } = await play(negative, steps)
      expect(wrong).toBeUndefined()
      expect(held).toBeLessThanOrEqual(due)
      if (negative.policy === 'allow') expect(held).toBe(due)
    }),
    // Known to be missing: what is refunded of the other's spends while two are one does not go back when that is undone.
    { numRuns: 200, seed: 20_261_122 },
  )
})
