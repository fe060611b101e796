import type pg from 'pg'
import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { withTx } from './base/db.ts'
import { appendEvents } from './base/outbox.ts'
import { markSpent } from './limits/limits.sql.ts'

const TOLD_AT_ONCE = 500

/**
 * What happens when a budget is used up: the world is told, once for each rule and period. Marked and told in one transaction, so
 * that nobody else tells it and nothing is lost. Says how many were told.
 */
export async function announceBudgets(
  pool: pg.Pool,
  space: number,
  door: { now: Instant; newId: () => Uuid },
): Promise<number> {
  let all = 0
  for (;;) {
    const told = await withTx(pool, space, async (tx) => {
      const spent = await markSpent(tx, formatInstant(door.now), TOLD_AT_ONCE)
      const events = spent.map(({ ruleId, period, points }) => ({
        type: 'budget.spent',
        data: { ruleId, period, points },
      }))
      await appendEvents(tx, door.newId(), door.now, events)
      return spent.length
    })
    all += told
    if (told < TOLD_AT_ONCE) return all
  }
}
