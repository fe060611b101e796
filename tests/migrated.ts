import { migrate } from '../server/migrate.ts'
import { run, TEMPLATE, type TestServer, toDatabase } from './connect.ts'
import { startServer, stopServer, wantedMajor } from './server.ts'

/** A server with the migrated database of which every test file's own is a copy. */
export async function migratedServer(): Promise<TestServer> {
  const server = await startServer(wantedMajor())
  try {
    await run(server.ownerUrl, `create database ${TEMPLATE}`)
    await migrate(toDatabase(server.ownerUrl, TEMPLATE))
  } catch (error) {
    await stopServer(server)
    throw error
  }
  return server
}
