import { readFileSync, writeFileSync } from 'node:fs'

/**
 * Sees that the lockfile names the tools' programs for every platform: npm leaves out those that its registry does not
 * have (mirrors lag behind), and `npm ci` then refuses the whole lockfile. `node scripts/lockfile.ts --fix` adds what is
 * missing, with the version that its parent asks for.
 */
type Entry = {
  version?: string
  cpu?: string[]
  dev?: boolean
  libc?: string[]
  optional?: boolean
  os?: string[]
  optionalDependencies?: Record<string, string>
}
type Lockfile = { packages: Record<string, Entry> }

const FILE = 'package-lock.json'
const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']

/** Path in the lockfile → what belongs there. */
function missing(packages: Lockfile['packages']): Map<string, Entry> {
  const found = new Map<string, Entry>()
  for (const [parent, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (isThere(packages, parent, name)) continue
      const { cpu, libc, os } = platformOf(name)
      found.set(`node_modules/${name}`, {
        version, // and then by the alphabet, as npm writes them
        ...(cpu ? { cpu } : {}),
        ...(entry.dev ? { dev: true } : {}),
        ...(libc ? { libc } : {}),
        optional: true,
        ...(os ? { os } : {}),
      })
    }
  }
  return found
}

/** As Node looks for it: in the parent's own node_modules, then further out. */
function isThere(packages: Lockfile['packages'], parent: string, name: string): boolean {
  for (let at = parent; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (packages[at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`]) return true
    if (at === '') return false
  }
}

/** Which machines install it: without this, every one would try. */
function platformOf(name: string): Pick<Entry, 'cpu' | 'libc' | 'os'> {
  const words = name.split(/[-/]/)
  const of = (known: string[]) => words.filter((word) => known.includes(word))
  const [os, cpu] = [of(SYSTEMS), of(PROCESSORS)]
  if (os.length + cpu.length === 0)
    throw new Error(`${FILE} lacks ${name}, and its name does not say for which platform it is`)
  const libc = words.some((word) => word.startsWith('musl'))
    ? ['musl']
    : words.some((word) => word.startsWith('gnu'))
      ? ['glibc']
      : []
  return { ...(os.length > 0 ? { os } : {}), ...(cpu.length > 0 ? { cpu } : {}), ...(libc.length > 0 ? { libc } : {}) }
}

const lockfile = JSON.parse(readFileSync(FILE, 'utf8')) as Lockfile
const found = missing(lockfile.packages)
if (process.argv.includes('--fix')) {
  const all = { ...lockfile.packages, ...Object.fromEntries(found) }
  lockfile.packages = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(FILE, `${JSON.stringify(lockfile, null, 2)}\n`)
} else {
  for (const [path, { version }] of found) console.log(`${FILE}: lacks ${path} ${version}`)
  if (found.size > 0) {
    console.log('npm ci will refuse it. Put it right: node scripts/lockfile.ts --fix')
    process.exitCode = 1
  }
}
