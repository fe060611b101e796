import { encodeId, type Uuid } from '@laurel/contract/ids'
import { DAY, type Instant } from '@laurel/contract/instants'
import type pg from 'pg'
import { type Life, type Moment, momentsDue, nextLook } from './activities/moments.rules.ts'
import { savePlan, selectLastActivity, selectPlan } from './activities/moments.sql.ts'
import { type Db, withRead, withTx } from './base/db.ts'
import { namesKnown } from './base/names.ts'
import type { Configurations } from './earning/configuration.ts'
import { type Listener, listeners } from './earning/listening.ts'
import type { ActivityAsk } from './gate/asks.ts'
import type { Gate } from './gate/gate.ts'
import { momentKey } from './gate/names.ts'
import { type LifeRow, lookAtAll, selectLivesDue, setNextLooks } from './members/life.sql.ts'

type Deps = { pool: pg.Pool; gate: Pick<Gate, 'submit'>; known: Configurations }

/** What waits for a program that is paused is asked about again so often; what met a fault or an outage, so soon. */
const HOUR = DAY / 24
const MINUTE = HOUR / 60
const PLANNED_AT_ONCE = 2_000
const NOBODY: Uuid = '00000000-0000-0000-0000-000000000000'

/**
 * Moments of members' lives that have come: of at most `limit` members who are to be looked at, each moment is asked to be recorded as an
 * activity (activity.ts), and the member's next look is set. Safe to die in between and to run twice: a moment's name is unique.
 * A space whose rules listen to no moment costs nothing. Says how many members were looked at.
 */
export async function lookAtLives(deps: Deps, space: number, now: Instant, limit: number): Promise<number> {
  const looked = await withRead(deps.pool, space, (db) => look(deps, db, now, limit))
  if (!looked) return 0
  await plan(deps, space, looked.days, now)
  const looks = await Promise.all(
    looked.lives.map(async ({ row, next, asks, waits }) => {
      let again = next
      if (waits) again = Math.min(again ?? now + HOUR, now + HOUR)
      const settled = await Promise.all(asks.map((ask) => isSettled(deps, space, ask)))
      if (settled.includes(false)) again = now + MINUTE
      return { member: row.member, lookAt: row.lookAt, next: again }
    }),
  )
  await withTx(deps.pool, space, (tx) => setNextLooks(tx, looks))
  return looks.length
}

/** Recorded, recorded before, or refused for good; what met a fault or an outage is not settled. */
async function isSettled({ gate }: Deps, space: number, ask: ActivityAsk): Promise<boolean> {
  try {
    const { status } = await gate.submit(space, ask, {}, 'bulk')
    return status < 500
  } catch {
    return false // the gate has logged it
  }
}

type Looked = { row: LifeRow; next: Instant | null; asks: ActivityAsk[]; waits: boolean }

async function look(
  { known }: Deps,
  db: Db,
  now: Instant,
  limit: number,
): Promise<{ lives: Looked[]; days: number[] } | undefined> {
  const [space] = await db.query<{ version: number }>(
    'select config_version as version from spaces where space_id = $1',
    [db.space],
    'lives-config-version',
  )
  const listening = listeners(await known.get(db, space?.version ?? 0))
  if (listening.length === 0) return undefined
  const days = [...new Set(listening.flatMap(({ inactiveDays }) => inactiveDays))].sort((a, b) => a - b)
  const rows = await selectLivesDue(db, now, limit)
  const alive = rows.filter(({ status }) => status === 1).map(({ member }) => member)
  const last = days.length === 0 ? new Map<Uuid, Instant>() : await selectLastActivity(db, alive)
  const lives = rows.map((row) => lookedAt(row, last.get(row.member) ?? null, listening, now))
  const asks = lives.flatMap((one) => one.asks)
  const recorded = await namesKnown(db, asks.map(keyOfAsk))
  for (const one of lives) one.asks = one.asks.filter((ask) => !recorded.has(keyOfAsk(ask)))
  return { lives, days }
}

/** Nobody but the living has moments: who is suspended may come back, who is closed or merged does not. */
function lookedAt(row: LifeRow, lastActivity: Instant | null, listening: readonly Listener[], now: Instant): Looked {
  const life: Life = { ...row, lastActivity }
  const programs = listening.map(({ program, ...rest }) => ({ ...rest, timezone: program.timezone }))
  if (row.status > 2) return { row, next: null, asks: [], waits: false }
  const next = nextLook(life, programs, now)
  if (row.status === 2) return { row, next, asks: [], waits: false }
  const due = listening.flatMap(({ program, ...rest }) =>
    momentsDue(life, { ...rest, timezone: program.timezone }, now).map((moment) => ({ program, moment })),
  )
  return {
    row,
    next,
    asks: due
      .filter(({ program }) => program.status === 'active')
      .map(({ program, moment }) => askOf(encodeId('prg', program.id), encodeId('mem', row.member), moment)),
    waits: due.some(({ program }) => program.status === 'paused'),
  }
}

function askOf(program: string, member: string, moment: Moment): ActivityAsk {
  const { type, which, occurredAt, data } = moment
  return { verb: 'activity', program, type, externalId: which, member, occurredAt, data, moment: true }
}

function keyOfAsk({ program, member, type, externalId }: ActivityAsk): Uuid {
  return momentKey(program, member, type, externalId)
}

/** When rules listen for a silence of another length, all members are looked at once more, some at a time. */
async function plan({ pool }: Deps, space: number, days: readonly number[], now: Instant): Promise<void> {
  const wanted = days.join()
  await withTx(pool, space, async (tx) => {
    const before = await selectPlan(tx)
    if (before?.plan === wanted && before.nextPlan === null) return
    const known = new Set(before?.plan.split(','))
    if (!before || days.every((n) => known.has(String(n)))) {
      await savePlan(tx, { plan: wanted, nextPlan: null, lookedAt: null })
      return
    }
    const from = before.nextPlan === wanted ? (before.lookedAt ?? NOBODY) : NOBODY
    const lookedAt = await lookAtAll(tx, from, now, PLANNED_AT_ONCE)
    await savePlan(
      tx,
      lookedAt === null
        ? { plan: wanted, nextPlan: null, lookedAt: null }
        : { plan: before.plan, nextPlan: wanted, lookedAt },
    )
  })
}
