import type { IncomingMessage, ServerResponse } from 'node:http'
import { BODY_MAX } from '@laurel/contract/operation'
import type { Outcome } from '@laurel/engine/gate/asks'
import { type Door, idempotencyOf, invalid, newRequestId, purchaseAsk } from './door.ts'
import { readJsonStrictly } from './json.ts'
import { type Answer, answerTo } from './problems.ts'
import { send } from './send.ts'
import { type Caller, requireScope } from './who.ts'

/**
 * POST /v1/purchases straight from node:http: the same steps as any operation (rest.ts), without a framework's share of
 * the processor. It takes only what is ordinary; a request with anything unusual about it goes the common way, so
 * that there is one place where the unusual is answered.
 */
const OPERATION = 'recordPurchase'
const PATH = '/v1/purchases'

export function hotDoor(door: Door): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    if (request.method !== 'POST' || request.url !== PATH || !isOrdinary(request)) return false
    const arrived = performance.now()
    const requestId = newRequestId()
    let limited: Answer['headers'] | undefined
    const finish = (answer: Answer) => {
      send(door, response, requestId, answer, limited)
      door.metrics.observe(OPERATION, answer.status, (performance.now() - arrived) / 1000)
    }
    const fail = (error: unknown) => finish(answerTo(error, requestId, OPERATION, door.log))
    readBody(request, async (body) => {
      try {
        const known = door.who(request.headers.authorization)
        const caller = known instanceof Promise ? await known : known
        if (door.limits.counts) limited = await door.limits.take(caller.key)
        requireScope(caller, 'purchases:write')
        finish(toAnswer(await record(door, caller, request, body)))
      } catch (error) {
        fail(error)
      }
    })
    return true
  }
}

function record(door: Door, caller: Caller, request: IncomingMessage, body: Buffer): Promise<Outcome> {
  const idempotency = idempotencyOf(OPERATION, request.headers['idempotency-key'], PATH, body)
  const ask = purchaseAsk(readJsonStrictly(body))
  if (Array.isArray(ask)) throw invalid(ask)
  return door.gate.submit(caller.space, ask, { idempotency, actor: caller.key }, 'single')
}

const NOTHING: Answer['headers'] = Object.freeze({})
const REPLAYED: Answer['headers'] = Object.freeze({ 'idempotent-replayed': 'true' })

function toAnswer({ status, body, replayed }: Outcome): Answer {
  return { status, body, headers: replayed ? REPLAYED : NOTHING }
}

/** JSON with its length known, not compressed, not waiting for a go-ahead. */
function isOrdinary({ headers }: IncomingMessage): boolean {
  const type = headers['content-type']
  return (
    (type === 'application/json' || type === 'application/json; charset=utf-8') &&
    headers['content-encoding'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    headers.expect === undefined &&
    Number(headers['content-length'] ?? Number.NaN) <= BODY_MAX
  )
}

/** Node's parser sees to it that the body is as long as it says; a client that goes away is not answered. */
function readBody(request: IncomingMessage, then: (body: Buffer) => Promise<void>): void {
  let whole: Buffer | undefined
  let chunks: Buffer[] | undefined
  request.on('data', (chunk: Buffer) => {
    if (chunks) chunks.push(chunk)
    else if (whole) chunks = [whole, chunk]
    else whole = chunk
  })
  request.on('end', () => void then(chunks ? Buffer.concat(chunks) : (whole ?? Buffer.alloc(0))))
}
