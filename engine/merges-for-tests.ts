import fc from 'fast-check'
import { DAY } from '../contract/instants.ts'
import { openSmallShop, START } from '../tests/small-shop.ts'
import type { OpenDriver } from '../tests/simulate/driver.ts'
import type { Ask } from './gate/asks.ts'

const NAMES = ['a', 'b', 'c']

export type Step =
  | { do: 'buy'; who: number; pounds: number }
  | { do: 'return'; which: number; units: number }
  | { do: 'spend'; who: number; quarters: number }
  | { do: 'refund'; which: number; points: number }
  | { do: 'merge'; who: number; from: number }
  | { do: 'unmerge'; which: number }

const who = fc.nat(NAMES.length - 1)
export const step: fc.Arbitrary<Step> = fc.oneof(
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

export const POLICIES = [{ policy: 'forbid' }, { policy: 'allow' }, { policy: 'floor', floor: 20 }] as const

type Bought = { name: string; pounds: number; left: number }

/** What all of them hold in the end, and what is left of what was bought gave. Whoever a thing is of by then is asked. */
export async function playMerges(
  open: OpenDriver,
  negative: object,
  steps: readonly Step[],
  end: 'apart' | 'one',
): Promise<{ held: number; due: number; wrong: unknown }> {
  const { driver, send } = await openSmallShop(open, NAMES, negative)
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
  const wrong = await driver.audit(START + 3 * DAY)
  await driver.close()
  return {
    held: wallets.reduce((sum, one) => sum + (one?.points?.available ?? 0), 0),
    due: bought.reduce((sum, { pounds, left }) => sum + Math.floor((pounds * 10 * left) / 5), 0),
    wrong,
  }
}
