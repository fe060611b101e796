import type pg from 'pg'
import { encodeId, type Uuid } from '@laurel/contract/ids'
import { withBound } from './base/db.ts'
import type { ExpireAsk } from './gate/redemption-asks.ts'
import type { Gate } from './gate/gate.ts'
import { loadOver } from './redemptions/redemptions.sql.ts'

/** Redemptions whose end could not be booked, and until when (ms) they are not asked again. */
type Failed = Map<Uuid, number>
const FAILED_MS = 60_000
const FAILED_MAX = 10_000

/**
 * Books the end of what can be used no longer (fulfil.ts, expireRedemption), the longest over first, at most `limit` of them, in lists behind what
 * is asked of the same gate. Readers see it at once, however late this comes; asked twice, each is told once. What fails is asked again a
 * minute later, so that others get their turn. Gives for how many it did.
 */
export async function expireDue(
  pool: pg.Pool,
  gate: Gate,
  space: number,
  limit: number,
  failed: Failed = new Map(),
): Promise<number> {
  const now = Date.now()
  for (const [id, until] of failed) if (until <= now) failed.delete(id)
  const over = await withBound(pool, space, (db) => loadOver(db, now * 1000, limit, [...failed.keys()]))
  const asked = over.map(async ({ member, id }): Promise<number> => {
    const ask: ExpireAsk = { verb: 'expireRedemption', member: encodeId('mem', member), redemption: id }
    const outcome = await gate.submit(space, ask, {}, 'bulk').catch(() => undefined) // the gate has logged it
    if (!outcome && failed.size < FAILED_MAX) failed.set(id, now + FAILED_MS)
    return outcome?.status === 200 ? 1 : 0
  })
  return (await Promise.all(asked)).reduce((sum, one) => sum + one, 0)
}
