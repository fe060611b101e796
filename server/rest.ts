import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { RequestListener, Server } from 'node:http'
import type { Socket } from 'node:net'
import { OPERATIONS } from '@laurel/contract/operations'
import { BODY_MAX, type Operation } from '@laurel/contract/operation'
import { Refused } from '@laurel/contract/refusals'
import type { Call, Handler } from './call.ts'
import { type Door, idempotencyOf, invalid, newRequestId } from './door.ts'
import { HANDLERS } from './handlers/handlers.ts'
import { readJson, readJsonStrictly } from './json.ts'
import { type Answer, answerTo, PROBLEM_TYPE, refusalAnswer } from './problems.ts'
import { readQuery } from './query.ts'
import { send } from './send.ts'
import { type Check, fastCheck, fullCheck } from './validate.ts'
import { type Caller, requireScope } from './who.ts'

/** The contract's operations over HTTP. What is special about one of them is in its handler. */
declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | undefined
    /** what the rate limit says of this key */
    limited: Readonly<Record<string, string>> | undefined
    /** performance.now() at arrival */
    arrived: number
  }
  interface FastifyContextConfig {
    operation?: string
  }
}

/** Bodies that come often are checked by compiled schema. */
const FAST = new Set([
  'recordPurchase',
  'recordPurchases',
  'recordActivity',
  'recordActivities',
  'previewPurchase',
  'recordReturn',
  'spendPoints',
])
/** In bodies whose items stand by themselves, a field at fault is its item's. */
const BY_ITEM = new Map([
  ['recordPurchases', /^\/purchases\/\d+(\/|$)/],
  ['recordActivities', /^\/activities\/\d+(\/|$)/],
  ['sendQueue', /^\/items\/\d+(\/|$)/],
])
const PARAMETER_MAX = 2_000

export function createRest(door: Door, serverFactory: (listener: RequestListener) => Server): FastifyInstance {
  const app = Fastify({
    serverFactory,
    genReqId: newRequestId,
    logger: false,
    bodyLimit: BODY_MAX,
    exposeHeadRoutes: true,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: PARAMETER_MAX, querystringParser: () => ({}) },
    clientErrorHandler: refuseGibberish,
    frameworkErrors: (error, request, reply) =>
      finish(door, request, reply, answerTo(translated(error), request.id, 'none', door.log)),
  })
  app.decorateRequest('caller', undefined)
  app.decorateRequest('limited', undefined)
  app.decorateRequest('arrived', 0)
  takeBodies(app)
  app.setErrorHandler((error, request, reply) => {
    const { operation = 'none' } = request.routeOptions.config
    finish(door, request, reply, answerTo(translated(error), request.id, operation, door.log))
  })
  for (const operation of OPERATIONS) addOperation(app, door, operation)
  answerElsewhere(app, door)
  return app
}

function takeBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const json = ['application/json', 'application/merge-patch+json']
  app.addContentTypeParser(json, { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addContentTypeParser('*', (_request, _payload, done) => {
    done(new Refused('unsupported_media_type', 'send Content-Type: application/json'))
  })
}

function addOperation(app: FastifyInstance, door: Door, op: Operation): void {
  const checkBody = op.body && (FAST.has(op.id) ? fastCheck(op.body) : fullCheck(op.body))
  const checkQuery = op.query && fullCheck(op.query)
  const handler: Handler = HANDLERS[op.id as keyof typeof HANDLERS]
  app.route({
    method: op.method,
    url: op.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    bodyLimit: op.bodyMax ?? BODY_MAX,
    config: { operation: op.id },
    onRequest: async (request) => {
      request.arrived = performance.now()
      await admit(door, op, request)
    },
    handler: async (request, reply) => {
      const answer = await answerOf(door, op, handler, request, checkBody, checkQuery)
      finish(door, request, reply, answer)
    },
  })
}

async function answerOf(door: Door, op: Operation, handler: Handler, request: FastifyRequest, ...checks: Checks) {
  try {
    return await handler(callOf(door, op, request, ...checks))
  } catch (error) {
    return answerTo(error, request.id, op.id, door.log)
  }
}

async function admit(door: Door, op: Operation, request: FastifyRequest): Promise<void> {
  const known = door.who(request.headers.authorization)
  const caller = known instanceof Promise ? await known : known
  request.caller = caller
  if (door.limits.counts) request.limited = await door.limits.take(caller.key)
  requireScope(caller, op.scope)
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Refused('unsupported_media_type', 'send the body without Content-Encoding')
  }
}

/** Past the framework's own ways of sending, which cost and add nothing here. */
function finish(door: Door, request: FastifyRequest, reply: FastifyReply, answer: Answer): void {
  reply.hijack()
  send(door, reply.raw, request.id, answer, request.limited)
  const seconds = request.arrived ? (performance.now() - request.arrived) / 1000 : 0
  door.metrics.observe(request.routeOptions.config?.operation ?? 'none', answer.status, seconds)
}

type Checks = [body: Check | undefined, query: Check | undefined]

