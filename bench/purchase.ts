import { type Options, printRounds, printSettings, runRounds, type Variant } from './rounds.ts'
import { freshCopy } from './seed.ts'
import { onStage } from './stage.ts'

/** What a database holds before purchases are measured on it, beside all members. */
export const ENTRIES = 100_000

/** Single POST /v1/purchases, complete and durable, ÷ the baseline. A worker numbers the events meanwhile. */
export async function purchase(options: Options): Promise<void> {
  await withTwoApis(options, (one, two) => [
    ...options.connections.map(
      (connections): Variant => ({
        name: `${connections} connections, 1 API process`,
        apis: one,
        connections,
        load: { kind: 'purchase', member: 'external', batch: 1 },
      }),
    ),
    ...options.connections.map(
      (connections): Variant => ({
        name: `${connections} connections, 2 API processes`,
        apis: two,
        connections,
        load: { kind: 'purchase', member: 'external', batch: 1 },
      }),
    ),
    {
      name: `${options.connections.at(-1)} connections, 1 API process, by mem_ id`,
      apis: one,
      connections: options.connections.at(-1) ?? 256,
      load: { kind: 'purchase', member: 'id', batch: 1 },
    },
    {
      name: `${options.connections.at(-1)} connections, 1 API process, first-time members`,
      apis: one,
      connections: options.connections.at(-1) ?? 256,
      load: { kind: 'purchase', member: 'new', batch: 1 },
    },
  ])
}

/** POST /v1/purchases/batch, ÷ the same baseline; rates and costs a purchase, latencies a request. */
export async function bulk(options: Options): Promise<void> {
  const { batch } = options
  const load = { kind: 'bulk', member: 'external', batch } as const
  await withTwoApis(options, (one, two) => [
    { name: `batches of ${batch}, 4 connections, 1 API process`, apis: one, connections: 4, load, each: batch },
    { name: `batches of ${batch}, 4 connections, 2 API processes`, apis: two, connections: 4, load, each: batch },
  ])
}

async function withTwoApis(
  options: Options,
  variants: (one: Variant['apis'], two: Variant['apis']) => Variant[],
): Promise<void> {
  await onStage(async (stage) => {
    const database = await freshCopy(stage, ENTRIES)
    const first = await stage.start('api', database)
    const second = await stage.start('api', database)
    await stage.start('worker', database)
    await printSettings(stage)
    printRounds(await runRounds(stage, options, variants([first], [first, second])), 'purchases')
  })
}
