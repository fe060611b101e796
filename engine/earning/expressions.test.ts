import { describe, expect, test } from 'vitest'
import { compileCondition, compileNumber, type Sort } from './expressions.ts'
import type { Line, MemberFacts, Question } from './question.ts'
import { aQuestion } from './rules-for-tests.ts'

const ANN: MemberFacts = {
  externalId: 'C-1',
  attributes: { tier: 'gold', visits: 12, tags: ['vip', 'press'] },
  joinedAt: Date.UTC(2025, 0, 1) * 1000,
  birthDate: '1990-06-15',
  locale: 'en-GB',
  hasEmail: true,
  hasPhone: false,
  hasName: true,
}
const basket: Line[] = [
  { line: '1', sku: 'MUG', name: 'Mug, blue', category: 'kitchen', brand: 'Aurora', quantity: 2, amount: 899 },
  { line: '2', sku: 'SEEDS', category: 'garden', quantity: 5, amount: 335 },
]
/** Sunday 15 June 2025, 16:06 in London. */
const bought = (differs: Partial<Question> = {}) =>
  aQuestion(basket, {
    purchase: {
      channel: 'app',
      store: null,
      metadata: { coupon: 'SPRING', weight: 1.5, ids: [1, 2], nothing: null, deep: { a: { b: 1 } } },
      number: 3,
    },
    member: ANN,
    ...differs,
  })

function condition(source: string, question: Question = bought(), sort: Sort = 'purchase') {
  const compiled = compileCondition(source, sort)
  return 'fault' in compiled ? compiled : compiled.run(question)
}
function number(source: string, question: Question = bought()) {
  const compiled = compileNumber(source, 'purchase')
  return 'fault' in compiled ? compiled : compiled.run(question)
}

/** Worked out by hand, from the definition of CEL. */
describe('a condition', () => {
  test.each<[string, boolean]>([
    ['true', true],
    ['purchase.total == 1234', true],
    ['purchase.total >= 1234 && purchase.total < 1235', true],
    ['purchase.currency == "GBP"', true],
    ['purchase.channel == "app"', true],
    ['purchase.channel in ["web", "shop"]', false],
    ['purchase.store == ""', true],
    ['purchase.number == 3', true],
    ['purchase.number % 2 == 1', true],
    ['size(items) == 2', true],
    ['items.size() == purchase.items.size()', true],
    ['items[0].sku == "MUG"', true],
    ['items[1].name == "" && items[1].brand == ""', true],
    ['items.exists(i, i.category == "garden" && i.quantity >= 5)', true],
    ['items.all(i, i.amount > 500)', false],
    ['items.exists_one(i, i.brand == "Aurora")', true],
    ['items.filter(i, i.amount > 500).size() == 1', true],
    ['items.map(i, i.quantity).sum() == 7', true],
    ['items.map(i, i.category == "garden", i.amount).sum() == 335', true],
    ['items.map(i, i.sku) == ["MUG", "SEEDS"]', true],
    ['items[0].name.startsWith("Mug") && items[0].name.endsWith("blue")', true],
    ['items[0].name.lowerAscii().contains("mug")', true],
    ['items[0].name.matches("^Mug, (blue|red)$")', true],
    ['items[0].name.matches("blue")', true],
    ['items[0].sku.matches("^mug$")', false],
    ['purchase.metadata.coupon == "SPRING"', true],
    ['purchase.metadata["coupon"] == "SPRING"', true],
    ['"coupon" in purchase.metadata', true],
    ['has(purchase.metadata.coupon)', true],
    ['has(purchase.metadata.other)', false],
    ['has(purchase.metadata.other) && purchase.metadata.other == 1', false],
    ['purchase.metadata.other == 1 || purchase.total > 0', true],
    ['purchase.metadata.weight > 1 && purchase.metadata.weight == 1.5', true],
    ['purchase.metadata.ids == [1, 2]', true],
    ['2 in purchase.metadata.ids', true],
    ['purchase.metadata.nothing == null', true],
    ['purchase.metadata.deep.a.b == 1', true],
    ['member.attributes.tier == "gold"', true],
    ['member.attributes.visits > 10', true],
    ['"vip" in member.attributes.tags', true],
    ['member.externalId == "C-1" && member.hasEmail && !member.hasPhone', true],
    ['member.birthMonth == local.month && member.birthDay == local.day', true],
    ['member.birthDate == "1990-06-15"', true],
    ['member.joinedAt < occurredAt - duration("2400h")', true],
    ['local.year == 2025 && local.month == 6 && local.day == 15', true],
    ['local.hour == 16 && local.minute == 6', true],
    ['local.weekday == 7', true],
    ['local.date >= "2025-06-01" && local.date < "2025-07-01"', true],
    ['occurredAt >= timestamp("2025-06-15T15:06:40Z")', true],
    ['occurredAt > timestamp("2025-06-15T17:06:40+02:00")', false],
    ['occurredAt + duration("1h30m") > timestamp("2025-06-15T18:36:39.999999+02:00")', true],
    ['purchase.total > 1000 ? purchase.channel == "app" : false', true],
    ['5 / 2 == 2 && 5 % 2 == 1 && -5 / 2 == -2', true],
    ['double(5) / 2.0 == 2.5', true],
    ['math.least(3, 2) == 2 && math.greatest(1.5, 2.5) == 2.5', true],
    ['math.floor(-1.5) == -2.0 && math.ceil(1.2) == 2.0 && math.round(2.5) == 3.0 && math.round(-2.5) == -3.0', true],
    ['int("12") + int(3.9) == 15', true],
    ['string(12) + "x" == "12x"', true],
    ['"é".size() == 1', true],
  ])('%s is %s', (source, value) => {
    expect(condition(source)).toBe(value)
  })

  test('is read by the clocks of the program, not by those of the server', () => {
    const at = { occurredAt: Date.UTC(2026, 2, 1, 4, 30) * 1000 }
    expect(condition('local.weekday == 7 && local.hour == 4', bought(at))).toBe(true)
    const there = bought({ ...at, timezone: 'America/New_York' })
    expect(condition('local.weekday == 6 && local.hour == 23 && local.date == "2026-02-28"', there)).toBe(true)
  })

  test('of an activity reads what was said with it', () => {
    const activity = { event: 'activity:review', lines: [], activity: { type: 'review', data: { stars: 5 } } }
    const question = aQuestion([], { ...activity, member: ANN })
    expect(condition('activity.type == "review" && activity.data.stars >= 4', question, 'activity')).toBe(true)
    expect(condition('purchase.total > 0', question, 'activity')).toEqual({
      fault: 'line 1, column 1: Unknown variable: purchase',
    })
  })

  test.each<[string, string]>([
    ['purchase.metadata.other == 1', 'No such key: other'],
    ['items[2].sku == "A"', 'No such key: index out of bounds, index 2 >= size 2'],
    ['purchase.total / 0 == 1', 'division by zero'],
    ['purchase.metadata.coupon', 'it gives a text, not true or false'],
    ['purchase.metadata.coupon > 1', 'no such overload: dyn<string> > int'],
    ['9223372036854775807 + purchase.total > 0', 'integer overflow: 9223372036854777041'],
  ])('%s fails with a reason: %s', (source, error) => {
    expect(condition(source)).toEqual({ error })
  })

  test('on a member fails without one, and on the number of the purchase when it is not known', () => {
    const nobody = bought({ member: undefined, purchase: { channel: null, store: null, metadata: {} } })
    expect(condition('member.hasEmail', nobody)).toEqual({ error: 'it is not known who the member is' })
    expect(condition('purchase.number == 1', nobody)).toEqual({ error: 'No such key: number' })
    expect(condition('purchase.total > 0 || member.hasEmail', nobody)).toBe(true)
  })
})

