import { join } from 'node:path'
import { startLaurel } from './laurel.ts'
import type { Options } from './rounds.ts'
import { ENTRIES } from './purchase.ts'
import { seeded } from './seed.ts'
import { HOME, onStage } from './stage.ts'
import { median, printTable, whole } from './table.ts'

/** From spawning the process to its first 200 from /health/ready; on data that is there already, after a clean stop. */
export async function start(options: Options): Promise<void> {
  const times = Math.max(3, options.rounds)
  await onStage(async (stage) => {
    const everything = await repeat(times, { LAUREL_DATA_DIR: join(HOME, 'start') }, 'start')
    const url = stage.url(await seeded(stage, ENTRIES))
    const alone = await repeat(times, { DATABASE_URL: url }, 'api')
    const row = (name: string, all: number[]) => [
      name,
      whole(median(all)),
      `${whole(Math.min(...all))}–${whole(Math.max(...all))}`,
    ]
    printTable(
      ['', 'ms to first answer', 'lowest–highest'],
      [
        row('laurel start (embedded PostgreSQL, API, worker), existing data', everything),
        row('laurel api, PostgreSQL running', alone),
      ],
    )
  })
}

/** The first time makes the data, or fills the compile cache: not counted. */
async function repeat(times: number, env: Record<string, string>, role: 'start' | 'api'): Promise<number[]> {
  const all: number[] = []
  for (let i = 0; i <= times; i++) {
    const one = await startLaurel(role, env)
    if (i > 0) all.push(one.readyMs)
    await one.stop()
  }
  return all
}
