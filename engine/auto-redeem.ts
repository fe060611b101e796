import type pg from 'pg'
import { encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { type Db, withRead, withTx } from './base/db.ts'
import { readEvents } from './base/outbox.ts'
import type { Configuration, Configurations } from './earning/configuration.ts'
import type { ConfiguredReward } from './earning/configured.ts'
import type { RedeemAsk } from './gate/redemption-asks.ts'
import type { Gate } from './gate/gate.ts'
import { isAutomatic } from './rewards/rewards.rules.ts'
import { saveLooked, selectLooked } from './redemptions/redemptions.sql.ts'

type Deps = { pool: pg.Pool; gate: Pick<Gate, 'submit'>; known: Configurations }

/** What may bring a balance to a threshold. */
const RAISES = new Set([
  'points.earned',
  'points.adjusted',
  'points.opened',
  'points.activated',
  'points.reinstated',
  'points.released',
  'points.transferred',
  'points.converted',
  'member.merged',
  'member.unmerged',
])
/** One event redeems a reward at most so often. */
const TIMES_MAX = 100

export function autoRewards(configuration: Configuration): ConfiguredReward[] {
  return configuration.rewards.filter(isAutomatic)
}

/**
 * Redeems rewards for members whose wallet has reached a reward's threshold: looks at events since it looked last, at most `limit`, and asks for
 * what they may have brought about, as often as the balance allows. Begins with what happens after there is such a reward. Each ask has the name of
 * the event that caused it, and is decided on the balance as it is then: looking twice redeems once. Gives how many events it looked at.
 */
export async function redeemReached(deps: Deps, space: number, limit: number): Promise<number> {
  const looked = await withRead(deps.pool, space, (db) => look(deps, db, limit))
  if (!looked) return 0
  const { rewards, causes, position, events } = looked
  const asked = [...causes].map(async ([member, { id, at }]) => {
    for (const reward of rewards) {
      if (at < madeAt(reward.id) * 1000) continue // what was there before is for the member's next points
      if (!(await redeemAll(deps, space, member, reward, id))) return false
    }
    return true
  })
  if ((await Promise.all(asked)).includes(false)) return 0 // an outage: it is looked again
  await withTx(deps.pool, space, (tx) => saveLooked(tx, position))
  return events
}

type Cause = { id: string; at: Instant }
type Looked = { rewards: ConfiguredReward[]; causes: Map<string, Cause>; position: number; events: number }

/** Whose points moved, and by which event last; undefined where there is nothing to look at. */
async function look({ known }: Deps, db: Db, limit: number): Promise<Looked | undefined> {
  const [space] = await db.query<{ version: number }>(
    'select config_version as version from spaces where space_id = $1',
    [db.space],
    'auto-redeem-space',
  )
  const rewards = autoRewards(await known.get(db, space?.version ?? 0))
  if (rewards.length === 0) return undefined
  const from = (await selectLooked(db)) ?? (await lastBefore(db, Math.min(...rewards.map(({ id }) => madeAt(id)))))
  const events = await readEvents(db, from, limit)
  const last = events.at(-1)
  if (!last) return undefined
  const causes = new Map<string, Cause>()
  for (const { type, member, id, at } of events)
    if (member !== undefined && RAISES.has(type)) causes.set(encodeId('mem', member), { id, at })
  return { rewards, causes, position: last.position, events: events.length }
}

/** Our ids begin with the milliseconds in which they were made. */
function madeAt(id: Uuid): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
}

/** The position of the last event from before an instant (ms). */
async function lastBefore(db: Db, ms: number): Promise<number> {
  const [row] = await db.query<{ position: number }>(
    `select first_position + count - 1 as position from outbox
      where space_id = $1 and first_position is not null and recorded_at < $2 order by first_position desc limit 1`,
    [db.space, formatInstant(ms * 1000)],
    'auto-redeem-from',
  )
  return row?.position ?? 0
}

/** As often as the threshold is reached. False after an outage; a fault is logged by the gate, and is not asked for again before the next event. */
async function redeemAll(
  { gate }: Deps,
  space: number,
  member: string,
  reward: ConfiguredReward,
  by: string,
): Promise<boolean> {
  for (let times = 1; times <= TIMES_MAX; times++) {
    const ask: RedeemAsk = { verb: 'redeem', member, reward: encodeId('rwd', reward.id), auto: `${by} ${times}` }
    const outcome = await gate.submit(space, ask, {}, 'bulk').catch(() => undefined)
    if (outcome && outcome.status >= 500) return false
    if (!outcome || outcome.status >= 400) return true
  }
  return true
}
