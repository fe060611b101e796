import { beforeAll, describe, expect, test } from 'vitest'
import type { RuleTerms } from '@laurel/contract/rule-terms'
import { openDatabase } from '../tests/database.ts'
import { type Tx, withRead, withTx } from './base/db.ts'
import { newId } from './base/ids.ts'
import { createActivityType } from './configure-activities.ts'
import { createProgram } from './configure-programs.ts'
import { createRule, publishRuleVersion, type RuleAsk, type RuleVersionAsk, turnRule } from './configure-rules.ts'
import { loadConfiguration, program, rulesAt } from './earning/configuration.ts'

const database = await openDatabase()
const NOW = 1_764_000_000_000_123
const door = { now: NOW, newId: () => newId() }
const change = <T>(work: (tx: Tx) => Promise<T>) => withTx(database.pool, database.space, work)
const make = (differs: Partial<RuleAsk> = {}) =>
  change((tx) =>
    createRule(tx, { program: 'coffee', name: 'rule', kind: 'fixed', args: { points: 5 }, ...differs }, door),
  )
const version = (id: string, ask: RuleVersionAsk) => change((tx) => publishRuleVersion(tx, id, ask, door))

const everything = {
  when: 'purchase.channel == "app"',
  group: { name: 'everything', pick: 'best' },
  caps: [{ per: 'day', points: 100, over: 'refuse' }],
  cooldown: 'PT12H',
  budget: { money: 5000, pointCost: { points: 100, money: 50 }, per: 'month' },
  pending: { kind: 'period', period: 'P14D', roundUp: 'day' },
  expiry: { kind: 'rolling', period: 'P12M', roundUp: 'month' },
} satisfies RuleTerms

beforeAll(async () => {
  const said = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP' }
  await change((tx) => createProgram(tx, { ...said, joinPolicy: 'explicit' }, door))
  const review = { program: 'coffee', slug: 'review', name: 'Review', schema: { type: 'object' } }
  await change((tx) => createActivityType(tx, review, door))
})

describe('terms', () => {
  test('are kept and told, and decide', async () => {
    const made = await make(everything)
    expect(made).toMatchObject({ ...everything, on: { event: 'purchase' }, versions: [everything] })
    const c = await withRead(database.pool, database.space, loadConfiguration)
    const [rule] = rulesAt(c, program(c, 'coffee')?.programId ?? 0, c.configVersion, NOW)
    expect(rule).toMatchObject({
      terms: everything,
      caps: everything.caps,
      group: { name: 'everything', pick: 'best' },
    })
    await change((tx) => turnRule(tx, made.id, 'archive', door))
  })

  test('stay in a new version unless they are said again; null takes one away', async () => {
    const made = await make({
      ...everything,
      on: { event: 'activity', activity: 'review' },
      when: 'activity.data.stars > 3',
    })
    const second = await version(made.id, { args: { points: 6 }, when: null, cooldown: 'P1D' })
    expect(second).toMatchObject({
      ...everything,
      when: null,
      cooldown: 'P1D',
      on: { event: 'activity', activity: 'review' },
      args: { points: 6 },
    })
    expect(second.versions?.[1]).toMatchObject({ when: 'activity.data.stars > 3', cooldown: 'PT12H' })
    const bare = { when: null, group: null, caps: null, cooldown: null, budget: null, pending: null, expiry: null }
    expect(await version(made.id, bare)).toMatchObject({
      ...bare,
      caps: [],
      on: { event: 'activity', activity: 'review' },
    })
  })
})

describe('refused, with the place', () => {
  test.each<[string, Partial<RuleAsk>, string, string | RegExp]>([
    [
      'a condition that cannot be read',
      { when: 'purchase.total >' },
      '/when',
      'line 1, column 17: Unexpected token: EOF',
    ],
    [
      'a condition on what there is not',
      { when: 'purchase.totl > 1' },
      '/when',
      'line 1, column 10: No such key: totl',
    ],
    ['a condition that is no yes or no', { when: 'purchase.total' }, '/when', 'gives int, not true or false'],
    [
      'a condition on what that event has not',
      { when: 'purchase.total > 1', on: { event: 'activity', activity: 'review' } },
      '/when',
      'line 1, column 1: Unknown variable: purchase',
    ],
    [
      'an activity that the program does not know',
      { on: { event: 'activity', activity: 'reviw' } },
      '/on/activity',
      'the program has no type of activity "reviw"',
    ],
    [
      'points that wait for nothing that can come',
      { pending: { kind: 'event', activity: 'delivered', cancelAfter: 'P60D' } },
      '/pending/activity',
      'the program has no type of activity "delivered"',
    ],
    ['a formula that cannot be read', { kind: 'formula', args: { expression: '1 +' } }, '/args/expression', /^line 1/],
    [
      'a formula that is no number',
      { kind: 'formula', args: { expression: 'true' } },
      '/args/expression',
      'gives bool, not a number',
    ],
    [
      'a kind that goes by what was bought, for an activity',
      { kind: 'per_item', args: { points: 1 }, on: { event: 'activity', activity: 'review' } },
      '/on',
      'per_item answers to purchases only; use fixed or formula',
    ],
    [
      'a multiplier for a moment',
      { kind: 'multiplier', args: { factor: 2 }, on: { event: 'member', moment: 'joined' } },
      '/on',
      /purchases only/,
    ],
    [
      'days for a birthday',
      { on: { event: 'member', moment: 'birthday', days: 3 } },
      '/on/days',
      'is for the moment inactive',
    ],
  ])('%s', async (_, differs, pointer, detail) => {
    const expected = typeof detail === 'string' ? detail : expect.stringMatching(detail)
    await expect(make(differs)).rejects.toMatchObject({
      refusal: { code: 'invalid_request', errors: [{ pointer, detail: expected }] },
    })
  })

  test('a new version whose condition no longer goes with it', async () => {
    const made = await make()
    await expect(version(made.id, { when: 'nothing' })).rejects.toMatchObject({
      refusal: { errors: [{ pointer: '/when' }] },
    })
  })
})

describe('rules of one group', () => {
  const pick = (how: 'all' | 'best' | 'first') => ({ group: { name: 'picky', pick: how } })

  test('pick alike: another pick is refused until the others are gone', async () => {
    const first = await make({ name: 'the first', ...pick('best') })
    const unlike = {
      refusal: {
        code: 'invalid_request',
        errors: [{ pointer: '/group/pick', detail: 'the group "picky" picks best (rule "the first")' }],
      },
    }
    await expect(make(pick('first'))).rejects.toMatchObject(unlike)
    const other = await make({ name: 'the other' })
    await expect(version(other.id, pick('all'))).rejects.toMatchObject(unlike)
    expect(await version(other.id, pick('best'))).toMatchObject(pick('best'))
    await version(other.id, { group: null })
    expect(await version(first.id, pick('first'))).toMatchObject(pick('first'))
    await change((tx) => turnRule(tx, first.id, 'archive', door))
    expect(await make(pick('best'))).toMatchObject(pick('best'))
  })

  test('are multipliers or are not', async () => {
    await expect(make({ kind: 'multiplier', args: { factor: 2 }, ...pick('best') })).rejects.toMatchObject({
      refusal: {
        errors: [{ pointer: '/group/name', detail: expect.stringContaining('multipliers have groups of their own') }],
      },
    })
  })

  test('two that are made at the same time cannot disagree', async () => {
    const both = await Promise.allSettled(
      (['best', 'first'] as const).map((how) => make({ group: { name: 'race', pick: how } })),
    )
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })
})
