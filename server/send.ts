import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Door } from './door.ts'
import { type Answer, headersOf, JSON_TYPE, PROBLEM_TYPE } from './problems.ts'

/** For so long a body may still arrive whose request was answered without it: too large, say, or with no valid key. */
const LINGER_MS = 1_000

/** Writes an answer with what every answer has. `limited`: what the rate limit says, where there is one. */
export function send(
  door: Door,
  response: ServerResponse,
  requestId: string,
  answer: Answer,
  limited?: Answer['headers'],
): void {
  const length = Buffer.byteLength(answer.body)
  const headers: Record<string, string | number> = {
    'content-type': answer.status < 400 ? JSON_TYPE : PROBLEM_TYPE,
    'content-length': length,
    'request-id': requestId,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  }
  Object.assign(headers, limited, answer.status < 400 ? undefined : headersOf(answer.status), answer.headers)
  if (door.closing) headers.connection = 'close'
  response.writeHead(answer.status, headers)
  response.end(answer.body, length === answer.body.length ? 'latin1' : 'utf8') // ASCII is both, and cheaper as the first
  if (response.req.complete === false) closeUnlessRead(response.req)
}

/** Closed at once, the connection would often take the answer with it; read for ever, a body would cost as if it were wanted. */
function closeUnlessRead(request: IncomingMessage): void {
  const timer = setTimeout(() => request.complete || request.destroy(), LINGER_MS).unref()
  request.once('close', () => clearTimeout(timer))
}
