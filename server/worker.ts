import { setTimeout as sleep } from 'node:timers/promises'
import { announceBudgets } from '@laurel/engine/announce-budgets'
import { announcePools } from '@laurel/engine/announce-pools'
import { forgetAnswers } from '@laurel/engine/base/answers'
import { openPool, withTx } from '@laurel/engine/base/db'
import { newId } from '@laurel/engine/base/ids'
import { numberEvents } from '@laurel/engine/base/outbox'
import { purgeUnclaimed } from '@laurel/engine/purge-unclaimed'
import { createGate, type Gate } from '@laurel/engine/gate/gate'
import { type Failed, passDue } from '@laurel/engine/pass-time'
import type pg from 'pg'
import type pino from 'pino'
import { createMoments } from './moments.ts'
import { connectOwner } from './owner.ts'
import { createRedeeming } from './redeeming.ts'

export type WorkerOptions = { databaseUrl: string; logger: pino.Logger }
export type Worker = { close(): Promise<void> }

const BUSY_MS = 100
const IDLE_MAX_MS = 1_000
const FOLLOWER_MS = 2_000
const BACK_OFF_MAX_MS = 30_000
const PURGE_EVERY_MS = 60 * 60 * 1_000
const PURGE_AT_ONCE = 2_000
const KEPT_DAYS = 30
const PASS_AT_ONCE = 500
/** How long time is passed for members before events are numbered again. */
const PASS_MS = 1_000

/**
 * The door of time. Of all workers on a database one leads, by an advisory lock that its connection holds: it numbers
 * events, books what time did to members and clears out old idempotency keys and purchases that
 * nobody claimed in time. When it dies, another leads within seconds.
 */
export function startWorker(options: WorkerOptions): Worker {
  const stopping = new AbortController()
  const done = work(options, stopping.signal)
  return {
    async close() {
      stopping.abort()
      await done
    },
  }
}

/** Leads whenever it can, until told to stop. What fails is logged and tried again, ever more slowly. */
async function work({ databaseUrl, logger }: WorkerOptions, stop: AbortSignal): Promise<void> {
  let failures = 0
  while (!stop.aborted) {
    try {
      await lead(databaseUrl, logger, stop, () => {
        failures = 0
      })
    } catch (error) {
      const wait = Math.min(BACK_OFF_MAX_MS, 250 * 2 ** failures++)
      logger.error({ err: error, retryInMs: wait }, 'The worker failed and will try again')
      await pause(wait, stop)
    }
  }
}

/** One connection's life: wait to lead, then lead until it breaks or we stop. */
async function lead(databaseUrl: string, logger: pino.Logger, stop: AbortSignal, succeeded: () => void): Promise<void> {
  const owner = await connectOwner(databaseUrl, 'laurel-worker')
  const pool = openPool(databaseUrl, { max: 3, applicationName: 'laurel-worker' })
  const gate = createGate({
    pool,
    onFault: (error, verb) => logger.error({ err: error, verb }, 'What time did to a member could not be booked'),
  })
  const moments = createMoments(pool, gate)
  const redeeming = createRedeeming(pool, gate)
  const failed: Failed = new Map()
  try {
    while (!stop.aborted && !(await claim(owner))) await pause(FOLLOWER_MS, stop)
    let wait = BUSY_MS
    let purgeAt = 0
    while (!stop.aborted) {
      const events = await numberAll(owner, pool)
      if (events > 0) logger.debug({ events }, 'Events numbered')
      if (Date.now() >= purgeAt) {
        await purge(owner, pool, logger, stop)
        purgeAt = Date.now() + PURGE_EVERY_MS
      }
      const spent = await announceAll(owner, pool)
      if (spent > 0) logger.info({ told: spent }, 'Budgets are used up, or few codes are left')
      const passed = await passAll(owner, pool, gate, failed, stop)
      if (passed > 0) logger.debug({ members: passed }, 'Time passed for members')
      const lives = await moments.look(owner, stop)
      if (lives > 0) logger.debug({ members: lives }, 'Lives of members were looked at')
      const redeemed = await redeeming.look(owner, stop)
      if (redeemed > 0) logger.debug({ redeemed }, 'Redemptions ended, or thresholds were looked at')
      succeeded()
      wait = events + spent + passed + lives + redeemed > 0 ? BUSY_MS : Math.min(IDLE_MAX_MS, wait * 1.5)
      await pause(wait, stop)
    }
  } finally {
    await gate.close()
    await Promise.allSettled([owner.end(), pool.end()])
  }
}

