import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KINDS } from '../kinds.ts'
import type { Line, Question, Verdict } from '../question.ts'
import { aQuestion } from '../rules-for-tests.ts'

function decide(code: string, args: unknown, lines: Line[], differs: Partial<Question> = {}): Verdict {
  const kind = KINDS.find((k) => k.code === code)
  if (!kind) throw new Error(code)
  const sort = differs.event?.startsWith('activity') ? 'activity' : 'purchase'
  return kind.decide(args, 'GBP', sort)(aQuestion(lines, differs), 0)
}
const bought = (sku: string, quantity: number, amount: number, more: Partial<Line> = {}): Line => ({
  line: sku,
  sku,
  quantity,
  amount,
  ...more,
})
const basket = [
  bought('MUG', 2, 899, { category: 'kitchen', brand: 'Aurora' }),
  bought('SEEDS', 5, 335, { category: 'garden' }),
]
const nth = (number: number | undefined) => ({ purchase: { channel: null, store: null, metadata: {}, number } })

describe('nth_purchase', () => {
  test.each<[unknown, number | undefined, Verdict]>([
    [{ n: 1, points: 50 }, 1, { points: 50, why: '50 points for purchase number 1' }],
    [{ n: 3, points: 50 }, 3, { points: 50, why: '50 points for purchase number 3' }],
    [{ n: 3, points: 50 }, 6, 'not_that_purchase'],
    [{ n: 3, points: 50, every: true }, 6, { points: 50, why: '50 points for purchase number 6' }],
    [{ n: 3, points: 50, every: true }, 7, 'not_that_purchase'],
    [{ n: 3, points: 50, every: false }, 6, 'not_that_purchase'],
    [{ n: 1, points: 50 }, undefined, 'not_that_purchase'],
  ])('%j for purchase %j', (args, number, verdict) => {
    expect(decide('nth_purchase', args, basket, nth(number))).toEqual(verdict)
  })

  test('keeps nothing when everything came back', () => {
    expect(decide('nth_purchase', { n: 1, points: 50 }, [], nth(1))).toBe('no_eligible_items')
  })
})

describe('basket_threshold', () => {
  const steps = [
    { from: 1000, points: 10 },
    { from: 5000, points: 80 },
    { from: 2000, points: 25 },
  ]
  test.each<[number, Verdict]>([
    [999, 'below_threshold'],
    [1000, { points: 10, why: '10 points from 10.00 GBP on' }],
    [1999, { points: 10, why: '10 points from 10.00 GBP on' }],
    [2000, { points: 25, why: '25 points from 20.00 GBP on' }],
    [500_000, { points: 80, why: '80 points from 50.00 GBP on' }],
  ])('of %i', (amount, verdict) => {
    expect(decide('basket_threshold', { steps }, [bought('A', 1, amount)])).toEqual(verdict)
  })

  test('counts the lines that it is told to', () => {
    const args = { steps: [{ from: 500, points: 5 }], categories: ['kitchen'] }
    expect(decide('basket_threshold', args, basket)).toMatchObject({ points: 5 })
    expect(decide('basket_threshold', { ...args, categories: ['garden'] }, basket)).toBe('below_threshold')
    expect(decide('basket_threshold', { ...args, categories: ['toys'] }, basket)).toBe('no_eligible_items')
  })
})

