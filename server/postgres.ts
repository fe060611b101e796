import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, renameSync, statfsSync, statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Fixable } from './fault.ts'
import {
  type ClusterOptions,
  initialise,
  makeDatabase,
  pathFor,
  readConnection,
  writeConnection,
} from './postgres-data.ts'
import { fastShutdown, postmaster, stopLeftover } from './postgres-process.ts'

/**
 * A PostgreSQL server of our own. In its home:
 *   data/            what PostgreSQL keeps
 *   connection.json  port and passwords (0600)
 *   server.log       what PostgreSQL says: warnings and worse, without the values of any row
 */
export type Cluster = {
  /** As the role `laurel`, which owns the database `laurel`, may create roles and databases, and is no superuser. */
  url: string
  /** As the superuser: for extensions, for tests. */
  superuserUrl: string
  port: number
  pid: number
  /** Resolves when the server has gone, asked or not. */
  gone: Promise<void>
  /**
   * A fast shutdown: open transactions are rolled back, clients are cut, everything committed is kept. Answers false
   * when it took longer than `ms`; the server then goes on to stop by itself.
   */
  stop(ms?: number): Promise<boolean>
}

const START_RETRY_MS = 15_000
const LOG_MAX_BYTES = 10_000_000

/** Makes the cluster at first, and starts it. Whatever a crash left behind is cleared up or recovered from. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { home, programs, user } = options
  const data = join(home, 'data')
  await mkdir(home, { recursive: true, mode: user ? 0o755 : 0o700 })
  if (!existsSync(data)) await initialise(options)
  const made = Number(readFileSync(join(data, 'PG_VERSION'), 'utf8'))
  if (made !== programs.major) {
    throw new Fixable(
      `The data in ${data} was made by PostgreSQL ${made}; this Laurel brings PostgreSQL ${programs.major}. ` +
        'Dump it with the earlier Laurel and pg_dump, then restore it into an empty data directory (docs/guides/operating.md).',
    )
  }
  await stopLeftover(data, options.log)
  const connection = await readConnection(home)
  const path = pathFor(data, user)
  const compression =
    connection.compression?.of === programs.bin ? connection.compression : await bestCompression(options, path)
  const { child, port } = await launch(options, path, compression.method, options.port ?? connection.port)
  const url = (role: string, password: string, database: string) =>
    `postgresql://${role}:${password}@127.0.0.1:${port}/${database}`
  const superuserUrl = url('postgres', connection.superuserPassword, 'postgres')
  if (!connection.ready) await makeDatabase(superuserUrl, connection.password)
  if (!connection.ready || connection.port !== port || connection.compression !== compression) {
    await writeConnection(home, { ...connection, port, compression, ready: true })
  }
  const gone = new Promise<void>((done) => child.once('exit', () => done()))
  return {
    url: url('laurel', connection.password, 'laurel'),
    superuserUrl,
    port,
    pid: child.pid as number,
    gone,
    async stop(ms = 60_000) {
      if (child.exitCode === null && child.signalCode === null) fastShutdown(child.pid as number, programs)
      const waiting = new AbortController()
      const late = sleep(ms, false, { signal: waiting.signal }).catch(() => false)
      return Promise.race([gone.then(() => true), late]).finally(() => waiting.abort())
    },
  }
}

/** The URL of a cluster that another process of ours has started, if it has. */
export async function runningCluster(home: string): Promise<{ url: string } | undefined> {
  const running = postmaster(join(home, 'data'))
  if (running?.state !== 'ready' || !existsSync(join(home, 'connection.json'))) return undefined
  const { password, ready } = await readConnection(home)
  return ready ? { url: `postgresql://laurel:${password}@127.0.0.1:${running.port}/laurel` } : undefined
}

/**
 * After a checkpoint every page is logged whole when it first changes: the further apart checkpoints are, the less a
 * purchase costs on large indexes. An eighth of the disk that is free, within bounds.
 */
function walMaxGb(home: string): number {
  const { bavail, bsize } = statfsSync(home)
  return Math.max(1, Math.min(16, Math.floor((bavail * bsize) / 8 / 2 ** 30)))
}

