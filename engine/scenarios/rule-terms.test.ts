import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { verify } from '../verify.ts'

/** A shop whose rules look at who buys, what, when and how often. The clock is moved by hand. */
const database = await openDatabase()
let api: TestApi
const rules: Record<string, string> = {}

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-06-16T09:00:00Z') })
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  const program = { name: 'Coffee', timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'on_first_purchase' }
  await made('/v1/programs', { slug: 'coffee', ...program })
  await made('/v1/members', {
    externalId: 'ann',
    birthDate: '1990-06-20',
    attributes: { tier: 'gold' },
  })
})
afterAll(async () => {
  vi.useRealTimers()
  await api.close()
  expect(api.faults).toEqual([])
})

async function made(path: string, body: object, status = 201) {
  const told = await api.call('POST', path, body)
  expect(told.status, told.text).toBe(status)
  return told.body
}
async function rule(name: string, said: object) {
  rules[name] = (await made('/v1/earning-rules', { program: 'coffee', name, ...said })).id
}
const item = (sku: string, quantity: number, amount: number, category = 'coffee') => ({
  sku,
  quantity,
  amount,
  category,
})
type Basket = { member?: string; at?: string; items: object[]; more?: object }
const basket = ({ member = 'ann', at = new Date().toISOString(), items, more }: Basket) => ({
  program: 'coffee',
  member: `external:${member}`,
  occurredAt: at,
  currency: 'GBP',
  items,
  ...more,
})
const preview = (of: Basket, more: object = {}) => made('/v1/purchases/preview', { ...basket(of), ...more }, 200)
let bought = 0
const buy = (of: Basket) => made('/v1/purchases', { externalId: `P-${++bought}`, ...basket(of) })
const awards = (told: { awards: { rule: string; points: number }[] }) =>
  Object.fromEntries(told.awards.map((a) => [Object.keys(rules).find((name) => rules[name] === a.rule), a.points]))
const causes = (told: { rules: { name: string; cause: string }[] }) =>
  Object.fromEntries(told.rules.map((r) => [r.name, r.cause]))
let returned = 0
const bringBack = (purchase: string, items: object[] | 'all') =>
  made('/v1/returns', {
    program: 'coffee',
    member: 'external:ann',
    externalId: `R-${++returned}`,
    occurredAt: new Date().toISOString(),
    purchase,
    items,
  })
async function balance(member = 'ann') {
  const { body } = await api.call('GET', `/v1/members/external:${member}/wallets`)
  return body.data.find((w: { wallet: string }) => w.wallet === 'points').available
}

test('every purchase is decided as its preview said it would be', async () => {
  await rule('base', { kind: 'per_amount', args: { points: 1, per: 100 }, group: { name: 'base', pick: 'best' } })
  await rule('gold', {
    kind: 'per_amount',
    args: { points: 2, per: 100 },
    when: 'member.attributes.tier == "gold"',
    group: { name: 'base', pick: 'best' },
  })
  await rule('happy hour', { kind: 'fixed', args: { points: 20 }, when: 'local.weekday == 2 && local.hour < 11' })
  await rule('coupon', { kind: 'fixed', args: { points: 7 }, when: 'purchase.metadata.coupon == "SPRING"' })
  await rule('third', { kind: 'nth_purchase', args: { n: 3, points: 100 } })
  await rule('cake', { kind: 'first_time', args: { points: 50, categories: ['cake'] } })
  await rule('large', { kind: 'basket_threshold', args: { steps: [{ from: 3000, points: 30 }] } })
  await rule('set', {
    kind: 'product_combination',
    args: {
      groups: [
        { categories: ['coffee'], quantity: 1 },
        { categories: ['cake'], quantity: 1 },
      ],
      points: 5,
      repeat: true,
    },
    caps: [{ per: 'day', points: 8 }],
  })
  await rule('birthday month', { kind: 'multiplier', args: { factor: 2 }, when: 'member.birthMonth == local.month' })

  const days: [Basket, object][] = [
    [
      { items: [item('BEANS', 1, 1250), item('TART', 2, 900, 'cake')] },
      { gold: 43, 'happy hour': 20, cake: 50, set: 5, 'birthday month': 118 },
    ],
    [{ items: [item('BEANS', 2, 2500), item('TART', 2, 900, 'cake')] }, { gold: 68, large: 30, set: 3 }],
    [
      { items: [item('BEANS', 1, 1250)], more: { metadata: { coupon: 'SPRING' } } },
      { gold: 25, coupon: 7, third: 100 },
    ],
    [
      { member: 'new', items: [item('TART', 1, 450, 'cake')] },
      { base: 4, cake: 50 },
    ],
  ]
  for (const [day, expected] of days) {
    const promised = await preview(day)
    const told = await buy(day)
    expect(promised.awards).toEqual(told.awards)
    expect(awards(told)).toMatchObject(expected)
    expect(promised.points).toBe(told.points)
  }
})

