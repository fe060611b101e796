import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { configurationWith, openMemory } from '../tests/memory.ts'
import type { ReturnAsk } from './gate/asks.ts'
import { claimableUntil, folded, type Unclaimed } from './unclaimed/unclaimed.rules.ts'

const T0 = Date.UTC(2026, 0, 1) * 1000
const items = fc.array(
  fc.record({
    sku: fc.constantFrom('a', 'b', 'c'),
    quantity: fc.integer({ min: 1, max: 9 }),
    amount: fc.integer({ min: 0, max: 100_000 }),
  }),
  { minLength: 1, maxLength: 5 },
)
const returns = fc.array(fc.record({ sku: fc.constantFrom('a', 'b', 'c'), quantity: fc.integer({ min: 1, max: 6 }) }), {
  maxLength: 5,
})

describe('a purchase without a member', () => {
  test('is worth the same to whoever claims it, whether things came back before or after', () => {
    fc.assert(
      fc.property(items, returns, fc.nat(5), (bought, back, when) => {
        const memory = openMemory(
          configurationWith([
            { kind: 'per_amount', args: { points: 1, per: 100 } },
            { kind: 'per_item', args: { points: 2, skus: ['b'] } },
          ]),
        )
        const sale = { program: 'coffee', externalId: 'p', occurredAt: T0, currency: 'GBP', items: bought }
        const claim = () => memory.decide({ verb: 'purchase', member: 'external:ann', ...sale })
        const bring = (item: (typeof back)[number], i: number): ReturnAsk => ({
          verb: 'return',
          program: 'coffee',
          externalId: `r${i}`,
          occurredAt: T0,
          purchase: 'external:p',
          items: [item],
        })
        expect(memory.decide({ verb: 'keep', ...sale }).status).toBe(201)
        let left: (Line & { back?: number })[] = bought
        for (const [i, item] of back.entries()) {
          if (i === when) expect(claim().status).toBe(201)
          const { status } = memory.decide(bring(item, i))
          expect(memory.decide(bring(item, i)).status).toBe(status === 201 ? 200 : status)
          if (status === 201) left = without(left, item)
        }
        const { body } = claim()
        expect(body.wallets[0].available).toBe(worth(bought, left))
      }),
    )
  })
})

type Line = { sku: string; quantity: number; amount: number }

/** Takes units off the lines in their order, as a return of a named purchase does. `amount` stays the whole line's. */
function without(lines: (Line & { back?: number })[], { sku, quantity }: { sku: string; quantity: number }) {
  let wanted = quantity
  return lines.map((line) => {
    const taken = line.sku === sku ? Math.min(wanted, line.quantity - (line.back ?? 0)) : 0
    wanted -= taken
    return { ...line, back: (line.back ?? 0) + taken }
  })
}

function worth(bought: Line[], left: (Line & { back?: number })[]): number {
  const stays = left.map((l) => l.amount - Math.floor((2 * l.amount * (l.back ?? 0) + l.quantity) / (2 * l.quantity)))
  const units = left.reduce((sum, l) => sum + (l.sku === 'b' ? l.quantity - (l.back ?? 0) : 0), 0)
  expect(left).toHaveLength(bought.length)
  return Math.floor(stays.reduce((a, b) => a + b, 0) / 100) + 2 * units
}

test('can be claimed for so many days after it was recorded, or for ever', () => {
  expect(claimableUntil(T0, 30)).toBe(T0 + 30 * 86_400_000_000)
  expect(claimableUntil(T0, null)).toBeUndefined()
})

test('changes of one list are one change each: from what was read to what is left', () => {
  const at = (version: number) => ({ key: 'k', version }) as Unclaimed
  const kept = { key: 'k', before: null, after: at(1) }
  const changed = { key: 'k', before: 1, after: at(2) }
  const gone = { key: 'k', before: 2, after: null }
  expect(folded([kept, changed])).toEqual([{ key: 'k', before: null, after: at(2) }])
  expect(folded([kept, changed, gone])).toEqual([])
  expect(folded([changed, gone, { key: 'a', before: 7, after: null }])).toEqual([
    { key: 'a', before: 7, after: null },
    { key: 'k', before: 1, after: null },
  ])
})
