import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from './laurel-for-tests.ts'
import { type Holder, holderOfDirectory, lockDirectory } from './lock.ts'

function holder(directory: string): Holder {
  return JSON.parse(readFileSync(join(directory, 'laurel.lock'), 'utf8')) as Holder
}

test('one process has a data directory; others are told which', async () => {
  const directory = await temporaryDirectory()
  const lock = lockDirectory(directory, 'laurel start')
  expect(lockDirectory(directory, 'laurel start')).toMatchObject({
    heldBy: { pid: process.pid, command: 'laurel start' },
  })
  if ('release' in lock) lock.release()
  expect(holderOfDirectory(directory)).toBeUndefined()
  expect(lockDirectory(directory, 'laurel start')).toHaveProperty('release')
})

test('a lock whose process is gone, whose number has gone to another, or that was torn, holds nothing', async () => {
  const directory = await temporaryDirectory()
  const dead = spawn('true')
  await once(dead, 'exit')
  for (const left of [
    JSON.stringify({ pid: dead.pid, born: '1', command: 'laurel start', since: '' }),
    JSON.stringify({ pid: process.ppid, born: 'another time', command: 'laurel start', since: '' }),
    '{"pid":',
    '',
  ]) {
    writeFileSync(join(directory, 'laurel.lock'), left)
    expect(holderOfDirectory(directory)).toBeUndefined()
    expect(lockDirectory(directory, 'laurel start')).toHaveProperty('release')
    expect(holder(directory).pid).toBe(process.pid)
  }
})
