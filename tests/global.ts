import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import type { TestServer } from './connect.ts'
import { migratedServer } from './migrated.ts'
import { stopServer } from './server.ts'

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
  const server = await migratedServer()
  project.provide('server', server)
  return async () => {
    const kept = existsSync(join(server.directory, 'failed'))
    await stopServer(server, kept)
    if (kept) console.log(`\nTo look at them again: node tests/reopen.ts ${server.directory}\n`)
  }
}
