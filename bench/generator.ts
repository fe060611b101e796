import { Buffer } from 'node:buffer'
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { newHistogram, percentile, record } from './histogram.ts'
import { type Load, newRequest, type Request } from './requests.ts'

/**
 * The load generator: a process of its own (bench/load.ts starts it), so that what it costs is seen apart. Raw sockets,
 * requests laid out beforehand; of an answer it reads status and length, and every 512th whole.
 *
 *   closed   each connection sends its next request as soon as it has the answer to the one before
 *   open     requests are due at random instants (Poisson, from a seed) whatever the server does; latency counts
 *            from the instant when a request was due, also while it waits for a free connection; connections take turns
 */
export type Plan = {
  ports: number[]
  connections: number
  warmUpSeconds: number
  seconds: number
  load: Load
  /** Requests a second for the open loop. */
  rate?: number
  seed?: number
}
/** Latencies in microseconds; cpu: of this process while it measured, in microseconds. */
export type Result = {
  requests: number
  seconds: number
  p50: number
  p99: number
  p999: number
  max: number
  cpu: number
  /** What was not answered as it should have been, how often. */
  failures: Record<string, number>
}
export type Message = { phase: 'warm' } | { phase: 'done'; result: Result }

const LOOK_EVERY = 512
const HEAD_END = Buffer.from('\r\n\r\n')
const OPEN_LATE_MS = 10_000

type Connection = {
  socket: Socket
  request: Request
  /** When the request under way was sent (closed) or due (open), by performance.now(). */
  since: number
  wanted: number
  status: number
  /** Bytes of the answer under way that have not come yet; -1: its head has not come whole. */
  missing: number
  held: Buffer | undefined
}

const plan = JSON.parse(process.argv[2] ?? '{}') as Plan
const histogram = newHistogram()
const failures: Record<string, number> = {}
let measuring = false
let stopping = false
let answered = 0
const idle: Connection[] = []
const waiting: number[] = []
const open = plan.rate !== undefined

await run()

async function run(): Promise<void> {
  const connections = await Promise.all(
    Array.from({ length: plan.connections }, (_, i) => dial(plan.ports[i % plan.ports.length] as number)),
  )
  if (open) idle.push(...connections)
  else for (const connection of connections) send(connection, performance.now())
  if (open) arrive(performance.now(), randomFrom(plan.seed ?? 1))
  await sleep(plan.warmUpSeconds * 1000)
  process.send?.({ phase: 'warm' } satisfies Message)
  measuring = true
  const began = performance.now()
  const cpuBefore = process.cpuUsage()
  await sleep(plan.seconds * 1000)
  measuring = false
  const seconds = (performance.now() - began) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  if (open && waiting.length > 0) failed('still waiting for a connection', waiting.length)
  const result: Result = {
    requests: histogram.total,
    seconds,
    failures,
    cpu: cpu.user + cpu.system,
    max: histogram.max,
    p50: percentile(histogram, 0.5),
    p99: percentile(histogram, 0.99),
    p999: percentile(histogram, 0.999),
  }
  process.send?.({ phase: 'done', result } satisfies Message, () => {
    stopping = true
    for (const { socket } of connections) socket.destroy()
    process.disconnect?.()
  })
}

function dial(port: number): Promise<Connection> {
  return new Promise((done, fail) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const connection: Connection = {
      socket,
      request: newRequest(plan.load),
      since: 0,
      wanted: 0,
      status: 0,
      missing: -1,
      held: undefined,
    }
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.off('error', fail)
      socket.on('error', () => {})
      socket.on('close', () => {
        if (!stopping) failed('connection closed')
      })
      socket.on('data', (chunk) => read(connection, chunk))
      done(connection)
    })
  })
}

function send(connection: Connection, since: number): void {
  connection.since = since
  connection.wanted = connection.request.refresh()
  connection.missing = -1
  connection.socket.write(connection.request.bytes)
}

