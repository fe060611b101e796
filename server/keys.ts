import { createHash, randomInt } from 'node:crypto'
import { encodeId, decodeId } from '@laurel/contract/ids'
import { newId } from '@laurel/engine/base/ids'
import type pg from 'pg'
import { Fixable } from './fault.ts'

export type Mode = 'live' | 'test'

/** What can be said of a key after it was made. `hint`: how it begins and ends, for telling keys apart. */
export type KeyRow = {
  id: string
  mode: Mode
  name: string
  hint: string
  scopes: string[]
  createdAt: string
  revokedAt: string | null
}

const TENANT = 'default'
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const LENGTH = 43 // 62^43 > 2^256

/** Only this is stored of a key. No salt or stretching: 256 random bits cannot be guessed. */
export function hashKey(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

/** Makes a secret key that may do what `scopes` say. The key itself is in the answer and nowhere else. */
export async function createKey(
  owner: pg.ClientBase,
  mode: Mode,
  name: string,
  scopes: readonly string[],
): Promise<{ key: string; id: string }> {
  const key = `lk_${mode}_${Array.from({ length: LENGTH }, () => BASE62[randomInt(62)]).join('')}`
  return { key, id: (await store(owner, key, mode, name, scopes)) as string }
}

/** Undefined when the key was there already. */
async function store(
  owner: pg.ClientBase,
  key: string,
  mode: Mode,
  name: string,
  scopes: readonly string[],
): Promise<string | undefined> {
  const { rows } = await owner.query<{ key_id: string }>(
    `insert into api_keys (space_id, key_id, name, hint, key_hash, scopes)
     select space_id, $1, $2, $3, $4, $5 from spaces where tenant = $6 and mode = $7
     on conflict (key_hash) do nothing returning key_id`,
    [newId(), name, hint(key), hashKey(key), scopes, TENANT, mode],
  )
  return rows[0] && encodeId('key', rows[0].key_id)
}

function hint(key: string): string {
  const prefix = /^lk_(live|test)_/.exec(key)?.[0] ?? ''
  return `${prefix}…${key.slice(-4)}`
}

/** The live space's first key, made when it has never had any: undefined ever after. However many processes ask. */
export function firstKey(owner: pg.ClientBase): Promise<string | undefined> {
  return alone(owner, async () => {
    const { rows } = await owner.query(
      "select from api_keys join spaces using (space_id) where tenant = $1 and mode = 'live' limit 1",
      [TENANT],
    )
    return rows.length > 0 ? undefined : (await createKey(owner, 'live', 'First key', ['*'])).key
  })
}

/** A key that automation has chosen: for the test space if it begins with `lk_test_`, else live. A revoked one stays revoked. */
export async function acceptKey(owner: pg.ClientBase, key: string): Promise<void> {
  await store(owner, key, key.startsWith('lk_test_') ? 'test' : 'live', 'LAUREL_BOOTSTRAP_KEY', ['*'])
}

export async function listKeys(owner: pg.ClientBase): Promise<KeyRow[]> {
  const { rows } = await owner.query<{
    key_id: string
    mode: Mode
    name: string
    hint: string
    scopes: string[]
    created_at: Date
    revoked_at: Date | null
  }>(
    `select key_id, mode, name, hint, scopes, k.created_at, revoked_at
       from api_keys k join spaces using (space_id) where tenant = $1 order by k.created_at, key_id`,
    [TENANT],
  )
  return rows.map((row) => ({
    id: encodeId('key', row.key_id),
    mode: row.mode,
    name: row.name,
    hint: row.hint,
    scopes: row.scopes,
    createdAt: row.created_at.toISOString(),
    revokedAt: row.revoked_at?.toISOString() ?? null,
  }))
}

/** From the next request on, in every process, within the few seconds that they may remember a key. */
export async function revokeKey(owner: pg.ClientBase, id: string): Promise<void> {
  const { rows } = await owner.query(
    'update api_keys set revoked_at = coalesce(revoked_at, now()) where key_id = $1 returning 1',
    [decodeId('key', id) ?? null],
  )
  if (rows.length === 0) throw new Fixable(`There is no key ${id}. \`laurel keys list\` shows the ids.`)
}

/** One process at a time, in a transaction. */
async function alone<T>(owner: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await owner.query('begin')
  try {
    await owner.query("select pg_advisory_xact_lock(hashtext('laurel.keys'))")
    const result = await work()
    await owner.query('commit')
    return result
  } catch (error) {
    await owner.query('rollback')
    throw error
  }
}