describe('product_combination', () => {
  const groups = [
    { skus: ['MUG'], quantity: 1 },
    { categories: ['garden'], quantity: 2 },
  ]
  test.each<[string, unknown, Line[], Verdict]>([
    ['whole', { groups, points: 30 }, basket, { points: 30, why: '30 points for the combination' }],
    [
      'twice, once for points',
      { groups, points: 30 },
      [...basket, ...basket],
      { points: 30, why: '30 points for the combination' },
    ],
    [
      'twice',
      { groups, points: 30, repeat: true },
      basket,
      { points: 60, why: '30 points for the combination, 2 times' },
    ],
    ['without one part', { groups, points: 30 }, basket.slice(0, 1), 'incomplete_combination'],
    ['without any', { groups, points: 30 }, [bought('TOY', 1, 1)], 'no_eligible_items'],
    [
      'with units that two groups want',
      {
        groups: [
          { brands: ['Aurora'], quantity: 1 },
          { categories: ['kitchen'], quantity: 1 },
        ],
        points: 9,
        repeat: true,
      },
      [bought('MUG', 3, 1, { category: 'kitchen', brand: 'Aurora' })],
      { points: 9, why: '9 points for the combination' },
    ],
  ])('%s', (_, args, lines, verdict) => {
    expect(decide('product_combination', args, lines)).toEqual(verdict)
  })

  test('the best way to share units out is found: as trying every way finds', () => {
    const sku = fc.constantFrom('A', 'B', 'C')
    const group = fc.record({
      skus: fc.uniqueArray(sku, { minLength: 1, maxLength: 3 }),
      quantity: fc.integer({ min: 1, max: 2 }),
    })
    const units = fc.array(sku, { maxLength: 7 })
    fc.assert(
      fc.property(fc.array(group, { minLength: 1, maxLength: 3 }), units, (wanted, skus) => {
        const lines = skus.map((name, i) => bought(name, 1, 0, { line: String(i) }))
        const verdict = decide('product_combination', { groups: wanted, points: 1, repeat: true }, lines)
        expect(typeof verdict === 'string' ? 0 : 'points' in verdict ? verdict.points : -1).toBe(byTrying(wanted, skus))
      }),
      { numRuns: 300 },
    )
  })

  /** How often, by giving each place of a combination one unit after another. */
  function byTrying(wanted: { skus: string[]; quantity: number }[], skus: string[]): number {
    const places = wanted.flatMap((g) => Array.from({ length: g.quantity }, () => g.skus))
    const fills = (left: string[][], have: string[]): boolean => {
      const [place, ...others] = left
      if (!place) return true
      return have.some((name, i) => place.includes(name) && fills(others, have.toSpliced(i, 1)))
    }
    let often = 0
    while (fills(Array.from({ length: often + 1 }, () => places).flat(), skus)) often++
    return often
  }
})

describe('first_time', () => {
  test('is worth its points whenever it is asked; that it is once is its cap', () => {
    const kind = KINDS.find((k) => k.code === 'first_time')
    expect(kind?.caps).toEqual([{ per: 'lifetime', times: 1, over: 'refuse' }])
    expect(decide('first_time', { points: 9 }, basket)).toEqual({ points: 9, why: '9 points for the first time' })
    expect(decide('first_time', { points: 9, brands: ['Aurora'] }, basket)).toMatchObject({ points: 9 })
    expect(decide('first_time', { points: 9, skus: ['TOY'] }, basket)).toBe('no_eligible_items')
    expect(decide('first_time', { points: 9 }, [])).toBe('no_eligible_items')
  })
})

describe('formula', () => {
  test.each<[string, string | undefined, Verdict]>([
    ['purchase.total / 100 * 3', undefined, { points: 36, why: '36 points by formula' }],
    ['double(purchase.total) * 0.0125', undefined, { points: 15, why: '15 points by formula' }],
    ['double(purchase.total) * 0.0125', 'half_up', { points: 15, why: '15 points by formula' }],
    ['double(purchase.total) * 0.0125', 'ceil', { points: 16, why: '16 points by formula' }],
    ['2.5', 'half_up', { points: 3, why: '3 points by formula' }],
    ['0.4', 'half_up', 'rounds_to_zero'],
    ['-5', undefined, 'rounds_to_zero'],
    [
      '1.0 / 0.0',
      undefined,
      { cause: 'formula_error', why: 'its formula could not be worked out: it comes to Infinity' },
    ],
    ['0.0 / 0.0', undefined, { cause: 'formula_error', why: 'its formula could not be worked out: it comes to NaN' }],
    ['1 / 0', undefined, { cause: 'formula_error', why: 'its formula could not be worked out: division by zero' }],
    [
      '9007199254740993',
      undefined,
      { cause: 'formula_error', why: 'its formula could not be worked out: it comes to 9007199254740992' },
    ],
  ])('%s, %s', (expression, rounding, verdict) => {
    expect(decide('formula', { expression, ...(rounding ? { rounding } : {}) }, basket)).toEqual(verdict)
  })

  test('keeps nothing when everything came back, whatever it says', () => {
    expect(decide('formula', { expression: '100' }, [])).toBe('no_eligible_items')
  })

  test('of an activity', () => {
    const activity = { event: 'activity:run', activity: { type: 'run', data: { metres: 5200 } } }
    expect(decide('formula', { expression: 'activity.data.metres / 1000' }, [], activity)).toMatchObject({ points: 5 })
  })
})

test('of the others, only fixed points are given for activities and moments', () => {
  const answering = KINDS.filter((kind) => kind.answers.includes('activity') && kind.answers.includes('member'))
  expect(answering.map((kind) => kind.code)).toEqual(['fixed', 'formula'])
  expect(decide('fixed', { points: 5 }, [], { event: 'activity:review' })).toEqual({
    points: 5,
    why: '5 points for the activity',
  })
})
