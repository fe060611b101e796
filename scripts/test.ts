import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

/**
 * `npm test`: every ring on the embedded PostgreSQL 18, then the ring that needs a database again on PostgreSQL 15,
 * Debian's package, the oldest that we support. `npm test -- purchase` runs the files whose path contains that; other
 * arguments go to vitest as they are. LAUREL_TEST_PG=15 runs everything on that major alone.
 */
const OLDEST = 15
const NODE_MIN = [24, 11] as const
/** What reads the journal that `laurel export` writes: Debian's packages of the same names. */
const ACCOUNTANTS = ['hledger', 'ledger']

/** `failures`: each failed test with the beginning of its message, said once more at the very end, where people look. */
type Outcome = { what: string; passed: boolean; detail: string; failures?: string[] }

function main(): Outcome[] {
  prerequisites()
  const lacking = ACCOUNTANTS.filter((program) => !isOnPath(program))
  if (lacking.length > 0) install(...lacking) // where that cannot be, their tests fail and say so
  const args = process.argv.slice(2)
  const major = process.env.LAUREL_TEST_PG
  if (major) {
    if (Number(major) !== 18 && !installed(Number(major))) return [missing(Number(major))]
    return [vitest(`everything on PostgreSQL ${major}`, args, major)]
  }
  const outcomes = [vitest('everything on PostgreSQL 18', args)]
  if (args.includes('--project')) return outcomes
  if (installed(OLDEST) || (install(`postgresql-${OLDEST}`) && installed(OLDEST))) {
    const again = ['--project', 'database', '--passWithNoTests', ...args]
    return [...outcomes, vitest(`the database ring on PostgreSQL ${OLDEST}`, again, String(OLDEST))]
  }
  return [...outcomes, missing(OLDEST)]
}

function prerequisites(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
    throw new Error(
      `Node ${process.versions.node} cannot run Laurel's sources; use \`npm test\`, which runs the pinned one`,
    )
  }
  if (!existsSync('node_modules/vitest')) throw new Error('The dependencies are missing: npm ci')
}

function vitest(what: string, args: string[], major?: string): Outcome {
  const started = performance.now()
  const program = join('node_modules', 'vitest', 'vitest.mjs')
  const folder = mkdtempSync(join(tmpdir(), 'laurel-test-'))
  // The processes that tests start share what Node has made of the sources, which takes longer than what most of them do.
  const compiled = { NODE_COMPILE_CACHE: join(folder, 'compiled') }
  const env = { ...process.env, ...compiled, ...(major ? { LAUREL_TEST_PG: major } : {}) }
  const report = join(folder, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const run = spawnSync(process.execPath, [program, 'run', ...reporters, ...args], { stdio: 'inherit', env })
  const { status, signal, error } = run
  const seconds = `${((performance.now() - started) / 1000).toFixed(0)} s`
  const failures = status === 0 ? [] : failuresOf(report)
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 }) // a process that was killed may just be ending
  if (signal === 'SIGINT') process.exit(130)
  const detail = status === 0 ? seconds : (error?.message ?? `failed after ${seconds}`)
  return { what, passed: status === 0, detail, failures }
}

type Report = { testResults: { name: string; message: string; assertionResults: Result[] }[] }
type Result = { status: string; fullName: string; failureMessages?: string[] }

/** What vitest's report of JSON names as failed: tests, and files that did not even load. */
function failuresOf(report: string): string[] {
  if (!existsSync(report)) return ['(vitest ended without a report: see above)']
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report
  const failures = testResults.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed')
    const file = relative(process.cwd(), name)
    if (failed.length === 0 && message) return [`${file}: ${opening(message)}`]
    return failed.map((test) => `${file} > ${test.fullName}: ${opening(test.failureMessages?.join('\n') ?? '')}`)
  })
  return failures.length > 0 ? failures : ['(no test failed: an error outside of them, see above)']
}

function opening(message: string): string {
  const lines = stripVTControlCharacters(message).split('\n')
  const telling = lines.filter((line) => !line.includes('node_modules') && !line.includes('new Promise'))
  return telling.slice(0, 12).join('\n      ')
}

function installed(major: number): boolean {
  return existsSync(`/usr/lib/postgresql/${major}/bin/postgres`)
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))
}

/** On Debian as root; elsewhere it is for whoever runs this to decide. */
function install(...packages: string[]): boolean {
  const debian = existsSync('/etc/os-release') && /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'))
  if (!debian || process.getuid?.() !== 0) return false
  console.log(`Installing ${packages.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: string[]) => spawnSync('apt-get', args, { stdio: 'inherit', env }).status === 0
  const wanted = ['install', '--yes', '--no-install-recommends', ...packages]
  return apt(...wanted) || (apt('update') && apt(...wanted))
}

/** Not having run is not having passed: in CI it fails; at a desk it is said, in capitals. */
function missing(major: number): Outcome {
  const detail = `NOT TESTED: there is no /usr/lib/postgresql/${major} (apt-get install postgresql-${major})`
  return { what: `PostgreSQL ${major}`, passed: !process.env.CI && major === OLDEST, detail }
}

process.chdir(join(import.meta.dirname, '..'))
const outcomes = main()
console.log('')
for (const { what, passed, detail, failures = [] } of outcomes) {
  console.log(`${!passed ? '✗' : detail.startsWith('NOT') ? '!' : '✓'} ${what}: ${detail}`)
  for (const failure of failures) console.log(`    ${failure}`)
}
if (!outcomes.every(({ passed }) => passed)) process.exitCode = 1
