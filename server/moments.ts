import { withRead } from '@laurel/engine/base/db'
import { type Configurations, configurations } from '@laurel/engine/earning/configuration'
import { listeners } from '@laurel/engine/earning/listening'
import type { Gate } from '@laurel/engine/gate/gate'
import { lookAtLives } from '@laurel/engine/member-moments'
import type pg from 'pg'

const LOOKED_AT_ONCE = 500
/** How long lives are looked at before other work has its turn. */
const LOOK_MS = 1_000
/** How often it is looked whether anyone is due. */
const EVERY_MS = 1_000

export type Moments = {
  /** Says how many members were looked at: none when it is not yet time to look. */
  look(owner: pg.Client, stop: AbortSignal): Promise<number>
}

/** Moments of members' lives, in spaces whose rules listen to them; the others cost a look at their configuration's version. */
export function createMoments(pool: pg.Pool, gate: Gate): Moments {
  const known = configurations()
  const listening = new Map<number, { version: number; listens: boolean }>()
  let nextAt = 0

  return {
    async look(owner, stop) {
      if (Date.now() < nextAt) return 0
      const { rows } = await owner.query<{ space: number; version: number }>({
        name: 'lives-spaces',
        text: 'select space_id as space, config_version::int as version from spaces',
      })
      const until = Date.now() + LOOK_MS
      let members = 0
      for (const { space, version } of rows) {
        if (listening.get(space)?.version !== version) {
          listening.set(space, { version, listens: await listens(pool, known, space, version) })
        }
        if (!listening.get(space)?.listens) continue
        for (let last = LOOKED_AT_ONCE; last === LOOKED_AT_ONCE && !stop.aborted && Date.now() < until; members += last)
          last = await lookAtLives({ pool, gate, known }, space, Date.now() * 1000, LOOKED_AT_ONCE)
      }
      nextAt = members > 0 ? 0 : Date.now() + EVERY_MS
      return members
    },
  }
}

async function listens(pool: pg.Pool, known: Configurations, space: number, version: number): Promise<boolean> {
  return await withRead(pool, space, async (db) => listeners(await known.get(db, version)).length > 0)
}