/** Where PostgreSQL's memory and checkpoints are, by the machine; everything that makes a commit durable is on. */
function settings({ home, programs, throwAway, settings: more }: ClusterOptions, port: number, compression: string) {
  const allowed = process.constrainedMemory() // a container's, say; 0 when nothing limits it
  const mb = Math.floor(Math.min(totalmem(), allowed || Number.POSITIVE_INFINITY) / 1024 / 1024)
  const durable = throwAway ? 'off' : 'on'
  return {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 100,
    fsync: durable,
    synchronous_commit: durable,
    full_page_writes: durable,
    shared_buffers: throwAway ? '64MB' : `${Math.max(32, Math.min(2048, Math.floor(mb / 8)))}MB`,
    effective_cache_size: `${Math.max(128, Math.floor(mb / 2))}MB`,
    maintenance_work_mem: `${Math.max(32, Math.min(512, Math.floor(mb / 32)))}MB`,
    max_wal_size: throwAway ? '256MB' : `${walMaxGb(home)}GB`,
    checkpoint_timeout: '30min',
    checkpoint_completion_target: 0.9,
    wal_compression: compression,
    random_page_cost: 1.1,
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // No row's values in the log: neither statements nor the DETAIL of an error.
    log_min_messages: 'warning',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_line_prefix: '%m [%p] %a ',
    lc_messages: 'C',
    ...(programs.major >= 18 ? { io_method: 'worker' } : {}),
    ...more,
  }
}

/** Starts the server and waits until it takes connections: at once, or after it has recovered. */
async function launch(
  options: ClusterOptions,
  path: string,
  compression: string,
  wanted: number,
): Promise<{ child: ChildProcess; port: number }> {
  const { home, programs, user, throwAway, log } = options
  const data = join(home, 'data')
  const logFile = join(home, 'server.log')
  if (existsSync(logFile) && statSync(logFile).size > LOG_MAX_BYTES) renameSync(logFile, `${logFile}.1`)
  const deadline = Date.now() + START_RETRY_MS
  let port = await freePort(wanted)
  for (;;) {
    const from = existsSync(logFile) ? statSync(logFile).size : 0
    const flags = Object.entries(settings(options, port, compression)).flatMap(([k, v]) => ['-c', `${k}=${v}`])
    const out = openSync(logFile, 'a', 0o600)
    // Apart from our process group: Ctrl-C is for us, the database goes last. And it outlives nobody's terminal.
    const child = spawn(join(programs.bin, 'postgres'), ['-D', path, ...flags], {
      cwd: data,
      stdio: ['ignore', out, out],
      detached: !throwAway,
      ...user,
    })
    closeSync(out)
    const failure = await readyOrGone(child, data, log)
    if (!failure) {
      child.unref()
      return { child, port }
    }
    const said = existsSync(logFile) ? readFileSync(logFile).subarray(from).toString() : ''
    // What crashed with the last server may take a moment to let go of it; somebody may have taken the port.
    const passing = /still in use|already exists|Is another postmaster/.test(said)
    const taken = /could not (create|bind)/.test(said)
    if (!(passing || taken) || Date.now() > deadline) {
      throw new Fixable(
        `PostgreSQL did not start (${failure}). The end of ${logFile}:\n${said.slice(-2000) || '(nothing)'}`,
      )
    }
    if (taken) port = await freePort(0)
    else await sleep(200)
  }
}

/** Undefined when it is ready, else how it ended. */
async function readyOrGone(
  child: ChildProcess,
  data: string,
  log?: (message: string) => void,
): Promise<string | undefined> {
  let ended: string | undefined
  child.once('error', (error) => {
    ended = error.message
  })
  child.once('exit', (code, signal) => {
    ended ??= `exit ${code ?? signal}`
  })
  let mention = Date.now() + 3_000
  while (!ended) {
    const now = postmaster(data)
    if (now?.pid === child.pid && now?.state === 'ready') return undefined
    if (Date.now() > mention) {
      log?.('PostgreSQL is still starting: it replays what the last run had not yet written to its files')
      mention = Date.now() + 10_000
    }
    await sleep(10)
  }
  return ended
}

/** lz4 where this build has it: the least work for pages that a checkpoint makes the log carry whole. */
async function bestCompression(
  { home, programs, user }: ClusterOptions,
  path: string,
): Promise<{ of: string; method: string }> {
  const asked = ['-D', path, '-c', 'wal_compression=lz4', '-C', 'wal_compression']
  const run = promisify(execFile)(join(programs.bin, 'postgres'), asked, { cwd: join(home, 'data'), ...user })
  return {
    of: programs.bin,
    method: await run.then(
      () => 'lz4',
      () => 'off', // pglz takes a third of the server's processor time after every checkpoint
    ),
  }
}

/** The wanted port if it is free, else any. */
export function freePort(wanted: number): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (wanted !== 0 && error.code === 'EADDRINUSE') done(freePort(0))
      else fail(error)
    })
    probe.listen({ port: wanted, host: '127.0.0.1' }, () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => done(port))
    })
  })
}
