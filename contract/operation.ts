import type { z } from 'zod'
import type { RefusalCode } from './refusals.ts'
import type { Scope } from './scopes.ts'

/** One thing that can be asked of the API. REST and OpenAPI are both derived from it. */
export type Operation = {
  id: string
  method: 'GET' | 'POST' | 'PATCH'
  /** With parameters in braces, as OpenAPI writes them. */
  path: string
  /** The noun that it is listed under. */
  tag: string
  scope: Scope
  summary: string
  description?: string
  query?: z.ZodType
  body?: z.ZodType
  /** Without a body it is as with {}. */
  bodyOptional?: boolean
  /** Largest body in bytes; BODY_MAX unless told. */
  bodyMax?: number
  /** By HTTP status. */
  answers: Readonly<Record<number, { schema: z.ZodType; description: string }>>
  /** Beside those that every operation may give (EVERYWHERE). */
  refusals: readonly RefusalCode[]
  /** Takes an Idempotency-Key: every POST that changes something. */
  idempotent: boolean
  /** Answers with an ETag; where it is a PATCH, honours If-Match. */
  etag?: boolean
  examples: { body?: unknown; answer: unknown }
}

export const BODY_MAX = 1_000_000
export const BATCH_BODY_MAX = 4_000_000

/** What any operation may refuse with. */
export const EVERYWHERE = [
  'invalid_request',
  'unauthorized',
  'forbidden',
  'rate_limited',
  'overloaded',
  'unavailable',
] as const satisfies readonly RefusalCode[]
export const WITH_BODY = [
  'invalid_json',
  'payload_too_large',
  'unsupported_media_type',
] as const satisfies readonly RefusalCode[]
export const WITH_KEY = [
  'idempotency_key_invalid',
  'idempotency_in_progress',
  'idempotency_mismatch',
] as const satisfies readonly RefusalCode[]

/** Where a member is named, it may be by a card. */
const BY_CARD = [
  'code_mistyped',
  'card_unknown',
  'card_blocked',
  'card_code_stale',
] as const satisfies readonly RefusalCode[]

/** Every refusal that this operation may give. */
export function refusalsOf(op: Operation): RefusalCode[] {
  return [
    ...new Set<RefusalCode>([
      ...EVERYWHERE,
      ...(op.body ? WITH_BODY : []),
      ...(op.idempotent ? WITH_KEY : []),
      ...(op.refusals.includes('member_unknown') ? BY_CARD : []),
      ...op.refusals,
    ]),
  ]
}
