import type { Uuid } from '@laurel/contract/ids'
import type { Tx } from '../base/db.ts'
import { appendUnlessKnown, holdPool, keysKnown, moveEnd } from './pools.sql.ts'

export type NewCode = { code: string; key: Uuid }
/** What became of codes: how many are new, which the pool had, which are of another pool. */
export type Appended = { added: number; known: Set<Uuid>; elsewhere: Set<Uuid> }

const TRIES_MAX = 5

/**
 * Appends those of these codes that no pool of the space has, in their order; none is given twice here. The pool's row is held until the
 * transaction ends: whoever takes codes of it waits that long, some milliseconds for a thousand codes.
 */
export async function appendNew(tx: Tx, poolId: number, codes: readonly NewCode[]): Promise<Appended> {
  const last = await holdPool(tx, poolId)
  await tx.query('savepoint append')
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const had = await keysKnown(
      tx,
      codes.map(({ key }) => key),
    )
    const fresh = codes.filter(({ key }) => !had.has(key))
    const added = await appendUnlessKnown(
      tx,
      fresh.map((code, i) => ({ poolId, seq: last + 1 + i, ...code })),
    )
    if (added === fresh.length) {
      await tx.query('release savepoint append')
      if (added > 0) await moveEnd(tx, poolId, last + added)
      return { added, ...bySide(had, poolId) }
    }
    await tx.query('rollback to savepoint append') // another pool got one of them meanwhile
  }
  throw new Error(`codes for pool ${poolId} went to other pools again and again`)
}

function bySide(had: ReadonlyMap<Uuid, number>, poolId: number): Pick<Appended, 'known' | 'elsewhere'> {
  const known = new Set<Uuid>()
  const elsewhere = new Set<Uuid>()
  for (const [key, pool] of had) (pool === poolId ? known : elsewhere).add(key)
  return { known, elsewhere }
}
