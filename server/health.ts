import type { FastifyInstance } from 'fastify'
import type { Door } from './door.ts'

/** For balancers, orchestrators and Prometheus: no key, nothing of any space. */
export function addHealth(app: FastifyInstance, door: Door): void {
  app.get('/health/live', async () => ({ status: 'ok' }))

  app.get('/health/ready', async (_request, reply) => {
    const parts = await readiness(door)
    const ready = Object.values(parts).every((part) => part.status === 'ok')
    reply.code(ready ? 200 : 503)
    if (!ready) reply.header('retry-after', '1')
    return { status: ready ? 'ok' : 'unavailable', parts }
  })

  app.get('/metrics', async (_request, reply) => reply.type(door.metrics.contentType).send(await door.metrics.text()))
}

type Part = { status: 'ok' | 'unavailable'; [measure: string]: unknown }
const PATIENCE_MS = 1_000
/** Events wait longer than this for their numbers only when no relay runs. */
const OUTBOX_LAG_S = 60

async function readiness(door: Door): Promise<Record<string, Part>> {
  const { waiting, inFlight } = door.gate.stats()
  const gate: Part = { status: 'ok', waiting, listsInFlight: inFlight }
  try {
    const started = performance.now()
    const { rows } = await soon(door.pool.query<{ migrated: boolean }>("select to_regclass('outbox') is not null as migrated"))
    const database: Part = { status: 'ok', milliseconds: Math.round(performance.now() - started) }
    const migrated = rows[0]?.migrated === true
    return { database, migrations: { status: migrated ? 'ok' : 'unavailable' }, gate }
  } catch {
    return { database: { status: 'unavailable' }, migrations: { status: 'unavailable' }, gate }
  }
}

function soon<T>(work: Promise<T>): Promise<T> {
  return Promise.race([work, new Promise<never>((_, fail) => setTimeout(() => fail(new Error('no answer in time')), PATIENCE_MS).unref())])
}
