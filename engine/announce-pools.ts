import type pg from 'pg'
import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { withTx } from './base/db.ts'
import { appendEvents } from './base/outbox.ts'
import { markLow } from './codes/configured.sql.ts'

const TOLD_AT_ONCE = 500

/**
 * What happens when few codes are left: the world is told, once each time that it comes about. Marked and told in one transaction, so that
 * nobody else tells it and nothing is lost. Says how many were told.
 */
export async function announcePools(
  pool: pg.Pool,
  space: number,
  door: { now: Instant; newId: () => Uuid },
): Promise<number> {
  let all = 0
  for (;;) {
    const told = await withTx(pool, space, async (tx) => {
      const low = await markLow(tx, door.now, TOLD_AT_ONCE)
      const events = low.map(({ id, program, slug, name, last, next, lowAt }) => ({
        type: 'code_pool.low',
        data: { pool: encodeId('cpl', id), program, slug, name, left: last - next, lowAt },
      }))
      await appendEvents(tx, door.newId(), door.now, events)
      return low.length
    })
    all += told
    if (told < TOLD_AT_ONCE) return all
  }
}
