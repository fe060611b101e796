import pg from 'pg'
import { Fixable } from './fault.ts'

const VERSION_MIN = 15

/**
 * One connection as the owner of the tables, past row security: for migrations, keys, and the worker's housekeeping.
 * Refuses with what to do when the database cannot be reached or is not one that Laurel can live in.
 */
export async function connectOwner(databaseUrl: string, applicationName: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: applicationName,
    connectionTimeoutMillis: 10_000,
    options: '-c search_path=public -c TimeZone=UTC -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s',
  })
  client.on('error', () => {}) // a cut connection: the next query says so
  try {
    await client.connect()
  } catch (error) {
    throw new Fixable(`The database cannot be reached: ${advice(error as NodeJS.ErrnoException, databaseUrl)}`, {
      cause: error,
    })
  }
  const {
    rows: [row],
  } = await client.query<{ version: number; encoding: string; version_text: string }>(
    `select current_setting('server_version_num')::int / 10000 as version, current_setting('server_version') as version_text,
            current_setting('server_encoding') as encoding`,
  )
  const wrong =
    row && row.version < VERSION_MIN
      ? `This is PostgreSQL ${row.version_text}. Laurel needs ${VERSION_MIN} or later.`
      : row?.encoding !== 'UTF8'
        ? `The database's encoding is ${row?.encoding}. Laurel needs UTF8: create database laurel encoding 'UTF8' template template0`
        : undefined
  if (!wrong) return client
  await client.end()
  throw new Fixable(wrong)
}

export async function withOwner<T>(
  databaseUrl: string,
  applicationName: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connectOwner(databaseUrl, applicationName)
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** The URL without its password: for messages. */
export function shownUrl(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  if (url.password) url.password = '…'
  return `${url.protocol}//${url.username}${url.password ? ':…' : ''}@${url.host}${url.pathname}`
}

function advice(error: NodeJS.ErrnoException, databaseUrl: string): string {
  const where = shownUrl(databaseUrl)
  switch (error.code) {
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ETIMEDOUT':
      return `nothing answers at ${where}. Is PostgreSQL running there, and is DATABASE_URL right?`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `there is no such host in ${where}. Check DATABASE_URL.`
    case '28P01':
    case '28000':
      return `${where} refuses this user or password (${error.message}). Check DATABASE_URL.`
    case '3D000':
      return `there is no such database: ${where}. Make it: create database ${new URL(databaseUrl).pathname.slice(1)}`
    case '53300':
      return `${where} has no connection left (max_connections).`
    default:
      return `${error.message || error.code || String(error)} (${where})`
  }
}
