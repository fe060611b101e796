import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { withRead, openPool } from '@laurel/engine/base/db'
import { loadConfiguration, program as programOf } from '@laurel/engine/earning/configuration'
import { createGate } from '@laurel/engine/gate/gate'
import type { Ask, Outcome } from '@laurel/engine/gate/asks'
import type { Config } from '../config.ts'
import { readConfig } from '../config.ts'
import { withDatabase } from '../database.ts'
import { Fixable } from '../fault.ts'
import type { Mode } from '../keys.ts'
import { checkSchema } from '../migrate.ts'
import { withOwner } from '../owner.ts'
import { type ImportMap, readMap } from './map.ts'
import { progressOn } from './progress.ts'
import { refusedFile } from './refused.ts'
import { importPurchases } from './run.ts'
import { reportJson, reportText, type Tally } from './tally.ts'

type Options = { program: string; map: string; dryRun?: boolean; mode: Mode; report?: string; refused?: string }

/** All is stored that should be; something was in the way; all went well but some rows were refused. */
export const EXIT = { done: 0, failed: 1, someRefused: 3, interrupted: 130 } as const
const CONNECTIONS = 4
/** Faults of different kinds that are shown; refused rows name the others. */
const FAULTS_TOLD_MAX = 10
const TENANT = 'default'

const HELP = `
Examples:
  $ laurel import purchases sales.csv.gz --program coffee --map map.json --dry-run
  $ laurel import purchases sales.csv.gz --program coffee --map map.json
  $ laurel import purchases sales.csv --program coffee --map map.json --mode test --report report.json

The map says which column means what: examples/online-retail/map.json is one, docs/guides/import.md explains it.
Every purchase and return is known by its number: run the same import again after an interruption, it goes on
where it stopped; run it twice, nothing changes.

Exit codes: 0 all is stored, 1 it could not begin or go on, 3 all is stored but the rows that were refused
(FILE.refused.csv says which and why), 130 interrupted.
`

/** `laurel import`. */
export function importCommand(): Command {
  const command = new Command('import').description('Import purchases from a file').addHelpText('after', HELP)
  command
    .command('purchases')
    .description('Import purchases and returns from a CSV file')
    .argument('<file>', 'a CSV file with a header, gzipped or not')
    .requiredOption('--program <slug>', 'the program in which they earn')
    .requiredOption('--map <file>', 'what the columns mean, as JSON')
    .option('--dry-run', 'read and check everything, count it, store nothing; needs no database')
    .addOption(new Option('--mode <mode>', 'live or test data').choices(['live', 'test']).default('live'))
    .option('--report <file>', 'write the counts to this file too, as JSON')
    .option('--refused <file>', 'where refused rows are listed (default: FILE.refused.csv)')
    .addHelpText('after', HELP)
    .action(async (file: string, options: Options) => {
      process.exitCode = await runImport(file, options, process.env)
    })
  return command
}

async function runImport(file: string, options: Options, env: NodeJS.ProcessEnv): Promise<number> {
  const map = await readMap(options.map)
  const interruption = stopOnSignals()
  try {
    const go = (submit: ((ask: Ask) => Promise<Outcome>) | undefined) =>
      importAndSay(file, map, options, interruption.signal, submit)
    const tally = options.dryRun ? await go(undefined) : await withEngine(readConfig(env), map, options, go)
    if (interruption.signal.aborted) return EXIT.interrupted
    if (tally.stopped || tally.faults > 0) return EXIT.failed
    return tally.refused.size > 0 ? EXIT.someRefused : EXIT.done
  } finally {
    interruption.done()
  }
}

async function importAndSay(
  file: string,
  map: ImportMap,
  options: Options,
  stop: AbortSignal,
  submit: ((ask: Ask) => Promise<Outcome>) | undefined,
): Promise<Tally> {
  const refused = await refusedFile(options.refused ?? `${file}.refused.csv`)
  const progress = progressOn(process.stderr)
  let refusedPath: string | undefined
  let tally: Tally
  try {
    tally = await importPurchases({ path: file, map, program: options.program, submit, refused, progress, stop })
  } finally {
    refusedPath = await refused.close()
  }
  const said = { dryRun: options.dryRun === true, ...(refusedPath ? { refusedFile: refusedPath } : {}) }
  const ended = `${file}: ${tally.stopped ? 'stopped' : 'done'} after ${tally.seconds.toFixed(1)} s${rateOf(tally)}`
  process.stdout.write(`${ended}\n\n${reportText(tally, said)}`)
  if (options.report)
    await writeFile(options.report, reportJson(tally, { file, program: options.program, mode: options.mode, ...said }))
  return tally
}

function rateOf({ stopped, rows, seconds }: Tally): string {
  return stopped || seconds === 0 ? '' : `, ${Math.round(rows / seconds).toLocaleString('en-GB')} rows/s`
}

/** Runs `work` with the way into the engine: the gate, in this process, on the database that the settings name. */
async function withEngine<T>(
  config: Config,
  map: ImportMap,
  { program, mode }: Options,
  work: (submit: (ask: Ask) => Promise<Outcome>) => Promise<T>,
): Promise<T> {
  return await withDatabase(config, 'laurel import', async (url) => {
    await checkSchema(url)
    const space = await spaceOf(url, mode)
    const pool = openPool(url, { max: CONNECTIONS, applicationName: 'laurel-import' })
    const told = new Set<string>()
    const gate = createGate({
      pool,
      onFault: (error, verb) => {
        if (told.size < FAULTS_TOLD_MAX && !told.has(error.message)) console.error(`\nA ${verb} met a fault:`, error)
        told.add(error.message)
      },
    })
    try {
      const configuration = await withRead(pool, space, loadConfiguration)
      const ours = programOf(configuration, program)
      if (!ours) {
        const others = configuration.programs.map((p) => p.slug).join(', ')
        throw new Fixable(
          `There is no program "${program}" in the ${mode} data. ${others ? `There is: ${others}.` : 'There is none at all yet.'}`,
        )
      }
      if (ours.status === 'paused')
        throw new Fixable(`The program "${ours.slug}" is paused: it takes no purchases. Resume it first.`)
      if (typeof map.currency === 'object' && map.currency.constant !== ours.currency) {
        throw new Fixable(`The program "${ours.slug}" is in ${ours.currency}, the map says ${map.currency.constant}.`)
      }
      return await work((ask) => gate.submit(space, ask, {}, 'bulk'))
    } finally {
      await gate.close()
      await pool.end()
    }
  })
}

async function spaceOf(databaseUrl: string, mode: Mode): Promise<number> {
  const {
    rows: [row],
  } = await withOwner(databaseUrl, 'laurel-import', (owner) =>
    owner.query<{ space_id: number }>('select space_id from spaces where tenant = $1 and mode = $2', [TENANT, mode]),
  )
  if (!row) throw new Error(`the database has no space for ${mode} data`)
  return row.space_id
}

/** The first signal lets what is under way finish; the second ends at once, which loses nothing either. */
function stopOnSignals(): { signal: AbortSignal; done(): void } {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted)
    controller.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return { signal: controller.signal, done: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal) }
}
