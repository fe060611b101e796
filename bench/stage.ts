import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Cluster, startCluster } from '@laurel/server/postgres'
import { embeddedPrograms, installedPrograms, postgresUser } from '@laurel/server/postgres-programs'
import pg from 'pg'

/**
 * Where benchmarks run: the PostgreSQL that `laurel start` would start, by the same code and with the same settings,
 * on data of its own in .bench/. LAUREL_BENCH_PG names a directory with another PostgreSQL's programs.
 */
export type Stage = {
  cluster: Cluster
  /** What DATABASE_URL would be for one of its databases. */
  url(database: string): string
  close(): Promise<void>
}

export const HOME = join(import.meta.dirname, '../.bench')

/** `more`: settings beside the product's own, for looking closer (never for figures). */
export async function openStage(more: Record<string, string> = {}): Promise<Stage> {
  await mkdir(HOME, { recursive: true, mode: 0o755 })
  const user = await postgresUser()
  const other = process.env['LAUREL_BENCH_PG']
  const programs = other ? installedPrograms(other, user) : await embeddedPrograms(join(HOME, 'postgres'), user)
  const home = join(HOME, `postgres-${programs.major}`)
  const cluster = await startCluster({ home, programs, user, settings: more, log: (message) => console.log(message) })
  return {
    cluster,
    url: (database) => cluster.url.replace(/\/laurel$/, `/${database}`),
    async close() {
      await cluster.stop()
    },
  }
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
