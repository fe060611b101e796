import { startLaurel } from './laurel.ts'
import { type Options, printRounds, printSettings, runRounds } from './rounds.ts'
import { ENTRIES } from './purchase.ts'
import { freshCopy, seeded } from './seed.ts'
import { openStage } from './stage.ts'

const GROWN = 10_000_000

/** Single purchases on a database with ten million entries ÷ on one with a hundred thousand, both on the same server. */
export async function growth(options: Options): Promise<void> {
  const stage = await openStage()
  const large = await seeded(stage, GROWN)
  const small = await freshCopy(stage, ENTRIES)
  const apis = await Promise.all(
    [small, large].map((database) => startLaurel('api', { DATABASE_URL: stage.url(database) })),
  )
  const [onSmall, onLarge] = apis
  try {
    await printSettings(stage)
    const connections = options.connections.at(-1) ?? 256
    const results = await runRounds(
      stage,
      options,
      [onSmall, onLarge].flatMap((api, i) =>
        api
          ? [
              {
                name: `${[ENTRIES, GROWN][i]?.toLocaleString('en')} entries, ${connections} connections`,
                apis: [api],
                connections,
                load: { kind: 'purchase', member: 'external', batch: 1 } as const,
              },
            ]
          : [],
      ),
      false,
    )
    printRounds(results, 'purchases', `at ${ENTRIES.toLocaleString('en')}`)
  } finally {
    for (const api of apis) await api.stop()
    await stage.close()
  }
}