async function claim(owner: pg.Client): Promise<boolean> {
  const { rows } = await owner.query<{ ours: boolean }>(
    "select pg_try_advisory_lock(hashtext('laurel.worker')) as ours",
  )
  return rows[0]?.ours === true
}

/** One look for all spaces; then only those that have something waiting. */
async function numberAll(owner: pg.Client, pool: pg.Pool): Promise<number> {
  const { rows } = await owner.query<{ space_id: number }>({
    name: 'waiting',
    text: 'select space_id from spaces s where exists (select from outbox o where o.space_id = s.space_id and first_position is null)',
  })
  let events = 0
  for (const { space_id } of rows) events += await numberEvents(pool, space_id)
  return events
}

/** Budgets that are used up, and pools with few codes left: one look for all spaces, by indexes that hold only those. */
async function announceAll(owner: pg.Client, pool: pg.Pool): Promise<number> {
  const { rows } = await owner.query<{ space_id: number }>({
    name: 'spent',
    text: `select space_id from budgets where spent and told_at is null
           union select space_id from code_pools where low and told_at is null`,
  })
  let told = 0
  for (const { space_id } of rows) {
    const fixed = { now: Date.now() * 1000, newId }
    told += (await announceBudgets(pool, space_id, fixed)) + (await announcePools(pool, space_id, fixed))
  }
  return told
}

/** Expiry, activation, notices, lapsed holds, tiers: of members who are due, in small lists, until nobody is or others have waited a while. */
async function passAll(
  owner: pg.Client,
  pool: pg.Pool,
  gate: Gate,
  failed: Failed,
  stop: AbortSignal,
): Promise<number> {
  const { rows } = await owner.query<{ space_id: number }>({
    name: 'due',
    text: `select space_id from spaces s where exists (select from member_states m where m.space_id = s.space_id and m.due_at <= $1)
           union select space_id from tier_ladders l where status = 'active' and exists (
             select from tier_states t where t.space_id = l.space_id and t.ladder_id = l.ladder_id and t.version <
               (select max(version) from tier_ladder_versions v where v.ladder_id = l.ladder_id))`,
    values: [new Date()],
  })
  let members = 0
  const until = Date.now() + PASS_MS
  for (const { space_id } of rows) {
    for (let last = PASS_AT_ONCE; last === PASS_AT_ONCE && !stop.aborted && Date.now() < until; members += last) {
      last = await passDue(pool, gate, space_id, PASS_AT_ONCE, failed)
    }
  }
  return members
}

/** In small transactions, so that no lock is held for long and nothing else waits. */
async function purge(owner: pg.Client, pool: pg.Pool, logger: pino.Logger, stop: AbortSignal): Promise<void> {
  const { rows } = await owner.query<{ space_id: number }>('select space_id from spaces')
  for (const { space_id } of rows) {
    const purged = await inPieces(stop, () =>
      withTx(pool, space_id, (tx) => forgetAnswers(tx, KEPT_DAYS, PURGE_AT_ONCE)),
    )
    if (purged > 0) logger.info({ purged, space: space_id }, 'Idempotency keys older than 30 days removed')
    const unclaimed = await inPieces(stop, () =>
      withTx(pool, space_id, (tx) => purgeUnclaimed(tx, Date.now() * 1000, PURGE_AT_ONCE)),
    )
    if (unclaimed > 0) logger.info({ unclaimed, space: space_id }, 'Purchases removed that nobody claimed in time')
  }
}

async function inPieces(stop: AbortSignal, piece: () => Promise<number>): Promise<number> {
  let all = 0
  for (let last = PURGE_AT_ONCE; last === PURGE_AT_ONCE && !stop.aborted; all += last) {
    last = await piece()
    await pause(last === PURGE_AT_ONCE ? BUSY_MS : 0, stop)
  }
  return all
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(() => {}) // stopped: no need to wait
}
