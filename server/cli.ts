import { enableCompileCache } from 'node:module'
import { setFlagsFromString } from 'node:v8'

// What a list (the requests that are committed together) is made of outlives a small garbage collection, so V8 comes to make its arrays
// where old objects live. Dead there until a large collection, they keep all that they point at, whole requests, from the small ones:
// an eighth of an API process's time. Here, since unlike the sizes in laurel.mjs this can be told while running, however we were started.
setFlagsFromString('--no-allocation-site-pretenuring')
enableCompileCache() // before anything large is loaded: later starts need not compile it again

const { Command } = await import('commander')
const { readConfig } = await import('./config.ts')
const { Fixable } = await import('./fault.ts')

type CommandType = import('commander').Command
type Mode = import('./keys.ts').Mode

/** Every command loads what it needs when it runs, so that `--help` and `api` are quick. */
async function laurel(): Promise<CommandType> {
  const program = new Command('laurel')
    .description('A loyalty platform that a brand runs itself.')
    .showHelpAfterError('(add --help for more)')
    .addHelpText(
      'after',
      examples(
        'laurel start',
        'laurel import purchases sales.csv --program coffee --map map.json',
        'laurel export journal --out laurel.journal',
        'laurel verify',
      ) + SETTINGS,
    )
  program
    .command('start')
    .description('Run everything: the database (unless DATABASE_URL names yours), the API and the worker')
    .addHelpText(
      'after',
      examples(
        'laurel start',
        'PORT=8080 LAUREL_DATA_DIR=/var/lib/laurel laurel start',
        'DATABASE_URL=postgresql://laurel:secret@db/laurel laurel start',
      ) + SETTINGS,
    )
    .action(async () => (await import('./start.ts')).start(readConfig(process.env), 'start'))
  program
    .command('api')
    .description('Run one API process; as many as you like behind a load balancer')
    .addHelpText('after', examples('DATABASE_URL=postgresql://laurel:secret@db/laurel PORT=3001 laurel api') + SETTINGS)
    .action(async () => (await import('./start.ts')).start(readConfig(process.env), 'api'))
  program
    .command('worker')
    .description('Run one worker process: of several, one leads and the others stand by')
    .addHelpText('after', examples('DATABASE_URL=postgresql://laurel:secret@db/laurel laurel worker') + SETTINGS)
    .action(async () => (await import('./start.ts')).start(readConfig(process.env), 'worker'))
  program
    .command('migrate')
    .description('Bring the database to what this version needs; it only ever goes forward')
    .option('--status', 'list the migrations and which of them the database has')
    .option('--dry-run', 'list what would run, and run nothing')
    .addHelpText(
      'after',
      examples('laurel migrate --status', 'DATABASE_URL=postgresql://laurel:secret@db/laurel laurel migrate'),
    )
    .action(runMigrate)
  program.addCommand(await importOrItsName())
  program.addCommand(await exportOrItsName())
  program
    .command('verify')
    .description(
      'Derive every balance again from its entries, on the live system; exits with 1 at the first thing wrong',
    )
    .option('--mode <mode>', 'live or test; both when not given', oneOfModes)
    .addHelpText('after', examples('laurel verify', 'laurel verify --mode live'))
    .action(async (options: { mode?: Mode }) =>
      (await import('./verify.ts')).runVerify(readConfig(process.env), options),
    )
  program.addCommand(keys())
  return program
}

function keys(): CommandType {
  const command = new Command('keys')
    .description('Make, list and revoke secret keys')
    .addHelpText(
      'after',
      examples(
        'laurel keys create --mode test',
        'laurel keys list',
        'laurel keys revoke key_01m80pp023e0083x9nqhvj7amw',
      ),
    )
  command
    .command('create')
    .description('Make a secret key and show it, this once')
    .option('--mode <mode>', 'live or test data', oneOfModes, 'live')
    .option('--name <name>', 'what it is for', 'Made on the command line')
    .option('--scope <scope...>', 'what it may do; everything when not given')
    .addHelpText(
      'after',
      examples('laurel keys create', 'laurel keys create --mode test --name till --scope purchases:write members:read'),
    )
    .action(async (options: { mode: Mode; name: string; scope?: string[] }) =>
      (await import('./keys-command.ts')).runCreate(readConfig(process.env), options),
    )
  command
    .command('list')
    .description('List the keys, by how they begin and end')
    .addHelpText('after', examples('laurel keys list'))
    .action(async () => (await import('./keys-command.ts')).runList(readConfig(process.env)))
  command
    .command('revoke')
    .description('Make a key useless, within seconds and for ever')
    .argument('<id>', 'the id that `keys list` shows')
    .addHelpText('after', examples('laurel keys revoke key_01m80pp023e0083x9nqhvj7amw'))
    .action(async (id: string) => (await import('./keys-command.ts')).runRevoke(readConfig(process.env), id))
  return command
}

/** The import brings much with it, so that it is loaded only when it is asked for. */
async function importOrItsName(): Promise<CommandType> {
  if (process.argv.includes('import')) return (await import('./import/command.ts')).importCommand()
  return new Command('import').description('Import members, balances, codes or purchases from a file')
}

/** Likewise. */
async function exportOrItsName(): Promise<CommandType> {
  if (process.argv.includes('export')) return (await import('./export/command.ts')).exportCommand()
  return new Command('export').description('Export the ledger')
}

async function runMigrate(options: { status?: boolean; dryRun?: boolean }): Promise<void> {
  const [{ migrate, schemaSteps }, { withDatabase }, { withOwner }] = await Promise.all([
    import('./migrate.ts'),
    import('./database.ts'),
    import('./owner.ts'),
  ])
  await withDatabase(readConfig(process.env), 'laurel migrate', async (url) => {
    if (!options.status && !options.dryRun) {
      const ran = await migrate(url, console.log)
      console.log(ran.length === 0 ? 'Nothing to do: the database is up to date.' : `Done: ${ran.length} run.`)
      return
    }
    const steps = await withOwner(url, 'laurel-migrate', schemaSteps)
    const shown = options.dryRun ? steps.filter((step) => !step.done) : steps
    if (shown.length === 0) console.log('Nothing to do: the database is up to date.')
    for (const step of shown) {
      const state = options.dryRun ? 'would run' : step.done ? 'done     ' : 'waiting  '
      console.log(`${state}  ${step.name}${step.inTransaction ? '' : '  (outside a transaction)'}`)
    }
  })
}

function oneOfModes(text: string): Mode {
  if (text === 'live' || text === 'test') return text
  throw new Fixable(`--mode is live or test, not ${text}.`)
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`
}

const SETTINGS = `
Settings (environment variables; docs/guides/operating.md has them all):
  PORT=3000  HOST=127.0.0.1  DATABASE_URL  LAUREL_DATA_DIR=./.laurel
  LAUREL_BOOTSTRAP_KEY  LAUREL_SECRET  LAUREL_RATE_LIMIT=1000  LAUREL_LOG_LEVEL=info
`

try {
  await (await laurel()).parseAsync()
} catch (error) {
  process.exitCode = 1
  console.error(error instanceof Fixable ? error.message : error)
}