function callOf(door: Door, op: Operation, request: FastifyRequest, ...[checkBody, checkQuery]: Checks): Call {
  const { url = '' } = request.raw
  const cut = url.indexOf('?')
  const path = cut < 0 ? url : url.slice(0, cut)
  const query = readQuery(cut < 0 ? '' : url.slice(cut + 1))
  const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const idempotency = op.idempotent ? idempotencyOf(op.id, request.headers['idempotency-key'], path, raw) : undefined
  const errors = checkQuery
    ? checkQuery(query)
    : Object.keys(query).map((name) => ({ pointer: `/${name}`, detail: 'unknown field' }))
  if (errors && errors.length > 0)
    throw invalid(errors.map((e) => ({ pointer: e.pointer.slice(1), detail: e.detail.replace('field', 'parameter') })))
  const { value, faults } = bodyOf(op, raw)
  const wrong = checkBody?.(value)
  if (wrong) throw invalid(wrong)
  return {
    door,
    caller: request.caller as Caller,
    params: paramsOf(request),
    query,
    body: value,
    faults,
    now: Date.now() * 1000,
    requestId: request.id,
    idempotency,
    ifMatch: request.headers['if-match'],
    acceptLanguage: request.headers['accept-language'],
  }
}

function bodyOf(op: Operation, raw: Buffer): ReturnType<typeof readJson> {
  const item = BY_ITEM.get(op.id)
  if (item) {
    const read = readJson(raw)
    const [elsewhere] = read.faults.filter((fault) => !item.test(fault.pointer))
    if (elsewhere) throw new Refused('invalid_json', `${elsewhere.pointer}: ${elsewhere.detail}`, read.faults)
    return read
  }
  if (op.body && op.bodyOptional && raw.length === 0) return { value: {}, faults: [] }
  if (op.body) return { value: readJsonStrictly(raw), faults: [] }
  if (raw.length > 0) {
    const value = readJsonStrictly(raw)
    if (typeof value !== 'object' || value === null || Object.keys(value).length > 0) {
      throw invalid([{ pointer: '', detail: 'expected no body, or {}' }])
    }
  }
  return { value: undefined, faults: [] }
}

/** Nothing that PostgreSQL could not look for. */
function paramsOf(request: FastifyRequest): Record<string, string> {
  const params = request.params as Record<string, string>
  for (const [name, value] of Object.entries(params)) {
    if (value.includes('\0')) throw invalid([{ pointer: name, detail: 'expected text without the character NUL' }])
  }
  return params
}

/** How long a connection may stay silent that was opened ahead of its first request, beyond what a request's head may take. */
const SILENT_MS = 60_000

/** What is not HTTP, or more of it than we take, never becomes a request. */
function refuseGibberish(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0) {
    closeIfSilent(socket)
    return
  }
  const detail =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'the headers are larger than 16 KB'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'the request took too long to arrive'
        : 'this is not an HTTP/1.1 request'
  const { body } = refusalAnswer({ code: 'invalid_request', detail })
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Request-Id: ${newRequestId()}\r\nConnection: close\r\n\r\n${body}`,
  )
}

/**
 * Nothing has come: that is not slow, but idle, as clients' pools open connections ahead. It is closed in the end like those that
 * are kept alive, without a word: the client would take it for the answer to its first request.
 */
function closeIfSilent(socket: Socket): void {
  const close = () => (socket.bytesRead === 0 ? void socket.destroy() : undefined)
  const timer = setTimeout(close, SILENT_MS).unref()
  socket.once('close', () => clearTimeout(timer))
}

/** The framework's own refusals, as ours. */
function translated(error: unknown): unknown {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Refused('payload_too_large', 'expected a body of at most 1 MB (4 MB for a batch)')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Refused('unsupported_media_type', 'send Content-Type: application/json')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Refused('invalid_request', 'the body is not as long as Content-Length says')
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
    case 'ERR_INVALID_URL':
      return new Refused('not_found', 'the path is not one of ours')
    default:
      return error
  }
}

/** Known paths with another method: 405 and what is allowed; OPTIONS says the same; all else is not there. */
function answerElsewhere(app: FastifyInstance, door: Door): void {
  const paths = Map.groupBy(OPERATIONS, (op) => op.path)
  const known = [...paths]
    .toSorted(([a], [b]) => Number(a.includes('{')) - Number(b.includes('{')))
    .map(([path, operations]) => {
      const methods = operations.map((op): string => op.method)
      const allowed = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ')
      return { pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`), allowed }
    })
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?')
    const allow = known.find(({ pattern }) => pattern.test(path))?.allowed
    if (allow === undefined) {
      const detail = 'the path is not one of ours; /openapi.json lists them'
      return finish(door, request, reply, refusalAnswer({ code: 'not_found', detail }))
    }
    if (request.method === 'OPTIONS') return finish(door, request, reply, { status: 204, body: '', headers: { allow } })
    const detail = `this path takes ${allow}`
    return finish(door, request, reply, refusalAnswer({ code: 'method_not_allowed', detail }, { allow }))
  })
}
