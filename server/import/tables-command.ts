import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { newId } from '@laurel/engine/base/ids'
import { readConfig } from '../config.ts'
import type { Mode } from '../keys.ts'
import { BALANCES_COUNTED, importBalances } from './balances.ts'
import { readBalancesMap } from './balances-map.ts'
import { CODES_COUNTED, importCodesFile } from './codes.ts'
import { importMembersFile, MEMBERS_COUNTED } from './members.ts'
import { readMembersMap } from './members-map.ts'
import { type Progress, progressOn } from './progress.ts'
import { type RefusedFile, refusedFile } from './refused.ts'
import { EXIT, poolIn, programIn, stopOnSignals, withGate, withSpace } from './session-command.ts'
import type { TableTally } from './table.ts'
import { type Counted, tableJson, tableText } from './table-tally.ts'

type Common = { dryRun?: boolean; mode: Mode; report?: string; refused?: string }
type MembersOptions = Common & { map: string; update?: boolean }
type CodesOptions = Common & { program: string; pool: string; column: string }
type BalancesOptions = Common & { map?: string; program: string; wallet?: string }

const MEMBERS_HELP = `
Examples:
  $ laurel import members members.csv.gz --map members.json --dry-run
  $ laurel import members members.csv.gz --map members.json
  $ laurel import members members.csv.gz --map members.json --update

Every member is known by their external id: run the same import again after an interruption, it goes on where it stopped;
run it twice, nothing changes. Who is there with other content is refused; --update changes them.
`

const BALANCES_HELP = `
Examples:
  $ laurel import balances balances.csv --program coffee --dry-run
  $ laurel import balances balances.csv --program coffee
  $ laurel import balances stamps.csv --program coffee --wallet stamps --map balances.json

Without a map the columns are called externalId, member, wallet, points, earnedAt, activatesAt, expiresAt (those that
may be left out: wallet, activatesAt, expiresAt), times as 2026-11-22T09:30:00Z. Members have to be there before.
`

const CODES_HELP = `
Examples:
  $ laurel import codes tickets.csv --program coffee --pool cinema --dry-run
  $ laurel import codes tickets.csv --program coffee --pool cinema
  $ laurel import codes vouchers.csv.gz --program coffee --pool cinema --column Voucher

A code that the pool has already is left alone: run the same import again, nothing changes. Codes are handed out in the order of the
file. The pool has to be there before (POST /v1/code-pools).
`

/** `laurel import codes`. */
export function codesCommand(): Command {
  return common(new Command('codes').description('Import codes into a pool from a CSV file'), CODES_HELP)
    .requiredOption('--program <slug>', 'the program whose pool it is')
    .requiredOption('--pool <slug>', 'the pool that they go into')
    .option('--column <header>', 'the column that they are in', 'code')
    .action(async (file: string, options: CodesOptions) => {
      process.exitCode = await runCodes(file, options)
    })
}

/** `laurel import members`. */
export function membersCommand(): Command {
  return common(new Command('members').description('Import members from a CSV file'), MEMBERS_HELP)
    .requiredOption('--map <file>', 'what the columns mean, as JSON')
    .option('--update', 'change members who are there already and of whom the file says something else')
    .action(async (file: string, options: MembersOptions) => {
      process.exitCode = await runMembers(file, options)
    })
}

/** `laurel import balances`. */
export function balancesCommand(): Command {
  return common(new Command('balances').description('Import opening balances from a CSV file'), BALANCES_HELP)
    .requiredOption('--program <slug>', 'the program whose points they are')
    .option('--wallet <slug>', 'the wallet of all rows, whatever a column says (default: points)')
    .option('--map <file>', 'what the columns mean, as JSON')
    .action(async (file: string, options: BalancesOptions) => {
      process.exitCode = await runBalances(file, options)
    })
}

function common(command: Command, help: string): Command {
  return command
    .argument('<file>', 'a CSV file with a header, gzipped or not')
    .option('--dry-run', 'read and check everything, count it, store nothing; needs no database')
    .addOption(new Option('--mode <mode>', 'live or test data').choices(['live', 'test']).default('live'))
    .option('--report <file>', 'write the counts to this file too, as JSON')
    .option('--refused <file>', 'where refused rows are listed (default: FILE.refused.csv)')
    .addHelpText('after', help)
}

async function runMembers(file: string, options: MembersOptions): Promise<number> {
  const map = await readMembersMap(options.map)
  const saying = { file, noun: 'member', words: MEMBERS_COUNTED }
  return await session(saying, options, async (going) => {
    const shared = { path: file, map, update: options.update === true, ...going }
    if (options.dryRun) return await importMembersFile({ ...shared, into: undefined })
    return await withSpace(readConfig(process.env), options.mode, async (space) =>
      importMembersFile({ ...shared, into: { ...space, newId } }),
    )
  })
}

async function runCodes(file: string, options: CodesOptions): Promise<number> {
  const saying = { file, noun: 'text', words: CODES_COUNTED }
  return await session(saying, options, async (going) => {
    const shared = { path: file, column: options.column, ...going }
    if (options.dryRun) return await importCodesFile({ ...shared, into: undefined })
    return await withSpace(readConfig(process.env), options.mode, async (space) => {
      const codes = await poolIn(space, options.program, options.pool, options.mode)
      return await importCodesFile({ ...shared, into: { ...space, codes } })
    })
  })
}

async function runBalances(file: string, options: BalancesOptions): Promise<number> {
  const map = options.map === undefined ? undefined : await readBalancesMap(options.map)
  const saying = { file, noun: 'balance', words: BALANCES_COUNTED }
  return await session(saying, options, async (going) => {
    const shared = { path: file, map, program: options.program, wallet: options.wallet, ...going }
    if (options.dryRun) return await importBalances({ ...shared, submit: undefined })
    return await withSpace(readConfig(process.env), options.mode, async (space) => {
      await programIn(space, options.program, options.mode)
      return await withGate(space, (submit) => importBalances({ ...shared, submit }))
    })
  })
}

type Going = { refused: RefusedFile; progress: Progress; stop: AbortSignal }
type Saying = { file: string; noun: string; words: readonly Counted[] }

/** What every import of this kind does around its work: listens to signals, lists what is refused, says what was done. */
async function session(
  { file, noun, words }: Saying,
  options: Common,
  work: (going: Going) => Promise<TableTally>,
): Promise<number> {
  const interruption = stopOnSignals()
  const refused = await refusedFile(options.refused ?? `${file}.refused.csv`, noun)
  let refusedPath: string | undefined
  let tally: TableTally
  try {
    tally = await work({ refused, progress: progressOn(process.stderr), stop: interruption.signal })
  } finally {
    refusedPath = await refused.close()
    interruption.done()
  }
  const said = { dryRun: options.dryRun === true, ...(refusedPath ? { refusedFile: refusedPath } : {}) }
  const ended = `${file}: ${tally.stopped ? 'stopped' : 'done'} after ${tally.seconds.toFixed(1)} s`
  process.stdout.write(`${ended}\n\n${tableText(tally, words, said)}`)
  if (options.report) await writeFile(options.report, tableJson(tally, words, { file, mode: options.mode, ...said }))
  if (interruption.signal.aborted) return EXIT.interrupted
  if (tally.stopped || tally.faults > 0) return EXIT.failed
  return tally.refused.size > 0 ? EXIT.someRefused : EXIT.done
}
