import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import type { Config } from '../config.ts'
import { readConfig } from '../config.ts'
import { Fixable } from '../fault.ts'
import type { Mode } from '../keys.ts'
import { type ImportMap, readMap } from './map.ts'
import { progressOn } from './progress.ts'
import { refusedFile } from './refused.ts'
import { importPurchases } from './run.ts'
import { EXIT, programIn, stopOnSignals, type Submit, withGate, withSpace } from './session-command.ts'
import { balancesCommand, codesCommand, membersCommand } from './tables-command.ts'
import { reportJson, reportText, type Tally } from './tally.ts'

type Options = { program: string; map: string; dryRun?: boolean; mode: Mode; report?: string; refused?: string }

const HELP = `
Examples:
  $ laurel import members members.csv --map members.json
  $ laurel import balances balances.csv --program coffee
  $ laurel import codes tickets.csv --program coffee --pool cinema
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
  const command = new Command('import')
    .description('Import members, balances, codes or purchases from a file')
    .addHelpText('after', HELP)
    .addCommand(membersCommand())
    .addCommand(balancesCommand())
    .addCommand(codesCommand())
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
    const go = (submit: Submit | undefined) => importAndSay(file, map, options, interruption.signal, submit)
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
  submit: Submit | undefined,
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

/** Runs `work` with the way into the engine, where the program takes what the map says. */
async function withEngine<T>(
  config: Config,
  map: ImportMap,
  { program, mode }: Options,
  work: (submit: Submit) => Promise<T>,
): Promise<T> {
  return await withSpace(config, mode, async (space) => {
    const ours = await programIn(space, program, mode)
    if (ours.status === 'paused')
      throw new Fixable(`The program "${ours.slug}" is paused: it takes no purchases. Resume it first.`)
    if (typeof map.currency === 'object' && map.currency.constant !== ours.currency) {
      throw new Fixable(`The program "${ours.slug}" is in ${ours.currency}, the map says ${map.currency.constant}.`)
    }
    return await withGate(space, work)
  })
}
