import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'

/**
 * Laurel is killed (-9) under load, four times: its own process, and twice its PostgreSQL with it. What was acknowledged is
 * there afterwards, once, and no code of a pool goes to two; what got no answer is asked again under its key and has one effect. fsync is on.
 */
const KEY = 'lk_live_crash_test_0123456789'
const directory = mkdtempSync(join(tmpdir(), 'laurel-crash-'))
const cli = join(import.meta.dirname, 'cli.ts')
let child: ChildProcess | undefined
let port = 0

afterAll(async () => {
  child?.kill('SIGTERM')
  await new Promise((resolve) => (child ? child.once('exit', resolve) : resolve(undefined)))
  await rm(directory, { recursive: true, force: true })
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = server.address() as { port: number }
      server.close(() => resolve(free))
    })
  })
}

const env = () => ({
  ...process.env,
  PORT: String(port),
  LAUREL_DATA_DIR: join(directory, 'data'),
  LAUREL_BOOTSTRAP_KEY: KEY,
  LAUREL_RATE_LIMIT: 'off',
})

async function startLaurel(): Promise<void> {
  child = spawn(process.execPath, [cli, 'start'], { env: env(), stdio: 'ignore' })
  for (let i = 0; i < 300; i++) {
    if (
      await fetch(`http://127.0.0.1:${port}/health/ready`).then(
        (r) => r.ok,
        () => false,
      )
    )
      return
    await sleep(100)
  }
  throw new Error('laurel did not start')
}

async function kill(postgresToo: boolean): Promise<void> {
  const gone = new Promise((resolve) => child?.once('exit', resolve))
  child?.kill('SIGKILL')
  await gone
  if (postgresToo)
    try {
      execFileSync('pkill', ['-9', '-f', '--', join(directory, 'data')])
    } catch {
      /* it is gone already */
    }
}

async function post(path: string, body: object, idempotencyKey?: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: {
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      ...(idempotencyKey ? { 'idempotency-key': idempotencyKey } : {}),
    },
  })
  return { status: response.status, text: await response.text() }
}

async function get(path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${KEY}` } })
  return await response.text()
}

type Sent = { path: string; body: { externalId: string; [field: string]: unknown }; answer: string | undefined }
const sent: Sent[] = []
const bought = () => sent.filter(({ path }) => path === '/v1/purchases')

/** Buys, and redeems a code, until told to stop; what it cannot know the outcome of it leaves without an answer. */
async function buy(client: number, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const member = `external:m${sent.length % 40}`
    const body = {
      program: 'coffee',
      externalId: `c-${sent.length}-${client}`,
      member,
      occurredAt: new Date().toISOString(),
      currency: 'GBP',
      items: [{ sku: 'beans', quantity: 1, amount: 100 + (sent.length % 900) }],
    }
    if (!(await send('/v1/purchases', body))) continue
    const externalId = `r-${body.externalId}`
    await send(`/v1/members/${member}/redemptions`, { program: 'coffee', reward: 'ticket', externalId })
  }
}

async function send(path: string, body: Sent['body']): Promise<boolean> {
  const one: Sent = { path, body, answer: undefined }
  sent.push(one)
  try {
    const { status, text } = await post(path, body, body.externalId)
    if (status === 201) one.answer = text
  } catch {
    await sleep(20)
  }
  return one.answer !== undefined
}

it('everything acknowledged is there, once', async () => {
  port = await freePort()
  await startLaurel()
  await post('/v1/programs', {
    slug: 'coffee',
    name: 'Coffee',
    timezone: 'Europe/London',
    currency: 'GBP',
    joinPolicy: 'on_first_purchase',
  })
  await post('/v1/earning-rules', {
    program: 'coffee',
    name: 'A point a pound',
    kind: 'per_amount',
    args: { points: 1, per: 100 },
  })
  const pool = JSON.parse((await post('/v1/code-pools', { program: 'coffee', slug: 'film', name: 'Film' })).text).id
  await post(`/v1/code-pools/${pool}/generate`, { count: 10_000 })
  const ticket = { program: 'coffee', slug: 'ticket', name: 'Ticket', kind: 'experience', price: {} }
  expect((await post('/v1/rewards', { ...ticket, code: { pool: 'film' } })).status).toBe(201)
  for (let round = 0; round < 4; round++) {
    const stop = new AbortController()
    const clients = Array.from({ length: 16 }, (_, i) => buy(i, stop.signal))
    await sleep(500 + Math.random() * 700)
    await kill(round % 2 === 1)
    stop.abort()
    await Promise.all(clients)
    await startLaurel()
  }
  const acknowledged = sent.filter((one) => one.answer !== undefined)
  expect(acknowledged.length).toBeGreaterThan(100)
  expect(sent.length).toBeGreaterThan(acknowledged.length)
  const codes = new Set<string>()
  for (let i = 0; i < sent.length; i += 50) {
    await Promise.all(
      sent.slice(i, i + 50).map(async (one) => {
        const again = await post(one.path, one.body, one.body.externalId)
        expect([200, 201]).toContain(again.status)
        if (one.answer !== undefined) expect(again.text).toBe(one.answer)
        const named = await post(one.path, one.body)
        expect(named.status).toBe(200)
        const { id, code } = JSON.parse(named.text) as { id: string; code?: string }
        expect(id).toBe(JSON.parse(again.text).id)
        if (code !== undefined) codes.add(code)
      }),
    )
  }
  expect(codes.size).toBe(sent.length - bought().length)
  expect(codes.size).toBeGreaterThan(50)
  const { data } = JSON.parse(await get('/v1/code-pools')) as { data: { handedOut: number }[] }
  expect(data.map(({ handedOut }) => handedOut)).toEqual([codes.size])
  const said = execFileSync(process.execPath, [cli, 'verify'], { env: env(), encoding: 'utf8' })
  expect(said).toMatch(new RegExp(`${bought().length.toLocaleString('en')}|${bought().length}`))
})
