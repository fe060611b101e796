import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ENTRIES } from './purchase.ts'
import { type Options, printRounds, printSettings, runRounds, type Variant } from './rounds.ts'
import { freshCopy } from './seed.ts'
import { asSuperuser, HOME, onStage, type Stage } from './stage.ts'
import { median, ms } from './table.ts'

/**
 * Singles and batches ÷ the baseline, on disks that take longer to make the log durable. PostgreSQL sleeps so long
 * before each flush (`commit_delay`), whoever commits; who comes meanwhile goes along, which is kinder to the
 * baseline's many small transactions than a slow disk is.
 */
export async function flush(options: Options): Promise<void> {
  const { batch, connections } = options
  const many = connections.at(-1) ?? 256
  await onStage(async (stage) => {
    const database = await freshCopy(stage, ENTRIES)
    const apis = [await stage.start('api', database), await stage.start('api', database)]
    const one = apis.slice(0, 1)
    await stage.start('worker', database)
    await printSettings(stage)
    const single = { connections: many, load: { kind: 'purchase', member: 'external', batch: 1 } } as const
    const variants: Variant[] = [
      { ...single, name: `${many} connections, 1 API process`, apis: one },
      { ...single, name: `${many} connections, 2 API processes`, apis },
      {
        name: `batches of ${batch}, 4 connections, 1 API process`,
        apis: one,
        connections: 4,
        load: { kind: 'bulk', member: 'external', batch },
        each: batch,
      },
    ]
    try {
      for (const millis of options.flush) {
        await set(stage, { commit_delay: Math.round(millis * 1000), commit_siblings: 0 })
        console.log(`A flush of the log: ${ms(flushMicros())} ms by this disk, and ${millis} ms more`)
        printRounds(await runRounds(stage, options, variants), 'purchases')
      }
    } finally {
      await set(stage, { commit_delay: 'default', commit_siblings: 'default' })
    }
  })
}

/** From the next commit on. */
async function set(stage: Stage, settings: Record<string, number | 'default'>): Promise<void> {
  await asSuperuser(stage, async (client) => {
    for (const [name, value] of Object.entries(settings)) await client.query(`alter system set ${name} = ${value}`)
    await client.query('select pg_reload_conf()')
  })
}

/** What the disk takes for a page, nobody else writing: the median of many, in microseconds. */
function flushMicros(): number {
  const path = join(HOME, 'flush')
  const file = openSync(path, 'w')
  const page = Buffer.alloc(8192, 1)
  const each = Array.from({ length: 200 }, (_, i) => {
    writeSync(file, page, 0, page.length, (i % 100) * page.length)
    const before = process.hrtime.bigint()
    fdatasyncSync(file)
    return Number(process.hrtime.bigint() - before) / 1000
  })
  closeSync(file)
  rmSync(path)
  return median(each)
}
