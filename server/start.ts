import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createServer } from 'node:net'
import { flushCompileCache } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import type pino from 'pino'
import { banner } from './banner.ts'
import type { Config } from './config.ts'
import { type Embedded, refuseIfInUse, runningDatabase, startEmbedded } from './database.ts'
import { Fixable } from './fault.ts'
import { acceptKey, firstKey } from './keys.ts'
import { openLog } from './log.ts'
import { secretOf } from './secret.ts'
import { checkSchema, migrate } from './migrate.ts'
import { shownUrl, withOwner } from './owner.ts'

/** `start`: everything in one process. `api` and `worker`: one door each, as many processes as you like. */
export type Role = 'start' | 'api' | 'worker'

type Running = {
  logger: pino.Logger
  embedded?: Embedded
  doors: { close(): Promise<void> }[]
  stopping: AbortController
}

/** Of the two seconds that a stop may take: requests and the worker first, then the database. */
const DOORS_STOP_MS = 1_200
const STOP_MS = 1_800
/** npm, npx and a terminal each pass a signal on: so soon after the first, it is the same Ctrl-C. */
const SAME_SIGNAL_MS = 500
const RESTART_MAX_MS = 10_000
const PARENT_CHECK_MS = 200

/** Runs until SIGINT or SIGTERM; then stops in order and exits with 0. */
export async function start(config: Config, role: Role): Promise<void> {
  const running: Running = { logger: openLog(config.logLevel), doors: [], stopping: new AbortController() }
  const stop = stopOnSignals(running)
  try {
    await open(config, role, running)
  } catch (error) {
    if (!running.stopping.signal.aborted) {
      await close(running)
      throw error
    }
  }
  if (running.stopping.signal.aborted) await stop()
}

async function open(config: Config, role: Role, running: Running): Promise<void> {
  const { logger, stopping } = running
  if (role === 'start' && !config.databaseUrl) refuseIfInUse(config.dataDir) // says more than that the port is in use
  if (role !== 'worker') await assertPortFree(config)
  const api = role === 'worker' ? undefined : import('./api.ts') // loads while the database starts
  api?.catch(() => {}) // said when it is awaited
  const worker = role === 'api' ? undefined : import('./worker.ts')
  worker?.catch(() => {})
  const databaseUrl = await openDatabase(config, role, running)
  const key = await prepare(config, role, databaseUrl, logger)
  stopping.signal.throwIfAborted()
  if (api) {
    const { port, host, rateLimit } = config
    const door = await (await api)
      .startApi({ databaseUrl, host, port, rateLimit, secret: secretOf(config), logger })
      .catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'EADDRINUSE' ? portInUse(config) : error
      })
    running.doors.push(door)
    if (role === 'start') welcome(config, databaseUrl, door.url, running, key)
    else logger.info({ api: door.url }, 'Answering')
  }
  if (worker) running.doors.push((await worker).startWorker({ databaseUrl, logger }))
  if (role === 'worker') logger.info('Working')
  flushCompileCache()
}

async function openDatabase(config: Config, role: Role, running: Running): Promise<string> {
  if (config.databaseUrl) return config.databaseUrl
  if (role === 'start') {
    const embedded = await startEmbedded(config.dataDir, 'laurel start', (message) => running.logger.info(message))
    running.embedded = embedded
    process.once('exit', embedded.release)
    void keepAlive(embedded, running)
    return embedded.cluster.url
  }
  const url = await runningDatabase(config.dataDir)
  if (url) return url
  throw new Fixable(`\`laurel ${role}\` needs a database. Set DATABASE_URL; or run \`laurel start\`, which brings one.`)
}

/** The schema, and the keys that are there from the first start on. The first secret key, when it was made now. */
async function prepare(
  config: Config,
  role: Role,
  databaseUrl: string,
  logger: pino.Logger,
): Promise<string | undefined> {
  if (role === 'start') await migrate(databaseUrl, (message) => logger.info(message))
  else await checkSchema(databaseUrl)
  if (role === 'worker' || (role === 'api' && !config.bootstrapKey)) return undefined
  return await withOwner(databaseUrl, 'laurel', async (owner) => {
    if (config.bootstrapKey) await acceptKey(owner, config.bootstrapKey)
    return role === 'start' ? await firstKey(owner) : undefined
  })
}

