import { beforeAll, describe, expect, test } from 'vitest'
import { RULE_ARGS, ruleBody } from '@laurel/contract/earning-rules'
import { memberBody, memberQuery } from '@laurel/contract/members'
import { OPERATIONS } from '@laurel/contract/operations'
import { programBody } from '@laurel/contract/programs'
import { purchaseBody } from '@laurel/contract/purchases'
import { returnBody } from '@laurel/contract/returns'
import { fastCheck, fullCheck, loadCompiler } from './validate.ts'

beforeAll(loadCompiler)

const bodies = OPERATIONS.flatMap((op) => (op.body ? [[op.id, op.body, op.examples.body] as const] : []))

describe.each(bodies)('%s', (_, schema, example) => {
  test('takes its example, quickly and in full', () => {
    expect(fastCheck(schema)(example)).toBeUndefined()
    expect(fullCheck(schema)(example)).toBeUndefined()
  })

  test('refuses a field that it does not know, by name', () => {
    const errors = fastCheck(schema)({ ...(example as object), surprise: 1 })
    expect(errors).toEqual([{ pointer: '/surprise', detail: 'unknown field' }])
  })

  test.each([[null], [[]], ['text'], [1]])('refuses %j', (value) => {
    expect(fastCheck(schema)(value)).toHaveLength(1)
  })
})

test('every field at fault is listed, once, in words', () => {
  expect(
    fastCheck(purchaseBody)({
      program: 'p',
      member: 'C1',
      externalId: '',
      occurredAt: 'x',
      currency: 'gbp',
      metadata: [],
      foo: 1,
      items: [
        { sku: 1, quantity: 0, amount: 1.5, 'a/b': 1 },
        { quantity: 2 ** 53, amount: -1 },
      ],
    }),
  ).toEqual([
    { pointer: '/externalId', detail: 'expected at least 1 character' },
    { pointer: '/member', detail: 'expected mem_…, external:<the id in your own system>, card:…, email:… or phone:…' },
    { pointer: '/occurredAt', detail: 'expected an instant such as 2026-11-22T09:30:00+01:00' },
    { pointer: '/currency', detail: 'expected an ISO 4217 code: three capitals' },
    { pointer: '/items/0/sku', detail: 'expected text' },
    { pointer: '/items/0/quantity', detail: 'expected a whole number >= 1' },
    { pointer: '/items/0/amount', detail: 'expected a whole number' },
    { pointer: '/items/0/a~1b', detail: 'unknown field' },
    { pointer: '/items/1/sku', detail: 'required' },
    { pointer: '/items/1/quantity', detail: 'expected a whole number <= 9007199254740991' },
    { pointer: '/items/1/amount', detail: 'expected a whole number >= 0' },
    { pointer: '/metadata', detail: 'expected an object' },
    { pointer: '/foo', detail: 'unknown field' },
  ])
})

describe('one field', () => {
  const returned = { program: 'p', member: 'external:1', externalId: 'r', occurredAt: '2026-11-22T09:30:00Z' }
  const rule = { program: 'p', name: 'n', kind: 'fixed', args: { points: 1 } }
  const program = { slug: 'a', name: 'n', timezone: 'UTC', currency: 'EUR', joinPolicy: 'explicit' }
  test.each([
    [
      'items of another kind',
      returnBody,
      { ...returned, items: 'some' },
      '/items',
      'expected "all" or a list of { line or sku, quantity }',
    ],
    ['no items', returnBody, { ...returned, items: [] }, '/items', 'expected at least 1 item'],
    [
      'an item of none',
      returnBody,
      { ...returned, items: [{ sku: 'a', quantity: 0 }] },
      '/items/0/quantity',
      'expected a whole number >= 1',
    ],
    ['an unknown kind', ruleBody, { ...rule, kind: 'x' }, '/kind', `expected ${Object.keys(RULE_ARGS).join(', ')}`],
    [
      'a fine factor',
      ruleBody,
      { ...rule, kind: 'multiplier', args: { factor: 1.23456 } },
      '/args/factor',
      'expected at most 4 decimals',
    ],
    [
      'a time zone',
      programBody,
      { ...program, timezone: 'Mars/Olympus' },
      '/timezone',
      'expected an IANA time zone, such as Europe/London',
    ],
    ['a currency', programBody, { ...program, currency: 'XXX' }, '/currency', 'expected an ISO 4217 currency code'],
    [
      'a policy',
      programBody,
      { ...program, joinPolicy: 'any' },
      '/joinPolicy',
      'expected "explicit" or "on_first_purchase"',
    ],
    [
      'a slug',
      programBody,
      { ...program, slug: 'prg_1' },
      '/slug',
      'expected lower-case letters, digits, hyphens and underscores, at most 63, not starting with prg_',
    ],
    ['a birthday', memberBody, { birthDate: '2023-02-29' }, '/birthDate', 'expected a date'],
    ['a locale', memberBody, { locale: 'en_GB!' }, '/locale', 'expected a BCP 47 language tag'],
    [
      'a key',
      memberBody,
      { attributes: { [`${'k'.repeat(65)}`]: 1 } },
      `/attributes/${'k'.repeat(65)}`,
      'expected at most 64 characters',
    ],
    [
      'large attributes',
      memberBody,
      { attributes: { a: 'x'.repeat(17_000) } },
      '/attributes',
      'expected at most 16384 characters of JSON',
    ],
    ['a limit', memberQuery, { limit: '101' }, '/limit', 'expected a whole number from 1 to 100'],
  ])('%s', (_, schema, value, pointer, detail) => {
    expect(fullCheck(schema)(value)).toEqual([{ pointer, detail }])
  })
})

test('a text of long characters is as long as people count, or shorter', () => {
  const body = {
    program: 'p',
    member: 'external:1',
    externalId: '😀'.repeat(101),
    occurredAt: '2026-11-22T09:30:00Z',
    currency: 'EUR',
    items: [{ sku: 'a', quantity: 1, amount: 1 }],
  }
  expect(fastCheck(purchaseBody)(body)).toBeUndefined()
})
