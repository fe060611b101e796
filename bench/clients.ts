import { type Measured, runLoad } from './load.ts'
import { cpuOf, cpuOfPostgres, loadAverage } from './processes.ts'
import { type Options, printSettings } from './rounds.ts'
import { ENTRIES } from './purchase.ts'
import { BENCH_KEY, freshCopy } from './seed.ts'
import { onStage } from './stage.ts'
import { ms, printTable, whole } from './table.ts'

const CLIENTS = 10_000
const RATE = 500
const SEED = 20261122

/**
 * 10,000 open connections that each think for 20 s: 500 requests a second arrive at random instants (Poisson, from a
 * seed), one in five a purchase, the others reads of wallets. Latency counts from the instant when a request was due.
 */
export async function clients(options: Options): Promise<void> {
  await onStage(async (stage) => {
    const database = await freshCopy(stage, ENTRIES)
    const api = await stage.start('api', database)
    await stage.start('worker', database)
    await printSettings(stage)
    console.log(`Load average before: ${loadAverage()}`)
    const rows: string[][] = []
    for (let round = 0; round < options.rounds; round++) {
      const one: Measured = await runLoad(
        {
          ports: [api.port],
          connections: CLIENTS,
          warmUpSeconds: options.warmUp,
          seconds: options.seconds,
          rate: RATE,
          seed: SEED + round,
          load: { kind: 'mixed', member: 'external', batch: 1, members: options.members, key: BENCH_KEY },
        },
        { api: () => cpuOf(api.pid), postgres: () => cpuOfPostgres(stage.cluster.pid) },
      )
      rows.push([
        `seed ${SEED + round}`,
        whole(one.rate),
        ...[one.p50, one.p99, one.p999, one.max].map(ms),
        ...['api', 'postgres', 'generator'].map((name) => whole(one.cpuEach[name] ?? 0)),
      ])
    }
    printTable(
      [
        `${whole(CLIENTS)} clients`,
        'requests/s',
        'p50 ms',
        'p99 ms',
        'p99.9 ms',
        'max ms',
        'µs API',
        'µs PostgreSQL',
        'µs generator',
      ],
      rows,
    )
  })
}
