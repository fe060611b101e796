import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, inject, type RunnerTestSuite } from 'vitest'
import { openPool } from '../engine/base/db.ts'
import { cloneTemplate, run, toDatabase } from './connect.ts'

/** A migrated database of a test file's own, empty but for the two spaces that the first migration makes. */
export type TestDatabase = {
  /** What DATABASE_URL would be: connects as the role that owns the tables and may become `laurel_app`. */
  url: string
  /** Connections as `laurel_app`, bound to no space: for withRead, withTx and whatever takes a pool. */
  pool: pg.Pool
  /** The live space. */
  space: number
  /** The test space of the same tenant: for trying one's ids in the other. */
  otherSpace: number
  /** One statement as superuser, past row security: to arrange, to look, to tamper. bigint comes as text. */
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** Ends the connections. Not needed: it happens after the file. */
  close(): Promise<unknown>
}

const opened: { name: string; close: () => Promise<unknown> }[] = []

/** Connections of another process to a test's database; they end after the file. */
export function openPoolBeside(url: string): pg.Pool {
  const pool = openPool(url, { max: 4 })
  beside.push(pool)
  return pool
}
const beside: pg.Pool[] = []

/**
 * `const database = await openDatabase()` at the top of a `*.db.test.ts`, or in a `beforeAll`. Dropped after the file,
 * unless a test of the file failed: then it is kept (except in CI), and how to connect is printed.
 */
export async function openDatabase(): Promise<TestDatabase> {
  const server = inject('server')
  const name = await cloneTemplate(server)
  const url = toDatabase(server.ownerUrl, name)
  const pool = openPool(url, { max: 20, applicationName: 'laurel-test' })
  const admin = new pg.Pool({ connectionString: toDatabase(server.superuserUrl, name), max: 5 })
  admin.on('error', () => {}) // a test cut it off: the next statement opens another
  let closing: Promise<unknown> | undefined
  const close = () => (closing ??= Promise.all([pool.end(), admin.end()]))
  opened.push({ name, close })
  const sql = async (text: string, values: unknown[] = []) =>
    (await admin.query(values.length > 0 ? { text, values } : text)).rows as Record<string, unknown>[]
  const spaces = await sql("select space_id from spaces where tenant = 'default' order by mode")
  const [space, otherSpace] = spaces.map((row) => Number(row.space_id))
  if (space === undefined || otherSpace === undefined) throw new Error('the migrations made no default spaces')
  return { url, pool, space, otherSpace, sql, close }
}

/** Registered for every test file by tests/setup.ts; runs after the file's own hooks. */
export function closeDatabasesAfterFile(): void {
  // oxlint-disable-next-line no-empty-pattern -- vitest insists on a pattern
  afterAll(async ({}, suite) => {
    for (const pool of beside.splice(0)) await pool.end()
    for (const { name, close } of opened.splice(0)) {
      await close()
      const server = inject('server')
      if (!failed(suite) || process.env.CI) {
        await run(server.superuserUrl, `drop database ${name} with (force)`)
        continue
      }
      await appendFile(join(server.directory, 'failed'), `${name}\n`)
      console.log(`${suite.name} failed; its database is kept. Connect: psql ${toDatabase(server.superuserUrl, name)}`)
    }
  })
}

function failed(suite: Readonly<Pick<RunnerTestSuite, 'tasks' | 'result'>>): boolean {
  if (suite.result?.state === 'fail') return true
  return suite.tasks.some((task) => task.result?.state === 'fail' || ('tasks' in task && failed(task)))
}
