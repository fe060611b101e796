import { createHash, randomUUID } from 'node:crypto'
import { Compile } from 'typebox/compile'
import { expect } from 'vitest'
import { z } from 'zod'
import { problem } from '../contract/common.ts'
import { type Operation, refusalsOf } from '../contract/operation.ts'
import { OPERATIONS } from '../contract/operations.ts'
import { REFUSALS } from '../contract/refusals.ts'
import type { TestDatabase } from './database.ts'
import { type ApiOptions, createApi } from '../server/api.ts'

/** An API that listens, with a key for each space; every answer of it is held against the contract. */
export type TestApi = {
  url: string
  /** What was logged as a fault. */
  faults: { requestId?: string; err?: Error }[]
  close(): Promise<void>
  /** As the live space's key, unless told. A text or bytes as body go out as they are. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Told>
}
export type Told = { status: number; body: any; text: string; headers: Headers }

export const LIVE = 'lk_live_forTestsOnly00000000000000000000000000000'
export const TEST = 'lk_test_forTestsOnly00000000000000000000000000000'

export async function addKey(
  database: TestDatabase,
  space: number,
  key: string,
  scopes: readonly string[] = ['*'],
): Promise<void> {
  await database.sql(
    'insert into api_keys (space_id, key_id, name, hint, key_hash, scopes) values ($1, $2, $3, $4, $5, $6)',
    [space, randomUUID(), 'for tests', 'for tests', createHash('sha256').update(key).digest(), scopes],
  )
}

export async function openApi(database: TestDatabase, options: Partial<ApiOptions> = {}): Promise<TestApi> {
  const faults: TestApi['faults'] = []
  const log = { error: (about: object) => void faults.push(about), warn: () => {} }
  const api = await createApi({ pool: database.pool, rateLimit: 'off', log, rememberKeysMs: 1, ...options })
  const url = await api.listen(0, '127.0.0.1')
  return {
    url,
    faults,
    close: () => api.close(),
    async call(method, path, body, headers = {}) {
      const said = body === undefined ? undefined : raw(body)
      const response = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${LIVE}`,
          ...(said === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(said === undefined ? {} : { body: said }),
      })
      const text = await response.text()
      const told: Told = {
        status: response.status,
        text,
        headers: response.headers,
        body: text === '' ? undefined : JSON.parse(text),
      }
      checkAnswer(method, path, told)
      return told
    },
  }
}

function raw(body: unknown): string | Uint8Array<ArrayBuffer> {
  return typeof body === 'string' || body instanceof Uint8Array
    ? (body as string | Uint8Array<ArrayBuffer>)
    : JSON.stringify(body)
}

const ROUTES = OPERATIONS.map((op) => ({
  op,
  pattern: new RegExp(`^${op.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
})).toSorted((a, b) => Number(a.op.path.includes('{')) - Number(b.op.path.includes('{')))

/** What the contract promises of this answer: its shape, its headers, and only refusals that the operation lists. */
function checkAnswer(method: string, path: string, told: Told): void {
  const [bare = ''] = path.split('?')
  const op = ROUTES.find((route) => route.op.method === method && route.pattern.test(bare))?.op
  expect(told.headers.get('request-id'), 'every answer has a Request-Id').toMatch(/^req_/)
  if (told.status >= 400) checkProblem(op, told)
  if (told.status >= 400 || !op || told.status === 304) return
  expect(told.headers.get('content-type')).toBe('application/json; charset=utf-8')
  const answer = op.answers[told.status]
  expect(answer, `${op.id} may answer ${told.status}`).toBeDefined()
  if (answer) {
    const errors = [...shapeOf(answer.schema).Errors(told.body)]
    expect(errors, `${op.id} answered ${told.text}`).toEqual([])
  }
  if (op.etag && !told.headers.has('idempotent-replayed')) expect(told.headers.get('etag')).toMatch(/^"\d+"$/)
}

const LEAKS =
  /select |insert into|update .* set|relation "|column "|\/engine\/|\/server\/|\.ts:|node_modules|at \w+ \(/i

function checkProblem(op: Operation | undefined, told: Told): void {
  expect(told.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  expect(problem.safeParse(told.body).error, told.text).toBeUndefined()
  expect(told.text).not.toMatch(LEAKS)
  const { code, status } = told.body
  expect(status).toBe(told.status)
  if (status >= 500 || status === 429) {
    if (status !== 500) expect(told.headers.get('retry-after')).toMatch(/^\d+$/)
  }
  if (code === 'internal') return
  expect(REFUSALS[code as keyof typeof REFUSALS]?.status, code).toBe(status)
  if (op) expect([...refusalsOf(op), 'not_found'], `${op.id} lists ${code}`).toContain(code)
}

const shapes = new Map<z.ZodType, ReturnType<typeof Compile>>()

/** Fields that the contract does not name are refused too: what goes out is written down. */
function shapeOf(schema: z.ZodType): ReturnType<typeof Compile> {
  let shape = shapes.get(schema)
  if (!shape) {
    const json = JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: 'output' })), (key, value: unknown) =>
      key === 'format' && typeof value === 'string' ? undefined : value,
    ) as object
    shapes.set(schema, (shape = Compile(json as never)))
  }
  return shape
}
