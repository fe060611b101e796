import type { FastifyInstance } from 'fastify'
import { withRead } from '@laurel/engine/base/db'
import type { Door } from './door.ts'

/** For balancers, orchestrators and Prometheus: no key, nothing of any space. */
export function addHealth(app: FastifyInstance, door: Door): void {
  // What the operations' way of answering sets by itself.
  app.addHook('onSend', (request, reply, _payload, done) => {
    reply.headers({ 'request-id': request.id, 'x-content-type-options': 'nosniff' })
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
    done()
  })

  app.get('/health/live', async () => ({ status: 'ok' }))

  app.get('/health/ready', async (_request, reply) => {
    const parts = await readiness(door)
    const ready = Object.values(parts).every((part) => part.status !== 'unavailable')
    if (!ready) reply.code(503).header('retry-after', '1')
    return { status: ready ? 'ok' : 'unavailable', parts }
  })

  app.get('/metrics', async (_request, reply) => reply.type(door.metrics.contentType).send(await door.metrics.text()))
}

/** late: works, but someone should look. */
type Part = { status: 'ok' | 'late' | 'unavailable'; [measure: string]: unknown }
const PATIENCE_MS = 1_000
/** Events wait longer than this for their numbers only when no worker runs. */
const LATE_SECONDS = 60

async function readiness(door: Door): Promise<Record<string, Part>> {
  const { waiting, inFlight } = door.gate.stats()
  const gate: Part = { status: door.closing ? 'unavailable' : 'ok', waiting, listsInFlight: inFlight }
  try {
    const started = performance.now()
    const { rows } = await soon(
      door.pool.query<{ migrated: boolean }>("select to_regclass('outbox') is not null as migrated"),
    )
    const database: Part = { status: 'ok', milliseconds: Math.round(performance.now() - started) }
    if (rows[0]?.migrated !== true) return { database, migrations: { status: 'unavailable' }, gate }
    const lag = await soon(outboxLag(door))
    return {
      database,
      migrations: { status: 'ok' },
      outbox: { status: lag > LATE_SECONDS ? 'late' : 'ok', lagSeconds: lag },
      gate,
    }
  } catch {
    return { database: { status: 'unavailable' }, gate }
  }
}

/** How long the oldest event has waited for its number, in whole seconds, in the spaces that this process serves. */
async function outboxLag(door: Door): Promise<number> {
  let most = 0
  for (const space of door.spaces) {
    const [row] = await withRead(door.pool, space, (db) =>
      db.query<{ seconds: number | null }>(
        `select floor(extract(epoch from now() - min(recorded_at)))::int as seconds from outbox
        where space_id = $1 and first_position is null`,
        [space],
      ),
    )
    most = Math.max(most, row?.seconds ?? 0)
  }
  return most
}

function soon<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {}) // it may fail after nobody waits for it
  return Promise.race([
    work,
    new Promise<never>((_, fail) => setTimeout(() => fail(new Error('no answer in time')), PATIENCE_MS).unref()),
  ])
}
