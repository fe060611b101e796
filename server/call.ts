import { LIMIT_DEFAULT } from '@laurel/contract/common'
import type { Instant } from '@laurel/contract/instants'
import type { OperationId } from '@laurel/contract/operations'
import { Refused } from '@laurel/contract/refusals'
import { type Db, type Tx, withRead } from '@laurel/engine/base/db'
import type { Submit } from '@laurel/engine/gate/asks'
import type { Door } from './door.ts'
import { once } from './idempotent.ts'
import type { Answer } from './problems.ts'
import type { Caller } from './who.ts'

/** One request on its way to a handler: who asks, and what, checked against the operation's shapes. */
export type Call = {
  door: Door
  caller: Caller
  params: Readonly<Record<string, string>>
  query: Readonly<Record<string, string>>
  /** As the operation's body shape says; handlers name its type. */
  body: unknown
  /** Fields at fault inside a body whose items stand by themselves. */
  faults: readonly { pointer: string; detail: string }[]
  now: Instant
  requestId: string
  idempotency: Submit['idempotency']
  ifMatch: string | undefined
  acceptLanguage: string | undefined
}

export type Handler = (call: Call) => Promise<Answer>
export type Handlers<Id extends OperationId> = { readonly [id in Id]: Handler }

export function answer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, body: JSON.stringify(body), headers }
}

/** With the revision that guards the object, which If-Match brings back. */
export function revisedAnswer(status: number, body: unknown, revision: number): Answer {
  return answer(status, body, { etag: `"${revision}"` })
}

/** The revision that the caller has seen; undefined when it does not say. Refuses what no object of ours is tagged with. */
export function seenRevision(call: Call): number | undefined {
  const said = call.ifMatch?.trim()
  if (said === undefined || said === '*') return undefined
  const tag = /^(?:W\/)?"([1-9][0-9]{0,8})"$/.exec(said) // a proxy that compresses may have made it weak
  if (!tag) throw new Refused('etag_mismatch', 'expected the ETag that the object was read with, such as "3"')
  return Number(tag[1])
}

export function pageOf(call: Call): { after?: string; limit: number } {
  const { after, limit } = call.query
  return { ...(after === undefined ? {} : { after }), limit: limit === undefined ? LIMIT_DEFAULT : Number(limit) }
}

/** Reads in one snapshot. */
export function read<T>(call: Call, work: (db: Db) => Promise<T>): Promise<T> {
  return withRead(call.door.pool, call.caller.space, work)
}

/** Writes, once for an Idempotency-Key. */
export function write(call: Call, work: (tx: Tx) => Promise<Answer>): Promise<Answer> {
  return once(call.door.pool, call.caller.space, call.idempotency, call.now, work)
}

/** A path parameter that the operation's path names. */
export function param(call: Call, name: string): string {
  const value = call.params[name]
  if (value === undefined) throw new Error(`the path has no parameter ${name}`)
  return value
}
