import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** The server of a run, as its test files reach it. */
export type TestServer = { directory: string; major: number; ownerUrl: string; superuserUrl: string }

/** The migrated database that every test file's own is a copy of. */
export const TEMPLATE = 'template_laurel'

/** The same connection, but to another database of the server. */
export function toDatabase(url: string, database: string): string {
  const to = new URL(url)
  to.pathname = `/${database}`
  return to.href
}

/** One statement, or several if there are no values, as the given connection string's user. */
export async function run(url: string, text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(values.length > 0 ? { text, values } : text)).rows
  } finally {
    await client.end()
  }
}

/** A copy of the migrated database under a fresh name, which it returns. */
export async function cloneTemplate(server: TestServer): Promise<string> {
  const name = `t_${randomBytes(6).toString('hex')}`
  await run(server.ownerUrl, `create database ${name} template ${TEMPLATE}`)
  return name
}
