import { spawn } from 'node:child_process'
import { readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fixable } from './fault.ts'
import type { Programs } from './postgres-programs.ts'

type Postmaster = { pid: number; port: number; state: string }

/** What a running (or killed) server says of itself in postmaster.pid. */
export function postmaster(data: string): Postmaster | undefined {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
    return { pid: Number(lines[0]), port: Number(lines[3]), state: (lines[7] ?? '').trim() }
  } catch {
    return undefined
  }
}

/** A server whose Laurel was killed goes on without it: it is stopped, and everything it has committed is kept. */
export async function stopLeftover(data: string, log?: (message: string) => void): Promise<void> {
  const left = postmaster(data)
  if (!left || !alive(left.pid)) return // PostgreSQL clears up after a dead one itself
  if (!isServerOf(left.pid, data)) {
    await rm(join(data, 'postmaster.pid')) // after a crash, its number went to some other process
    return
  }
  log?.(`Stopping the PostgreSQL (process ${left.pid}) that an earlier Laurel left behind`)
  process.kill(left.pid, 'SIGINT')
  for (let waited = 0; alive(left.pid) && postmaster(data); waited += 20) {
    if (waited === 30_000) process.kill(left.pid, 'SIGQUIT')
    if (waited > 40_000)
      throw new Fixable(`PostgreSQL (process ${left.pid}) on ${data} does not stop. Kill it and start again.`)
    await sleep(20)
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A postmaster's working directory is its data directory. Where that cannot be seen, believe postmaster.pid. */
function isServerOf(pid: number, data: string): boolean {
  if (process.platform !== 'linux') return true
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(data)
  } catch {
    return false // not ours to see, so not run as our user
  }
}

export function fastShutdown(pid: number, { bin }: Programs): void {
  if (process.platform === 'win32') spawn(join(bin, 'pg_ctl'), ['kill', 'INT', String(pid)], { stdio: 'ignore' })
  else process.kill(pid, 'SIGINT')
}
