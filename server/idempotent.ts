import type pg from 'pg'
import { Refused } from '@laurel/contract/refusals'
import { formatInstant, type Instant, SECOND } from '@laurel/contract/instants'
import { type Tx, withTx } from '@laurel/engine/base/db'
import type { Submit } from '@laurel/engine/gate/asks'
import { type Answer, refusalAnswer } from './problems.ts'

/**
 * Answers that are kept under an Idempotency-Key, for the operations that do not go through the gate (which keeps its
 * own, in the transaction of the list). The key's row is taken first, so that the same request at the same time waits
 * for the first one's end and gets its answer.
 */
type Stored = { request: string; status: number; answer: string }
type Key = NonNullable<Submit['idempotency']>

/** Not an answer yet: a row taken by a request that is still running. */
const RUNNING = 0
const WAIT_MS = 5_000
const POLL_MS = 50
/** After this a request that never ended (its process died) counts as given up. */
const GIVEN_UP = 60 * SECOND

/**
 * One transaction: the effect and its answer are stored together or not at all. An executed refusal undoes the effect and is
 * stored; invalid_request is not.
 */
export async function once(pool: pg.Pool, space: number, key: Key | undefined, now: Instant, work: (tx: Tx) => Promise<Answer>): Promise<Answer> {
  if (!key) return await withTx(pool, space, work)
  try {
    return await withTx(pool, space, async (tx) => {
      if (!(await take(tx, key, now))) return repeat(await stored(tx, key), key)
      await tx.query('savepoint effect')
      const answer = await work(tx).catch(async (error: unknown) => {
        if (!(error instanceof Refused) || error.refusal.code === 'invalid_request') throw error
        await tx.query('rollback to savepoint effect')
        return refusalAnswer(error.refusal)
      })
      await keep(tx, key, answer, now)
      return answer
    })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '55P03') throw inProgress()
    throw error
  }
}

/**
 * For work that commits by itself, piece by piece, and is safe to repeat (a batch: each purchase has its external
 * id). The key is taken and answered in transactions of their own; a request that died is repeated after a minute.
 */
export async function onceInPieces(pool: pg.Pool, space: number, key: Key | undefined, now: Instant, work: () => Promise<Answer>): Promise<Answer> {
  if (!key) return await work()
  for (let waited = 0; ; waited += POLL_MS) {
    const before = await withTx(pool, space, async (tx) => {
      await tx.query(`delete from idempotency_keys where space_id = $1 and key = $2 and status = ${RUNNING} and created_at < $3`,
        [space, key.key, formatInstant(now - GIVEN_UP)])
      return (await take(tx, key, now)) ? undefined : await stored(tx, key)
    })
    if (!before) break
    if (before.request !== key.request || before.status !== RUNNING) return repeat(before, key)
    if (waited >= WAIT_MS) throw inProgress()
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  try {
    const answer = await work()
    await withTx(pool, space, (tx) => keep(tx, key, answer, now))
    return answer
  } catch (error) {
    await withTx(pool, space, (tx) => release(tx, key)).catch(() => {}) // else it is given up after a minute
    throw error
  }
}

/** Waits for whoever has the row; false when an answer is there. */
async function take(tx: Tx, key: Key, now: Instant): Promise<boolean> {
  return (await insert(tx, key, { status: RUNNING, body: '' }, now)).length > 0
}

function insert(tx: Tx, key: Key, answer: { status: number; body: string }, now: Instant): Promise<object[]> {
  return tx.query(`insert into idempotency_keys (space_id, key, request, status, answer, created_at) values ($1, $2, $3, $4, $5, $6)
                   on conflict do nothing returning true as taken`,
    [tx.space, key.key, key.request, answer.status, answer.body, formatInstant(now)])
}

/** Rows of answers are never updated (the application may not): the one that was taken makes room for the answer. */
async function keep(tx: Tx, key: Key, answer: Answer, now: Instant): Promise<void> {
  await release(tx, key)
  await insert(tx, key, answer, now)
}

async function release(tx: Tx, key: Key): Promise<void> {
  await tx.query(`delete from idempotency_keys where space_id = $1 and key = $2 and status = ${RUNNING}`, [tx.space, key.key])
}

async function stored(tx: Tx, key: Key): Promise<Stored> {
  const [row] = await tx.query<Stored>('select request, status, answer from idempotency_keys where space_id = $1 and key = $2', [tx.space, key.key])
  if (!row) throw inProgress()
  return row
}

function repeat(before: Stored, key: Key): Answer {
  if (before.request !== key.request) throw new Refused('idempotency_mismatch', 'the Idempotency-Key came before with another request')
  return { status: before.status, body: before.answer, headers: { 'idempotent-replayed': 'true' } }
}

function inProgress(): Refused {
  return new Refused('idempotency_in_progress', 'a request with this Idempotency-Key is still running; try again shortly')
}
