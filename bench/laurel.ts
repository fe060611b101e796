import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@laurel/server/postgres'

/** A Laurel process, as whoever runs Laurel would start it. `readyMs`: from spawning it to its first answer. */
export type Running = { pid: number; port: number; readyMs: number; stop(): Promise<void> }
export type Role = 'api' | 'worker' | 'start'

const CLI = join(import.meta.dirname, '../server/cli.ts')
/** The flags with which `npm start` and `npx laurel` run Node. */
const AS_STARTED = '--min-semi-space-size=64 --max-semi-space-size=64'
const START_MS = 60_000
const ASK_AGAIN_MS = 2

/** `env` is what differs from our own environment. LAUREL_BENCH_NODE: other flags for Node, such as --cpu-prof. */
export async function startLaurel(role: Role, env: Record<string, string>): Promise<Running> {
  const port = role === 'worker' ? 0 : await freePort(0)
  const flags = role === 'worker' ? [] : (process.env.LAUREL_BENCH_NODE ?? AS_STARTED).split(' ').filter(Boolean)
  const began = performance.now()
  const child = spawn(process.execPath, [...flags, CLI, role], {
    env: {
      ...process.env,
      PORT: String(port),
      HOST: '127.0.0.1',
      LAUREL_RATE_LIMIT: 'off',
      LAUREL_LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const gone = new Promise<void>((done) => child.once('exit', () => done()))
  if (role !== 'worker') await firstAnswer(child, port)
  return {
    pid: child.pid as number,
    port,
    readyMs: performance.now() - began,
    async stop() {
      child.kill('SIGTERM')
      await gone
    },
  }
}

async function firstAnswer(child: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + START_MS
  while (child.exitCode === null && Date.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined)
    if (answer?.status === 200) return
    await sleep(ASK_AGAIN_MS)
  }
  child.kill()
  throw new Error(`laurel did not answer on port ${port} (exit ${child.exitCode})`)
}