describe('a number', () => {
  test.each<[string, number]>([
    ['purchase.total', 1234],
    ['purchase.total / 100 * 2', 24],
    ['double(purchase.total) * 0.05', 61.7],
    ['items.map(i, i.amount * i.quantity).sum()', 899 * 2 + 335 * 5],
    ['math.least(purchase.total / 10, 50)', 50],
    ['purchase.metadata.weight', 1.5],
    ['local.weekday == 7 ? 100 : 0', 100],
  ])('%s is %d', (source, value) => {
    expect(number(source)).toBeCloseTo(value, 9)
  })
})

describe('what is said is checked when it is written, and the place is named', () => {
  test.each<[string, string]>([
    ['purchase.totl > 1', 'line 1, column 10: No such key: totl'],
    ['purchase.total >', 'line 1, column 17: Unexpected token: EOF'],
    ['purchase.total > 1 &&\n  purchas.total < 5', 'line 2, column 3: Unknown variable: purchas'],
    ['purchase.total > "1"', 'line 1, column 1: no such overload: int > string'],
    ['purchase.total', 'gives int, not true or false'],
    ['items.map(i, i.amount)', 'gives list<int>, not true or false'],
    ['foo(1)', "line 1, column 1: found no matching overload for 'foo(int)'"],
    ['activity.type == "x"', 'line 1, column 1: Unknown variable: activity'],
    [
      'occurredAt > timestamp("2025-06-15")',
      'line 1, column 24: timestamp() takes an instant with an offset, such as 2026-11-22T09:30:00Z',
    ],
    ['occurredAt > timestamp(purchase.channel)', 'line 1, column 14: timestamp() takes a text in quotes'],
    [
      'occurredAt > occurredAt - duration("a day")',
      'line 1, column 36: duration() takes hours, minutes and seconds, such as 72h or 1h30m',
    ],
    ['purchase.channel.matches(purchase.store)', 'line 1, column 1: matches() takes a pattern in quotes'],
  ])('%s: %s', (source, fault) => {
    expect(compileCondition(source, 'purchase')).toEqual({ fault })
  })

  test('what it reads of the member, the number and the clocks is known', () => {
    const reads = (source: string) => {
      const compiled = compileCondition(source, 'purchase')
      if ('fault' in compiled) throw new Error(compiled.fault)
      return Object.keys(compiled.reads).filter((key) => compiled.reads[key as 'member'])
    }
    expect(reads('purchase.total > 1 && items.exists(i, i.amount > 1)')).toEqual([])
    expect(reads('member.hasEmail && has(member.attributes.x)')).toEqual(['member'])
    expect(reads('purchase.number == 1')).toEqual(['number'])
    expect(reads('has(purchase.number)')).toEqual(['number'])
    expect(reads('purchase == purchase.items[0] || true'.replace(' == purchase.items[0]', '["number"] == 1'))).toEqual([
      'number',
    ])
    expect(reads('local.hour < 9')).toEqual(['local'])
    expect(reads('items.exists(member, member.amount > 1)')).toEqual([])
  })
})
