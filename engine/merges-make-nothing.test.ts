import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DAY } from '../contract/instants.ts'
import { openMemoryShop, START } from '../tests/memory-shop.ts'
import type { Ask } from './gate/asks.ts'

/**
 * Whatever is bought, returned, spent, refunded, merged and unmerged in between: when every merge is undone (or all are one) and every
 * spend refunded, nobody holds more than what is left of what was bought gave. Without merges it is exactly that.
 */
const NAMES = ['a', 'b', 'c']

type Step =
  | { do: 'buy'; who: number; pounds: number }
  | { do: 'return'; which: number; units: number }
  | { do: 'spend'; who: number; quarters: number }
  | { do: 'refund'; which: number; points: number }
  | { do: 'merge'; who: number; from: number }
  | { do: 'unmerge'; which: number }

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
    arbitrary: fc.record({ do: fc.constant('spend' as const), who, quarters: fc.integer({ min: 1, max: 4 }) }),
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
  { weight: 3, arbitrary: fc.record({ do: fc.constant('unmerge' as const), which: fc.nat(3) }) },
)

const POLICIES = [{ policy: 'forbid' }, { policy: 'allow' }, { policy: 'floor', floor: 20 }] as const

type Bought = { name: string; pounds: number; left: number }

/** What all of them hold in the end, and what is left of what was bought gave. Whoever a thing is of by then is asked. */
async function play(
  negative: object,
  steps: readonly Step[],
  end: 'apart' | 'one',
): Promise<{ held: number; due: number; wrong: unknown }> {
  const { driver, send } = await openMemoryShop(NAMES, negative)
  const bought: Bought[] = []
  const spent: string[] = []
  const merged: { who: number; from: number }[] = []
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
  const undo = ({ who, from }: { who: number; from: number }) =>
    send({ verb: 'unmerge', member: name(who), from: name(from), reason: 'x' })
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
      const [has] = await driver.wallets(START + 2 * DAY, [NAMES[one.who] ?? ''])
      const points = Math.ceil(((has?.points?.available ?? 0) * one.quarters) / 4)
      if (points <= 0) return
      const what = { wallet: 'points', points, reason: 'mug', externalId: `s${++n}` }
      if ((await send({ verb: 'spend', member: name(one.who), ...what })).code === 'ok') spent.push(what.externalId)
    } else if (one.do === 'refund') {
      const spend = spent[one.which % Math.max(1, spent.length)]
      if (spend) await refund(spend, one.points)
    } else if (one.do === 'merge') {
      const made = await send({ verb: 'merge', member: name(one.who), from: name(one.from), reason: 'x' })
      if (made.code === 'ok') merged.push(one)
    } else if (merged.length > 0) {
      const [last] = merged.splice(one.which % merged.length, 1)
      if (last) await undo(last)
    }
  }
  for (const one of steps) await take(one)
  for (let round = 0; round < NAMES.length; round++)
    for (const i of NAMES.keys()) {
      if (end === 'one') await send({ verb: 'merge', member: name(0), from: name(i), reason: 'x' })
      else for (const j of NAMES.keys()) await undo({ who: i, from: j })
    }
  for (const spend of spent) await refund(spend)
  const wallets = await driver.wallets(START + 3 * DAY, end === 'one' ? NAMES.slice(0, 1) : NAMES)
  return {
    held: wallets.reduce((sum, one) => sum + (one?.points?.available ?? 0), 0),
    due: bought.reduce((sum, { pounds, left }) => sum + Math.floor((pounds * 10 * left) / 5), 0),
    wrong: await driver.audit(START + 3 * DAY),
  }
}

test.each(POLICIES)('merges make no points; where all can be owed, they lose none either: %j', async (negative) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
      for (const end of ['apart', 'one'] as const) {
        const { held, due, wrong } = await play(negative, steps, end)
        expect(wrong).toBeUndefined()
        expect(held).toBeLessThanOrEqual(due)
        if (negative.policy === 'allow') expect(held).toBe(due)
      }
    }),
    { numRuns: 200 },
  )
})

