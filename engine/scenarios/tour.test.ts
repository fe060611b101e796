import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { verify } from '../verify.ts'

/** What the README and the guide to purchases show is what happens: their requests are sent as they stand. */
const database = await openDatabase()
const page = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
let api: TestApi

beforeAll(async () => {
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
})
afterAll(() => api.close())

const send = (path: string, body?: string) => api.call(body === undefined ? 'GET' : 'POST', path, body)

test('the five minutes of the README', async () => {
  const calls = [...page('README.md').matchAll(/^laurel-api '?(http\S+?)'?(?: -d '(.*)')?$/gm)]
  const answers = []
  for (const [, target = '', body] of calls) answers.push(await send(target.replace('http://127.0.0.1:3000', ''), body))
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 200, 201, 201, 201, 200, 200, 200, 200])
  const [, , preview, purchase, returned, , wallets, entries, events, story] = answers.map(({ body }) => body)
  expect(preview).toMatchObject({ points: 23 })
  expect(purchase).toMatchObject({ points: 23, awards: [{ why: '1 point per 1.00 GBP on 23.50 GBP' }] })
  expect(returned).toMatchObject({ points: 12 })
  expect(wallets).toMatchObject({
    data: [{ available: 6, lifetimeEarned: 23, lifetimeReversed: 12, lifetimeSpent: 5 }],
  })
  expect(entries).toMatchObject({ data: [{ points: -5 }, { points: -12 }, { points: 23 }] })
  expect((events as { data: { type: string }[] }).data.map(({ type }) => type)).toEqual(
    expect.arrayContaining([
      'member.enrolled',
      'purchase.recorded',
      'points.earned',
      'purchase.returned',
      'points.reversed',
      'points.spent',
    ]),
  )
  expect(story.sentences.join(' ')).toContain('6 points')
  expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
  expect(api.faults).toEqual([])
})

test('the guide to purchases and returns', async () => {
  const blocks = [...page('docs/guides/purchases-and-returns.md').matchAll(/```json (\w+)\n([\s\S]*?)\n```/g)]
  const [purchase, back, guest, claim, guestReturn] = blocks.map(([, , json]) => json)
  expect(await send(`/v1/purchases`, purchase)).toMatchObject({ status: 201, body: { points: 28, total: 2800 } })
  expect(await send(`/v1/purchases`, purchase)).toMatchObject({ status: 200 })
  expect(await send(`/v1/returns`, back)).toMatchObject({
    status: 201,
    body: { points: 12, lines: [{ amount: 1175 }] },
  })
  expect(
    await send(`/v1/returns`, back?.replace('return-77', 'return-78').replace('"quantity": 1', '"quantity": 2')),
  ).toMatchObject({
    status: 409,
    body: { code: 'return_exceeds_purchase' },
  })
  expect(await send(`/v1/purchases`, guest)).toMatchObject({
    status: 201,
    body: { member: null, status: 'unclaimed', points: 0 },
  })
  expect(await send('/v1/purchases?status=unclaimed')).toMatchObject({ body: { data: [{ externalId: 'order-1002' }] } })
  expect(await send(`/v1/returns`, guestReturn)).toMatchObject({ status: 201, body: { member: null, points: 0 } })
  expect(await send('/v1/purchases/external:order-1002/claim', claim)).toMatchObject({
    status: 201,
    body: { points: 24, occurredAt: '2026-11-20T10:05:00.000Z' },
  })
  expect(await send(`/v1/returns`, guestReturn)).toMatchObject({ status: 200 })
  expect(await send('/v1/purchases/external:order-1002/claim', claim)).toMatchObject({ status: 200 })
  const other = '{ "member": "external:eve" }'
  expect(await send('/v1/purchases/external:order-1002/claim', other)).toMatchObject({
    status: 409,
    body: { code: 'purchase_claimed' },
  })
  expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
})
