import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type pg from 'pg'
import type { Uuid } from '@laurel/contract/ids'
import { Refused } from '@laurel/contract/refusals'
import { allows, type Scope } from '@laurel/contract/scopes'

/** Who asks: a secret key, which belongs to one space. */
export type Caller = { space: number; mode: 'live' | 'test'; key: Uuid; scopes: readonly string[] }

/** The caller behind an Authorization header; at once when it was asked before. Refuses with unauthorized. */
export type Who = (authorization: string | undefined) => Caller | Promise<Caller>

/** A revoked key works at most this much longer, in every process. */
const REMEMBERED_MS = 5_000
const REMEMBERED_MAX = 10_000
const BEARER = /^Bearer +([\x21-\x7e]{1,200})$/i

/** `spaces` learns every space that is asked for. */
export function createWho(pool: pg.Pool, spaces: Set<number> = new Set(), rememberedMs = REMEMBERED_MS): Who {
  const remembered = new LRUCache<string, Caller>({ max: REMEMBERED_MAX, ttl: rememberedMs })
  const asked = new Map<string, Promise<Caller>>()

  async function find(authorization: string): Promise<Caller> {
    const key = BEARER.exec(authorization)?.[1]
    if (key === undefined) throw new Refused('unauthorized', 'send a secret key: Authorization: Bearer lk_…')
    const { rows } = await pool.query<{ space_id: number; mode: 'live' | 'test'; key_id: Uuid; scopes: string[] }>({
      name: 'space-of-key',
      text: 'select space_id, mode, key_id, scopes from space_of_key($1)',
      values: [hash('sha256', key, 'buffer')],
    })
    const [row] = rows
    if (!row) throw new Refused('unauthorized', 'the secret key is not known, was revoked or has expired')
    const caller = { space: row.space_id, mode: row.mode, key: row.key_id, scopes: row.scopes }
    spaces.add(caller.space)
    remembered.set(authorization, caller)
    return caller
  }

  return (authorization) => {
    if (authorization === undefined) throw new Refused('unauthorized', 'send a secret key: Authorization: Bearer lk_…')
    const known = remembered.get(authorization)
    if (known) return known
    let asking = asked.get(authorization)
    if (!asking) {
      asking = find(authorization).finally(() => asked.delete(authorization))
      asked.set(authorization, asking)
    }
    return asking
  }
}

/** Refuses with forbidden. */
export function requireScope(caller: Caller, scope: Scope): void {
  if (!allows(caller.scopes, scope)) throw new Refused('forbidden', `the operation needs the scope ${scope}`)
}
