import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { announceBudgets } from '../announce-budgets.ts'
import { newId } from '../base/ids.ts'
import { verify } from '../verify.ts'

/** Limits over the API: as the guide shows them, from top to bottom, then days of a member's. The clock is moved by hand. */
const database = await openDatabase()
let api: TestApi
const setClock = (text: string) => vi.setSystemTime(Date.parse(text))

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-03T08:00:00Z') })
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  for (const [slug, timezone, currency] of [
    ['coffee', 'Europe/London', 'GBP'],
    ['apia', 'America/New_York', 'USD'],
  ]) {
    const program = { slug, name: slug, timezone, currency, joinPolicy: 'on_first_purchase' }
    expect((await api.call('POST', '/v1/programs', program)).status).toBe(201)
  }
})
afterAll(async () => {
  vi.useRealTimers()
  await api.close()
  expect(api.faults).toEqual([])
})

let bought = 0
async function buy(member: string, occurredAt: string, amount: number, more: object = {}) {
  const told = await api.call('POST', '/v1/purchases', {
    program: 'coffee',
    externalId: `P-${++bought}`,
    member: `external:${member}`,
    occurredAt,
    currency: 'GBP',
    items: [{ sku: 'BEANS', quantity: 1, amount }],
    ...more,
  })
  expect(told.status, told.text).toBe(201)
  return told.body
}
const announce = () =>
  announceBudgets(database.pool, database.space, { now: Date.now() * 1000, newId: () => newId(Date.now()) })

async function spentEvents() {
  const events: { type: string; data: object }[] = []
  for (let after = '0', more = true; more; ) {
    const { body } = await api.call('GET', `/v1/events?after=${after}&limit=100`)
    events.push(...body.data)
    after = body.next
    more = body.hasMore
  }
  return events.filter(({ type }) => type === 'budget.spent')
}

const guide = readFileSync(new URL('../../docs/guides/caps-and-budgets.md', import.meta.url), 'utf8')
type Step = { line: string; sort: string; json: string } | { line: string; row: string[] }
const steps: Step[] = [
  ...guide.matchAll(/```json (\w+)\n([\s\S]*?)\n```|^\| (\w+) +\| (2\S+) +\| (\S+) +\| (\d+) +\|$/gm),
].map(([line, sort, json = '', ...row]) =>
  sort === undefined ? { line, row } : { line: `${sort}: ${json}`, sort, json },
)

describe('the guide to caps and budgets', () => {
  let rule = ''
  const why = new Map<string, string>()

  test('has steps', () => expect(steps.length).toBeGreaterThan(40))

  test.each(steps)('$line', async (step) => {
    if ('row' in step) {
      const [member = '', at = '', amount = '', points] = step.row
      const told = await buy(member, at, Math.round(Number(amount) * 100))
      expect(told.points).toBe(Number(points))
      for (const award of told.awards) why.set(award.why, at)
      return
    }
    const body = JSON.parse(step.json)
    if (step.sort === 'rule') {
      if (rule) expect((await api.call('POST', `/v1/earning-rules/${rule}/archive`)).status).toBe(200)
      const told = await api.call('POST', '/v1/earning-rules', body)
      expect(told.body).toMatchObject(body)
      rule = told.body.id
    } else if (step.sort === 'wallet') {
      expect((await api.call('PATCH', '/v1/programs/coffee/wallets/points', body)).body).toMatchObject(body)
    } else if (step.sort === 'budget') {
      expect((await api.call('GET', `/v1/earning-rules/${rule}/budget`)).body).toMatchObject({
        ...body,
        rule,
        version: 1,
      })
    } else {
      expect(step.sort).toBe('event')
      await announce()
      expect((await spentEvents()).at(-1)?.data).toEqual({ ...body, rule })
    }
  })

  test('quotes a reason as it is given', () => {
    const [, quoted = ''] = /says why: “([^”]+)”/.exec(guide) ?? []
    expect([...why.keys()]).toContain(quoted)
  })

  test('leaves nothing for verify to find', async () => {
    expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
  })
})

