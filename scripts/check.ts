import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join, resolve } from 'node:path'

/**
 * `npm run check`: everything that can be said of the code without running it. `npm run check -- types walls` runs
 * those steps alone. scripts/check.test.ts proves that each step bites: such tools go blind silently.
 */
type Step = {
  name: string
  command: string[]
  /** What is wrong although the tool was content: that it looked at nothing. */
  blind?: (said: string) => string | undefined
}

const STEPS: Step[] = [
  { name: 'types', command: ['tsc', '--project', 'tsconfig.json'] },
  { name: 'promises', command: ['oxlint', '--type-aware', '--deny-warnings'], blind: lintedNothing },
  {
    name: 'style',
    command: ['biome', 'check', '--error-on-warnings', '--max-diagnostics=100', '.'],
    blind: checkedNothing,
  },
  {
    name: 'imports',
    command: ['depcruise', '--config', '.dependency-cruiser.mjs', '--output-type', 'err-long', ...folders()],
    blind: cruisedTooLittle,
  },
  { name: 'walls', command: ['node', 'scripts/walls.ts'] },
  { name: 'lockfile', command: ['node', 'scripts/lockfile.ts'] },
  { name: 'unused', command: ['knip', '--no-progress', '--treat-config-hints-as-errors'] },
]

/** Every folder that holds our TypeScript. */
function folders(): string[] {
  const skipped = new Set(['node_modules', 'docs', 'coverage'])
  const names = readdirSync('.', { withFileTypes: true }).filter((e) => e.isDirectory() && !e.name.startsWith('.'))
  return names.map(({ name }) => name).filter((name) => !skipped.has(name) && sources(name) > 0)
}

function sources(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return entries.filter((path) => /\.m?ts$/.test(path) && !path.includes('node_modules')).length
}

/** With TypeScript 7 alone, dependency-cruiser reads no TypeScript and is content: it needs version 6 beside it. */
function cruisedTooLittle(said: string): string | undefined {
  const cruised = Number(/(\d+) modules, \d+ dependencies cruised/.exec(said)?.[1] ?? 0)
  const here = folders().reduce((sum, folder) => sum + sources(folder), 0)
  return cruised < here ? `it cruised ${cruised} modules where there are ${here} files` : undefined
}

function lintedNothing(said: string): string | undefined {
  return /\bon (?:0|no) files\b|No files found/i.test(said) ? 'it linted no files' : undefined
}

function checkedNothing(said: string): string | undefined {
  return /Checked [1-9]\d* files/.test(said) ? undefined : 'it checked no files'
}

type Result = { step: Step; failed: string | undefined; said: string; seconds: number }

function runStep(step: Step): Promise<Result> {
  const started = performance.now()
  const [program = '', ...args] = step.command
  const path = [resolve('node_modules/.bin'), process.env.PATH ?? ''].join(delimiter)
  const child =
    program === 'node'
      ? spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
      : spawn(program, args, {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...process.env, PATH: path },
          shell: process.platform === 'win32',
        })
  let said = ''
  const hear = (chunk: Buffer) => {
    said += chunk.toString()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  return new Promise((done) => {
    const end = (failed: string | undefined) =>
      done({ step, failed, said, seconds: (performance.now() - started) / 1000 })
    child.once('error', (error) => end(error.message))
    child.once('close', (code) => end(code === 0 ? step.blind?.(said) : `exit ${code}`))
  })
}

/** All steps, as many at once as there are processors; each is told of when it ends, what it found if it failed. */
async function check(steps: Step[]): Promise<boolean> {
  const waiting = [...steps]
  const results: Result[] = []
  const worker = async () => {
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      const result = await runStep(step)
      results.push(result)
      const time = `${result.seconds.toFixed(1)} s`.padStart(7)
      console.log(`${result.failed ? '✗' : '✓'} ${step.name.padEnd(9)} ${time}  ${step.command[0]}`)
      if (result.failed) console.log(`\n${result.said.trim()}\n\n${step.name}: ${result.failed}\n`)
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism()) }, worker))
  return results.every(({ failed }) => !failed)
}

process.chdir(join(import.meta.dirname, '..'))
if (!existsSync('node_modules')) throw new Error('The dependencies are missing: npm ci')
const names = process.argv.slice(2)
const unknown = names.filter((name) => !STEPS.some((step) => step.name === name))
if (unknown.length > 0)
  throw new Error(`no such step: ${unknown.join(', ')}. There are ${STEPS.map((s) => s.name).join(', ')}`)
const started = performance.now()
const passed = await check(STEPS.filter(({ name }) => names.length === 0 || names.includes(name)))
console.log(`${passed ? 'All is well' : 'Something is wrong'} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
if (!passed) process.exitCode = 1