test('why a rule gives nothing is said of every rule', async () => {
  const told = await preview({ items: [item('BEANS', 1, 1250), item('TART', 1, 450, 'cake')] })
  expect(causes(told)).toEqual({
    base: 'outranked',
    gold: 'fired',
    'happy hour': 'fired',
    coupon: 'condition_error',
    third: 'not_that_purchase',
    cake: 'cap_reached',
    large: 'below_threshold',
    set: 'cap_reached',
    'birthday month': 'fired',
  })
  const reasons = Object.fromEntries(told.rules.map((r: { name: string; reason: string }) => [r.name, r.reason]))
  expect(reasons.base).toBe('"gold" stands instead, which is of the same group')
  expect(reasons.coupon).toBe('its condition could not be worked out: No such key: coupon')
  const { program, currency, items } = basket({ items: [item('BEANS', 1, 1250)] })
  const nobody = await made('/v1/purchases/preview', { program, currency, items }, 200)
  expect(causes(nobody)).toMatchObject({ base: 'fired', gold: 'condition_error', third: 'not_that_purchase' })
})

test('what will be can be asked, and what rules would do that are not published', async () => {
  const christmas = { at: '2027-12-25T12:00:00Z', items: [item('BEANS', 1, 1000)] }
  await rule('christmas', {
    kind: 'fixed',
    args: { points: 25 },
    when: 'local.month == 12 && local.day == 25',
    status: 'draft',
  })
  expect(causes(await preview(christmas))).toMatchObject({ christmas: 'draft', 'birthday month': 'condition_false' })
  expect(awards(await preview(christmas, { rules: [rules.christmas] }))).toEqual({ gold: 20, christmas: 25 })
  expect(causes(await preview({ items: christmas.items }, { rules: [rules.christmas] })).christmas).toBe(
    'condition_false',
  )
  expect((await made('/v1/purchases/preview', { ...basket(christmas), rules: ['rul_x'] }, 404)).code).toBe(
    'rule_unknown',
  )

  await made(`/v1/earning-rules/${rules.large}/pause`, {}, 200)
  const large = { items: [item('BEANS', 1, 5000)] }
  expect(causes(await preview(large)).large).toBe('paused')
  expect(awards(await preview(large, { rules: [rules.large] })).large).toBe(30)
  await made(`/v1/earning-rules/${rules.large}/resume`, {}, 200)
})

test('a return decides by what was so then: the clock, the member, the number, the limits', async () => {
  vi.setSystemTime(Date.parse('2026-06-23T09:30:00Z'))
  const before = await balance()
  const { id, points, ...told } = await buy({ items: [item('BEANS', 4, 4000), item('TART', 1, 450, 'cake')] })
  expect(awards(told)).toEqual({ gold: 89, 'happy hour': 20, large: 30, set: 5, 'birthday month': 144 })
  expect(await balance()).toBe(before + points)

  await api.call('PATCH', '/v1/programs/coffee', { timezone: 'Pacific/Auckland' })
  await api.call('PATCH', '/v1/members/external:ann', { attributes: { tier: null }, birthDate: '1990-01-20' })
  await bringBack(id, [{ sku: 'BEANS', quantity: 2 }])
  expect(await balance()).toBe(before + 2 * (49 + 20 + 5))
  await bringBack(id, [{ sku: 'TART', quantity: 1 }])
  expect(await balance()).toBe(before + 2 * (40 + 20))
  await bringBack(id, 'all')
  expect(await balance()).toBe(before)
})

test('a clock alone is kept too: a rule for the morning stays one when the program moves', async () => {
  const program = { slug: 'tea', name: 'Tea', timezone: 'Europe/London', currency: 'GBP' }
  await made('/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
  const morning = { kind: 'formula', args: { expression: 'local.hour < 12 ? purchase.total / 10 : 0' } }
  await made('/v1/earning-rules', { program: 'tea', name: 'morning', ...morning })
  const drunk = { ...basket({ member: 'tom', items: [item('TEA', 2, 1000)] }), program: 'tea' }
  const { id, points } = await made('/v1/purchases', { externalId: 'TEA-1', ...drunk })
  expect(points).toBe(100)
  await api.call('PATCH', '/v1/programs/tea', { timezone: 'Asia/Tokyo' })
  const { occurredAt, member } = drunk
  const back = { program: 'tea', member, externalId: 'TEA-R', occurredAt, purchase: id }
  expect(await made('/v1/returns', { ...back, items: [{ sku: 'TEA', quantity: 1 }] })).toMatchObject({
    wallets: [{ available: 50 }],
  })
})

test('what a rule cannot have is refused at its place', async () => {
  const said = { program: 'coffee', name: 'no', kind: 'fixed', args: { points: 1 } }
  const refused = async (terms: object) => (await made('/v1/earning-rules', { ...said, ...terms }, 400)).errors
  expect(await refused({ expiry: { kind: 'sliding', period: 'P1Y' } })).toMatchObject([{ pointer: '/expiry/kind' }])
  expect(await refused({ cooldown: '30 days' })).toMatchObject([{ pointer: '/cooldown' }])
  expect(await refused({ caps: [{ per: 'day' }] })).toMatchObject([{ pointer: '/caps/0' }])
  expect(await refused({ when: 'purchase.total > ' })).toMatchObject([
    { pointer: '/when', detail: 'line 1, column 18: Unexpected token: EOF' },
  ])
  expect(await refused({ group: { name: 'base', pick: 'all' } })).toMatchObject([{ pointer: '/group/pick' }])
})

test('all of it passes verification', async () => {
  expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
})