function read(connection: Connection, chunk: Buffer): void {
  if (connection.missing >= 0) {
    connection.missing -= chunk.length
    if (connection.held) connection.held = Buffer.concat([connection.held, chunk])
  } else {
    const all = connection.held ? Buffer.concat([connection.held, chunk]) : chunk
    const end = all.indexOf(HEAD_END)
    connection.held = all
    if (end < 0) return
    connection.status = (all[9] as number) * 100 + (all[10] as number) * 10 + (all[11] as number) - 48 * 111
    connection.missing = end + 4 + contentLength(all.toString('latin1', 0, end)) - all.length
    // Pieces of a long answer are only kept when it will be looked at.
    if (connection.missing > 0 && !looks()) connection.held = undefined
  }
  if (connection.missing === 0) finish(connection)
  else if (connection.missing < 0) throw new Error('more came than was asked for')
}

function looks(): boolean {
  return answered % LOOK_EVERY === 0
}

function finish(connection: Connection): void {
  const now = performance.now()
  if (connection.status !== connection.wanted) failed(`status ${connection.status}`, 1, connection.held)
  else if (measuring) record(histogram, (now - connection.since) * 1000)
  if (connection.held && looks()) look(connection.held, connection.wanted)
  connection.held = undefined
  answered++
  if (stopping) return
  if (!open) send(connection, now)
  else if (waiting.length > 0) send(connection, waiting.shift() as number)
  else idle.push(connection)
}

function contentLength(head: string): number {
  const at = head.indexOf('ontent-')
  const found = at >= 0 ? /content-length: *(\d+)/i.exec(head) : null
  if (!found) throw new Error(`an answer without Content-Length:\n${head}`)
  return Number(found[1])
}

/** Reads an answer whole: a purchase must have earned what its total gives. */
function look(answer: Buffer, wanted: number): void {
  const text = answer.subarray(answer.indexOf(HEAD_END) + 4).toString()
  try {
    const body = JSON.parse(text) as Record<string, unknown>
    if (plan.load.kind === 'bulk') {
      const results = body.results as { status: number; purchase?: Record<string, unknown> }[]
      if (results.length !== plan.load.batch) failed(`${results.length} results`)
      for (const { status, purchase } of results) {
        if (status !== 201) failed(`item with status ${status}`)
        else check(purchase)
      }
    } else if (plan.load.kind === 'redeem') checkRedemption(body)
    else if (wanted === 201) check(body)
  } catch (error) {
    failed(`unreadable answer: ${String(error)}`)
  }
}

/** The bench program gives a point for each whole pound (seed.sql.ts). */
function check(purchase: Record<string, unknown> | undefined): void {
  const total = Number(purchase?.total)
  const points = Number(purchase?.points)
  if (points !== Math.floor(total / 100)) failed(`${points} points for ${total}`)
}

/** Every reward of redeem.ts costs a point. */
function checkRedemption({ status, spent }: Record<string, unknown>): void {
  const { points } = (spent ?? {}) as { points?: number }
  if (status !== 'issued' || points !== 1) failed(`a redemption that is ${String(status)} for ${points} points`)
}

function failed(what: string, times = 1, answer?: Buffer): void {
  if (answer && !(what in failures)) process.stderr.write(`${answer.toString().slice(0, 2000)}\n`)
  failures[what] = (failures[what] ?? 0) + times
}

// ── open loop ───────────────────────────────────────────────────────────────────────────────────

/** Sends what has become due every millisecond: up to one of it is the generator's own, and counts as latency. */
function arrive(due: number, random: () => number): void {
  let next = due
  const tick = () => {
    if (stopping) return
    const now = performance.now()
    while (next <= now) {
      const connection = idle.shift()
      if (connection) send(connection, next)
      else waiting.push(next)
      next += (-Math.log(1 - random()) / (plan.rate as number)) * 1000
    }
    while (waiting.length > 0 && now - (waiting[0] as number) > OPEN_LATE_MS) {
      waiting.shift()
      failed('dropped: no connection was free for 10 s')
    }
    setTimeout(tick, 1)
  }
  tick()
}

/** mulberry32: the same arrivals for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}
