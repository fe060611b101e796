import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Migration, Migrator } from 'kysely/migration'
import pg from 'pg'
import { Fixable } from './fault.ts'
import { connectOwner, withOwner } from './owner.ts'

const DIRECTORY = join(import.meta.dirname, '../engine/migrations')
const TABLE = 'laurel_migrations'
const LOCK_TIMEOUT = '5s'
const LOCK_TRIES = 5

/**
 * A numbered file of engine/migrations: forward only. It runs in a transaction of its own, unless it begins with the
 * line `-- laurel: no transaction` (for `create index concurrently` and its like): then its statements, each ending
 * with `;` at the end of a line, run one by one, and each must bear being run again after a crash.
 */
export type Step = { name: string; inTransaction: boolean; done: boolean }

/** What this code knows of, in order, and what of it the database has. Refuses a database that knows more than we. */
export async function schemaSteps(owner: pg.ClientBase, directory: string = DIRECTORY): Promise<Step[]> {
  const {
    rows: [table],
  } = await owner.query<{ there: boolean }>('select to_regclass($1) is not null as there', [TABLE])
  const done = new Set(
    table?.there ? (await owner.query<{ name: string }>(`select name from ${TABLE}`)).rows.map((row) => row.name) : [],
  )
  const known = files(directory)
  const newer = [...done].filter((name) => !known.includes(name)).sort()
  if (newer.length > 0) {
    throw new Fixable(
      `The database is newer than this Laurel: it has ${newer.join(', ')}; this Laurel knows up to ` +
        `${known.at(-1) ?? 'nothing'}. Start the Laurel that made it, or a later one.`,
    )
  }
  return known.map((name) => ({
    name,
    inTransaction: !outsideTransaction(read(directory, name)),
    done: done.has(name),
  }))
}

/** Brings the database to what this code knows. Safe to run from many processes at once. Says what it ran. */
export async function migrate(
  databaseUrl: string,
  log: (message: string) => void = () => {},
  directory: string = DIRECTORY,
): Promise<string[]> {
  return withOwner(databaseUrl, 'laurel-migrate', async (owner) => {
    if ((await schemaSteps(owner, directory)).every((step) => step.done)) return []
    await ensureAppRole(owner)
    await owner.query("set lock_timeout = 0; select pg_advisory_lock(hashtext('laurel.migrate'))")
    return await runSteps(databaseUrl, owner, log, directory) // leaving the connection gives back the lock
  })
}

async function runSteps(
  databaseUrl: string,
  owner: pg.ClientBase,
  log: (message: string) => void,
  directory: string,
): Promise<string[]> {
  const [{ Kysely, PostgresDialect }, { Migrator }] = await Promise.all([import('kysely'), import('kysely/migration')])
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 2,
    application_name: 'laurel-migrate',
    options: `-c search_path=public -c TimeZone=UTC -c lock_timeout=${LOCK_TIMEOUT}`,
  })
  pool.on('connect', (client) => client.on('error', () => {})) // cut while it says goodbye: its queries have their answers
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => provide(directory) },
    migrationTableName: TABLE,
    migrationLockTableName: `${TABLE}_lock`,
  })
  const ran: string[] = []
  try {
    for (const step of await schemaSteps(owner, directory)) {
      if (step.done) continue
      log(`Migrating: ${step.name}`)
      await runStep(migrator, step)
      ran.push(step.name)
    }
    await owner.query(`revoke all on ${TABLE}, ${TABLE}_lock from laurel_app`) // a file may grant on all tables
  } finally {
    await db.destroy()
  }
  return ran
}

async function runStep(migrator: Migrator, step: Step): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { error, results } = await migrator.migrateUp({ disableTransactions: !step.inTransaction })
    const other = results?.find((result) => result.status === 'Success' && result.migrationName !== step.name)
    if (other) throw new Error(`${other.migrationName} ran where ${step.name} was next`)
    if (!error && results?.[0]?.status === 'Success') return
    const code = (error as { code?: string } | undefined)?.code
    if (code === '55P03' && attempt < LOCK_TRIES)
      await sleep(1_000 * attempt) // somebody holds the table: let them finish
    else
      throw new Fixable(
        `The migration ${step.name} failed, and nothing of it was kept: ${messageOf(error)}` +
          `${step.inTransaction ? '' : '\n(It runs outside a transaction: what it had done before this is there.)'}` +
          `${code === '42501' ? `\n${PERMISSION}` : ''}`,
        { cause: error },
      )
  }
}

const PERMISSION = 'The user in DATABASE_URL must own the database (or its schema public): alter database … owner to …'

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

async function provide(directory: string): Promise<Record<string, Migration>> {
  const { sql } = await import('kysely')
  return Object.fromEntries(
    files(directory).map((name) => [
      name,
      {
        async up(db) {
          const text = read(directory, name)
          const statements = outsideTransaction(text) ? text.split(/;[ \t]*(?:\r?\n|$)/).filter(saysSomething) : [text]
          for (const statement of statements) await sql.raw(statement).execute(db)
        },
      } satisfies Migration,
    ]),
  )
}

function files(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => /^\d{4}_\w+\.sql$/.test(file))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort()
}

function read(directory: string, name: string): string {
  return readFileSync(join(directory, `${name}.sql`), 'utf8')
}

function outsideTransaction(text: string): boolean {
  return /^-- laurel: no transaction\b/.test(text)
}

function saysSomething(statement: string): boolean {
  return statement.replaceAll(/--.*$/gm, '').trim() !== ''
}

/**
 * The role that requests run as. Making it takes CREATEROLE, which the owner of a database need not have: then says
 * what an administrator has to run once.
 */
async function ensureAppRole(owner: pg.ClientBase): Promise<void> {
  const attempt = (statement: string) =>
    owner.query(statement).then(
      () => undefined,
      (error: pg.DatabaseError) => error,
    )
  const {
    rows: [who],
  } = await owner.query<{ name: string; there: boolean }>(
    "select quote_ident(current_user) as name, exists (select from pg_roles where rolname = 'laurel_app') as there",
  )
  const become = 'begin; set local role laurel_app; rollback'
  if (!who?.there) {
    await attempt('create role laurel_app nologin nosuperuser nobypassrls') // made by another just now: fine too
    await attempt(`grant laurel_app to ${who?.name}`)
  }
  if (!(await attempt(become))) return
  await attempt('rollback')
  await attempt(`grant laurel_app to ${who?.name}`)
  const refused = await attempt(become)
  if (!refused) return
  await attempt('rollback')
  throw new Fixable(
    `The user ${who?.name} may not make or become the role laurel_app, as which Laurel answers requests ` +
      `(${refused.message}). As an administrator of the server, run once:\n` +
      `${who?.there ? '' : '  create role laurel_app nologin;\n'}  grant laurel_app to ${who?.name};`,
  )
}

/** For processes that do not migrate: refuses a database that is behind. */
export async function checkSchema(databaseUrl: string): Promise<void> {
  const owner = await connectOwner(databaseUrl, 'laurel')
  try {
    const waiting = (await schemaSteps(owner)).filter((step) => !step.done)
    if (waiting.length > 0) {
      throw new Fixable(
        `The database is behind this Laurel by ${waiting.length} ${waiting.length === 1 ? 'migration' : 'migrations'} ` +
          `(${waiting.map((step) => step.name).join(', ')}). Run \`laurel migrate\` first.`,
      )
    }
  } finally {
    await owner.end()
  }
}
