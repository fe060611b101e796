import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toDatabase } from './connect.ts'
import { openServer, stopServer } from './server.ts'

/** `node tests/reopen.ts DIRECTORY`: serves the databases of test files that failed, until Ctrl-C. */
const directory = process.argv[2]
if (!directory) throw new Error('usage: node tests/reopen.ts DIRECTORY (as the failed run printed it)')
const server = await openServer(directory)
for (const name of readFileSync(join(directory, 'failed'), 'utf8').trim().split('\n')) {
  console.log(`psql ${toDatabase(server.superuserUrl, name)}`)
}
console.log('Ctrl-C ends the server; the directory stays until later failed runs push it out.')
process.once('SIGINT', () => void stopServer(server, true))