/** A PostgreSQL that dies under us (out of memory, a kill) is started again; requests answer 503 meanwhile. */
async function keepAlive(embedded: Embedded, { logger, stopping }: Running): Promise<void> {
  const { port } = embedded.cluster
  for (let wait = 100; ; wait = Math.min(RESTART_MAX_MS, wait * 2)) {
    await embedded.cluster.gone
    if (stopping.signal.aborted) return
    logger.error({ log: join(embedded.home, 'server.log') }, 'PostgreSQL has gone; starting it again')
    try {
      embedded.cluster = await embedded.restart()
      if (embedded.cluster.port !== port) {
        await embedded.cluster.stop()
        throw new Error(`another program has taken its port ${port}`)
      }
      logger.info('PostgreSQL is back')
      wait = 50
    } catch (error) {
      logger.error({ err: error, retryInMs: wait }, 'PostgreSQL does not start')
      await sleep(wait)
    }
    if (stopping.signal.aborted) return void (await embedded.cluster.stop())
  }
}

function welcome(
  config: Config,
  databaseUrl: string,
  url: string,
  { embedded, logger }: Running,
  key: string | undefined,
): void {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string
  }
  const here = url.replace(/\/\/(0\.0\.0\.0|\[::\])/, '//localhost') // what listens on every address is reached by this one
  process.stdout.write(
    banner({
      version,
      url: here,
      ...(key ? { key } : {}),
      ...(embedded ? { dataDir: config.dataDir } : { database: shownUrl(databaseUrl) }),
    }),
  )
  logger.info({ api: url }, 'Laurel has started')
}

/** The first signal stops in order; another, half a second later or more, at once. Faults stop it too, with 1. */
function stopOnSignals(running: Running): () => Promise<never> {
  const { logger, stopping } = running
  let began = 0
  let closing: Promise<void> | undefined
  const stop = async (code = 0): Promise<never> => {
    await (closing ??= close(running))
    process.exit(code)
  }
  const onSignal = (signal: string) => {
    if (began > 0) {
      if (Date.now() - began < SAME_SIGNAL_MS) return
      logger.warn(`${signal} again: stopping at once`)
      void running.embedded?.cluster.stop(0)
      process.exit(1)
    }
    began = Date.now()
    logger.info(`${signal}: finishing what is in flight`)
    const opened = running.doors.length > 0
    stopping.abort()
    if (opened) void stop() // else `start` stops as soon as it can
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal)
  stopWithNpm(() => onSignal('npm has stopped'))
  const onFault = (error: unknown) => {
    logger.fatal({ err: error }, 'A fault that nothing caught; stopping')
    stopping.abort()
    void stop(1)
  }
  process.on('uncaughtException', onFault)
  process.on('unhandledRejection', onFault)
  return stop
}

/**
 * npm and npx pass a signal on to the shell between them and us, which dies of it without a word to us: then we would
 * go on for ever, unseen, with the port and the data.
 */
function stopWithNpm(stop: () => void): void {
  const { ppid, env } = process
  if (!env.npm_execpath) return
  const watch = setInterval(() => {
    if (process.ppid === ppid) return
    clearInterval(watch)
    stop()
  }, PARENT_CHECK_MS)
  watch.unref()
}

/** Stops accepting, lets requests finish, then the worker's step, and the database last. */
async function close({ logger, embedded, doors, stopping }: Running): Promise<void> {
  stopping.abort()
  const deadline = Date.now() + STOP_MS
  const closed = await Promise.race([
    Promise.allSettled(doors.map((door) => door.close())),
    sleep(DOORS_STOP_MS, undefined, { ref: false }),
  ])
  if (!closed) logger.warn('Requests that took too long to finish were cut off')
  for (const result of closed ?? []) {
    if (result.status === 'rejected') logger.error({ err: result.reason }, 'Not everything closed as it should')
  }
  if (!embedded) return
  const stopped = await embedded.cluster.stop(Math.max(200, deadline - Date.now()))
  if (!stopped) logger.info('PostgreSQL is still writing its files and will stop by itself; nothing is lost')
  embedded.release()
}

function portInUse({ port, host }: Config): Fixable {
  return new Fixable(
    `Port ${port} on ${host} is in use by another program. Stop that one, or choose another port: PORT=${port + 1} npm start`,
  )
}

/** Before anything is made or started, so that a mistyped port costs nothing. */
function assertPortFree(config: Config): Promise<void> {
  const { port, host } = config
  if (port === 0) return Promise.resolve()
  return new Promise((done, fail) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') fail(portInUse(config))
      else if (error.code === 'EACCES')
        fail(new Fixable(`Port ${port} needs privileges. Choose one from 1024 on: PORT=3000 npm start`))
      else
        fail(
          new Fixable(
            `Laurel cannot listen on HOST=${host} (${error.message}). HOST is an address of this machine, or 0.0.0.0 for all.`,
          ),
        )
    })
    probe.listen({ port, host }, () => probe.close(() => done()))
  })
}
