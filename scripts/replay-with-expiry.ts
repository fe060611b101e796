import { copyFileSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { openPool } from '@laurel/engine/base/db'
import { expectedWithExpiry, replayWithExpiry, type WithExpiry } from '../server/import/replay-expiry-for-tests.ts'
import { migratedServer } from '../tests/migrated.ts'
import { stopServer } from '../tests/server.ts'
import { placeOn } from '../tests/simulate/database-driver.ts'

/**
 * The same half year with points that are gone after two months and a March that counts twice, the clock moved along with the
 * file; beside what a few lines compute from the file alone. Prints both; false where they differ.
 */
export async function replaysWithExpiry(file: string): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'laurel-replay-'))
  const copy = join(folder, basename(file))
  copyFileSync(file, copy)
  const server = await migratedServer()
  try {
    const place = await placeOn(server)
    const pool = openPool(place.url, { max: 8 })
    const { got, wrong } = await replayWithExpiry(pool, place.space, copy)
    await pool.end()
    const same = compare(expectedWithExpiry(copy), got)
    console.log(`laurel verify ${wrong === undefined ? 'agrees' : `says: ${wrong}`}`)
    return same && wrong === undefined
  } finally {
    await stopServer(server)
    await rm(folder, { recursive: true, force: true })
  }
}

function compare(expected: WithExpiry, got: WithExpiry): boolean {
  const [wanted, found] = [rowsOf(expected), rowsOf(got)]
  const names = [...new Set([...wanted.keys(), ...found.keys()])]
  console.log(`${''.padEnd(24)} ${'from the file'.padStart(16)} ${'from Laurel'.padStart(16)}`)
  for (const name of names) {
    const [right, is] = [wanted.get(name) ?? '0', found.get(name) ?? '0']
    console.log(`${name.padEnd(24)} ${right.padStart(16)} ${is.padStart(16)}  ${right === is ? 'ok' : 'WRONG'}`)
  }
  return names.every((name) => wanted.get(name) === found.get(name))
}

function rowsOf({ openUntil, sha256OfBalances, ...numbers }: WithExpiry): Map<string, string> {
  const months = Object.entries(openUntil).map(([month, points]) => [`gone from ${month} on`, points] as const)
  return new Map([
    ...[...Object.entries(numbers), ...months].map(([name, n]) => [name, n.toLocaleString('en-GB')] as const),
    ['sha256OfBalances', sha256OfBalances.slice(0, 16)],
  ])
}
