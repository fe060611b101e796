import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { migrate } from '../server/migrate.ts'
import { run, TEMPLATE, type TestServer, toDatabase } from './connect.ts'
import { startServer, stopServer, wantedMajor } from './server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    server: TestServer
  }
}

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
    const kept = existsSync(join(server.directory, 'failed'))
    await stopServer(server, kept)
    if (kept) console.log(`\nTo look at them again: node tests/reopen.ts ${server.directory}\n`)
  }
}
