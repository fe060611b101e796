import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type pg from 'pg'
import { configurations } from '@laurel/engine/earning/configuration'
import { openPool } from '@laurel/engine/base/db'
import { createGate, type Gate } from '@laurel/engine/gate/gate'
import { createWalletReader } from '@laurel/engine/views/wallets'
import type { Door } from './door.ts'
import { addHealth } from './health.ts'
import { hotDoor } from './hot.ts'
import { createLimits } from './limits.ts'
import { createMetrics } from './metrics.ts'
import type { Log } from './problems.ts'
import { addReference } from './reference.ts'
import { createRest } from './rest.ts'
import { loadCompiler } from './validate.ts'
import { createWho } from './who.ts'

export type ApiOptions = {
  /** Connections as `laurel_app`; the caller ends them, after close(). */
  pool: pg.Pool
  /** The gate's own, so that nothing that reads or waits holds up what changes points; `pool` unless told. */
  gatePool?: pg.Pool
  /** Requests a second and key; 1,000 unless told. */
  rateLimit?: number | 'off'
  log: Log
  /** How long a key that was looked up is believed, in milliseconds: five seconds at most, which is the default. */
  rememberKeysMs?: number
  /** What secrets are derived from, such as the digits of rotating cards; without it there are none. */
  secret?: string | undefined
  /** The gate, where the caller has one already; else the API makes its own. */
  gate?: Gate
}

export type Api = {
  readonly server: Server
  readonly gate: Gate
  /** Without a socket, for tests. */
  readonly inject: FastifyInstance['inject']
  /** Where it listens, such as http://127.0.0.1:3000. Fails as node:net does, with EADDRINUSE and the like. */
  listen(port: number, host: string): Promise<string>
  /** Takes no new request, finishes those that run and what they gave to the gate. */
  close(): Promise<void>
}

/** A request that takes its time to arrive holds a socket; a keep-alive outlives the usual balancer's. */
const REQUEST_MS = 30_000
const HEADERS_MS = 15_000
const KEEP_ALIVE_MS = 75_000
/**
 * While we stop, each connection is told to close with its next answer; only those that ask nothing more are closed by
 * us, so that no request meets a closed door.
 */
const DRAIN_MS = 400
const SWEEP_MS = 20

/** Lists under way take two; reads and configuration share the rest. */
const CONNECTIONS = 12
/** Two lists under way, each on one connection at a time. */
const GATE_CONNECTIONS = 3

/** The door of requests. */
export async function createApi(options: ApiOptions): Promise<Api> {
  const { pool, log, rateLimit = 1_000 } = options
  const gate =
    options.gate ??
    createGate({
      pool: options.gatePool ?? pool,
      secret: options.secret,
      onFault: (err, verb) => log.error({ err, verb }, 'an ask met a fault'),
    })
  const known = configurations()
  const spaces = new Set<number>()
  const door: Door = {
    pool,
    gate,
    wallets: createWalletReader(pool, known),
    configurations: known,
    who: createWho(pool, spaces, options.rememberKeysMs),
    limits: createLimits(rateLimit),
    metrics: createMetrics(pool, gate),
    log,
    secret: options.secret,
    spaces,
    closing: false,
  }
  const hot = hotDoor(door)
  const listen = (listener: RequestListener): Server =>
    createServer(
      {
        requestTimeout: REQUEST_MS,
        headersTimeout: HEADERS_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        noDelay: true,
        requireHostHeader: true,
      },
      (request, response) => {
        if (!hot(request, response)) listener(request, response)
      },
    )
  const app = createRest(door, listen)
  addHealth(app, door)
  addReference(app)
  await app.ready()
  const { server } = app
  return {
    server,
    gate,
    inject: app.inject.bind(app) as FastifyInstance['inject'],
    async listen(port, host) {
      await app.listen({ port, host })
      setImmediate(() => void loadCompiler())
      const { address, family, port: bound } = server.address() as AddressInfo
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`
    },
    async close() {
      door.closing = true
      for (let waited = 0; waited < DRAIN_MS && (await connections(server)) > 0; waited += SWEEP_MS)
        await sleep(SWEEP_MS)
      const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS)
      await app.close().finally(() => clearInterval(sweep))
      if (!options.gate) await gate.close()
    },
  }
}

function connections(server: Server): Promise<number> {
  return new Promise((done) => server.getConnections((_error, count) => done(count ?? 0)))
}

/** A door with connections of its own, listening. */
export async function startApi(options: {
  databaseUrl: string
  host: string
  port: number
  rateLimit: number | 'off'
  secret?: string | undefined
  logger: Log
}): Promise<{ url: string; close(): Promise<void> }> {
  const pool = openPool(options.databaseUrl, { max: CONNECTIONS, applicationName: 'laurel-api' })
  const gatePool = openPool(options.databaseUrl, { max: GATE_CONNECTIONS, applicationName: 'laurel-gate' })
  const api = await createApi({
    pool,
    gatePool,
    rateLimit: options.rateLimit,
    secret: options.secret,
    log: options.logger,
  })
  const close = async () => {
    await api.close()
    await Promise.all([pool.end(), gatePool.end()])
  }
  try {
    return { url: await api.listen(options.port, options.host), close }
  } catch (error) {
    await close()
    throw error
  }
}
