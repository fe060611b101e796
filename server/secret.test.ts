import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { secretOf } from './secret.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'laurel-secret-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

test('what is told counts; with a database elsewhere nothing is made up', () => {
  expect(secretOf({ dataDir, secret: 'told', databaseUrl: 'postgresql://x/y' })).toBe('told')
  expect(secretOf({ dataDir, databaseUrl: 'postgresql://x/y' })).toBeUndefined()
  expect(secretOf({ dataDir, secret: 'told' })).toBe('told')
})

test('beside the embedded database one is made, once, for its owner to read', () => {
  const made = secretOf({ dataDir })
  expect(made).toMatch(/^[0-9a-f]{64}$/)
  expect(secretOf({ dataDir })).toBe(made)
  expect(statSync(join(dataDir, 'secret')).mode & 0o777).toBe(0o600)
})
