import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Message, Plan, Result } from './generator.ts'
import { cpuOf } from './processes.ts'

/** What one load did, and the processor time (µs a request) of the processes that were watched while it was measured. */
export type Measured = Result & { rate: number; cpuEach: Record<string, number> }

/** A counter that only rises, read before and after: microseconds of a process, bytes of WAL, … */
export type Watched = Record<string, () => number | Promise<number>>

/** Runs a load to its end. Throws when anything was answered otherwise than it should have been. */
export async function runLoad(plan: Plan, watched: Watched = {}): Promise<Measured> {
  const child = fork(join(import.meta.dirname, 'generator.ts'), [JSON.stringify(plan)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  try {
    await phase(child, 'warm')
    const before = await readAll(watched)
    const { result } = await phase(child, 'done')
    const after = await readAll(watched)
    const failures = Object.entries(result.failures).map(([what, times]) => `${times} × ${what}`)
    if (failures.length > 0) throw new Error(`the server did not answer as it should: ${failures.join(', ')}`)
    const each = (micros: number) => micros / Math.max(1, result.requests)
    const cpuEach = Object.fromEntries(
      Object.keys(watched).map((name) => [name, each((after[name] ?? 0) - (before[name] ?? 0))]),
    )
    return { ...result, rate: result.requests / result.seconds, cpuEach: { generator: each(result.cpu), ...cpuEach } }
  } finally {
    child.kill()
  }
}

async function readAll(watched: Watched): Promise<Record<string, number>> {
  const values: Record<string, number> = {}
  for (const [name, read] of Object.entries(watched)) values[name] = await read()
  return values
}

function phase<P extends Message['phase']>(child: ChildProcess, wanted: P): Promise<Extract<Message, { phase: P }>> {
  return new Promise((done, fail) => {
    const listen = (message: Message) => {
      if (message.phase !== wanted) return
      stop()
      done(message as Extract<Message, { phase: P }>)
    }
    const end = (code: number | null) => {
      stop()
      fail(new Error(`the generator ended (${code}) before it was ${wanted}`))
    }
    const stop = () => {
      child.off('message', listen)
      child.off('exit', end)
    }
    child.on('message', listen)
    child.once('exit', end)
  })
}

/** The generator against a server that does nothing: what it costs by itself. */
export async function measureGenerator(plan: Omit<Plan, 'ports'>): Promise<Measured> {
  const server = fork(join(import.meta.dirname, 'null-server.ts'))
  try {
    const port = await new Promise<number>((done, fail) => {
      server.once('message', (message: { port: number }) => done(message.port))
      server.once('exit', () => fail(new Error('the null server ended')))
    })
    return await runLoad({ ...plan, ports: [port] }, { server: () => cpuOf(server.pid as number) })
  } finally {
    server.kill()
  }
}
