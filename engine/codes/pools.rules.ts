import type { Uuid } from '@laurel/contract/ids'

/**
 * A pool's codes are numbered from 1 in the order in which they came, and handed out in that order: `next` of them were. Whoever
 * takes some moves `next` on, guarded by the value that was read, so that no code is handed out twice. A code that comes back
 * unused is appended under a new number.
 */
export type Pool = { poolId: number; next: number; last: number }

export type PoolCode = { poolId: number; seq: number; code: string; key: Uuid }

/** What a list takes from a pool and gives back to it. `read`: the pool as it was read. */
export type PoolChange = { read: Pool; next: number; returned: { code: string; key: Uuid }[] }

export function codesLeft(pool: Pool): number {
  return pool.last - pool.next
}
