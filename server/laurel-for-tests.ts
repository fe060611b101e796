import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'

/** The real command line, as a process of its own, on data of its own. */
export type Laurel = {
  /** Everything that it has written so far, to either output. */
  said(): string
  child: ChildProcess
  ended: Promise<{ code: number | null; ms: number }>
}

const CLI = join(import.meta.dirname, 'cli.ts')
const STARTED_MS = 60_000

/** A directory that is gone after the test, with the PostgreSQL that may still run in it. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'laurel-start-'))
  await chmod(directory, 0o755)
  onTestFinished(async () => {
    await killPostgres(directory)
    await rm(directory, { recursive: true, force: true, maxRetries: 10 })
  })
  return directory
}

/** `npm start` in the checkout. */
export function npmStart(env: Record<string, string>): Laurel {
  return follow(spawn('npm', ['start'], { env: environment(env), cwd: join(import.meta.dirname, '..') }))
}

/** Runs a command; the test ends only when it has ended. `ms` of `ended` counts from the first signal sent to it. */
export function laurel(args: string[], env: Record<string, string>): Laurel {
  return follow(spawn(process.execPath, [CLI, ...args], { env: environment(env), cwd: tmpdir() }))
}

function environment(env: Record<string, string>): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', HOST: '127.0.0.1', PORT: '0', ...env }
}

function follow(child: ChildProcessWithoutNullStreams): Laurel {
  let out = ''
  let signalled = Date.now()
  const kill = child.kill.bind(child)
  child.kill = (signal) => {
    signalled = Date.now()
    return kill(signal)
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
  }
  const ended = new Promise<{ code: number | null; ms: number }>((done) => {
    child.once('exit', (code) => setTimeout(() => done({ code, ms: Date.now() - signalled }), 20)) // what it said last arrives
  })
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGKILL')
    await ended
  })
  return { said: () => out, child, ended }
}

/** `laurel start`, or another role, once it answers: its URL, and the secret key if it showed one. */
export async function started(
  env: Record<string, string>,
  role: 'start' | 'api' | Laurel = 'start',
): Promise<Laurel & { url: string; key: string | undefined }> {
  const run = typeof role === 'string' ? laurel([role], env) : role
  let over = false
  void run.ended.then(() => {
    over = true
  })
  for (const deadline = Date.now() + STARTED_MS; Date.now() < deadline && !over; await sleep(20)) {
    const url = /"api":"([^"]+)"/.exec(run.said())?.[1]
    if (url) return { ...run, url, key: /lk_live_\w{43}/.exec(run.said())?.[0] }
  }
  throw new Error(`Laurel did not answer:\n${run.said()}`)
}

/** A command that ends by itself. */
export async function ran(args: string[], env: Record<string, string>): Promise<{ code: number | null; said: string }> {
  const run = laurel(args, env)
  const { code } = await run.ended
  return { code, said: run.said() }
}

export async function call(
  url: string,
  key: string | undefined,
  path: string,
  body?: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${url}${path}`, {
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

export function postgresPid(directory: string): Promise<number> {
  return readFile(join(directory, 'postgres/data/postmaster.pid'), 'utf8').then((text) => Number(text.split('\n')[0]))
}

async function killPostgres(directory: string): Promise<void> {
  const pid = await postgresPid(directory).catch(() => undefined)
  if (!pid) return
  try {
    process.kill(pid, 'SIGQUIT')
    await sleep(300)
  } catch {
    // it has gone already
  }
}
