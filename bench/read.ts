import { type Options, printRounds, printSettings, runRounds } from './rounds.ts'
import { ENTRIES } from './purchase.ts'
import { freshCopy } from './seed.ts'
import { onStage } from './stage.ts'

/** GET wallets of random members ÷ GET /health/live, which does nothing, on the same API process. */
export async function read(options: Options): Promise<void> {
  await onStage(async (stage) => {
    const api = await stage.start('api', await freshCopy(stage, ENTRIES))
    await printSettings(stage)
    const connections = options.connections[0] ?? 64
    const of = (name: string, kind: 'wallets' | 'live', member: 'external' | 'id') => ({
      name,
      apis: [api],
      connections,
      load: { kind, member, batch: 1 },
    })
    const results = await runRounds(
      stage,
      options,
      [
        of(`empty route, ${connections} connections`, 'live', 'id'),
        of(`wallets by external id, ${connections} connections`, 'wallets', 'external'),
        of(`wallets by mem_ id, ${connections} connections`, 'wallets', 'id'),
      ],
      false,
    )
    printRounds(results, 'requests', 'empty route')
  })
}
