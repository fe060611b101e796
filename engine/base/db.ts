import pg from 'pg'
import type { Instant } from '@laurel/contract/instants'

/**
 * A handle on one space's data. Every statement through it runs as the role `laurel_app` with row security bound
 * to that space, so that a query cannot reach another tenant's rows, whatever it says.
 */
declare const bound: unique symbol
declare const mayWrite: unique symbol
export type Db = {
  readonly space: number
  /** `name` makes it a prepared statement: for hot paths. Buffers are sent as they are, in binary. */
  query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
    name?: string,
  ): Promise<Row[]>
  readonly [bound]: true
}
/** A handle inside a transaction that may change things. Only `withTx` mints it. */
export type Tx = Db & { readonly [mayWrite]: true }

/** A statement as a value: made whole before the first of its transaction is sent. */
export type Statement = { text: string; values: readonly unknown[]; name: string }

export function statement(text: string, values: readonly unknown[], name: string): Statement[] {
  return [{ text, values, name }]
}

export async function run(tx: Tx, statements: readonly Statement[]): Promise<void> {
  await Promise.all(statements.map(({ text, values, name }) => tx.query(text, values, name)))
}

/** bigint as a number (refused beyond 2^53), timestamptz as an Instant, date as text. */
function parserOf(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (format === 'binary') throw new Error('binary results are not used')
  if (oid === 20) return toSafeInteger
  if (oid === 1184) return toInstant
  if (oid === 1082) return (text) => text
  return pg.types.getTypeParser(oid, 'text') as (text: string) => unknown
}

function toSafeInteger(text: string): number {
  const n = Number(text)
  if (!Number.isSafeInteger(n)) throw new Error(`a bigint beyond 2^53 came from the database: ${text}`)
  return n
}

/** `2026-11-22 03:18:45.123456+00`, as PostgreSQL prints it with TimeZone=UTC. */
function toInstant(text: string): Instant {
  const dot = text.indexOf('.')
  const seconds = Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`)
  if (Number.isNaN(seconds)) throw new Error(`an instant out of range came from the database: ${text}`)
  const fraction = dot < 0 ? 0 : Number(text.slice(dot + 1, text.indexOf('+', dot)).padEnd(6, '0'))
  return seconds * 1000 + fraction
}

/** `queryTimeoutMs`: after it a connection that does not answer is given up; 0: never. */
export type PoolOptions = { max?: number; applicationName?: string; queryTimeoutMs?: number }

/** Longer than PostgreSQL's own limits, which tell what happened. */
const QUERY_TIMEOUT_MS = 65_000

/** Connections that run as `laurel_app`. Generic plans: ours are right for every value, and planning costs. */
export function openPool(url: string, options: PoolOptions = {}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    application_name: options.applicationName ?? 'laurel',
    connectionTimeoutMillis: 5_000,
    pipeline: true,
    keepAlive: true,
    query_timeout: options.queryTimeoutMs ?? QUERY_TIMEOUT_MS,
    types: { getTypeParser: parserOf as never },
    options:
      '-c role=laurel_app -c TimeZone=UTC -c plan_cache_mode=force_generic_plan -c jit=off -c lock_timeout=5000 -c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000',
  } as pg.PoolConfig)
  pool.on('error', () => {}) // an idle connection was cut; the pool drops it and opens another when asked
  pool.on('connect', (client) => client.on('error', () => {})) // one in use was cut: its queries say so; this would end us
  return pool
}

export function handle(client: pg.ClientBase, space: number): Tx {
  return {
    space,
    async query(text: string, values: readonly unknown[] = [], name?: string) {
      return (await client.query({ text, values: values as unknown[], ...(name ? { name } : {}) })).rows
    },
  } as unknown as Tx
}

/** One snapshot, read-only. */
export function withRead<T>(pool: pg.Pool, space: number, work: (db: Db) => Promise<T>): Promise<T> {
  return inTransaction(pool, space, 'begin isolation level repeatable read read only', work)
}

/** PostgreSQL chose this transaction to give way: serialisation failure, deadlock. */
const GAVE_WAY = new Set(['40001', '40P01'])
const TRIES_MAX = 4

/**
 * All of it or none. What `work` throws rolls back and is thrown on; when PostgreSQL made it give way to another, all
 * of `work` is done again.
 */
export async function withTx<T>(pool: pg.Pool, space: number, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await inTransaction(pool, space, 'begin', work)
    } catch (error) {
      const again = error instanceof pg.DatabaseError && GAVE_WAY.has(error.code ?? '')
      if (!again || tries === TRIES_MAX) throw error
    }
  }
}

async function inTransaction<T>(pool: pg.Pool, space: number, begin: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  return await onBound(pool, space, async (client, binding) => {
    const [result] = await together(client, () => {
      const begun = client.query(begin)
      return Promise.all([work(handle(client, space)), begun, binding])
    })
    assertCommitted(await client.query('commit'))
    return result
  })
}

/** Which space each connection was last bound to. */
const boundTo = new WeakMap<pg.ClientBase, number>()

/**
 * A connection whose row security admits this space and no other. It stays bound when it goes back to the pool, so that
 * it is told again only when the space differs; after any error it is told again. Needs connections of its own:
 * a pooler between us and PostgreSQL that hands one connection to several clients (PgBouncer's transaction mode) will not do.
 */
async function onBound<T>(
  pool: pg.Pool,
  space: number,
  work: (client: pg.ClientBase, binding: Promise<unknown> | undefined) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    let binding: Promise<unknown> | undefined
    if (boundTo.get(client) !== space) {
      boundTo.set(client, space)
      binding = client.query({
        name: 'bind-space',
        text: "select set_config('laurel.space', $1, false)",
        values: [String(space)],
      })
    }
    return await work(client, binding)
  } catch (error) {
    boundTo.delete(client)
    await client.query('rollback').catch((e: unknown) => {
      broken = e as Error // what cannot even roll back goes no further
    })
    throw error
  } finally {
    client.release(broken)
  }
}

/** Everything that `work` issues before it first waits goes to the socket in one piece. */
function together<T>(client: pg.ClientBase, work: () => T): T {
  const { stream } = (client as unknown as { connection: { stream: { cork(): void; uncork(): void } } }).connection
  stream.cork()
  try {
    return work()
  } finally {
    stream.uncork()
  }
}

/** Reading without a transaction, all of it on the wire at once: each statement has its own snapshot. */
export async function withBound<T>(pool: pg.Pool, space: number, work: (db: Db) => Promise<T>): Promise<T> {
  return await onBound(pool, space, async (client, binding) => {
    const [result] = await Promise.all([together(client, () => work(handle(client, space))), binding])
    return result
  })
}

/**
 * A transaction whose statements do not depend on each other's answers, sent in one go with its commit. When one
 * fails those after it are skipped, the commit rolls back, and that one's error is thrown.
 */
export async function writeAtOnce(pool: pg.Pool, space: number, statements: readonly Statement[]): Promise<void> {
  await onBound(pool, space, async (client, binding) => {
    const [commit, ...steps] = together(client, () => {
      const before = [binding, client.query('begin'), run(handle(client, space), statements)]
      return [client.query('commit'), ...before] as const
    })
    const settled = await Promise.allSettled([...steps, commit])
    for (const step of settled) if (step.status === 'rejected') throw step.reason
    assertCommitted(await commit)
  })
}

/** A transaction that failed answers its commit with ROLLBACK, and no error. */
function assertCommitted({ command }: pg.QueryResult): void {
  if (command !== 'COMMIT') throw new Error('the transaction was rolled back without an error')
}
