import { problem, type Refusal, Refused, REFUSALS } from '@laurel/contract/refusals'
import { isOutage } from '@laurel/engine/gate/faults'
import { Limited } from './limits.ts'

/** An answer as it goes out: `body` is JSON text. */
export type Answer = { status: number; body: string; headers: Readonly<Record<string, string>> }
export type Log = { error(about: object, message: string): void; warn(about: object, message: string): void }

export const JSON_TYPE = 'application/json; charset=utf-8'
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** Headers that go with a status, whoever made the answer. */
export function headersOf(status: number): Readonly<Record<string, string>> {
  if (status === 401) return { 'www-authenticate': 'Bearer' }
  return status === 429 || status === 503 ? { 'retry-after': '1' } : {}
}

export function refusalAnswer(refusal: Refusal, headers: Readonly<Record<string, string>> = {}): Answer {
  const { status } = REFUSALS[refusal.code]
  return { status, body: JSON.stringify(problem(refusal)), headers: { ...headersOf(status), ...headers } }
}

/** Not in the list of refusals: nobody should expect it. */
export function internalProblem(requestId: string): Record<string, unknown> {
  return {
    type: 'https://laurel.dev/problems/internal',
    title: 'Something broke on our side',
    status: 500,
    code: 'internal',
    detail: `nothing is known of the outcome; ask again with the same Idempotency-Key, and tell us the request id ${requestId}`,
    requestId,
  }
}

/**
 * What goes out for what was thrown. Refusals as they are; an outage of the database as unavailable; everything else
 * is a fault of ours: logged in full under the request's id, told to nobody.
 */
export function answerTo(thrown: unknown, requestId: string, operation: string, log: Log): Answer {
  if (thrown instanceof Limited) return refusalAnswer(thrown.refusal, thrown.headers)
  if (thrown instanceof Refused) return refusalAnswer(thrown.refusal)
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  if (isOutage(error)) {
    log.warn({ requestId, operation, err: error.message }, 'the database could not be reached')
    return refusalAnswer({
      code: 'unavailable',
      detail: 'the database cannot be reached; nothing is known of the outcome',
    })
  }
  log.error({ requestId, operation, err: error }, 'a request met a fault')
  return { status: 500, body: JSON.stringify(internalProblem(requestId)), headers: {} }
}
