import type pg from 'pg'
import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { type Db, run, type Statement, statement, type Tx, withTx } from './db.ts'
import { type Digested, isAltered, microseconds, rowDigest } from './row-digests.ts'

/**
 * Events are written with the change that they tell of, one outbox row a transaction (a batch), and numbered after
 * commit: positions are unique and without gaps in a space, in an order in which a reader can never be overtaken
 * by a late commit. An event names what it tells of (`data`: references such as {purchase}, {entry}) and copies no
 * personal data; readers expand it (views/events.ts).
 */
export type NewEvent = { type: string; member?: Uuid; sequence?: number; data: Record<string, unknown> }
export type StoredEvent = NewEvent & { id: Uuid; position: number; at: Instant }

/** More events than this in one transaction could not be told apart by their ids. */
const BATCH_MAX = 0x10000
const NUMBERED_AT_ONCE = 2_000

/** What a row says, in the order of its digest; its place in the order comes later. */
type Batch = { id: Uuid; count: number; at: Instant; events: string }
const BATCH: Digested<Batch> = {
  table: 'outbox',
  columns: [
    ['batch_id', (r) => r.id],
    ['count', (r) => r.count],
    [microseconds('recorded_at'), (r) => r.at],
    ['events', (r) => r.events],
  ],
}

/** A batch that was not written as it is: for verify. */
export async function alteredBatch(db: Db): Promise<number | undefined> {
  const [row] = await db.query<{ batch: number }>(
    `select batch from outbox where space_id = $1 and ${isAltered(BATCH)} order by batch limit 1`,
    [db.space],
  )
  return row?.batch
}

export async function appendEvents(tx: Tx, batchId: Uuid, now: Instant, events: readonly NewEvent[]): Promise<void> {
  await run(tx, insertEvents(tx.space, batchId, now, events))
}

export function insertEvents(space: number, batchId: Uuid, now: Instant, events: readonly NewEvent[]): Statement[] {
  if (events.length === 0) return []
  if (events.length > BATCH_MAX) throw new Error(`${events.length} events in one transaction`)
  const text = JSON.stringify(events.map((e) => [e.type, e.member ?? null, e.sequence ?? null, e.data]))
  return statement(
    `insert into outbox (space_id, batch_id, count, recorded_at, events, row_digest)
     values ($1, $2, $3, $4, $5, $6)`,
    [
      space,
      batchId,
      events.length,
      formatInstant(now),
      text,
      rowDigest(BATCH, space, { id: batchId, count: events.length, at: now, events: text }),
    ],
    'outbox-append',
  )
}

/** An event's id: its batch's, with its place in the batch in the last 16 bits. */
export function eventId(batchId: Uuid, index: number): Uuid {
  return batchId.slice(0, 32) + index.toString(16).padStart(4, '0')
}

/**
 * Gives the committed batches of a space their positions, all that wait. Whoever calls it: the advisory lock lets
 * one work at a time, and each takes its view of the table after it has the lock. Says how many events it numbered.
 */
export async function numberEvents(pool: pg.Pool, space: number): Promise<number> {
  let all = 0
  for (;;) {
    const numbered = await withTx(pool, space, async (tx) => {
      await tx.query("select pg_advisory_xact_lock(hashtext('laurel.outbox'), $1)", [space], 'outbox-lock')
      return await numberWaiting(tx)
    })
    all += numbered
    if (numbered < NUMBERED_AT_ONCE) return all
  }
}

async function numberWaiting(tx: Tx): Promise<number> {
  const [row] = await tx.query<{ events: number }>(
    `with waiting as (
       select batch, count from outbox
        where space_id = $1 and first_position is null order by batch limit $2
     ), placed as (
       select batch, s.last_position + 1 + sum(count) over (order by batch) - count as first_position
         from waiting, spaces s where s.space_id = $1
     ), numbered as (
       update outbox o set first_position = p.first_position
         from placed p where o.space_id = $1 and o.batch = p.batch returning o.count
     ), moved as (
       update spaces set last_position = last_position + (select sum(count) from waiting)
        where space_id = $1 and exists (select from waiting) returning 1
     )
     select coalesce(sum(count), 0)::bigint as events from numbered`,
    [tx.space, NUMBERED_AT_ONCE],
    'outbox-number',
  )
  return row?.events ?? 0
}

/** Where the last event is that was committed, also where it waits for its position. */
export async function lastPosition(db: Db): Promise<number> {
  const [row] = await db.query<{ position: number }>(
    `select s.last_position + coalesce((select sum(count) from outbox
              where space_id = $1 and first_position is null), 0)::bigint as position
       from spaces s where s.space_id = $1`,
    [db.space],
    'outbox-last',
  )
  return row?.position ?? 0
}

/** Events with positions above `after`, ascending, at most `limit`; one statement. */
export async function readEvents(db: Db, after: number, limit: number): Promise<StoredEvent[]> {
  const batches = await db.query<{ batchId: Uuid; first: number; at: Instant; events: string }>(
    `select batch_id as "batchId", first_position as first, recorded_at as at, events from outbox
      where space_id = $1 and first_position > coalesce((select max(first_position) from outbox
              where space_id = $1 and first_position <= $2), 0) - 1
        and first_position <= $2 + $3
      order by first_position`,
    [db.space, after, limit],
    'outbox-read',
  )
  const events: StoredEvent[] = []
  for (const batch of batches) {
    const items = JSON.parse(batch.events) as [string, Uuid | null, number | null, Record<string, unknown>][]
    for (const [i, [type, member, sequence, data]] of items.entries()) {
      const position = batch.first + i
      if (position <= after || events.length === limit) continue
      events.push({
        id: eventId(batch.batchId, i),
        type,
        position,
        at: batch.at,
        data,
        ...(member ? { member } : {}),
        ...(sequence ? { sequence } : {}),
      })
    }
  }
  return events
}
