import type pg from 'pg'

/** Connections of which the next that commits is lost: before the commit is sent, or before its answer is heard. */
export type Breakable = { pool: pg.Pool; next(crash: 'before' | 'after' | undefined): void }

type Query = (...args: unknown[]) => Promise<unknown>

export function breakable(pool: pg.Pool): Breakable {
  let crash: 'before' | 'after' | undefined
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as Query
    const cut = () => (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
    const lossy: Query = (...args) => {
      const how = args[0] === 'commit' ? crash : undefined
      if (how === undefined) return query(...args)
      crash = undefined
      const lost = new Error('Connection terminated: the simulation cut it')
      if (how === 'before') {
        setImmediate(cut)
        return Promise.reject(lost)
      }
      return query(...args).then(() => {
        cut()
        throw lost
      })
    }
    client.query = lossy as never
  })
  return {
    pool,
    next(how) {
      crash = how
    },
  }
}