describe('a member’s days in New York, as the clock moves', () => {
  const now = () => new Date(Date.now()).toISOString()
  const visit = async (more: object = {}) =>
    (await buy('nyx', now(), 700, { program: 'apia', currency: 'USD', ...more })).points

  test('one visit a day, also on the days of 23 and of 25 hours', async () => {
    setClock('2026-03-07T20:00:00Z')
    const caps = [{ per: 'day', times: 1 }]
    const rule = { program: 'apia', name: 'Visit', kind: 'fixed', args: { points: 5 }, caps }
    expect((await api.call('POST', '/v1/earning-rules', rule)).status).toBe(201)
    const days: [string, number][] = [
      ['2026-03-08T04:59:59Z', 5], // still Saturday, the 7th
      ['2026-03-08T05:00:00Z', 5], // Sunday: the clocks go forward in the night
      ['2026-03-09T03:59:59Z', 0],
      ['2026-03-09T04:00:00Z', 5], // Monday, 23 hours later
      ['2026-11-01T03:59:59Z', 5],
      ['2026-11-01T04:00:00Z', 5], // Sunday: they go back
      ['2026-11-02T04:59:59Z', 0],
      ['2026-11-02T05:00:00Z', 5], // Monday, 25 hours later
    ]
    const given: [string, number][] = []
    for (const [time] of days) {
      setClock(time)
      given.push([time, await visit()])
    }
    expect(given).toEqual(days)
  })

  test('a purchase that comes days late finds the room of its own day', async () => {
    setClock('2026-11-04T12:00:00Z')
    expect(await visit({ occurredAt: '2026-11-02T12:00:00Z' })).toBe(0)
    expect(await visit({ occurredAt: '2026-11-03T12:00:00Z' })).toBe(5)
    expect(await visit()).toBe(5)
  })

  test('an activity counts with purchases in the wallet’s cap', async () => {
    setClock('2026-11-05T12:00:00Z')
    const schema = { type: 'object' }
    const type = { program: 'apia', slug: 'review', name: 'Review', schema }
    expect((await api.call('POST', '/v1/activity-types', type)).status).toBe(201)
    const on = { event: 'activity', activity: 'review' }
    const rule = { program: 'apia', name: 'Review', kind: 'fixed', args: { points: 8 }, on, budget: { points: 20 } }
    const told = await api.call('POST', '/v1/earning-rules', rule)
    expect(told.status, told.text).toBe(201)
    const cap = { caps: [{ per: 'day', points: 10 }] }
    expect((await api.call('PATCH', '/v1/programs/apia/wallets/points', cap)).status).toBe(200)
    let count = 0
    const review = async (member: string) => {
      const about = { program: 'apia', type: 'review', externalId: `R-${++count}`, member: `external:${member}` }
      return (await api.call('POST', '/v1/activities', { ...about, occurredAt: now(), data: {} })).body.points
    }
    expect(await review('nyx')).toBe(8)
    expect(await visit()).toBe(2)
    expect(await review('nyx')).toBe(0)
    setClock('2026-11-06T12:00:00Z')
    expect([await review('nyx'), await review('nyx')]).toEqual([8, 2])
    expect((await api.call('GET', `/v1/earning-rules/${told.body.id}/budget`)).body).toMatchObject({
      spent: 18,
      left: 2,
    })
    setClock('2026-11-07T12:00:00Z')
    expect([await review('nyx'), await review('nyx')]).toEqual([2, 0])
    expect([await announce(), await announce()]).toEqual([1, 0])
    expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
  })

  test('a budget is read as of an instant, and only where there is one', async () => {
    const plain = { program: 'apia', name: 'Plain', kind: 'fixed', args: { points: 1 }, status: 'draft' }
    const { id } = (await api.call('POST', '/v1/earning-rules', plain)).body
    expect((await api.call('GET', `/v1/earning-rules/${id}/budget`)).body.code).toBe('budget_unknown')
    expect((await api.call('GET', '/v1/earning-rules/rul_nope/budget')).body.code).toBe('rule_unknown')
    expect((await api.call('GET', `/v1/earning-rules/${id}/budget?at=yesterday`)).status).toBe(400)
    const monthly = { ...plain, name: 'Monthly', budget: { points: 100, per: 'month' } }
    const rule = (await api.call('POST', '/v1/earning-rules', monthly)).body.id
    const { body } = await api.call('GET', `/v1/earning-rules/${rule}/budget?at=2026-11-01T03:00:00Z`)
    const october = { period: '2026-10', from: '2026-10-01T04:00:00.000Z', until: '2026-11-01T04:00:00.000Z' }
    expect(body).toMatchObject({ ...october, limit: 100, spent: 0, left: 100, money: null })
  })
})
