import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command, Option } from 'commander'
import { type Db, openPool, withRead } from '@laurel/engine/base/db'
import { type Configuration, loadConfiguration, program as programOf } from '@laurel/engine/earning/configuration'
import { countEntries, journalOf } from '@laurel/engine/views/journal'
import { readConfig } from '../config.ts'
import { withDatabase } from '../database.ts'
import { Fixable } from '../fault.ts'
import { progressOn } from '../import/progress.ts'
import type { Mode } from '../keys.ts'
import { checkSchema } from '../migrate.ts'
import { withOwner } from '../owner.ts'
import { type Journal, journal, type Scope } from './journal-text.ts'

type Options = { program?: string; from?: string; to?: string; out?: string; check?: boolean; mode: Mode }

const TENANT = 'default'
const HELP = `
Examples:
  $ laurel export journal --out laurel.journal
  $ hledger --file laurel.journal check
  $ hledger --file laurel.journal balance members --depth 1
  $ laurel export journal --program coffee --from 2026-01-01 --to 2027-01-01 | ledger --file - balance
  $ laurel export journal --check

A transaction an entry, in one snapshot of the live system. Behind each member's entries its balances are asserted as
the API reads them, so that hledger or ledger refuse the journal when the entries do not add up to them
(docs/guides/explain-and-audit.md).

Exit codes: 0 every balance is what its entries add up to; 1 one is not, or the journal could not be written.
`

/** `laurel export`. */
export function exportCommand(): Command {
  const command = new Command('export').description('Export the ledger').addHelpText('after', HELP)
  command
    .command('journal')
    .description('Write the ledger as plain-text accounting, for hledger and ledger')
    .option('--program <slug>', 'of one program; of all unless told')
    .option(
      '--from <date>',
      "entries booked from this day on, in the program's time zone; what was before is carried forward",
    )
    .option('--to <date>', 'entries booked before this day')
    .option('--out <file>', 'where to; standard output unless told')
    .option('--check', 'write nothing: only add up, and say whether every balance agrees')
    .addOption(new Option('--mode <mode>', 'live or test data').choices(['live', 'test']).default('live'))
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      process.exitCode = await runJournal(options, process.env)
    })
  return command
}

async function runJournal(options: Options, env: NodeJS.ProcessEnv): Promise<number> {
  const from = dateOf('--from', options.from)
  const to = dateOf('--to', options.to)
  if (from !== undefined && to !== undefined && from >= to)
    throw new Fixable(`--from ${from} is not before --to ${to}.`)
  return await withDatabase(readConfig(env), 'laurel export', async (url) => {
    await checkSchema(url)
    const space = await spaceOf(url, options.mode)
    const pool = openPool(url, { max: 1, applicationName: 'laurel-export', queryTimeoutMs: 0 })
    try {
      return await withRead(pool, space, async (db) => {
        const configuration = await loadConfiguration(db)
        const program = options.program === undefined ? undefined : named(configuration, options.program, options.mode)
        return await write(db, configuration, { program, from, to, now: Date.now() * 1000 }, options)
      })
    } finally {
      await pool.end()
    }
  })
}

async function write(db: Db, configuration: Configuration, scope: Scope, options: Options): Promise<number> {
  const made = journal(configuration, scope)
  const pieces = piecesOf(db, configuration, scope, made, options)
  if (options.check) await pipeline(Readable.from(pieces), new Writable({ write: (_piece, _encoding, done) => done() }))
  else if (options.out === undefined) await toStandardOutput(pieces)
  else await toFile(options.out, pieces)
  const { wrong, transactions, assertions } = made
  if (wrong) {
    console.error(
      `WRONG: ${wrong.account} is ${wrong.says}, its entries add up to ${wrong.entries}. laurel verify says more.`,
    )
    return 1
  }
  const said =
    `${counted(transactions, 'entry', 'entries')}, ${counted(assertions, 'balance', 'balances')}: ` +
    'every one is what its entries add up to.'
  if (options.check) console.log(said)
  else console.error(said)
  return 0
}

async function* piecesOf(
  db: Db,
  configuration: Configuration,
  scope: Scope,
  made: Journal,
  { mode }: Options,
): AsyncGenerator<string> {
  const total = await countEntries(db)
  const progress = progressOn(process.stderr)
  let rows = 0
  yield made.header(mode)
  for await (const items of journalOf(db, configuration, scope.now)) {
    let piece = ''
    for (const item of items) {
      if ('entry' in item) rows += 1
      piece += made.item(item)
    }
    progress.show({ doing: 'journal', rows, total, share: 0 })
    if (piece !== '') yield piece
  }
  progress.end()
  yield made.footer()
}

function counted(n: number, one: string, other: string): string {
  return `${n.toLocaleString('en-GB')} ${n === 1 ? one : other}`
}

/** Whoever reads it may have seen enough: that is no fault of ours, but not the whole journal either. */
async function toStandardOutput(pieces: AsyncIterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(pieces), process.stdout, { end: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    throw new Fixable('The journal was not read to its end.', { cause: error })
  }
}

/** Under another name until it is whole: half a journal is not taken for one. */
async function toFile(path: string, pieces: AsyncIterable<string>): Promise<void> {
  const partial = `${path}.part`
  try {
    const file: Writable = createWriteStream(partial)
    await pipeline(Readable.from(pieces), file)
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw error instanceof Error && 'code' in error && 'syscall' in error
      ? new Fixable(`${path} cannot be written: ${error.message}`, { cause: error })
      : error
  }
}

function dateOf(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined
  if (!day || Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text)
    throw new Fixable(`${option} is a date such as 2026-11-22, not ${text}.`)
  return text
}

function named(configuration: Configuration, slug: string, mode: Mode): Scope['program'] {
  const ours = programOf(configuration, slug)
  const others = configuration.programs.map((p) => p.slug).join(', ')
  if (!ours)
    throw new Fixable(
      `There is no program "${slug}" in the ${mode} data. ` +
        (others ? `There is: ${others}.` : 'There is none at all yet.'),
    )
  return ours
}

async function spaceOf(databaseUrl: string, mode: Mode): Promise<number> {
  const { rows } = await withOwner(databaseUrl, 'laurel-export', (owner) =>
    owner.query<{ space_id: number }>('select space_id from spaces where tenant = $1 and mode = $2', [TENANT, mode]),
  )
  if (!rows[0]) throw new Error(`the database has no space for ${mode} data`)
  return rows[0].space_id
}
