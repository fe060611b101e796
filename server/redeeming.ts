import { withRead } from '@laurel/engine/base/db'
import { autoRewards, redeemReached } from '@laurel/engine/auto-redeem'
import { type Configurations, configurations } from '@laurel/engine/earning/configuration'
import { expireDue } from '@laurel/engine/expire-redemptions'
import type { Gate } from '@laurel/engine/gate/gate'
import type pg from 'pg'

const AT_ONCE = 500
/** How long this is done before other work has its turn. */
const TURN_MS = 1_000

export type Redeeming = {
  /** Says how much was done: redemptions whose end was booked, and events that were looked at. */
  look(owner: pg.Client, stop: AbortSignal): Promise<number>
}

/** What nobody asks for: redemptions end, and thresholds redeem. Spaces without either cost a look at an index and a version. */
export function createRedeeming(pool: pg.Pool, gate: Gate): Redeeming {
  const known = configurations()
  const failed = new Map<string, number>()
  const automatic = new Map<number, { version: number; some: boolean }>()

  async function each(stop: AbortSignal, work: () => Promise<number>): Promise<number> {
    const until = Date.now() + TURN_MS
    let all = 0
    for (let last = AT_ONCE; last === AT_ONCE && !stop.aborted && Date.now() < until; all += last) last = await work()
    return all
  }

  return {
    async look(owner, stop) {
      const over = await owner.query<{ space: number }>({
        name: 'redemptions-over',
        text: `select space_id as space from spaces s where exists (
                 select from redemptions r where r.space_id = s.space_id and r.status = 1 and r.valid_until <= $1)`,
        values: [new Date()],
      })
      let done = 0
      for (const { space } of over.rows) done += await each(stop, () => expireDue(pool, gate, space, AT_ONCE, failed))
      const { rows } = await owner.query<{ space: number; version: number }>({
        name: 'auto-redeem-spaces',
        text: 'select space_id as space, config_version::int as version from spaces',
      })
      for (const { space, version } of rows) {
        if (automatic.get(space)?.version !== version)
          automatic.set(space, { version, some: await hasSome(pool, known, space, version) })
        if (automatic.get(space)?.some)
          done += await each(stop, () => redeemReached({ pool, gate, known }, space, AT_ONCE))
      }
      return done
    },
  }
}

async function hasSome(pool: pg.Pool, known: Configurations, space: number, version: number): Promise<boolean> {
  return await withRead(pool, space, async (db) => autoRewards(await known.get(db, version)).length > 0)
}