const FOUND: [policy: 'forbid' | 'floor', what: string, steps: Step[], end?: 'one' | 'apart'][] = [
  [
    'forbid',
    'a refund into the one of what the other had spent',
    [
      { do: 'buy', who: 0, pounds: 1 },
      { do: 'buy', who: 0, pounds: 1 },
      { do: 'spend', who: 0, quarters: 2 },
      { do: 'merge', who: 1, from: 0 },
      { do: 'refund', which: 0, points: 1 },
      { do: 'return', which: 1, units: 5 },
      { do: 'unmerge', which: 0 },
      { do: 'refund', which: 0, points: 1 },
      { do: 'return', which: 0, units: 5 },
    ],
  ],
  [
    'forbid',
    "a return of the other's took what was the one's",
    [
      { do: 'buy', who: 0, pounds: 1 },
      { do: 'spend', who: 0, quarters: 4 },
      { do: 'buy', who: 1, pounds: 1 },
      { do: 'merge', who: 1, from: 0 },
      { do: 'return', which: 0, units: 5 },
      { do: 'unmerge', which: 0 },
      { do: 'return', which: 1, units: 5 },
    ],
  ],
  [
    'forbid',
    "what is the one's again makes good only what its own returns wrote off",
    [
      { do: 'buy', who: 2, pounds: 2 },
      { do: 'spend', who: 2, quarters: 1 },
      { do: 'buy', who: 1, pounds: 2 },
      { do: 'merge', who: 2, from: 0 },
      { do: 'spend', who: 0, quarters: 1 },
      { do: 'merge', who: 1, from: 2 },
      { do: 'spend', who: 0, quarters: 2 },
      { do: 'return', which: 0, units: 3 },
      { do: 'return', which: 0, units: 1 },
      { do: 'return', which: 7, units: 5 },
      { do: 'unmerge', which: 0 },
      { do: 'return', which: 0, units: 1 },
    ],
  ],
  [
    'forbid',
    'written off while one of three, and refunded past it',
    [
      { do: 'buy', who: 0, pounds: 4 },
      { do: 'spend', who: 0, quarters: 3 },
      { do: 'merge', who: 2, from: 0 },
      { do: 'return', which: 0, units: 2 },
      { do: 'merge', who: 1, from: 2 },
      { do: 'refund', which: 0, points: 25 },
      { do: 'buy', who: 0, pounds: 1 },
    ],
  ],
  [
    'forbid',
    'written off while one of two, who became one with a third',
    [
      { do: 'buy', who: 0, pounds: 4 },
      { do: 'spend', who: 0, quarters: 3 },
      { do: 'merge', who: 2, from: 0 },
      { do: 'return', which: 0, units: 2 },
      { do: 'merge', who: 1, from: 2 },
      { do: 'refund', which: 0, points: 25 },
    ],
    'one',
  ],
  [
    'forbid',
    'spent as one, written off, and refunded when they are one again',
    [
      { do: 'buy', who: 0, pounds: 2 },
      { do: 'merge', who: 1, from: 0 },
      { do: 'spend', who: 0, quarters: 4 },
      { do: 'return', which: 0, units: 1 },
      { do: 'unmerge', which: 0 },
      { do: 'merge', who: 1, from: 0 },
      { do: 'buy', who: 0, pounds: 1 },
      { do: 'spend', who: 0, quarters: 1 },
      { do: 'refund', which: 0, points: 17 },
      { do: 'spend', who: 0, quarters: 1 },
    ],
  ],
  [
    'forbid',
    'a spend of an earlier merge, refunded in the next',
    [
      { do: 'buy', who: 0, pounds: 1 },
      { do: 'merge', who: 1, from: 0 },
      { do: 'buy', who: 0, pounds: 2 },
      { do: 'spend', who: 0, quarters: 2 },
      { do: 'unmerge', which: 0 },
      { do: 'merge', who: 1, from: 0 },
      { do: 'refund', which: 0, points: 1 },
      { do: 'return', which: 0, units: 1 },
      { do: 'refund', which: 0, points: 14 },
    ],
  ],
  [
    'floor',
    "the other's debts, and what the one paid of them",
    [
      { do: 'buy', who: 0, pounds: 3 },
      { do: 'spend', who: 0, quarters: 3 },
      { do: 'return', which: 0, units: 2 },
      { do: 'merge', who: 1, from: 0 },
      { do: 'buy', who: 0, pounds: 1 },
      { do: 'return', which: 0, units: 1 },
      { do: 'return', which: 0, units: 2 },
      { do: 'spend', who: 0, quarters: 1 },
      { do: 'return', which: 7, units: 4 },
    ],
  ],
  [
    'floor',
    'debts that went through two merges',
    [
      { do: 'buy', who: 2, pounds: 2 },
      { do: 'buy', who: 0, pounds: 1 },
      { do: 'merge', who: 2, from: 0 },
      { do: 'merge', who: 1, from: 2 },
      { do: 'spend', who: 0, quarters: 2 },
      { do: 'spend', who: 0, quarters: 1 },
      { do: 'return', which: 0, units: 5 },
      { do: 'refund', which: 0, points: 1 },
      { do: 'return', which: 7, units: 2 },
    ],
  ],
]

test.each(FOUND)('found before, where the policy is %s: %s', async (policy, _what, steps, end = 'apart') => {
  const negative = POLICIES.find((one) => one.policy === policy)
  const { held, due, wrong } = await play(negative ?? {}, steps, end)
  expect(wrong).toBeUndefined()
  expect(held).toBe(due)
})
