import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config.ts'

/**
 * What secrets are derived from: LAUREL_SECRET; with the embedded database one that is made once and kept beside it, for its owner's
 * eyes. Undefined with a database elsewhere: its processes must be told the same one.
 */
export function secretOf(config: Pick<Config, 'secret' | 'databaseUrl' | 'dataDir'>): string | undefined {
  if (config.secret !== undefined || config.databaseUrl !== undefined) return config.secret
  const file = join(config.dataDir, 'secret')
  try {
    writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8').trim()
}
