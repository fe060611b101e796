import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MEMBERS } from './population.ts'
import { cpuOf, cpuOfPostgres } from './processes.ts'
import { asSuperuser, HOME, type Stage, withClient } from './stage.ts'

/**
 * The baseline: the least that a ledger could do. One prepared statement raises an account's balance and writes an
 * entry, 64 clients each waiting for its own commit, over as many accounts as there are members, driven by pgbench on
 * the same server in the same run.
 */
export type Baseline = { rate: number; latencyMs: number; cpuEach: { pgbench: number; postgres: number } }

const DATABASE = 'baseline'
const CLIENTS = 64

const TABLES = `
  create table account (
    account_id int primary key, balance bigint not null, version int not null, updated_at timestamptz not null);
  create table entry (
    account_id int not null, seq int not null, points bigint not null, balance bigint not null,
    booked_at timestamptz not null, primary key (account_id, seq));
  insert into account select n, 0, 0, now() from generate_series(1, ${MEMBERS}) n;
`

const SCRIPT = `\\set account random(1, ${MEMBERS})
\\set points random(1, 100)
with a as (
  update account set balance = balance + :points, version = version + 1, updated_at = now()
   where account_id = :account returning account_id, version, balance, updated_at
) insert into entry (account_id, seq, points, balance, booked_at) select account_id, version, :points, balance, updated_at from a;
`

export async function seedBaseline(stage: Stage): Promise<void> {
  const there = await asSuperuser(
    stage,
    async (client) => (await client.query('select from pg_database where datname = $1', [DATABASE])).rowCount,
  )
  if (there) return
  console.log(`Seeding ${MEMBERS} accounts for the baseline`)
  await withClient(stage.cluster.url, (client) => client.query(`create database ${DATABASE}`))
  await withClient(stage.url(DATABASE), (client) => client.query(TABLES))
  await asSuperuser(stage, (client) => client.query('checkpoint'))
  await withClient(stage.url(DATABASE), (client) => client.query('vacuum analyze'))
}

export async function runBaseline(stage: Stage, seconds: number): Promise<Baseline> {
  const program = pgbench()
  const script = join(HOME, 'baseline.sql')
  await writeFile(script, SCRIPT)
  const before = cpuOfPostgres(stage.cluster.pid)
  const child = spawn(
    program,
    [
      '--no-vacuum',
      '--protocol=prepared',
      `--client=${CLIENTS}`,
      '--jobs=2',
      `--time=${seconds}`,
      `--file=${script}`,
      stage.url(DATABASE),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    out += String(chunk)
  })
  let own = 0
  const watch = setInterval(() => {
    own = Math.max(own, cpuOf(child.pid as number))
  }, 100)
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail)
    child.once('close', done)
  }).finally(() => clearInterval(watch))
  const number = (pattern: RegExp) => Number(pattern.exec(out)?.[1])
  const transactions = number(/actually processed: (\d+)/)
  if (code !== 0 || !transactions) throw new Error(`pgbench failed (${code}):\n${out}`)
  return {
    rate: number(/tps = ([\d.]+)/),
    latencyMs: number(/latency average = ([\d.]+)/),
    cpuEach: { pgbench: own / transactions, postgres: (cpuOfPostgres(stage.cluster.pid) - before) / transactions },
  }
}

function pgbench(): string {
  const places = ['/usr/bin', ...[18, 17, 16, 15].map((major) => `/usr/lib/postgresql/${major}/bin`)]
  const found = places.map((place) => join(place, 'pgbench')).find((path) => existsSync(path))
  if (found) return found
  throw new Error(
    'there is no pgbench here, which drives the baseline: apt-get install postgresql-15 (or postgresql-contrib)',
  )
}
