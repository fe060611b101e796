import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { type Instant, SECOND } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import { keepAnswer, releaseKey, RUNNING, type StoredAnswer, storedAnswer, takeKey } from '@laurel/engine/base/answers'
import { type Tx, withTx } from '@laurel/engine/base/db'
import type { Submit } from '@laurel/engine/gate/asks'
import { type Answer, refusalAnswer } from './problems.ts'

/**
 * Idempotency-Key for the operations that do not go through the gate (which keeps its own answers, in the transaction of
 * the list). The key is taken first, so that the same request at the same time waits for the first one's end and gets its
 * answer.
 */
type Key = NonNullable<Submit['idempotency']>

const WAIT_MS = 5_000
const POLL_MS = 50
/** After this a request that never ended (its process died) counts as given up. */
const GIVEN_UP = 60 * SECOND

/**
 * One transaction: the effect and its answer are stored together or not at all. An executed refusal undoes the effect and is
 * stored; invalid_request is not.
 */
export async function once(
  pool: pg.Pool,
  space: number,
  key: Key | undefined,
  now: Instant,
  work: (tx: Tx) => Promise<Answer>,
): Promise<Answer> {
  if (!key) return await withTx(pool, space, work)
  try {
    return await withTx(pool, space, async (tx) => {
      if (!(await takeKey(tx, key.key, key.request, now))) return repeat(await storedAnswer(tx, key.key), key)
      await tx.query('savepoint effect')
      const answer = await work(tx).catch(async (error: unknown) => {
        if (!(error instanceof Refused) || error.refusal.code === 'invalid_request') throw error
        await tx.query('rollback to savepoint effect')
        return refusalAnswer(error.refusal)
      })
      await keepAnswer(tx, key.key, { request: key.request, status: answer.status, answer: answer.body }, now)
      return answer
    })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE) throw inProgress()
    throw error
  }
}

const LOCK_NOT_AVAILABLE = '55P03'

/**
 * For work that commits by itself, piece by piece, and is safe to repeat (a batch: each purchase has its external
 * id). The key is taken and answered in transactions of their own; a request that died is repeated after a minute.
 */
export async function onceInPieces(
  pool: pg.Pool,
  space: number,
  key: Key | undefined,
  now: Instant,
  work: () => Promise<Answer>,
): Promise<Answer> {
  if (!key) return await work()
  for (let waited = 0; ; waited += POLL_MS) {
    const before = await withTx(pool, space, async (tx) => {
      await releaseKey(tx, key.key, now - GIVEN_UP)
      return (await takeKey(tx, key.key, key.request, now)) ? undefined : await storedAnswer(tx, key.key)
    })
    if (!before) break
    if (before.request !== key.request || before.status !== RUNNING) return repeat(before, key)
    if (waited >= WAIT_MS) throw inProgress()
    await sleep(POLL_MS)
  }
  try {
    const answer = await work()
    await withTx(pool, space, (tx) =>
      keepAnswer(tx, key.key, { request: key.request, status: answer.status, answer: answer.body }, now),
    )
    return answer
  } catch (error) {
    await withTx(pool, space, (tx) => releaseKey(tx, key.key)).catch(() => {}) // else it is given up after a minute
    throw error
  }
}

function repeat(before: StoredAnswer | undefined, key: Key): Answer {
  if (!before) throw inProgress()
  if (before.request !== key.request) {
    throw new Refused('idempotency_mismatch', 'the Idempotency-Key came before with another request')
  }
  return { status: before.status, body: before.answer, headers: { 'idempotent-replayed': 'true' } }
}

function inProgress(): Refused {
  return new Refused(
    'idempotency_in_progress',
    'a request with this Idempotency-Key is still running; try again shortly',
  )
}
