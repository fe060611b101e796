import { CODE_MAX, type CodesImported, type GenerateCodesBody, type RefusedCode } from '@laurel/contract/code-pools'
import type { Uuid } from '@laurel/contract/ids'
import { Refused } from '@laurel/contract/refusals'
import { codeKey, codeOf, normalCode, plainCode } from './base/codes.ts'
import type { Tx } from './base/db.ts'
import { namesKnown } from './base/names.ts'
import { holdCodes } from './base/spaces.ts'
import { appendNew, type NewCode } from './codes/append.ts'
import { poolRow } from './codes/pools.ts'
import { madeCodeKey } from './gate/names.ts'
import { keysKnown } from './codes/pools.sql.ts'
import { generatedFaults } from './rewards/terms.rules.ts'
import { loadVouchers } from './vouchers/vouchers.sql.ts'

/** A code that was brought along, as it is kept: undefined with the reason where it cannot be. */
export function codeSaid(value: unknown): { code: NewCode } | { reason: string } {
  if (typeof value !== 'string') return { reason: 'is not a text' }
  const code = value.trim()
  if (code.length === 0) return { reason: 'is empty' }
  if (code.length > CODE_MAX) return { reason: `is longer than ${CODE_MAX} characters` }
  if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u.test(code)) return { reason: 'has characters that cannot be printed' }
  const plain = plainCode(code)
  return plain === '' ? { reason: 'has dashes and spaces only' } : { code: { code, key: codeKey(plain) } }
}

/**
 * Codes that somebody else made go into the pool, in their order: each by itself, so that a bad one spoils no other. The same again
 * adds nothing. Refusals: pool_unknown.
 */
export async function importCodes(tx: Tx, ref: string, codes: readonly unknown[]): Promise<CodesImported> {
  const { poolId } = await poolRow(tx, ref)
  await holdCodes(tx)
  const refused: RefusedCode[] = []
  const first = new Map<Uuid, NewCode & { at: number[] }>()
  for (const [index, value] of codes.entries()) {
    const said = codeSaid(value)
    if ('reason' in said) refused.push({ index, reason: said.reason })
    else if (first.has(said.code.key)) first.get(said.code.key)?.at.push(index)
    else first.set(said.code.key, { ...said.code, at: [index] })
  }
  const refuse = (key: Uuid, reason: string) => {
    for (const index of first.get(key)?.at ?? []) refused.push({ index, reason })
    first.delete(key)
  }
  const keys = [...first.keys()]
  const vouchers = await loadVouchers(tx, keys)
  const pooled = vouchers.length === 0 ? new Map<Uuid, number>() : await keysKnown(tx, keys)
  for (const { key } of vouchers) if (!pooled.has(key)) refuse(key, 'a voucher has this code') // what a pool handed out is one too
  const made = await namesKnown(tx, keys.map(madeCodeKey))
  for (const key of keys) if (made.has(madeCodeKey(key))) refuse(key, 'a redemption has this code')
  const fate = await appendNew(tx, poolId, [...first.values()])
  for (const key of fate.elsewhere) refuse(key, 'another pool has this code')
  const known = [...first.values()].reduce((sum, { at }) => sum + at.length, -fate.added)
  refused.sort((a, b) => a.index - b.index)
  const row = await poolRow(tx, ref)
  return { added: fate.added, known, refused, left: row.last - row.next }
}

const DRAWS_MAX = 20

/**
 * So many new codes, none of which any pool of the space has. `chance`: 32 random hexadecimal digits each time, from the door.
 * Refusals: pool_unknown, invalid_request.
 */
export async function generateCodes(
  tx: Tx,
  ref: string,
  { count, ...said }: GenerateCodesBody,
  chance: () => string,
): Promise<{ added: number; left: number }> {
  const errors = generatedFaults(said)
  if (errors.length > 0) throw new Refused('invalid_request', 'such codes cannot be made', errors)
  const { poolId } = await poolRow(tx, ref)
  let added = 0
  for (let draws = 0; added < count; draws++) {
    if (draws === DRAWS_MAX) throw new Error('every code that was drawn was there already')
    const drawn = new Map<string, NewCode>()
    while (drawn.size < count - added) {
      const code = codeOf(said, chance())
      const key = codeKey(normalCode(code, said.alphabet))
      drawn.set(key, { code, key })
    }
    added += (await appendNew(tx, poolId, [...drawn.values()])).added
  }
  const row = await poolRow(tx, ref)
  return { added, left: row.last - row.next }
}
