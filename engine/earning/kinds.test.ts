import { describe, expect, test } from 'vitest'
import { RULE_ARGS } from '@laurel/contract/earning-rules'
import { checkArgs } from './args.rules.ts'
import { KINDS } from './kinds.ts'
import type { Line, Verdict } from './question.ts'
import { aQuestion } from './rules-for-tests.ts'

function decide(code: string, args: unknown, lines: Line[], given = 0, currency = 'GBP'): Verdict {
  const kind = KINDS.find((k) => k.code === code)
  if (!kind) throw new Error(code)
  return kind.decide(args, currency)(aQuestion(lines, { currency }), given)
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

test('the kinds are those of the contract, each of them with a text for every argument', () => {
  expect(KINDS.map((kind) => kind.code).sort()).toEqual(Object.keys(RULE_ARGS).sort())
  for (const kind of KINDS) {
    const shape = RULE_ARGS[kind.code as keyof typeof RULE_ARGS].shape
    expect(Object.keys(kind.fields).sort()).toEqual(Object.keys(shape).sort())
  }
})

describe('per_amount', () => {
  test.each<[unknown, string, number, string]>([
    [{ points: 1, per: 100 }, 'GBP', 12, '1 point per 1.00 GBP on 12.34 GBP'],
    [{ points: 3, per: 100 }, 'GBP', 37, '3 points per 1.00 GBP on 12.34 GBP'],
    [{ points: 1, per: 100, rounding: 'ceil' }, 'GBP', 13, '1 point per 1.00 GBP on 12.34 GBP, rounded up'],
    [{ points: 3, per: 100, rounding: 'half_up' }, 'GBP', 37, '3 points per 1.00 GBP on 12.34 GBP, rounded half up'],
    [{ points: 1, per: 100 }, 'JPY', 12, '1 point per 100 JPY on 1234 JPY'],
    [{ points: 2, per: 500 }, 'KWD', 4, '2 points per 0.500 KWD on 1.234 KWD'],
    [{ points: 1, per: 100, categories: ['kitchen'] }, 'GBP', 8, '1 point per 1.00 GBP on 8.99 GBP'],
    [{ points: 1, per: 100, excludeSkus: ['MUG'] }, 'GBP', 3, '1 point per 1.00 GBP on 3.35 GBP'],
  ])('%j in %s', (args, currency, points, why) => {
    expect(decide('per_amount', args, basket, 0, currency)).toEqual({ points, why })
  })

  test('rounds once on the total, not line by line', () => {
    const lines = [bought('A', 1, 50), bought('B', 1, 50)]
    expect(decide('per_amount', { points: 1, per: 100 }, lines)).toMatchObject({ points: 1 })
  })

  test('says why there is nothing', () => {
    expect(decide('per_amount', { points: 1, per: 100, skus: ['CUP'] }, basket)).toBe('no_eligible_items')
    expect(decide('per_amount', { points: 1, per: 5000 }, basket)).toBe('rounds_to_zero')
    expect(decide('per_amount', { points: 1, per: 100, rounding: 'ceil' }, [bought('FREE', 1, 0)])).toBe(
      'rounds_to_zero',
    )
    expect(decide('per_amount', { points: 1, per: 100 }, [])).toBe('no_eligible_items')
  })

  test('totals and points beyond 2^53 − 1 are said to be so', () => {
    const vast = [bought('A', 1, Number.MAX_SAFE_INTEGER), bought('B', 1, 1)]
    expect(decide('per_amount', { points: 1, per: 100 }, vast)).toBe('amount_out_of_range')
    expect(decide('per_amount', { points: 2, per: 1 }, vast.slice(0, 1))).toBe('amount_out_of_range')
  })
})

describe('fixed', () => {
  test('once for a purchase, nothing when no unit of it is left', () => {
    expect(decide('fixed', { points: 50 }, basket)).toEqual({ points: 50, why: '50 points for the purchase' })
    expect(decide('fixed', { points: 50 }, [])).toBe('no_eligible_items')
    expect(decide('fixed', { points: 50 }, [bought('MUG', 0, 0)])).toBe('no_eligible_items')
  })
})

describe('per_item', () => {
  test.each<[unknown, number, string]>([
    [{ points: 5 }, 35, '5 points per item on 7 items'],
    [{ points: 1, skus: ['MUG'] }, 2, '1 point per item on 2 items'],
    [{ points: 5, brands: ['Aurora'], categories: ['garden'] }, 35, '5 points per item on 7 items'],
  ])('%j', (args, points, why) => {
    expect(decide('per_item', args, basket)).toEqual({ points, why })
  })

  test('nothing where nothing counts', () => {
    expect(decide('per_item', { points: 5, brands: ['Borealis'] }, basket)).toBe('no_eligible_items')
  })
})

describe('multiplier', () => {
  test.each<[number, number, Verdict]>([
    [2, 12, { points: 12, why: '2 times 12 points' }],
    [1.5, 3, { points: 1, why: '1.5 times 3 points' }],
    [1.1, 10, { points: 1, why: '1.1 times 10 points' }],
    [1.15, 20, { points: 3, why: '1.15 times 20 points' }],
    [1.1, 9_007_199_254_740_990, { points: 900_719_925_474_099, why: '1.1 times 9007199254740990 points' }],
    [1000, 1, { points: 999, why: '1000 times 1 point' }],
    [1.0001, 9999, 'rounds_to_zero'],
    [1, 500, 'rounds_to_zero'],
    [2, 0, 'nothing_to_multiply'],
    [1000, Number.MAX_SAFE_INTEGER, 'amount_out_of_range'],
  ])('%d times %i', (factor, given, verdict) => {
    expect(decide('multiplier', { factor }, basket, given)).toEqual(verdict)
  })
})

describe('arguments that are wrong are named, every one', () => {
  test.each<[string, unknown, string[]]>([
    ['per_amount', {}, ['/args/points', '/args/per']],
    ['per_amount', { points: 0, per: 1.5, more: 1 }, ['/args/per', '/args/points', '/args/more']],
    ['per_amount', { points: 1, per: 100, skus: [] }, ['/args/skus']],
    ['per_amount', { points: 1, per: 100, skus: ['a', ''] }, ['/args/skus/1']],
    ['per_amount', { points: 2 ** 53, per: 100 }, ['/args/points']],
    ['multiplier', { factor: 1.00001 }, ['/args/factor']],
    ['multiplier', { factor: 0.5 }, ['/args/factor']],
    ['fixed', null, ['/args']],
    ['fixed', { points: 1, 'a/b~c': 1 }, ['/args/a~1b~0c']],
    ['birthday', {}, ['/kind']],
  ])('%s %j', (kind, args, pointers) => {
    expect(
      checkArgs(kind, args)
        .map((e) => e.pointer)
        .sort(),
    ).toEqual([...pointers].sort())
  })

  test('and right ones are let be', () => {
    expect(checkArgs('multiplier', { factor: 1.2345 })).toEqual([])
    expect(
      checkArgs('per_amount', { points: 1, per: 100, rounding: 'half_up', excludeCategories: ['gift cards'] }),
    ).toEqual([])
  })
})
