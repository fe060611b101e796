import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { run, startServer, stopServer, type TestServer, toDatabase, wantedMajor } from './server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    server: TestServer
  }
}

/** The migrated database that every test file's own is a copy of. */
const TEMPLATE = 'template_laurel'
const MIGRATIONS = join(import.meta.dirname, '../engine/migrations')

/**
 * Before the first test that needs a database: one server, and the migrations run once, by an ordinary role that
 * may create roles and databases, as on a managed PostgreSQL. After the last: the server is gone, and its directory
 * too unless a file failed and kept its database in it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer(wantedMajor())
  try {
    await run(server.ownerUrl, `create database ${TEMPLATE}`)
    await migrate(toDatabase(server.ownerUrl, TEMPLATE))
  } catch (error) {
    await stopServer(server)
    throw error
  }
  project.provide('server', server)
  return async () => {
    const kept = existsSync(join(server.directory, 'failed')) && !process.env.CI
    await stopServer(server, kept)
    if (kept) console.log(`\nTo look at them again: node tests/reopen.ts ${server.directory}\n`)
  }
}

async function migrate(url: string): Promise<void> {
  for (const file of readdirSync(MIGRATIONS)
    .filter((name) => /^\d{4}_.*\.sql$/.test(name))
    .sort()) {
    await run(url, readFileSync(join(MIGRATIONS, file), 'utf8')).catch((error: unknown) => {
      throw new Error(`the migration ${file} failed`, { cause: error })
    })
  }
}

/** A copy of the migrated database under a fresh name, which it returns. */
export async function cloneTemplate(server: TestServer): Promise<string> {
  const name = `t_${randomBytes(6).toString('hex')}`
  await run(server.ownerUrl, `create database ${name} template ${TEMPLATE}`)
  return name
}
