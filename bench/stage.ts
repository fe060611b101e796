import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { lockDirectory } from '@laurel/server/lock'
import { type Cluster, startCluster } from '@laurel/server/postgres'
import { embeddedPrograms, installedPrograms, postgresUser } from '@laurel/server/postgres-programs'
import pg from 'pg'
import { type Running, startLaurel } from './laurel.ts'

/**
 * Where benchmarks run: the PostgreSQL that `laurel start` would start, by the same code and with the same settings,
 * on data of its own in .bench/. LAUREL_BENCH_PG names a directory with another PostgreSQL's programs.
 */
export type Stage = {
  cluster: Cluster
  /** What DATABASE_URL would be for one of its databases. */
  url(database: string): string
  /** A Laurel process on one of its databases, stopped with the stage. */
  start(role: 'api' | 'worker', database: string): Promise<Running>
}

/** LAUREL_BENCH_DIR: somewhere else than .bench/. */
export const HOME = resolve(process.env.LAUREL_BENCH_DIR ?? join(import.meta.dirname, '../.bench'))

/**
 * Opens the stage for some work, and clears it whatever happens. `more`: settings beside the product's own, for
 * looking closer (never for figures).
 */
export async function onStage(work: (stage: Stage) => Promise<void>, more: Record<string, string> = {}): Promise<void> {
  await mkdir(HOME, { recursive: true, mode: 0o755 })
  const lock = lockDirectory(HOME, 'npm run bench')
  if ('heldBy' in lock)
    throw new Error(`another benchmark (process ${lock.heldBy.pid}) runs: two at once measure nothing`)
  const started: Running[] = []
  let cluster: Cluster | undefined
  try {
    cluster = await openCluster(more)
    const { url } = cluster
    await work({
      cluster,
      url: (database) => url.replace(/\/laurel$/, `/${database}`),
      async start(role, database) {
        const one = await startLaurel(role, { DATABASE_URL: url.replace(/\/laurel$/, `/${database}`) })
        started.push(one)
        return one
      },
    })
  } finally {
    for (const one of started) await one.stop()
    await cluster?.stop()
    lock.release()
  }
}

async function openCluster(settings: Record<string, string>): Promise<Cluster> {
  const user = await postgresUser()
  const other = process.env.LAUREL_BENCH_PG
  const programs = other ? installedPrograms(other, user) : await embeddedPrograms(join(HOME, 'postgres'), user)
  const home = join(HOME, `postgres-${programs.major}`)
  return await startCluster({ home, programs, user, settings, log: (message) => console.log(message) })
}

/** Connects for the length of some work. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** As superuser, in the database `postgres`: checkpoints, making and dropping databases. */
export function asSuperuser<T>(stage: Stage, work: (client: pg.Client) => Promise<T>): Promise<T> {
  return withClient(stage.cluster.superuserUrl, work)
}

const SHOWN = [
  'server_version',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'data_checksums',
  'wal_compression',
  'shared_buffers',
  'max_wal_size',
  'checkpoint_timeout',
] as const
const DURABLE = ['fsync', 'synchronous_commit', 'full_page_writes'] as const

/** The settings that figures depend on. Throws unless a commit survives a power cut. */
export async function settings(stage: Stage): Promise<Record<string, string>> {
  const found = await asSuperuser(stage, async (client) => {
    const { rows } = await client.query<{ name: string; value: string }>(
      'select name, current_setting(name) as value from pg_settings where name = any ($1)',
      [SHOWN],
    )
    return new Map(rows.map((row) => [row.name, row.value]))
  })
  for (const name of DURABLE) {
    if (found.get(name) !== 'on')
      throw new Error(`${name} is ${found.get(name)}: figures without it would mean nothing`)
  }
  return Object.fromEntries(SHOWN.map((name) => [name, found.get(name) ?? '?']))
}

/** Bytes of write-ahead log so far. */
export async function walBytes(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(
    "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text as bytes",
  )
  return Number(rows[0]?.bytes)
}
