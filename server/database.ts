import { constants, existsSync, statSync } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from './config.ts'
import { Fixable } from './fault.ts'
import { type Holder, holderOfDirectory, lockDirectory } from './lock.ts'
import { type Cluster, runningCluster, startCluster } from './postgres.ts'
import { canReach, embeddedPrograms, postgresUser, type RunAs } from './postgres-programs.ts'

/** The embedded database of a data directory, ours alone until it is stopped. */
export type Embedded = {
  cluster: Cluster
  /** Where PostgreSQL's files are. */
  home: string
  release(): void
  /** After it has died: on the same port if that is free. */
  restart(): Promise<Cluster>
}

/** For a copy of PostgreSQL's programs when we are root and its user cannot get at ours (below /root, say). */
const PROGRAMS = '/var/lib/laurel/programs'
const STARTING_MS = 20_000

/** Starts the embedded database. Refuses when another Laurel has the data directory. */
export async function startEmbedded(
  dataDir: string,
  command: string,
  log: (message: string) => void,
): Promise<Embedded> {
  await makeDirectory(dataDir)
  const lock = lockDirectory(dataDir, command)
  if ('heldBy' in lock) throw new Fixable(inUse(dataDir, lock.heldBy))
  try {
    const user = ownerOf(join(homeOf(dataDir), 'data')) ?? (await postgresUser())
    const home = homeOf(dataDir)
    await mkdir(home, { recursive: true, mode: user ? 0o755 : 0o700 })
    const programs = await embeddedPrograms(canReach(home, user) ? join(home, 'programs') : PROGRAMS, user)
    const options = { home, programs, user, log }
    const cluster = await startCluster(options)
    return { cluster, home, release: lock.release, restart: () => startCluster({ ...options, port: cluster.port }) }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Refuses when another Laurel has the data directory. */
export function refuseIfInUse(dataDir: string): void {
  const holder = holderOfDirectory(dataDir)
  if (holder) throw new Fixable(inUse(dataDir, holder))
}

/**
 * Runs `work` on the database: yours at DATABASE_URL; or the embedded one, as a running Laurel has it, or else started
 * for as long as it takes.
 */
export async function withDatabase<T>(
  config: Config,
  command: string,
  work: (databaseUrl: string) => Promise<T>,
): Promise<T> {
  if (config.databaseUrl) return work(config.databaseUrl)
  const url = await runningDatabase(config.dataDir)
  if (url) return work(url)
  if (!existsSync(homeOf(config.dataDir))) {
    throw new Fixable(
      `There is no database in ${config.dataDir} yet. \`laurel start\` makes one; ` +
        'LAUREL_DATA_DIR or DATABASE_URL says where another is.',
    )
  }
  const embedded = await startEmbedded(config.dataDir, command, () => {})
  const leave = () => {
    void embedded.cluster.stop(0) // only asks: it goes on to stop when we are gone
    embedded.release()
  }
  process.once('exit', leave)
  for (const signal of ['SIGINT', 'SIGTERM']) {
    if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(130)) // else the command knows what to do
  }
  try {
    return await work(embedded.cluster.url)
  } finally {
    process.removeListener('exit', leave)
    await embedded.cluster.stop()
    embedded.release()
  }
}

/** The URL of the embedded database while another Laurel runs it; waits for one that is about to. */
export async function runningDatabase(dataDir: string): Promise<string | undefined> {
  const holder = holderOfDirectory(dataDir)
  if (!holder) return undefined
  for (const deadline = Date.now() + STARTING_MS; Date.now() < deadline; await sleep(100)) {
    const running = existsSync(homeOf(dataDir)) ? await runningCluster(homeOf(dataDir)) : undefined
    if (running) return running.url
  }
  throw new Fixable(`${inUse(dataDir, holder)}\nIts database does not answer.`)
}

function inUse(dataDir: string, { pid, command, since }: Holder): string {
  return (
    `Another Laurel uses ${dataDir}: \`${command}\`, process ${pid}, since ${since}.\n` +
    `Stop it (kill ${pid}), or give this one a directory and a port of its own:\n` +
    '  LAUREL_DATA_DIR=./.laurel-2 PORT=3001 npm start'
  )
}

async function makeDirectory(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 }).catch(
    (error: NodeJS.ErrnoException) => {
      throw new Fixable(
        `The data directory ${dataDir} cannot be made (${error.code}). Choose another: LAUREL_DATA_DIR=/path/to/one`,
      )
    },
  )
  await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK).catch(() => {
    throw new Fixable(
      `The data directory ${dataDir} belongs to another user. Start Laurel as that user, ` +
        `or choose another directory: LAUREL_DATA_DIR=/path/to/one`,
    )
  })
}

/** As root, a database that an ordinary user has made goes on being theirs. */
function ownerOf(data: string): RunAs {
  if (process.getuid?.() !== 0 || !existsSync(data)) return undefined
  const { uid, gid } = statSync(data)
  return uid === 0 ? undefined : { uid, gid }
}

/** Where PostgreSQL's files of a data directory are. */
function homeOf(dataDir: string): string {
  return join(dataDir, 'postgres')
}
