import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, rmSync, statSync } from 'node:fs'
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { Fixable } from './fault.ts'
import { canReach, type Programs, type RunAs } from './postgres-programs.ts'

export type ClusterOptions = {
  home: string
  programs: Programs
  user: RunAs
  /** Without fsync and its like, and in our own process group, so that it dies with us: for tests. Never for data. */
  throwAway?: boolean
  settings?: Record<string, string | number>
  /** Where it listened before, when others already know it by that: preferred to the port that it remembers. */
  port?: number
  /** Progress that takes long enough to mention: making the database, recovering after a crash. */
  log?: (message: string) => void
}

export type Connection = {
  port: number
  superuserPassword: string
  password: string
  /** Whether the role and the database have been made. */
  ready: boolean
  /** What these programs can do best; asked again of others. */
  compression?: { of: string; method: string }
}

/** `initdb` into a directory beside it, renamed when complete: killed half way, it starts afresh. */
export async function initialise({ home, programs, user, throwAway, log }: ClusterOptions): Promise<void> {
  log?.(`Making a PostgreSQL ${programs.major} database in ${home}`)
  const half = join(home, 'data.new')
  const superuserPassword = randomBytes(24).toString('base64url')
  await rm(half, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }) // its initdb may just be ending
  await mkdir(half, { mode: 0o700 })
  if (user) await chown(half, user.uid, user.gid)
  const collation = programs.major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []
  const flags = ['--username=postgres', '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--data-checksums']
  if (throwAway) flags.push('--no-sync')
  const secret = await secretFile(superuserPassword, user)
  const all = ['--pgdata', pathFor(half, user), '--pwfile', secret, ...flags, ...collation]
  const run = promisify(execFile)(join(programs.bin, 'initdb'), all, { cwd: half, ...user })
  const giveUp = () => {
    run.child.kill('SIGKILL')
    rmSync(secret, { force: true })
  }
  process.once('exit', giveUp)
  try {
    await run
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    throw new Fixable(`PostgreSQL could not make a database in ${home}:\n${stderr || message}`, { cause: error })
  } finally {
    process.removeListener('exit', giveUp)
    rmSync(secret, { force: true })
  }
  const password = randomBytes(24).toString('base64url')
  await writeConnection(home, { port: 0, superuserPassword, password, ready: false })
  await rename(half, join(home, 'data'))
}

/** Where that user may read it, and nobody else. */
async function secretFile(text: string, user: RunAs): Promise<string> {
  const file = join(tmpdir(), `laurel-${randomBytes(12).toString('hex')}`)
  await writeFile(file, text, { mode: 0o600, flag: 'wx' })
  if (user) await chown(file, user.uid, user.gid)
  return file
}

/**
 * How PostgreSQL finds its directory, which is also where it is started in. Where its user may not pass the directories
 * above (we are root, and this is below /root), its own working directory is the way in, and the data stay in their place.
 */
export function pathFor(directory: string, user: RunAs): string {
  if (canReach(directory, user)) return directory
  if (process.platform === 'linux') return '/proc/self/cwd'
  throw new Fixable(
    `PostgreSQL, which does not run as root, cannot reach ${directory}. ` +
      'Choose a directory that every user may pass to: LAUREL_DATA_DIR=/path/to/one; or start Laurel as an ordinary user.',
  )
}

/** The owner is no superuser: what works here works on a managed PostgreSQL too. */
export async function makeDatabase(superuserUrl: string, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl })
  await client.connect()
  try {
    const { rows } = await client.query("select from pg_roles where rolname = 'laurel'")
    const verb = rows.length > 0 ? 'alter' : 'create'
    await client.query(`${verb} role laurel login createrole createdb password ${client.escapeLiteral(password)}`)
    const database = await client.query("select from pg_database where datname = 'laurel'")
    if (database.rows.length === 0) await client.query('create database laurel owner laurel')
  } finally {
    await client.end()
  }
}

export async function readConnection(home: string): Promise<Connection> {
  const file = join(home, 'connection.json')
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Fixable(
      `${file} is missing or cannot be read: it holds the password of the database beside it. ` +
        'Put it back from a backup, or start as the user who made it.',
      { cause: error },
    )
  })
  return JSON.parse(text) as Connection
}

export async function writeConnection(home: string, connection: Connection): Promise<void> {
  const file = join(home, 'connection.json')
  await writeFile(`${file}.new`, `${JSON.stringify(connection)}\n`, { mode: 0o600 })
  if (process.getuid?.() === 0 && existsSync(file)) {
    const { uid, gid } = statSync(file)
    await chown(`${file}.new`, uid, gid)
  }
  await rename(`${file}.new`, file)
}
