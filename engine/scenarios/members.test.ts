import { readFileSync } from 'node:fs'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Api, createApi } from '../../server/api.ts'
import { acceptKey } from '../../server/keys.ts'
import { openDatabase } from '../../tests/database.ts'

/** docs/guides/members.md, request by request: each ```http block is sent, and answered as the ```json block after it says. */
const guide = readFileSync(new URL('../../docs/guides/members.md', import.meta.url), 'utf8')
const steps = [...guide.matchAll(/```http\n([^`]*)```\s*```json (\d+)\n([^`]*)```/g)].map(
  ([, request = '', status, answer = '']) => {
    const [head = '', ...body] = request.trim().split('\n\n')
    const [line = '', ...headers] = head.split('\n')
    const [method, url] = line.split(' ') as ['GET' | 'POST' | 'PATCH', string]
    return {
      line,
      method,
      url,
      headers: Object.fromEntries(headers.map((header) => header.split(': '))),
      body: body.join('\n\n'),
      status: Number(status),
      answer: JSON.parse(answer) as object,
    }
  },
)

const KEY = 'lk_live_aGuideKeyThatIsLongEnoughToBeTaken0000000'
const database = await openDatabase()
const faults: unknown[] = []
let api: Api

beforeAll(async () => {
  const owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
  await acceptKey(owner, KEY)
  await owner.end()
  api = await createApi({
    pool: database.pool,
    rateLimit: 'off',
    log: {
      error: (about) => {
        faults.push(about)
      },
      warn: () => {},
    },
  })
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'explicit' }
  expect((await send('POST', '/v1/programs', JSON.stringify(program))).status).toBe(201)
})
afterAll(async () => {
  await api.close()
  expect(faults).toEqual([])
})

async function send(method: 'GET' | 'POST' | 'PATCH', url: string, payload = '', headers: Record<string, string> = {}) {
  const response = await api.inject({
    method,
    url,
    headers: { authorization: `Bearer ${KEY}`, ...(payload ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(payload ? { payload } : {}),
  })
  return { status: response.statusCode, body: response.json() as Record<string, unknown>, headers: response.headers }
}

describe('the guide to members', () => {
  test('has requests', () => expect(steps.length).toBeGreaterThan(8))

  test.each(steps)('$line → $status', async ({ method, url, body, headers, status, answer }) => {
    const response = await send(method, url, body, headers)
    expect(response.body).toMatchObject(answer)
    expect(response.status).toBe(status)
    if (response.body.id !== undefined) expect(response.headers.etag).toMatch(/^"\d+"$/)
  })
})

test('an Idempotency-Key answers again word for word, refusals too', async () => {
  const again = () =>
    send('POST', '/v1/members', '{"externalId":"idem","email":"idem@example.com"}', { 'idempotency-key': 'join-1' })
  const [first, second] = [await again(), await again()]
  expect(first.status).toBe(201)
  expect(second).toMatchObject({ status: 201, body: first.body, headers: { 'idempotent-replayed': 'true' } })
  const refused = () => send('POST', '/v1/members', '{"email":"IDEM@example.com"}', { 'idempotency-key': 'join-2' })
  expect(await refused()).toMatchObject({ status: 409, body: { code: 'already_exists' } })
  expect(await refused()).toMatchObject({
    status: 409,
    body: { code: 'already_exists' },
    headers: { 'idempotent-replayed': 'true' },
  })
})

test.each([
  ['{"email":"nobody"}', '/email'],
  ['{"phone":"01632 960961"}', '/phone'],
  ['{"birthDate":"2026-02-30"}', '/birthDate'],
  ['{"role":"admin"}', '/role'],
  ['{"status":"closed"}', '/status'],
  ['{"externalId":""}', '/externalId'],
  ['{"locale":"x"}', '/locale'],
  ['{"name":7}', '/name'],
])('%s is refused at its field', async (body, pointer) => {
  const response = await send('POST', '/v1/members', body)
  expect(response.body).toMatchObject({ code: 'invalid_request', errors: [{ pointer }] })
  expect(response.status).toBe(400)
})

test('lists keep to their limits and cursors', async () => {
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'who=x']) {
    expect(await send('GET', `/v1/members?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
  }
  for (const url of ['/v1/members', '/v1/members/external:idem/entries', '/v1/members/external:idem/purchases']) {
    expect(await send('GET', `${url}?after=x`)).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } })
    expect(await send('GET', url)).toMatchObject({ status: 200, body: { data: expect.any(Array) as unknown } })
  }
  for (const path of ['', '/wallets', '/entries', '/purchases']) {
    expect(await send('GET', `/v1/members/external:nobody${path}`)).toMatchObject({
      status: 404,
      body: { code: 'member_unknown' },
    })
  }
})
