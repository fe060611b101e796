import type { PurchaseAsk } from '@laurel/engine/gate/asks'
import { factsOf } from '@laurel/engine/gate/gate'
import { decideAll, type Item } from '@laurel/engine/gate/list'
import { newId } from '@laurel/engine/base/ids'
import { save } from '@laurel/engine/gate/save'
import { configurationWith, openMemory, T0 } from '../tests/memory.ts'
import type { Options } from './rounds.ts'
import { median, ms, printTable, ratio } from './table.ts'

const LIST = 500
const WARM_UP = 40
const ROUNDS = 60

type Rules = Parameters<typeof configurationWith>[0]
const ONE: Rules = [{ kind: 'per_amount', args: { points: 1, per: 100 } }]

/** Twenty rules of every kind, as a large retailer would have them: categories, thresholds, conditions, a double week. */
const TWENTY: Rules = [
  ...ONE,
  ...Array.from({ length: 6 }, (_, i) => ({
    kind: 'per_item',
    args: { points: 5 + i, categories: [`category-${i}`, 'drinks'] },
  })),
  ...Array.from({ length: 4 }, (_, i) => ({
    kind: 'per_amount',
    args: { points: 2, per: 100, skus: Array.from({ length: 50 }, (__, n) => `sku-${i * 50 + n}`) },
  })),
  {
    kind: 'basket_threshold',
    args: {
      steps: [
        { from: 1000, points: 10 },
        { from: 5000, points: 60 },
      ],
    },
  },
  {
    kind: 'product_combination',
    args: {
      groups: [
        { categories: ['drinks'], quantity: 1 },
        { categories: ['bakery'], quantity: 1 },
      ],
      points: 15,
    },
  },
  { kind: 'formula', args: { expression: 'purchase.total / 250', rounding: 'floor' } },
  { kind: 'fixed', args: { points: 3 }, terms: { when: 'purchase.channel == "app" && local.weekday <= 5' } },
  { kind: 'fixed', args: { points: 4 }, terms: { when: 'items.exists(i, i.category == "bakery" && i.amount > 300)' } },
  { kind: 'fixed', args: { points: 7 }, terms: { group: { name: 'welcome', pick: 'best' } } },
  { kind: 'fixed', args: { points: 9 }, terms: { group: { name: 'welcome', pick: 'best' } } },
  { kind: 'multiplier', args: { factor: 2 } },
  { kind: 'multiplier', args: { factor: 1.5 } },
]

/**
 * How long deciding a full list keeps everybody else waiting: 500 purchases of three lines, by one rule and by twenty, decided
 * and turned into columns in one go, as the gate does between two turns of the event loop.
 */
export async function decide(_options: Options): Promise<void> {
  const rows = [
    ['1 rule', ...measure(ONE)],
    ['20 rules', ...measure(TWENTY)],
  ] as const
  const [one, twenty] = rows.map((row) => row[1])
  printTable(
    [`a list of ${LIST} purchases`, 'median ms', 'longest ms', '÷ 1 rule', 'µs a purchase'],
    rows.map(([name, middle, longest]) => [
      name,
      ms(middle * 1000),
      ms(longest * 1000),
      ratio(middle / (one ?? 1)),
      ((middle * 1000) / LIST).toFixed(1),
    ]),
  )
  console.log(`Twenty rules keep the event loop ${ratio((twenty ?? 0) / (one ?? 1))} times as long as one.`)
}

/** The median and the longest of many lists, in milliseconds. */
function measure(rules: Rules): [median: number, longest: number] {
  const configuration = configurationWith(rules)
  const times: number[] = []
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const { slices } = openMemory(configuration)
    const items = Array.from({ length: LIST }, (_, n) => item(round * LIST + n))
    const began = performance.now()
    save(1, newId(), T0, decideAll(slices, items))
    if (round >= WARM_UP) times.push(performance.now() - began)
  }
  return [median(times), Math.max(...times)]
}

function item(n: number): Item {
  const ask: PurchaseAsk = {
    verb: 'purchase',
    program: 'coffee',
    externalId: `purchase-${n}`,
    member: `external:member-${n}`,
    occurredAt: T0,
    currency: 'GBP',
    channel: n % 2 ? 'app' : 'pos',
    items: [
      { sku: `sku-${n % 400}`, name: 'Flat white', category: 'drinks', quantity: 2, amount: 700 + (n % 90) },
      { sku: `sku-${(n * 7) % 400}`, name: 'Almond croissant', category: 'bakery', quantity: 1, amount: 350 },
      { sku: `sku-${(n * 13) % 400}`, name: 'Beans', category: `category-${n % 12}`, quantity: 1, amount: 1_400 },
    ],
  }
  return { ask, submit: {}, facts: { ...factsOf(ask, Math.round(T0 / 1000), undefined), now: T0 } }
}
