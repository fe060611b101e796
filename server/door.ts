import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { type Instant, parseInstant } from '@laurel/contract/instants'
import { type FieldError, Refused } from '@laurel/contract/refusals'
import { type PurchaseBody, purchaseBody } from '@laurel/contract/purchases'
import { freeFault } from '@laurel/contract/common'
import { digestOf, keyOf } from '@laurel/engine/base/keys'
import type { Configurations } from '@laurel/engine/earning/configuration'
import type { KeepAsk, PurchaseAsk, Submit } from '@laurel/engine/gate/asks'
import type { Gate } from '@laurel/engine/gate/gate'
import type { WalletReader } from '@laurel/engine/views/wallets'
import type { Limits } from './limits.ts'
import type { Metrics } from './metrics.ts'
import type { Log } from './problems.ts'
import { fastCheck } from './validate.ts'
import type { Who } from './who.ts'

/** What every request needs of the process; shared by the ways in. */
export type Door = {
  pool: pg.Pool
  gate: Gate
  wallets: WalletReader
  configurations: Configurations
  who: Who
  limits: Limits
  metrics: Metrics
  log: Log
  secret: string | undefined
  /** those that this process has served so far */
  spaces: ReadonlySet<number>
  /** we are about to stop */
  closing: boolean
}

/** Names a request in answers and logs: the process, then a count. */
const PROCESS = randomBytes(6).toString('hex')
let requests = 0
export function newRequestId(): string {
  return `req_${PROCESS}${(requests++).toString(36).padStart(6, '0')}`
}

export const IDEMPOTENCY_KEY_MAX = 255
const PRINTABLE = /^[\x20-\x7e]+$/

/** What an Idempotency-Key stands for: scoped to its operation, and bound to the request's path and body. */
export function idempotencyOf(
  operation: string,
  header: string | string[] | undefined,
  path: string,
  body: Uint8Array,
): Submit['idempotency'] {
  if (header === undefined) return undefined
  if (typeof header !== 'string' || header.length > IDEMPOTENCY_KEY_MAX || !PRINTABLE.test(header)) {
    throw new Refused('idempotency_key_invalid', `expected 1 to ${IDEMPOTENCY_KEY_MAX} printable ASCII characters`)
  }
  const about = Buffer.from(`${operation}\0${path}\0`)
  return { key: keyOf(operation, header), request: digestOf(Buffer.concat([about, body])) }
}

const checkPurchase = fastCheck(purchaseBody)

/** A purchase (or one without a member) as the verb takes it, or every field at fault. `within`: the pointer to it, in a batch. */
export function purchaseAsk(value: unknown, within = ''): PurchaseAsk | KeepAsk | FieldError[] {
  const errors = checkPurchase(value)
  if (errors) return errors.map((e) => ({ pointer: within + e.pointer, detail: e.detail }))
  const body = value as PurchaseBody
  const occurredAt = parseInstant(body.occurredAt)
  const metadata = body.metadata && freeFault(body.metadata)
  if (occurredAt === undefined || metadata) {
    return [
      ...(occurredAt === undefined ? [{ pointer: `${within}/occurredAt`, detail: NOT_AN_INSTANT }] : []),
      ...(metadata ? [{ pointer: `${within}/metadata`, detail: metadata }] : []),
    ]
  }
  const sale = {
    program: body.program,
    externalId: body.externalId,
    occurredAt,
    currency: body.currency,
    items: body.items as PurchaseAsk['items'],
    channel: body.channel,
    store: body.store,
    metadata: body.metadata,
  }
  return body.member === undefined ? { verb: 'keep', ...sale } : { verb: 'purchase', member: body.member, ...sale }
}

export const NOT_AN_INSTANT = 'expected an instant such as 2026-11-22T09:30:00+01:00'

export function invalid(errors: FieldError[]): Refused {
  const [first] = errors
  const detail = first
    ? `${first.pointer || 'the body'}: ${first.detail}${errors.length > 1 ? `, and ${errors.length - 1} more` : ''}`
    : ''
  return new Refused('invalid_request', detail, errors)
}

/** Refuses with invalid_request. */
export function instantAt(pointer: string, text: string): Instant {
  const at = parseInstant(text)
  if (at === undefined) throw invalid([{ pointer, detail: NOT_AN_INSTANT }])
  return at
}
