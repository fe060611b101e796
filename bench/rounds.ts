import { type Baseline, runBaseline, seedBaseline } from './baseline.ts'
import type { Load } from './requests.ts'
import { type Measured, runLoad, type Watched } from './load.ts'
import { cpuOf, cpuOfPostgres, loadAverage } from './processes.ts'
import type { Running } from './laurel.ts'
import { BENCH_KEY } from './seed.ts'
import { settings, type Stage, walBytes, withClient } from './stage.ts'
import { median, ms, printTable, ratio, whole } from './table.ts'

export type Options = {
  seconds: number
  warmUp: number
  rounds: number
  members: number
  connections: number[]
  batch: number
  /** Milliseconds that a flush of the log takes more: one table each. */
  flush: number[]
}

/** One row of a table: a load on one or several API processes, its clients split among them. */
export type Variant = {
  name: string
  apis: Running[]
  connections: number
  load: Omit<Load, 'key' | 'members'>
  /** Purchases a request: rates and costs are told per purchase. */
  each?: number
}
/** `ratios`: each time, to the mean of the baselines right before and right after it. */
export type Round = { variant: Variant; measured: Measured[]; ratios: number[] }
export type Results = { rounds: Round[]; baselines: Baseline[] }

/** A variant that has run before needs less time to be warm again. */
const AGAIN_SECONDS = 3

/**
 * Baseline, a variant, baseline, the next variant, …: whatever else the machine does, it does to both alike. All of it
 * again every round; medians over the rounds are what counts. Without a baseline, the first variant is what the others
 * are compared with, and runs before each of them.
 */
export async function runRounds(
  stage: Stage,
  options: Options,
  variants: Variant[],
  withBaseline = true,
): Promise<Results> {
  const results: Results = { rounds: variants.map((variant) => ({ variant, measured: [], ratios: [] })), baselines: [] }
  if (withBaseline) await seedBaseline(stage)
  console.log(`Load average before: ${loadAverage()}`)
  const [first, ...others] = results.rounds
  const measured = withBaseline ? results.rounds : others
  const reference = async () => {
    if (withBaseline) {
      const one = await runBaseline(stage, options.seconds)
      results.baselines.push(one)
      return one.rate
    }
    const one = await runVariant(
      stage,
      options,
      (first as Round).variant,
      first?.measured.length === 0 ? options.warmUp : AGAIN_SECONDS,
    )
    first?.measured.push(one)
    first?.ratios.push(1)
    return one.rate
  }
  let before = await reference()
  for (let round = 0; round < options.rounds; round++) {
    for (const row of measured) {
      const one = await runVariant(stage, options, row.variant, round === 0 ? options.warmUp : AGAIN_SECONDS)
      const after = await reference()
      row.measured.push(one)
      row.ratios.push((2 * one.rate) / (before + after))
      console.log(
        `  ${row.variant.name}: ${whole(one.rate)}/s between ${whole(before)}/s and ${whole(after)}/s: ${ratio(row.ratios.at(-1) ?? 0)}`,
      )
      before = after
    }
  }
  return results
}

async function runVariant(stage: Stage, options: Options, variant: Variant, warmUpSeconds: number): Promise<Measured> {
  const { apis, connections, load, each = 1 } = variant
  const one = await withClient(stage.cluster.superuserUrl, async (client) => {
    const watched: Watched = { postgres: () => cpuOfPostgres(stage.cluster.pid), wal: () => walBytes(client) }
    for (const [i, api] of apis.entries()) watched[`api ${i + 1}`] = () => cpuOf(api.pid)
    const plan = {
      ports: apis.map((api) => api.port),
      connections,
      warmUpSeconds,
      seconds: options.seconds,
      load: { ...load, key: BENCH_KEY, members: options.members },
    }
    return await runLoad(plan, watched)
  })
  const cpuEach = Object.fromEntries(Object.entries(one.cpuEach).map(([name, micros]) => [name, micros / each]))
  return { ...one, rate: one.rate * each, cpuEach }
}

/** What both figures were measured with, so that others can tell whether theirs compare. */
export async function printSettings(stage: Stage): Promise<void> {
  const found = Object.entries(await settings(stage)).map(
    ([name, value]) => `${name.replace('server_version', 'PostgreSQL')} ${value}`,
  )
  const knobs = Object.entries(process.env)
    .filter(([name]) => name.startsWith('LAUREL_BENCH'))
    .map(([name, value]) => `${name}=${value}`)
  console.log([...found, `Node ${process.version}`, ...knobs].join(' · '))
}

/** `÷`: the median of the ratios. µs: processor time a purchase (or read) of each kind of process. */
export function printRounds({ rounds, baselines }: Results, per: string, divisor = 'baseline'): void {
  const apis = (one: Measured) =>
    Object.entries(one.cpuEach).reduce((sum, [name, micros]) => sum + (name.startsWith('api') ? micros : 0), 0)
  const range = (values: number[], shown: (n: number) => string) =>
    values.length > 1 ? `${shown(Math.min(...values))}–${shown(Math.max(...values))}` : ''
  const rows = rounds.map(({ variant, measured, ratios }) => {
    const of = (pick: (one: Measured) => number) => median(measured.map(pick))
    return [
      variant.name,
      whole(of((one) => one.rate)),
      ratio(median(ratios)),
      range(ratios, ratio),
      ms(of((one) => one.p50)),
      ms(of((one) => one.p99)),
      ms(of((one) => one.p999)),
      whole(of(apis)),
      whole(of((one) => one.cpuEach.postgres ?? 0)),
      of((one) => one.cpuEach.generator ?? 0).toFixed(1),
      whole(of((one) => one.cpuEach.wal ?? 0)),
    ]
  })
  if (baselines.length > 0) {
    const of = (pick: (one: Baseline) => number) => median(baselines.map(pick))
    rows.unshift([
      'baseline: pgbench, 64 clients',
      whole(of((one) => one.rate)),
      ratio(1),
      '',
      '',
      '',
      '',
      '',
      whole(of((one) => one.cpuEach.postgres)),
      of((one) => one.cpuEach.pgbench).toFixed(1),
      '',
    ])
  }
  printTable(
    [
      '',
      `${per}/s`,
      `÷ ${divisor}`,
      'lowest–highest',
      'p50 ms',
      'p99 ms',
      'p99.9 ms',
      'µs API',
      'µs PostgreSQL',
      'µs generator',
      'WAL bytes',
    ],
    rows,
  )
}
