import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { instants, int2s, texts, unnested, uuids } from './arrays.ts'
import { type Db, type Statement, statement, type Tx } from './db.ts'

/**
 * Answers kept under an Idempotency-Key, one by one. A row whose status is 0 is taken by a request that is still running; the
 * application may not update rows, so an answer takes the place of such a row.
 */
export type StoredAnswer = { request: Uuid; status: number; answer: string }
export const RUNNING = 0

/** Takes the key; waits for whoever is taking it right now. False: it is taken, or answered. */
export async function takeKey(tx: Tx, key: Uuid, request: Uuid, now: Instant): Promise<boolean> {
  return await insertAnswer(tx, key, { request, status: RUNNING, answer: '' }, now)
}

export async function storedAnswer(tx: Tx, key: Uuid): Promise<StoredAnswer | undefined> {
  const [row] = await tx.query<StoredAnswer>(
    'select request, status, answer from idempotency_keys where space_id = $1 and key = $2',
    [tx.space, key],
  )
  return row
}

/** Puts the answer where the key was taken. */
export async function keepAnswer(tx: Tx, key: Uuid, answer: StoredAnswer, now: Instant): Promise<void> {
  await releaseKey(tx, key)
  await insertAnswer(tx, key, answer, now)
}

/** Lets go of a key that was taken; only if that was before `takenBefore`, where it is given. */
export async function releaseKey(tx: Tx, key: Uuid, takenBefore?: Instant): Promise<void> {
  await tx.query(
    `delete from idempotency_keys
      where space_id = $1 and key = $2 and status = ${RUNNING} and ($3::timestamptz is null or created_at < $3)`,
    [tx.space, key, takenBefore === undefined ? null : formatInstant(takenBefore)],
  )
}

export type AnswerRow = StoredAnswer & { key: Uuid; at: Instant }

/** The answers to a list, in ascending order of key. Fails with 23505 when a key was taken meanwhile. */
export function insertAnswers(space: number, rows: readonly AnswerRow[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into idempotency_keys (space_id, key, request, status, answer, created_at)
     select $1, ${unnested('uuid uuid smallint text timestamptz')}`,
    [
      space,
      uuids(rows, (r) => r.key),
      uuids(rows, (r) => r.request),
      int2s(rows, (r) => r.status),
      texts(rows, (r) => r.answer),
      instants(rows, (r) => r.at),
    ],
    'answers-insert',
  )
}

/** What was answered under these keys before. */
export async function loadAnswers(db: Db, keys: readonly Uuid[]): Promise<(StoredAnswer & { key: Uuid })[]> {
  if (keys.length === 0) return []
  return await db.query<StoredAnswer & { key: Uuid }>(
    'select key, request, status, answer from idempotency_keys where space_id = $1 and key = any ($2::uuid[])',
    [db.space, uuids(keys, (k) => k)],
    'answers-load',
  )
}

async function insertAnswer(
  tx: Tx,
  key: Uuid,
  { request, status, answer }: StoredAnswer,
  now: Instant,
): Promise<boolean> {
  const rows = await tx.query(
    `insert into idempotency_keys (space_id, key, request, status, answer, created_at) values ($1, $2, $3, $4, $5, $6)
     on conflict do nothing returning true as inserted`,
    [tx.space, key, request, status, answer, formatInstant(now)],
  )
  return rows.length > 0
}

/** Forgets answers older than `days`, at most `limit` of them; says how many. */
export async function forgetAnswers(tx: Tx, days: number, limit: number): Promise<number> {
  const [row] = await tx.query<{ forgotten: number }>(
    `with old as (
       select key from idempotency_keys where space_id = $1 and created_at < now() - make_interval(days => $2) limit $3
     ), forgotten as (
       delete from idempotency_keys k using old where k.space_id = $1 and k.key = old.key returning 1
     )
     select count(*) as forgotten from forgotten`,
    [tx.space, days, limit],
  )
  return row?.forgotten ?? 0
}
