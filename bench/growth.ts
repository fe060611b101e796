import type { Running } from './laurel.ts'
import { ENTRIES } from './purchase.ts'
import { type Options, printRounds, printSettings, runRounds, type Variant } from './rounds.ts'
import { freshCopy, seeded } from './seed.ts'
import { onStage } from './stage.ts'

const GROWN = 10_000_000

/** Single purchases on a database with ten million entries ÷ on one with a hundred thousand, both on the same server. */
export async function growth(options: Options): Promise<void> {
  const connections = options.connections.at(-1) ?? 256
  const on = (api: Running, entries: number): Variant => ({
    name: `${entries.toLocaleString('en')} entries, ${connections} connections`,
    apis: [api],
    connections,
    load: { kind: 'purchase', member: 'external', batch: 1 },
  })
  await onStage(async (stage) => {
    const onLarge = await stage.start('api', await seeded(stage, GROWN))
    const onSmall = await stage.start('api', await freshCopy(stage, ENTRIES))
    await printSettings(stage)
    const results = await runRounds(stage, options, [on(onSmall, ENTRIES), on(onLarge, GROWN)], false)
    printRounds(results, 'purchases', `at ${ENTRIES.toLocaleString('en')}`)
  })
}
