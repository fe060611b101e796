import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { door, NOW, openShop, type Shop } from '../tests/shop.ts'
import { withTx } from './base/db.ts'
import { createActivityType } from './configure-activities.ts'
import { enroll } from './enroll.ts'
import type { ActivityAsk } from './gate/asks.ts'
import { createGate } from './gate/gate.ts'
import { verify } from './verify.ts'

const REVIEW = {
  type: 'object',
  properties: { stars: { type: 'integer', minimum: 1, maximum: 5 } },
  required: ['stars'],
  additionalProperties: false,
}
let shop: Shop

beforeAll(async () => {
  shop = await openShop()
  await withTx(shop.pool, shop.space, async (tx) => {
    await createActivityType(tx, { program: 'coffee', slug: 'review', name: 'Review', schema: REVIEW }, door())
    await enroll(tx, { externalId: 'ada' }, door())
    await enroll(tx, { externalId: 'bob' }, door())
  })
  await shop.rule('fixed', { points: 10 }, { on: { event: 'activity', activity: 'review' } } as object)
})
afterAll(() => shop.gate.close())

const review = (externalId: string, differs: Partial<ActivityAsk> = {}): ActivityAsk => ({
  verb: 'activity',
  program: 'coffee',
  type: 'review',
  externalId,
  member: 'external:ada',
  occurredAt: 1_780_000_000_000_000,
  data: { stars: 5 },
  ...differs,
})
const told = async (outcome: Promise<{ status: number; body: string }>) => {
  const { status, body } = await outcome
  return { status, body: JSON.parse(body) }
}
const send = (ask: ActivityAsk) => told(shop.gate.submit(shop.space, ask))
const pointsOf = async (member: string) => {
  const rows = await shop.sql(
    `select coalesce(sum(e.points), 0)::int as points from entries e join members m using (member_id)
      where m.external_id = $1 and e.kind = 1`,
    [member],
  )
  return rows[0]?.points
}
const wrong = async () => (await verify(shop.pool, shop.space)).wrong

test('an activity is recorded once, earns, and a repeat answers the same', async () => {
  const first = await send(review('r1'))
  expect(first).toMatchObject({
    status: 201,
    body: {
      id: expect.stringMatching(/^act_/),
      type: 'review',
      externalId: 'r1',
      data: { stars: 5 },
      points: 10,
      awards: [{ points: 10 }],
    },
  })
  const again = await send(review('r1', { data: { stars: 5 } }))
  expect(again).toMatchObject({ status: 200, body: { id: first.body.id, points: 10 } })
  expect((await send(review('r1', { data: { stars: 4 } }))).body.code).toBe('external_id_conflict')
  expect((await send(review('r1', { member: 'external:bob' }))).body.code).toBe('external_id_conflict')
  expect(await pointsOf('ada')).toBe(10)
})

test('what is wrong with one is said, and nothing is stored', async () => {
  const before = await shop.sql('select count(*) from activities')
  const code = async (ask: ActivityAsk) => (await send(ask)).body.code
  expect(await code(review('x', { member: 'external:nobody' }))).toBe('member_unknown')
  expect(await code(review('x', { type: 'visit' }))).toBe('activity_type_unknown')
  expect(await code(review('x', { program: 'tea' }))).toBe('program_unknown')
  expect(await code(review('x', { occurredAt: NOW() + 3_600_000_000 }))).toBe('invalid_request')
  expect((await send(review('x', { data: { stars: 9, mood: 'good' } }))).body).toMatchObject({
    status: 400,
    code: 'invalid_request',
    errors: [
      { pointer: '/data/mood', detail: 'unknown field' },
      { pointer: '/data/stars', detail: 'expected at most 5' },
    ],
  })
  expect(await shop.sql('select count(*) from activities')).toEqual(before)
})

describe('verify names an activity', () => {
  // Each on a shop of its own, since it is left tampered with.
  const tampered = async (text: string) => {
    const own = await openShop()
    await withTx(own.pool, own.space, async (tx) => {
      await createActivityType(tx, { program: 'coffee', slug: 'review', name: 'Review', schema: REVIEW }, door())
      await enroll(tx, { externalId: 'ada' }, door())
    })
    await own.rule('fixed', { points: 10 }, { on: { event: 'activity', activity: 'review' } } as object)
    const { body } = await own.gate.submit(own.space, review('r1'))
    expect((await verify(own.pool, own.space)).wrong).toBeUndefined()
    await own.sql(text)
    await own.gate.close()
    return { id: JSON.parse(body).id as string, wrong: (await verify(own.pool, own.space)).wrong?.what }
  }

  test.each([
    ['whose data was changed', `update activities set data = '{"stars":1}'`, 'its content is not what was recorded'],
    ['whose awards were changed', `update activities set awards = '[]'`, 'its rules give other awards'],
    ['whose name leads elsewhere', `delete from lookups where object_id is not null`, 'does not lead to it'],
    ['whose type was changed', `update activities set type = 'visit'`, 'its content is not what was recorded'],
  ])('%s', async (_, text, what) => {
    const { id, wrong } = await tampered(text)
    expect(wrong).toContain(`activity ${id}`)
    expect(wrong).toContain(what)
  })

  test('that is gone, by its entry', async () => {
    expect((await tampered('delete from activities')).wrong).toContain('what made it is not stored')
  })
})

describe('a hundred times the same activity at the same time, through two processes', () => {
  const storm = async (externalId: string, unguarded: boolean) => {
    const open = () => createGate({ pool: shop.pool, ...(unguarded ? { unguarded } : {}) })
    const gates = [open(), open()] as const
    const ask = review(externalId, { member: 'external:bob' })
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, i) => gates[i % 2 === 0 ? 0 : 1].submit(shop.space, ask).catch(() => undefined)),
    )
    await Promise.all(gates.map((gate) => gate.close()))
    return outcomes.map((outcome) => outcome?.status)
  }

  test('is one', async () => {
    const statuses = await storm('storm', false)
    expect(statuses.filter((status) => status === 201)).toHaveLength(1)
    expect(statuses.filter((status) => status === 200)).toHaveLength(99)
    expect(await pointsOf('bob')).toBe(10)
    expect(await wrong()).toBeUndefined()
  })

  test('control: without the guards of its name and its member, it is several', async () => {
    await shop.sql('alter table entries drop constraint entries_pkey')
    let doubled = 0
    for (let i = 0; i < 30 && doubled === 0; i++) {
      await storm(`control-${i}`, true)
      const rows = await shop.sql(
        "select from activities where external_id like 'control%' group by external_id having count(*) > 1",
      )
      doubled = rows.length
    }
    expect(doubled).toBeGreaterThan(0)
  })
})
