import pg from 'pg'

/** Something was changed between our reading and our writing, or PostgreSQL chose us to give way: read again. */
const MOVED = new Set([
  '22012', // a member's version was no longer the one read (ledger.sql.ts, updateStates)
  '23505', // a name or an idempotency key was taken meanwhile
  '40001',
  '40P01', // serialisation failure, deadlock
])

/** What was read is not enough to decide any more: read again. */
export class MovedError extends Error {}

export function isMoved(error: Error): boolean {
  return error instanceof MovedError || (error instanceof pg.DatabaseError && MOVED.has(error.code ?? ''))
}

/** A lock was waited for as long as we wait. */
export function isHeldUp(error: Error): boolean {
  return error instanceof pg.DatabaseError && error.code === '55P03'
}

/** The database is not there, is shutting down, has no room, or did not answer in time: nobody's item is at fault. */
export function isOutage(error: Error): boolean {
  if (error instanceof pg.DatabaseError) {
    return /^(08|53|57P0|57014|58)/.test(error.code ?? '')
  }
  return 'code' in error
    ? /^(ECONN|EPIPE|ETIMEDOUT|ENOENT|EAI_AGAIN|ENOTFOUND)/.test(String(error.code))
    : /terminated|timeout|ended|not queryable|Connection/i.test(error.message)
}

/** What is stored is not what was ever written: no JSON, of another shape, out of range. Looking again finds the same. */
export function isUnreadable(error: Error): boolean {
  if (error instanceof pg.DatabaseError) return error.code?.startsWith('22') ?? false
  return error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError || !isOutage(error)
}

export function faultOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
