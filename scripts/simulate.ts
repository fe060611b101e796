import { parseArgs } from 'node:util'
import { migratedServer } from '../tests/migrated.ts'
import { stopServer } from '../tests/server.ts'
import { campaign } from '../tests/simulate/campaign.ts'
import { databaseDriver, placeOn } from '../tests/simulate/database-driver.ts'
import type { OpenDriver } from '../tests/simulate/driver.ts'
import { openMemoryDriver } from '../tests/simulate/memory-driver.ts'
import { asTest, shorten } from '../tests/simulate/shrink.ts'

/**
 * `npm run simulate -- --steps N --seed S [--database]`: random commerce against a simple model of it (tests/simulate/README.md).
 * Prints the seed, and, when the engine says anything else than the model, a shortened history as a test to paste.
 */
const STEPS = 100_000
const SHOW_EVERY_MS = 2_000

const { values } = parseArgs({
  options: { steps: { type: 'string' }, seed: { type: 'string' }, database: { type: 'boolean' } },
})
const steps = whole('--steps', values.steps, STEPS)
const seed = whole('--seed', values.seed, Date.now() % 2 ** 31)
console.log(`seed ${seed}: ${steps} steps on ${values.database ? 'a database' : 'the pure core'}`)
const server = values.database ? await migratedServer() : undefined
try {
  process.exitCode = (await simulates(server ? databaseDriver(() => placeOn(server)) : openMemoryDriver)) ? 0 : 1
} finally {
  if (server) await stopServer(server)
}

async function simulates(open: OpenDriver): Promise<boolean> {
  const started = performance.now()
  let shown = started
  const found = await campaign(seed, steps, open, (done) => {
    const now = performance.now()
    if (now - shown < SHOW_EVERY_MS) return
    shown = now
    console.log(`${done} steps, ${Math.round(done / ((now - started) / 1000))} a second`)
  })
  if (!found) {
    console.log(`${steps} steps: every answer and every balance as the model says`)
    return true
  }
  const { failure, history } = found
  console.log(`seed ${seed}, history ${history}: ${failure.what}\nShortening ${failure.steps.length} steps …`)
  console.log(asTest(await shorten(failure, open), `seed ${seed}, history ${history}`))
  return false
}

function whole(name: string, text: string | undefined, otherwise: number): number {
  const number = text === undefined ? otherwise : Number(text)
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`${name} is a whole number, not ${text}`)
  return number
}
