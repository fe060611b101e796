import type pg from 'pg'
import { encodeId } from '@laurel/contract/ids'
import { withBound } from './base/db.ts'
import type { ExpireAsk } from './gate/asks.ts'
import type { Gate } from './gate/gate.ts'
import { loadOver } from './redemptions/redemptions.sql.ts'

/**
 * Books the end of what can be used no longer (fulfil.ts, expireRedemption), the longest over first, at most `limit` of them, in lists behind what
 * is asked of the same gate. Readers see it at once, however late this comes; asked twice, each is told once. Gives for how many it did.
 */
export async function expireDue(pool: pg.Pool, gate: Gate, space: number, limit: number): Promise<number> {
  const over = await withBound(pool, space, (db) => loadOver(db, Date.now() * 1000, limit))
  const asked = over.map(async ({ member, id }): Promise<number> => {
    const ask: ExpireAsk = { verb: 'expireRedemption', member: encodeId('mem', member), redemption: id }
    const outcome = await gate.submit(space, ask, {}, 'bulk').catch(() => undefined) // the gate has logged it
    return outcome?.status === 200 ? 1 : 0
  })
  return (await Promise.all(asked)).reduce((sum, one) => sum + one, 0)
}
