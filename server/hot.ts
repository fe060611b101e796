import type { IncomingMessage, ServerResponse } from 'node:http'
import { BODY_MAX } from '@laurel/contract/operation'
import type { Scope } from '@laurel/contract/scopes'
import type { Outcome } from '@laurel/engine/gate/asks'
import { type Door, idempotencyOf, invalid, newRequestId, purchaseAsk } from './door.ts'
import { walletsAnswer } from './handlers/members.ts'
import { readJsonStrictly } from './json.ts'
import { type Answer, answerTo } from './problems.ts'
import { send } from './send.ts'
import { type Caller, requireScope } from './who.ts'

/**
 * What comes most often, straight from node:http: POST /v1/purchases and GET /v1/members/{member}/wallets. The same steps
 * as any operation (rest.ts), without a framework's share of the processor. Only what is ordinary is taken; a request
 * with anything unusual about it goes the common way, so that there is one place where the unusual is answered.
 */
export function hotDoor(door: Door): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    if (request.method === 'POST' && request.url === PURCHASES && isOrdinaryJson(request)) {
      const answering = answer(door, request, response, 'recordPurchase', 'purchases:write')
      readBody(request, (body) => answering((caller) => record(door, caller, request, body)))
      return true
    }
    const member = request.method === 'GET' ? WALLETS.exec(request.url ?? '')?.[1] : undefined
    if (member === undefined || request.headers['content-length'] !== undefined || hasCoding(request)) return false
    const answering = answer(door, request, response, 'listWallets', 'points:read')
    answering((caller) => walletsAnswer(door, caller.space, member))
    return true
  }
}

const PURCHASES = '/v1/purchases'
/** A member named without percent-encoding, and no query. */
const WALLETS = /^\/v1\/members\/([\w.:~-]{1,220})\/wallets$/

/**
 * Who asks and whether they may; then what `work` answers or refuses, counted and timed. Functions that wait cost more than all of
 * this: so where nothing has to be looked up, there is one promise, the work's.
 */
function answer(door: Door, request: IncomingMessage, response: ServerResponse, operation: string, scope: Scope) {
  const arrived = performance.now()
  const requestId = newRequestId()
  let limited: Answer['headers'] | undefined
  const finish = (said: Answer) => {
    send(door, response, requestId, said, limited)
    door.metrics.observe(operation, said.status, (performance.now() - arrived) / 1000)
  }
  const fail = (error: unknown) => finish(answerTo(error, requestId, operation, door.log))
  return (work: (caller: Caller) => Promise<Answer>): void => {
    const begin = (caller: Caller) => {
      requireScope(caller, scope)
      return work(caller)
    }
    const admit = async (known: Caller | Promise<Caller>) => {
      const caller = await known
      limited = await door.limits.take(caller.key)
      return await begin(caller)
    }
    try {
      const known = door.who(request.headers.authorization)
      const atOnce = !(known instanceof Promise) && !door.limits.counts
      void (atOnce ? begin(known) : admit(known)).then(finish, fail)
    } catch (error) {
      fail(error)
    }
  }
}

function record(door: Door, caller: Caller, request: IncomingMessage, body: Buffer): Promise<Answer> {
  const idempotency = idempotencyOf('recordPurchase', request.headers['idempotency-key'], PURCHASES, body)
  const ask = purchaseAsk(readJsonStrictly(body))
  if (Array.isArray(ask)) throw invalid(ask)
  return door.gate.submit(caller.space, ask, { idempotency, actor: caller.key }, 'single').then(toAnswer)
}

const NOTHING: Answer['headers'] = Object.freeze({})
const REPLAYED: Answer['headers'] = Object.freeze({ 'idempotent-replayed': 'true' })

function toAnswer({ status, body, replayed }: Outcome): Answer {
  return { status, body, headers: replayed ? REPLAYED : NOTHING }
}

/** JSON with its length known, not compressed, not waiting for a go-ahead. */
function isOrdinaryJson(request: IncomingMessage): boolean {
  const { headers } = request
  const type = headers['content-type']
  return (
    (type === 'application/json' || type === 'application/json; charset=utf-8') &&
    Number(headers['content-length'] ?? Number.NaN) <= BODY_MAX &&
    !hasCoding(request)
  )
}

function hasCoding({ headers }: IncomingMessage): boolean {
  return (
    headers['content-encoding'] !== undefined ||
    headers['transfer-encoding'] !== undefined ||
    headers.expect !== undefined
  )
}

/** Node's parser sees to it that the body is as long as it says; a client that goes away is not answered. */
function readBody(request: IncomingMessage, then: (body: Buffer) => void): void {
  let whole: Buffer | undefined
  let chunks: Buffer[] | undefined
  request.on('data', (chunk: Buffer) => {
    if (chunks) chunks.push(chunk)
    else if (whole) chunks = [whole, chunk]
    else whole = chunk
  })
  request.on('end', () => then(chunks ? Buffer.concat(chunks) : (whole ?? Buffer.alloc(0))))
}
