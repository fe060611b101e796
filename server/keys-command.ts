import { SCOPES } from '@laurel/contract/scopes'
import type pg from 'pg'
import type { Config } from './config.ts'
import { withDatabase } from './database.ts'
import { Fixable } from './fault.ts'
import { createKey, listKeys, type Mode, revokeKey } from './keys.ts'
import { checkSchema } from './migrate.ts'
import { withOwner } from './owner.ts'

/** On a database that has all its tables. */
async function withKeys<T>(config: Config, command: string, work: (owner: pg.ClientBase) => Promise<T>): Promise<T> {
  return withDatabase(config, command, async (url) => {
    await checkSchema(url)
    return withOwner(url, 'laurel-keys', work)
  })
}

export async function runCreate(
  config: Config,
  { mode, name, scope }: { mode: Mode; name: string; scope?: string[] },
): Promise<void> {
  const known: readonly string[] = [...SCOPES, '*']
  const unknown = (scope ?? []).filter((one) => !known.includes(one))
  if (unknown.length > 0) throw new Fixable(`There is no scope ${unknown.join(', ')}. Scopes: ${known.join(', ')}`)
  const { key, id } = await withKeys(config, 'laurel keys create', (owner) =>
    createKey(owner, mode, name, scope ?? ['*']),
  )
  console.log(`${key}\n\nThis key (${id}) is not shown again: keep it somewhere safe.`)
}

export async function runList(config: Config): Promise<void> {
  const rows = await withKeys(config, 'laurel keys list', listKeys)
  if (rows.length === 0) console.log('No keys yet. Make one: laurel keys create')
  for (const row of rows) {
    const state = row.revokedAt ? `revoked ${row.revokedAt}` : row.scopes.join(' ')
    console.log(`${row.id}  ${row.mode}  ${row.hint.padEnd(14)}  ${row.createdAt}  ${row.name}  (${state})`)
  }
}

export async function runRevoke(config: Config, id: string): Promise<void> {
  await withKeys(config, 'laurel keys revoke', (owner) => revokeKey(owner, id))
  console.log(`${id} is revoked.`)
}
