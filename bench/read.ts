import { type Options, printRounds, printSettings, runRounds } from './rounds.ts'
import { ENTRIES } from './purchase.ts'
import { freshCopy } from './seed.ts'
import { onStage } from './stage.ts'

/**
 * GET wallets of random members ÷ GET /health/live, which does nothing, on the same API process and by as many
 * connections: a table each.
 */
export async function read(options: Options): Promise<void> {
  await onStage(async (stage) => {
    const api = await stage.start('api', await freshCopy(stage, ENTRIES))
    await printSettings(stage)
    for (const connections of options.connections) {
      const of = (name: string, kind: 'wallets' | 'live', member: 'external' | 'id') => ({
        name: `${name}, ${connections} connections`,
        apis: [api],
        connections,
        load: { kind, member, batch: 1 },
      })
      const variants = [
        of('empty route', 'live', 'id'),
        of('wallets by external id', 'wallets', 'external'),
        of('wallets by mem_ id', 'wallets', 'id'),
      ]
      printRounds(await runRounds(stage, options, variants, false), 'requests', 'empty route')
    }
  })
}
