import type { Uuid } from '@laurel/contract/ids'
import type { Tx } from '../base/db.ts'
import { appendUnlessKnown, keysKnown, lockPools, moveEnd, poolEnd } from './pools.sql.ts'

export type NewCode = { code: string; key: Uuid }
/** What became of codes: how many are new, which the pool had, which are of another pool. */
export type Appended = { added: number; known: Set<Uuid>; elsewhere: Set<Uuid> }

const TRIES_MAX = 5

/**
 * Appends those of these codes that no pool of the space has, in their order; none is given twice here. Who takes codes meanwhile waits
 * for nothing but the end of it: the pool's row is touched last, and when others moved its end in between, all is done again (from
 * the second time on with the row held).
 */
export async function appendNew(tx: Tx, poolId: number, codes: readonly NewCode[]): Promise<Appended> {
  await tx.query('savepoint append')
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    if (tries > 1) await lockPools(tx, [poolId])
    const had = await keysKnown(
      tx,
      codes.map(({ key }) => key),
    )
    const fresh = codes.filter(({ key }) => !had.has(key))
    const last = await poolEnd(tx, poolId)
    const rows = fresh.map((code, i) => ({ poolId, seq: last + 1 + i, ...code }))
    const added = await appendUnlessKnown(tx, rows)
    if (added === rows.length && (added === 0 || (await moveEnd(tx, poolId, last, last + added)))) {
      await tx.query('release savepoint append')
      return { added, ...bySide(had, poolId) }
    }
    await tx.query('rollback to savepoint append')
  }
  throw new Error(`pool ${poolId} was moved again and again while codes were brought`)
}

function bySide(had: ReadonlyMap<Uuid, number>, poolId: number): Pick<Appended, 'known' | 'elsewhere'> {
  const known = new Set<Uuid>()
  const elsewhere = new Set<Uuid>()
  for (const [key, pool] of had) (pool === poolId ? known : elsewhere).add(key)
  return { known, elsewhere }
}
