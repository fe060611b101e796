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

/** Each ring loads this file for itself; what they share is therefore kept beside it. */
type Shared = { server: Promise<TestServer>; rings: number }
const shared = globalThis as { laurelTestServer?: Shared }

/**
 * Before the first test that needs a database: one server for all rings of a run, and the migrations run once, by an
 * ordinary role that may create roles and databases, as on a managed PostgreSQL. After the last: the server is gone,
 * and its directory too unless a file failed and kept its database in it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const ours = (shared.laurelTestServer ??= { server: migratedServer(), rings: 0 })
  ours.rings += 1
  const server = await ours.server
  project.provide('server', server)
  return async () => {
    if (--ours.rings > 0) return
    delete shared.laurelTestServer
    const kept = existsSync(join(server.directory, 'failed'))
    await stopServer(server, kept)
    if (kept) console.log(`\nTo look at them again: node tests/reopen.ts ${server.directory}\n`)
  }
}
