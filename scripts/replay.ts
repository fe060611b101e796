import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expectedOf, gotten, replayFile } from '../server/import/replay-for-tests.ts'
import { replaysWithExpiry } from './replay-with-expiry.ts'

/**
 * `npm run replay [-- FILE]`: half a year of a real retailer through the whole of Laurel. Starts one of its own with an
 * empty database, makes a program of one point a pound through the API, imports the file with the command, reads every
 * member's wallet through the API and compares, runs `laurel verify`, and imports again: nothing may change.
 * With `--with-expiry` instead: replay-with-expiry.ts.
 */
const ROOT = join(import.meta.dirname, '..')
const CLI = join(ROOT, 'server/cli.ts')
const MAP = join(ROOT, 'examples/online-retail/map.json')
const KEY = 'lk_live_replay_0123456789'
const READY_MS = 60_000
const AT_ONCE = 32

const args = process.argv.slice(2)
const file = replayFile(args.find((arg) => !arg.startsWith('--')))
if (!file) {
  console.error(
    'Which file? npm run replay -- FILE, or LAUREL_REPLAY_FILE=FILE. Where to get it: examples/online-retail/README.md',
  )
  process.exit(1)
}
if (args.includes('--with-expiry')) process.exit((await replaysWithExpiry(file)) ? 0 : 1)
const folder = mkdtempSync(join(tmpdir(), 'laurel-replay-'))
const port = await freePort()
const env = {
  ...process.env,
  PORT: String(port),
  LAUREL_DATA_DIR: join(folder, 'data'),
  LAUREL_BOOTSTRAP_KEY: KEY,
  LAUREL_RATE_LIMIT: 'off',
  LAUREL_LOG_LEVEL: 'warn',
}
delete (env as NodeJS.ProcessEnv).DATABASE_URL
const server = spawn(process.execPath, [CLI, 'start'], { env, stdio: ['ignore', 'ignore', 'inherit'] })
try {
  process.exitCode = (await replay(file)) ? 0 : 1
} finally {
  await stop(server)
  await rm(folder, { recursive: true, force: true })
}

async function replay(path: string): Promise<boolean> {
  await ready()
  await call('/v1/programs', {
    slug: 'replay',
    name: 'A point a pound',
    timezone: 'Europe/London',
    currency: 'GBP',
    joinPolicy: 'on_first_purchase',
  })
  await call('/v1/earning-rules', {
    program: 'replay',
    name: 'A point a pound',
    kind: 'per_amount',
    args: { points: 1, per: 100 },
    status: 'active',
  })
  const first = await importFile(path, 'first')
  const verified = (await laurel('verify')) === 0
  const after = { balances: await balances(), events: await events() }
  const second = await importFile(path, 'second')
  const again = { balances: await balances(), events: await events() }

  const got = gotten(first, after.balances)
  const expected = await expectedOf(path)
  const table = Object.entries(got).map(([what, value]) => {
    const wanted = expected?.[what as keyof typeof expected]
    return [
      what,
      wanted ?? '(not known of this file)',
      value,
      wanted === undefined ? '' : wanted === value ? 'ok' : 'WRONG',
    ]
  })
  const unchanged = !second.changed && gotten(second, again.balances).sha256OfBalances === got.sha256OfBalances
  table.push(['laurel verify', 'agrees', verified ? 'agrees' : 'does not', verified ? 'ok' : 'WRONG'])
  table.push([
    'second import',
    'changes nothing',
    unchanged ? 'changes nothing' : 'changes something',
    unchanged ? 'ok' : 'WRONG',
  ])
  table.push(['events after it', after.events, again.events, after.events === again.events ? 'ok' : 'WRONG'])
  print([['', 'expected', 'got', ''], ...table])
  return table.every((row) => row[3] !== 'WRONG')
}

type Report = Parameters<typeof gotten>[0] & { changed: boolean }

async function importFile(path: string, name: string): Promise<Report> {
  const report = join(folder, `${name}.json`)
  const code = await laurel(
    'import',
    'purchases',
    path,
    '--program',
    'replay',
    '--map',
    MAP,
    '--report',
    report,
    '--refused',
    join(folder, `${name}.refused.csv`),
  )
  if (code !== 0) throw new Error(`the ${name} import ended with ${code}`)
  const read = JSON.parse(readFileSync(report, 'utf8'))
  return { ...read, skipped: new Map(Object.entries(read.skipped)) }
}

function laurel(...args: string[]): Promise<number> {
  return new Promise((done, fail) => {
    spawn(process.execPath, [CLI, ...args], { env, stdio: 'inherit' })
      .once('error', fail)
      .once('exit', (code) => done(code ?? 1))
  })
}

type Page<T> = { data: T[]; next: string | null }

async function call<T>(path: string, body?: unknown): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
  return JSON.parse(text) as T
}

/** External id → what is in the member's wallets, all as the API says. */
async function balances(): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (let after = ''; ; ) {
    const page = await call<Page<{ id: string; externalId: string }>>(`/v1/members?limit=100${after}`)
    for (let i = 0; i < page.data.length; i += AT_ONCE) {
      await Promise.all(
        page.data.slice(i, i + AT_ONCE).map(async (member) => {
          const { data } = await call<{ data: { available: number }[] }>(`/v1/members/${member.id}/wallets`)
          found[member.externalId] = data.reduce((sum, wallet) => sum + wallet.available, 0)
        }),
      )
    }
    if (!page.next) return found
    after = `&after=${encodeURIComponent(page.next)}`
  }
}

/** How many events there have been. */
async function events(): Promise<number> {
  let count = 0
  for (let after = ''; ; ) {
    const page = await call<Page<unknown> & { hasMore: boolean }>(`/v1/events?limit=100${after}`)
    count += page.data.length
    if (!page.hasMore) return count
    after = `&after=${encodeURIComponent(page.next ?? '')}`
  }
}

async function ready(): Promise<void> {
  for (const until = Date.now() + READY_MS; Date.now() < until; await sleep(100)) {
    if (server.exitCode !== null) break
    if (
      await fetch(`http://127.0.0.1:${port}/health/ready`).then(
        (r) => r.ok,
        () => false,
      )
    )
      return
  }
  throw new Error('laurel start did not become ready')
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const gone = new Promise((done) => child.once('exit', done))
  child.kill('SIGTERM')
  await gone
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer()
      .once('error', fail)
      .listen(0, '127.0.0.1', () => {
        const { port: free } = probe.address() as AddressInfo
        probe.close(() => done(free))
      })
  })
}

function print(table: (string | number)[][]): void {
  const texts = table.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-GB') : cell)))
  const widths = [0, 1, 2].map((column) => Math.max(...texts.map((row) => (row[column] ?? '').length)))
  console.log()
  for (const row of texts)
    console.log(
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
    )
}
