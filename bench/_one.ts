import { onStage } from './stage.ts'
import { freshCopy } from './seed.ts'
import { runRounds, printRounds, printSettings } from './rounds.ts'
const kind = (process.env.KIND ?? 'purchase') as 'purchase'
const opts = {
  seconds: Number(process.env.S ?? 6),
  warmUp: Number(process.env.W ?? 6),
  rounds: Number(process.env.R ?? 1),
  members: 1200000,
  connections: [256],
  batch: 500,
}
const conns = (process.env.C ?? '256').split(',').map(Number)
await onStage(async (stage) => {
  const db = await freshCopy(stage, 100_000)
  const a = await stage.start('api', db)
  if (process.env.WORKER) await stage.start('worker', db)
  await printSettings(stage)
  printRounds(
    await runRounds(
      stage,
      opts,
      conns.map((c) => ({
        name: `${kind} ${c}`,
        apis: [a],
        connections: c,
        load: { kind, member: 'external' as const, batch: 500 },
        each: kind === ('bulk' as string) ? 500 : 1,
      })),
    ),
    'p',
  )
})
